/*
 * RFC 6298 in numbers.
 */
#include <check.h>

#include "tcp/rtt.h"

#define MIN TLSYN_MS(200)
#define MAX TLSYN_SECONDS(60)

static struct rtt fresh(void)
{
    struct rtt rtt;

    rtt_init(&rtt, MIN, MAX);
    return rtt;
}

/* R6298-1 */
START_TEST(one_second_until_a_measurement) /* (2.1) */
{
    ck_assert_int_eq(fresh().rto, TLSYN_SECONDS(1));
}
END_TEST

/* R6298-2 */
START_TEST(the_first_measurement_counts_whole) /* (2.2) */
{
    struct rtt rtt = fresh();

    rtt_sample(&rtt, TLSYN_MS(100));
    ck_assert_int_eq(rtt.srtt, TLSYN_MS(100));
    ck_assert_int_eq(rtt.rttvar, TLSYN_MS(50));
    ck_assert_int_eq(rtt.rto, TLSYN_MS(300));
}
END_TEST

/* R6298-3 */
START_TEST(the_next_ones_are_smoothed) /* (2.3): rttvar with the old srtt */
{
    struct rtt rtt = fresh();

    rtt_sample(&rtt, TLSYN_MS(100));
    rtt_sample(&rtt, TLSYN_MS(180));
    ck_assert_int_eq(rtt.rttvar, 57500);
    ck_assert_int_eq(rtt.srtt, 110000);
    ck_assert_int_eq(rtt.rto, 340000);
}
END_TEST

/* R6298-5 */
START_TEST(bounds_hold) /* (2.4), (2.5) */
{
    struct rtt rtt = fresh();

    for (int i = 0; i < 100; i++)
        rtt_sample(&rtt, 10);
    ck_assert_int_eq(rtt.rto, 10 + MIN); /* the bound is of what is added to srtt */
    rtt_sample(&rtt, TLSYN_SECONDS(1000));
    ck_assert_int_eq(rtt.rto, MAX);
    rtt_init(&rtt, MIN, MAX);
    for (int i = 0; i < 300; i++)
        rtt_back_off(&rtt);
    ck_assert_int_eq(rtt.rto, MAX);
}
END_TEST

START_TEST(a_round_trip_of_nothing_is_a_measurement)
{
    struct rtt rtt = fresh();

    rtt_sample(&rtt, 0);
    ck_assert_int_gt(rtt.srtt, 0);
    ck_assert_int_eq(rtt.rto, rtt.srtt + MIN);
}
END_TEST

START_TEST(each_timeout_doubles) /* (5.5) */
{
    struct rtt rtt = fresh();

    rtt_sample(&rtt, TLSYN_MS(100));
    for (int i = 1; i <= 5; i++) {
        rtt_back_off(&rtt);
        ck_assert_int_eq(rtt.rto, TLSYN_MS(300) << i);
    }
    rtt_sample(&rtt, TLSYN_MS(100));
    ck_assert_int_eq(rtt.rto, TLSYN_MS(300));
}
END_TEST

/* R6298-11 */
START_TEST(after_a_lost_syn_three_seconds) /* (5.7) */
{
    struct rtt rtt = fresh();

    rtt_back_off(&rtt);
    rtt_syn_was_lost(&rtt);
    ck_assert_int_eq(rtt.rto, TLSYN_SECONDS(3));
    rtt_sample(&rtt, TLSYN_MS(100));
    ck_assert_int_eq(rtt.rto, TLSYN_MS(300));
}
END_TEST

Suite *rtt_suite(void);

Suite *rtt_suite(void)
{
    Suite *s = suite_create("rtt");
    TCase *all = tcase_create("all");

    tcase_add_test(all, one_second_until_a_measurement);
    tcase_add_test(all, the_first_measurement_counts_whole);
    tcase_add_test(all, the_next_ones_are_smoothed);
    tcase_add_test(all, bounds_hold);
    tcase_add_test(all, a_round_trip_of_nothing_is_a_measurement);
    tcase_add_test(all, each_timeout_doubles);
    tcase_add_test(all, after_a_lost_syn_three_seconds);
    suite_add_tcase(s, all);
    return s;
}
