/* core/table: entries are found, counted, bounded, and survive growth and short memory. */
#include <errno.h>

#include "core/list.h"
#include "core/random.h"
#include "core/table.h"
#include "support/holds.h"
#include "support/memory.h"

#define ENTRIES 1000

struct entry {
    struct table_node node;
    uint32_t key;
    bool in;
};

static bool same(const struct table_node *node, const void *key)
{
    /* Const goes through container_of and comes back. */
    const struct entry *e = (const void *)((const char *)node - offsetof(struct entry, node));

    return e->key == *(const uint32_t *)key;
}

/** Few different hashes when `weak`, so that chains get long. */
static uint64_t hash_of(uint32_t key, bool weak)
{
    return weak ? key % 7 : key * UINT64_C(0x9e3779b97f4a7c15);
}

static struct entry *find(const struct table *t, uint32_t key, bool weak)
{
    struct table_node *node = table_find(t, hash_of(key, weak), same, &key);

    return node ? container_of(node, struct entry, node) : NULL;
}

START_TEST(an_empty_table_finds_nothing)
{
    struct test_memory m;
    struct table t;
    uint32_t key = 1;

    test_memory_init(&m);
    table_init(&t, 10);
    ck_assert_ptr_null(table_find(&t, 1, same, &key));
    table_release(&t, &m.base);
    ck_assert_uint_eq(m.calls, 0);
}
END_TEST

START_TEST(the_bound_holds)
{
    struct test_memory m;
    struct table t;
    struct entry e[4] = {0};

    test_memory_init(&m);
    table_init(&t, 3);
    for (int i = 0; i < 3; i++)
        ck_assert_int_eq(table_add(&t, &m.base, &e[i].node, 1), 0);
    ck_assert_int_eq(table_add(&t, &m.base, &e[3].node, 1), -ENOSPC);
    table_remove(&t, &e[1].node);
    ck_assert_int_eq(table_add(&t, &m.base, &e[3].node, 1), 0);
    table_release(&t, &m.base);
    ck_assert_uint_eq(m.blocks, 0);
}
END_TEST

START_TEST(only_the_first_buckets_are_indispensable)
{
    struct test_memory m;
    struct table t;
    struct entry e[200] = {0};

    test_memory_init(&m);
    table_init(&t, 200);
    test_memory_fail(&m, 1);
    ck_assert_int_eq(table_add(&t, &m.base, &e[0].node, 0), -ENOMEM);
    ck_assert_uint_eq(t.count, 0);
    ck_assert_ptr_null(find(&t, 0, false));
    for (uint32_t i = 0; i < 200; i++) {
        e[i].key = i;
        test_memory_fail_all(&m, i > 0);
        ck_assert_int_eq(table_add(&t, &m.base, &e[i].node, hash_of(i, false)), 0);
    }
    ck_assert_uint_eq(t.count, 200);
    for (uint32_t i = 0; i < 200; i++)
        ck_assert_ptr_eq(find(&t, i, false), &e[i]);
    table_release(&t, &m.base);
    ck_assert_uint_eq(m.blocks, 0);
}
END_TEST

static void assert_counts_all(const struct table *t, const struct entry *e)
{
    uint32_t in = 0;

    for (uint32_t i = 0; i < ENTRIES; i++)
        in += e[i].in;
    HOLDS(in == t->count);
}

START_TEST(behaves_like_an_array_of_flags)
{
    static struct entry e[ENTRIES];
    struct random_seeded random;
    struct test_memory m;
    struct table t;
    bool weak = _i % 2;

    memset(e, 0, sizeof(e));
    random_seed(&random, (uint64_t)_i);
    test_memory_init(&m);
    table_init(&t, ENTRIES * 3 / 4);
    for (int step = 0; step < 20000; step++) {
        uint32_t i = random_below(&random.base, ENTRIES);

        e[i].key = i;
        HOLDS(find(&t, i, weak) == (e[i].in ? &e[i] : NULL));
        if (e[i].in) {
            table_remove(&t, &e[i].node);
            e[i].in = false;
        } else if (t.count < t.max) {
            HOLDS(table_add(&t, &m.base, &e[i].node, hash_of(i, weak)) == 0);
            e[i].in = true;
        } else {
            HOLDS(table_add(&t, &m.base, &e[i].node, hash_of(i, weak)) == -ENOSPC);
        }
        if (step % 1000 == 0)
            assert_counts_all(&t, e);
    }
    HOLDS(t.buckets > 16);
    table_release(&t, &m.base);
    HOLDS(m.blocks == 0);
}
END_TEST

Suite *table_suite(void);

Suite *table_suite(void)
{
    Suite *suite = suite_create("table");
    TCase *tc = tcase_create("table");

    tcase_add_test(tc, an_empty_table_finds_nothing);
    tcase_add_test(tc, the_bound_holds);
    tcase_add_test(tc, only_the_first_buckets_are_indispensable);
    tcase_add_loop_test(tc, behaves_like_an_array_of_flags, 0, 4);
    suite_add_tcase(suite, tc);
    return suite;
}
