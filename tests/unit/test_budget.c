/* core/budget: no more than the burst at once, no more than the rate in the long run, no less
 * either. */
#include <check.h>

#include "core/budget.h"
#include "core/random.h"

static uint32_t take_all(struct budget *b, tlsyn_time now)
{
    uint32_t n = 0;

    while (budget_take(b, now))
        n++;
    return n;
}

START_TEST(a_full_bucket_is_one_second)
{
    struct budget b;

    budget_init(&b, 10, UINT32_MAX, 500);
    ck_assert_uint_eq(take_all(&b, 500), 10);
    ck_assert_uint_eq(take_all(&b, 500 + TLSYN_MS(99)), 0);
    ck_assert_uint_eq(take_all(&b, 500 + TLSYN_MS(100)), 1);
    ck_assert_uint_eq(take_all(&b, 500 + TLSYN_MS(350)), 2);
    ck_assert_uint_eq(take_all(&b, TLSYN_SECONDS(100)), 10);
}
END_TEST

START_TEST(zero_allows_nothing)
{
    struct budget b;

    budget_init(&b, 0, UINT32_MAX, 0);
    ck_assert_uint_eq(take_all(&b, 0), 0);
    ck_assert_uint_eq(take_all(&b, TLSYN_SECONDS(1000)), 0);
}
END_TEST

START_TEST(the_largest_rate_does_not_overflow)
{
    struct budget b;

    budget_init(&b, UINT32_MAX, UINT32_MAX, INT64_MIN / 2);
    ck_assert(budget_take(&b, INT64_MAX / 2));
    ck_assert_uint_eq(b.tokens, (UINT32_MAX - UINT64_C(1)) * 1000000);
    ck_assert(budget_take(&b, INT64_MAX / 2 + 999999));
    ck_assert_uint_eq(b.tokens, (UINT32_MAX - UINT64_C(1)) * 1000000);
}
END_TEST

START_TEST(a_long_pause_does_not_overflow)
{
    struct budget b;

    budget_init(&b, 1u << 31, UINT32_MAX, 0);
    ck_assert(budget_take(&b, 0));
    /* Rate times pause would be 2^64 millionths. */
    ck_assert(budget_take(&b, INT64_C(1) << 33));
    ck_assert_uint_eq(b.tokens, ((UINT64_C(1) << 31) - 1) * 1000000);
}
END_TEST

START_TEST(a_clock_that_goes_back_gives_nothing)
{
    struct budget b;

    budget_init(&b, 1, UINT32_MAX, TLSYN_SECONDS(10));
    ck_assert(budget_take(&b, TLSYN_SECONDS(10)));
    ck_assert(!budget_take(&b, TLSYN_SECONDS(5)));
    ck_assert(!budget_take(&b, TLSYN_SECONDS(10)));
    ck_assert(budget_take(&b, TLSYN_SECONDS(11)));
}
END_TEST

START_TEST(asking_often_loses_nothing)
{
    struct random_seeded random;
    struct budget b;
    tlsyn_time now = 0;
    uint64_t taken = 0;

    random_seed(&random, 5);
    budget_init(&b, 333, UINT32_MAX, 0);
    while (now < TLSYN_SECONDS(20)) {
        now += 1 + random_below(&random.base, 300);
        taken += budget_take(&b, now);
    }
    ck_assert_uint_le(taken, 333 + 20 * 333 + 1);
    ck_assert_uint_ge(taken, 333 + 20 * 333 - 1);
}
END_TEST

Suite *budget_suite(void);

Suite *budget_suite(void)
{
    Suite *suite = suite_create("budget");
    TCase *tc = tcase_create("budget");

    tcase_add_test(tc, a_full_bucket_is_one_second);
    tcase_add_test(tc, zero_allows_nothing);
    tcase_add_test(tc, the_largest_rate_does_not_overflow);
    tcase_add_test(tc, a_long_pause_does_not_overflow);
    tcase_add_test(tc, a_clock_that_goes_back_gives_nothing);
    tcase_add_test(tc, asking_often_loses_nothing);
    suite_add_tcase(suite, tc);
    return suite;
}
