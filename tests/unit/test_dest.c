/*
 * What is remembered of peers.
 */
#include <check.h>

#include "core/random.h"
#include "support/memory.h"
#include "tcp/dest.h"

struct bed {
    struct context cx;
    struct test_memory memory;
    struct random_seeded random;
    struct dests dests;
};

static void bed_open(struct bed *b, uint32_t room)
{
    *b = (struct bed){0};
    test_memory_init(&b->memory);
    random_seed(&b->random, 1);
    b->cx.alloc = &b->memory.base;
    b->cx.random = &b->random.base;
    b->cx.limits.destinations = room;
    dests_init(&b->dests, &b->cx);
}

static void bed_close(struct bed *b)
{
    dests_release(&b->dests);
    ck_assert_uint_eq(b->memory.blocks, 0);
}

static struct tlsyn_addr host(uint8_t n)
{
    return tlsyn_addr_ip4((const uint8_t[]){10, 0, 0, n});
}

START_TEST(what_was_learnt_is_found)
{
    struct bed b;
    struct tlsyn_addr one = host(1), two = host(2);

    bed_open(&b, 10);
    ck_assert_ptr_null(dests_find(&b.dests, &one));
    dests_learn(&b.dests, &one)->mss = 1234;
    ck_assert_uint_eq(dests_find(&b.dests, &one)->mss, 1234);
    ck_assert_ptr_eq(dests_learn(&b.dests, &one), dests_find(&b.dests, &one));
    ck_assert_ptr_null(dests_find(&b.dests, &two));
    bed_close(&b);
}
END_TEST

START_TEST(the_one_used_longest_ago_makes_room)
{
    struct bed b;
    struct tlsyn_addr addr[5];

    bed_open(&b, 3);
    for (uint8_t i = 0; i < 5; i++)
        addr[i] = host(i);
    for (int i = 0; i < 3; i++)
        dests_learn(&b.dests, &addr[i]);
    dests_find(&b.dests, &addr[0]);
    dests_learn(&b.dests, &addr[3]);
    ck_assert_ptr_nonnull(dests_find(&b.dests, &addr[0]));
    ck_assert_ptr_null(dests_find(&b.dests, &addr[1]));
    ck_assert_uint_eq(b.dests.table.count, 3);
    bed_close(&b);
}
END_TEST

START_TEST(without_memory_nothing_is_learnt)
{
    struct bed b;
    struct tlsyn_addr one = host(1);

    bed_open(&b, 3);
    for (uint64_t n = 1; n <= 2; n++) {
        test_memory_fail(&b.memory, n);
        ck_assert_ptr_null(dests_learn(&b.dests, &one));
        ck_assert_ptr_null(dests_find(&b.dests, &one));
    }
    ck_assert_ptr_nonnull(dests_learn(&b.dests, &one));
    bed_close(&b);
}
END_TEST

Suite *dest_suite(void);

Suite *dest_suite(void)
{
    Suite *s = suite_create("dest");
    TCase *all = tcase_create("all");

    tcase_add_test(all, what_was_learnt_is_found);
    tcase_add_test(all, the_one_used_longest_ago_makes_room);
    tcase_add_test(all, without_memory_nothing_is_learnt);
    suite_add_tcase(s, all);
    return s;
}
