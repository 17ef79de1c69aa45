/* core/ranges against a map of single offsets; bounds and failing memory leave the set as it
 * was. */
#include <errno.h>

#include "core/random.h"
#include "core/ranges.h"
#include "support/holds.h"
#include "support/memory.h"

#define MAP   200
#define BOUND 11 /* no power of two, which the room doubles to */

static void assert_is(const struct ranges *r, const struct range *want, uint16_t count)
{
    ck_assert_uint_eq(r->count, count);
    for (uint16_t i = 0; i < count; i++) {
        ck_assert_uint_eq(r->at[i].from, want[i].from);
        ck_assert_uint_eq(r->at[i].to, want[i].to);
    }
}

#define ASSERT_RANGES(r, ...)                                                                      \
    assert_is(r, (const struct range[]){__VA_ARGS__},                                              \
              sizeof((const struct range[]){__VA_ARGS__}) / sizeof(struct range))

START_TEST(what_touches_is_merged)
{
    struct test_memory m;
    struct ranges r;
    struct range merged;

    test_memory_init(&m);
    ranges_init(&r, 8);
    ck_assert_int_eq(ranges_add(&r, &m.base, 10, 20, NULL), 0);
    ck_assert_int_eq(ranges_add(&r, &m.base, 30, 40, &merged), 0);
    ck_assert_uint_eq(merged.from, 30);
    ck_assert_uint_eq(merged.to, 40);
    ck_assert_int_eq(ranges_add(&r, &m.base, 50, 60, NULL), 0);
    ASSERT_RANGES(&r, {10, 20}, {30, 40}, {50, 60});
    ck_assert_int_eq(ranges_add(&r, &m.base, 20, 30, &merged), 0);
    ck_assert_uint_eq(merged.from, 10);
    ck_assert_uint_eq(merged.to, 40);
    ASSERT_RANGES(&r, {10, 40}, {50, 60});
    ck_assert_int_eq(ranges_add(&r, &m.base, 0, 5, NULL), 0);
    ASSERT_RANGES(&r, {0, 5}, {10, 40}, {50, 60});
    ck_assert_int_eq(ranges_add(&r, &m.base, 4, 55, &merged), 0);
    ck_assert_uint_eq(merged.from, 0);
    ck_assert_uint_eq(merged.to, 60);
    ASSERT_RANGES(&r, {0, 60});
    ck_assert_int_eq(ranges_add(&r, &m.base, 7, 8, &merged), 0);
    ck_assert_uint_eq(merged.to, 60);
    ck_assert_uint_eq(ranges_total(&r), 60);
    ranges_release(&r, &m.base);
    ck_assert_uint_eq(m.blocks, 0);
}
END_TEST

START_TEST(nothing_is_added_for_an_empty_interval)
{
    struct test_memory m;
    struct ranges r;

    test_memory_init(&m);
    ranges_init(&r, 8);
    ck_assert_int_eq(ranges_add(&r, &m.base, 7, 7, NULL), 0);
    ck_assert_uint_eq(r.count, 0);
    ck_assert(ranges_covers(&r, 7, 7));
    ck_assert(!ranges_covers(&r, 7, 8));
    ck_assert(!ranges_meet(&r, 7, 8, &(struct range){0}));
    ck_assert_uint_eq(m.calls, 0);
}
END_TEST

START_TEST(one_interval_too_many_is_refused)
{
    struct test_memory m;
    struct ranges r;

    test_memory_init(&m);
    ranges_init(&r, 3);
    for (uint64_t i = 0; i < 3; i++)
        ck_assert_int_eq(ranges_add(&r, &m.base, 10 * i, 10 * i + 5, NULL), 0);
    ck_assert_int_eq(ranges_add(&r, &m.base, 7, 8, NULL), -ENOSPC);
    ASSERT_RANGES(&r, {0, 5}, {10, 15}, {20, 25});
    ck_assert_int_eq(ranges_add(&r, &m.base, 5, 8, NULL), 0);
    ASSERT_RANGES(&r, {0, 8}, {10, 15}, {20, 25});
    ranges_release(&r, &m.base);
}
END_TEST

START_TEST(short_memory_changes_nothing)
{
    struct test_memory m;
    struct ranges r;

    test_memory_init(&m);
    ranges_init(&r, 100);
    test_memory_fail(&m, 1);
    ck_assert_int_eq(ranges_add(&r, &m.base, 0, 1, NULL), -ENOMEM);
    ck_assert_uint_eq(r.count, 0);
    test_memory_fail_all(&m, false);
    for (uint64_t i = 0; i < r.room || r.room == 0; i++)
        ck_assert_int_eq(ranges_add(&r, &m.base, 2 * i, 2 * i + 1, NULL), 0);
    test_memory_fail(&m, 1);
    ck_assert_int_eq(ranges_add(&r, &m.base, 500, 501, NULL), -ENOMEM);
    ck_assert_uint_eq(r.count, r.room);
    ck_assert_int_eq(ranges_add(&r, &m.base, 0, 4, NULL), 0);
    ck_assert_int_eq(ranges_add(&r, &m.base, 500, 501, NULL), 0);
    ranges_release(&r, &m.base);
    ck_assert_uint_eq(m.blocks, 0);
}
END_TEST

