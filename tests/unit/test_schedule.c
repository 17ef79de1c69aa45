/* measure/schedule: every cell once per round, a new order each round, the same order from one
 * seed.
 */
#include <check.h>
#include <errno.h>

#include "measure/schedule.h"

static const struct schedule_plan five_by_four = {
    .blocks = 5, .cells_per_block = 4, .warmup_rounds = 2, .rounds = 8, .seed = 99};

START_TEST(every_round_has_every_cell_once)
{
    struct schedule schedule;
    struct schedule_slot slot;
    unsigned seen[10][5][4] = {0};
    uint32_t n = 0;

    ck_assert_int_eq(schedule_init(&schedule, &five_by_four), 0);
    ck_assert_uint_eq(schedule.total, 200);
    while (schedule_next(&schedule, &slot)) {
        ck_assert_uint_eq(slot.order, n++);
        ck_assert_uint_lt(slot.block, 5);
        ck_assert_uint_lt(slot.member, 4);
        ck_assert_uint_eq(slot.round, slot.order / 20);
        ck_assert_int_eq(slot.warmup, slot.round < 2);
        seen[slot.round][slot.block][slot.member]++;
    }
    ck_assert_uint_eq(n, 200);
    for (unsigned i = 0; i < 200; i++)
        ck_assert_uint_eq(seen[i / 20][i / 4 % 5][i % 4], 1);
    ck_assert(!schedule_next(&schedule, &slot));
    schedule_fini(&schedule);
}
END_TEST

START_TEST(a_block_is_entered_once_per_round)
{
    struct schedule schedule;
    struct schedule_slot slot;
    unsigned starts = 0;
    uint32_t block = UINT32_MAX;

    ck_assert_int_eq(schedule_init(&schedule, &five_by_four), 0);
    while (schedule_next(&schedule, &slot)) {
        if (slot.block_start) {
            starts++;
            block = slot.block;
        }
        ck_assert_uint_eq(slot.block, block);
    }
    ck_assert_uint_eq(starts, 50);
    schedule_fini(&schedule);
}
END_TEST

START_TEST(one_seed_replays_and_another_differs)
{
    struct schedule a;
    struct schedule b;
    struct schedule c;
    struct schedule_slot slot_a;
    struct schedule_slot slot_b;
    struct schedule_slot slot_c;
    struct schedule_plan other = five_by_four;
    unsigned differs = 0;

    other.seed = 100;
    ck_assert_int_eq(schedule_init(&a, &five_by_four), 0);
    ck_assert_int_eq(schedule_init(&b, &five_by_four), 0);
    ck_assert_int_eq(schedule_init(&c, &other), 0);
    while (schedule_next(&a, &slot_a)) {
        ck_assert(schedule_next(&b, &slot_b));
        ck_assert(schedule_next(&c, &slot_c));
        ck_assert_uint_eq(slot_a.block, slot_b.block);
        ck_assert_uint_eq(slot_a.member, slot_b.member);
        differs += slot_a.block != slot_c.block || slot_a.member != slot_c.member;
    }
    ck_assert_uint_gt(differs, 100);
    schedule_fini(&a);
    schedule_fini(&b);
    schedule_fini(&c);
}
END_TEST

/* Over 4000 rounds each of four stands at each of four places about 1000 times (standard deviation
 * 27; the seed is fixed): cells of one block, then blocks of one cell. */
START_TEST(no_cell_and_no_block_keeps_a_place_in_the_round)
{
    const struct schedule_plan plans[2] = {
        {.blocks = 1, .cells_per_block = 4, .rounds = 4000, .seed = 3},
        {.blocks = 4, .cells_per_block = 1, .rounds = 4000, .seed = 3}};
    struct schedule schedule;
    struct schedule_slot slot;
    unsigned at[4][4] = {0};

    ck_assert_int_eq(schedule_init(&schedule, &plans[_i]), 0);
    while (schedule_next(&schedule, &slot))
        at[_i == 0 ? slot.member : slot.block][slot.order % 4]++;
    for (unsigned i = 0; i < 16; i++) {
        ck_assert_uint_gt(at[i / 4][i % 4], 840);
        ck_assert_uint_lt(at[i / 4][i % 4], 1160);
    }
    schedule_fini(&schedule);
}
END_TEST

START_TEST(plans_out_of_bounds_are_refused)
{
    const struct schedule_plan plans[] = {
        {.blocks = 0, .cells_per_block = 1, .rounds = 1},
        {.blocks = 1, .cells_per_block = 0, .rounds = 1},
        {.blocks = 1, .cells_per_block = 1, .rounds = 0, .warmup_rounds = 3},
        {.blocks = UINT32_MAX, .cells_per_block = UINT32_MAX, .rounds = 1},
        {.blocks = 2, .cells_per_block = SCHEDULE_CELLS_MAX, .rounds = 1},
        {.blocks = 2, .cells_per_block = 1, .rounds = UINT32_MAX, .warmup_rounds = UINT32_MAX},
    };
    for (size_t i = 0; i < sizeof plans / sizeof plans[0]; i++) {
        struct schedule schedule;
        ck_assert_int_eq(schedule_init(&schedule, &plans[i]), -EINVAL);
    }
}
END_TEST

Suite *schedule_suite(void);
Suite *schedule_suite(void)
{
    Suite *suite = suite_create("schedule");
    TCase *tcase = tcase_create("schedule");

    tcase_add_test(tcase, every_round_has_every_cell_once);
    tcase_add_test(tcase, a_block_is_entered_once_per_round);
    tcase_add_test(tcase, one_seed_replays_and_another_differs);
    tcase_add_loop_test(tcase, no_cell_and_no_block_keeps_a_place_in_the_round, 0, 2);
    tcase_add_test(tcase, plans_out_of_bounds_are_refused);
    suite_add_tcase(suite, tcase);
    return suite;
}
