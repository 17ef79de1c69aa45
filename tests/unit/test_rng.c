/* measure/rng: the sequence is the published one, bounded draws are fair, shuffles are
 * permutations.
 */
#include <check.h>

#include "measure/rng.h"

START_TEST(sequence_is_xoshiro256starstar_seeded_by_splitmix64)
{
    /* First outputs for seed 1, computed with a separate Python program from the definitions. */
    struct rng rng;
    rng_seed(&rng, 1);
    ck_assert_uint_eq(rng_next(&rng), UINT64_C(0xb3f2af6d0fc710c5));
    ck_assert_uint_eq(rng_next(&rng), UINT64_C(0x853b559647364cea));
    ck_assert_uint_eq(rng_next(&rng), UINT64_C(0x92f89756082a4514));
}
END_TEST

START_TEST(bounded_draws_stay_below_the_bound_and_are_fair)
{
    struct rng rng;
    unsigned seen[7] = {0};

    rng_seed(&rng, 42);
    for (int i = 0; i < 70000; i++) {
        uint32_t x = rng_below(&rng, 7);
        ck_assert_uint_lt(x, 7);
        seen[x]++;
    }
    /* Expectation 10000, standard deviation 93: six of them either way. The seed is fixed. */
    for (int i = 0; i < 7; i++) {
        ck_assert_uint_gt(seen[i], 9440);
        ck_assert_uint_lt(seen[i], 10560);
    }
    ck_assert_uint_eq(rng_below(&rng, 0), 0);
    ck_assert_uint_eq(rng_below(&rng, 1), 0);
    ck_assert_uint_lt(rng_below(&rng, UINT32_MAX), UINT32_MAX);
}
END_TEST

START_TEST(a_shuffle_keeps_every_item_and_reaches_every_order)
{
    struct rng rng;
    unsigned seen[6] = {0};

    rng_seed(&rng, 7);
    for (int i = 0; i < 6000; i++) {
        uint32_t items[3] = {0, 1, 2};
        rng_shuffle(&rng, items, 3);
        ck_assert_uint_eq((1U << items[0]) | (1U << items[1]) | (1U << items[2]), 7);
        seen[items[0] * 2 + (items[1] > items[2])]++;
    }
    for (int i = 0; i < 6; i++) {
        ck_assert_uint_gt(seen[i], 820); /* expectation 1000, standard deviation 29 */
        ck_assert_uint_lt(seen[i], 1180);
    }
    rng_shuffle(&rng, NULL, 0);
}
END_TEST

Suite *rng_suite(void);
Suite *rng_suite(void)
{
    Suite *suite = suite_create("rng");
    TCase *tcase = tcase_create("rng");

    tcase_add_test(tcase, sequence_is_xoshiro256starstar_seeded_by_splitmix64);
    tcase_add_test(tcase, bounded_draws_stay_below_the_bound_and_are_fair);
    tcase_add_test(tcase, a_shuffle_keeps_every_item_and_reaches_every_order);
    suite_add_tcase(suite, tcase);
    return suite;
}