START_TEST(trimming_gives_memory_back_when_empty)
{
    struct test_memory m;
    struct ranges r;

    test_memory_init(&m);
    ranges_init(&r, 8);
    ranges_trim(&r, &m.base, 5);
    ranges_add(&r, &m.base, 10, 20, NULL);
    ranges_add(&r, &m.base, 30, 40, NULL);
    ranges_trim(&r, &m.base, 10);
    ASSERT_RANGES(&r, {10, 20}, {30, 40});
    ranges_trim(&r, &m.base, 15);
    ASSERT_RANGES(&r, {15, 20}, {30, 40});
    ranges_trim(&r, &m.base, 25);
    ASSERT_RANGES(&r, {30, 40});
    ranges_trim(&r, &m.base, 40);
    ck_assert_uint_eq(r.count, 0);
    ck_assert_ptr_null(r.at);
    ck_assert_uint_eq(m.blocks, 0);
}
END_TEST

START_TEST(offsets_reach_up_to_64_bits)
{
    struct test_memory m;
    struct ranges r;

    test_memory_init(&m);
    ranges_init(&r, 8);
    ck_assert_int_eq(ranges_add(&r, &m.base, UINT64_MAX - 10, UINT64_MAX, NULL), 0);
    ck_assert_ptr_nonnull(ranges_find(&r, UINT64_MAX - 1));
    ck_assert_ptr_null(ranges_find(&r, UINT64_MAX));
    ck_assert_int_eq(ranges_add(&r, &m.base, 0, UINT64_MAX, NULL), 0);
    ASSERT_RANGES(&r, {0, UINT64_MAX});
    ranges_release(&r, &m.base);
}
END_TEST

/** The map says the same: intervals are maximal runs of set offsets. */
static void assert_matches(const struct ranges *r, const bool *map)
{
    uint64_t total = 0;
    uint16_t runs = 0;

    for (uint64_t i = 0; i < MAP; i++) {
        const struct range *in = ranges_find(r, i);

        total += map[i];
        runs = (uint16_t)(runs + (map[i] && (i == 0 || !map[i - 1])));
        HOLDS(map[i] == (in != NULL));
        HOLDS(!in || (in->from <= i && i < in->to));
    }
    HOLDS(r->count == runs);
    HOLDS(ranges_total(r) == total);
    for (uint16_t i = 1; i < r->count; i++)
        HOLDS(r->at[i - 1].to < r->at[i].from);
}

static bool all_set(const bool *map, uint32_t from, uint32_t to)
{
    for (uint32_t i = from; i < to; i++) {
        if (!map[i])
            return false;
    }
    return true;
}

/* The first piece of [from, to) is found. */
static bool meets(const struct ranges *r, const bool *map, uint64_t from, uint64_t to)
{
    struct range part = {0, 0};
    uint64_t end = 0;

    while (from < to && !map[from])
        from++;
    for (end = from; end < to && map[end];)
        end++;
    return ranges_meet(r, from, to, &part) ? part.from == from && part.to == end : from >= to;
}

START_TEST(behaves_like_a_map)
{
    struct random_seeded random;
    struct test_memory m;
    struct ranges r;
    bool map[MAP] = {0};

    random_seed(&random, (uint64_t)_i);
    test_memory_init(&m);
    ranges_init(&r, BOUND);
    for (int step = 0; step < 3000; step++) {
        uint32_t from = random_below(&random.base, MAP);
        uint32_t to = from + random_below(&random.base, _i % 2 ? MAP - from : 8);
        struct range merged;
        int result;

        to = to > MAP ? MAP : to;
        if (random_below(&random.base, 40) == 0) {
            ranges_trim(&r, &m.base, to);
            memset(map, 0, to);
        } else {
            test_memory_fail(&m, 1 + random_below(&random.base, 4));
            result = ranges_add(&r, &m.base, from, to, &merged);
            test_memory_fail_all(&m, false);
            HOLDS(result == 0 || result == -ENOSPC || result == -ENOMEM);
            HOLDS(result != -ENOSPC || r.count == BOUND);
            if (result == 0)
                memset(map + from, true, to - from);
            if (result == 0 && from < to) {
                HOLDS(merged.from <= from && merged.to >= to);
                HOLDS(ranges_find(&r, from)->from == merged.from);
                HOLDS(ranges_find(&r, from)->to == merged.to);
            }
        }
        assert_matches(&r, map);
        HOLDS(ranges_covers(&r, from, to) == all_set(map, from, to));
        HOLDS(meets(&r, map, from, to));
        HOLDS(m.blocks == (r.at != NULL));
        HOLDS(r.room <= r.max);
    }
    ranges_release(&r, &m.base);
    HOLDS(m.blocks == 0);
}
END_TEST

Suite *ranges_suite(void);

Suite *ranges_suite(void)
{
    Suite *suite = suite_create("ranges");
    TCase *tc = tcase_create("ranges");

    tcase_add_test(tc, what_touches_is_merged);
    tcase_add_test(tc, nothing_is_added_for_an_empty_interval);
    tcase_add_test(tc, one_interval_too_many_is_refused);
    tcase_add_test(tc, short_memory_changes_nothing);
    tcase_add_test(tc, trimming_gives_memory_back_when_empty);
    tcase_add_test(tc, offsets_reach_up_to_64_bits);
    tcase_add_loop_test(tc, behaves_like_a_map, 0, 8);
    suite_add_tcase(suite, tc);
    return suite;
}
