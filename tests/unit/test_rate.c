/*
 * Delivery rate samples by hand. Read first: draft-ietf-ccwg-bbr 4.1.
 */
#include <check.h>

#include "tcp/rate.h"

#define MS 1000u

static struct rate_mark sent(struct rate *r, uint32_t delivered, uint32_t in_flight)
{
    rate_sent(r, delivered, in_flight);
    return r->mark;
}

START_TEST(a_sample_is_what_arrived_over_the_time_it_took)
{
    struct rate r;
    struct rate_sample s = {0};

    rate_start(&r, 0, 100 * MS);
    struct rate_mark first = sent(&r, 0, 1000);
    struct rate_mark second = sent(&r, 0, 2000); /* 5 ms later */

    rate_arrived(&s, &first, 100 * MS);
    rate_sample(&r, &s, 1000, 0, 120 * MS);
    ck_assert_uint_eq(s.rate, 50000); /* 1000 bytes in 20 ms */
    ck_assert(s.app_limited);         /* nothing was known to wait */
    ck_assert_uint_eq(s.in_flight, 1000);

    s = (struct rate_sample){0};
    rate_arrived(&s, &second, 105 * MS);
    rate_sample(&r, &s, 2000, 0, 125 * MS);
    ck_assert_uint_eq(s.delivered, 2000);
    ck_assert_int_eq(s.interval, 25 * MS);
    ck_assert_uint_eq(s.rate, 80000);
}
END_TEST

START_TEST(bunched_acks_make_nothing_faster_than_it_was_sent)
{
    struct rate r;
    struct rate_sample s = {0};

    rate_start(&r, 0, 0);
    struct rate_mark early = sent(&r, 0, 1000);
    rate_arrived(&s, &early, 0);
    rate_sample(&r, &s, 1000, 0, 10 * MS);
    struct rate_mark late = sent(&r, 1000, 1000); /* at 40 ms, acknowledged at 41 */
    s = (struct rate_sample){0};
    rate_arrived(&s, &late, 40 * MS);
    rate_sample(&r, &s, 2000, 0, 41 * MS);
    ck_assert_int_eq(s.interval, 40 * MS);
    ck_assert_uint_eq(s.rate, 25000);
}
END_TEST

START_TEST(the_newest_transmission_counts)
{
    struct rate r;
    struct rate_sample s = {0};

    rate_start(&r, 0, 0);
    struct rate_mark first = sent(&r, 0, 1000), second = sent(&r, 500, 2000);

    rate_arrived(&s, &second, 5 * MS);
    rate_arrived(&s, &first, 0);
    rate_sample(&r, &s, 2000, 0, 20 * MS);
    ck_assert_uint_eq(s.prior_delivered, 500);
    ck_assert_uint_eq(s.in_flight, 2000);
}
END_TEST

START_TEST(shorter_than_a_round_trip_is_no_sample)
{
    struct rate r;
    struct rate_sample s = {0};

    rate_start(&r, 0, 0);
    struct rate_mark mark = sent(&r, 0, 1000);
    rate_arrived(&s, &mark, 0);
    rate_sample(&r, &s, 1000, 20 * MS, 10 * MS);
    ck_assert(s.has_data);
    ck_assert_uint_eq(s.rate, 0);
}
END_TEST

START_TEST(silence_is_marked_until_it_has_passed)
{
    struct rate r;
    struct rate_sample s = {0};

    rate_start(&r, 0, 0);
    sent(&r, 0, 1000);
    rate_sample(&r, &s, 1, 0, MS);
    ck_assert(!sent(&r, 1, 1000).app_limited);
    rate_app_limited(&r, 1000, 500);
    ck_assert(sent(&r, 1000, 1000).app_limited);
    rate_sample(&r, &s, 1500, 0, MS);
    ck_assert(sent(&r, 1500, 1000).app_limited);
    rate_sample(&r, &s, 1501, 0, MS);
    ck_assert(!sent(&r, 1501, 1000).app_limited);
}
END_TEST

START_TEST(losses_since_it_was_sent_are_counted)
{
    struct rate r;
    struct rate_sample s = {0};

    rate_start(&r, 0, 0);
    struct rate_mark first = sent(&r, 0, 1000);
    rate_lost(&r, &first, 300);
    struct rate_mark second = sent(&r, 0, 2000);
    rate_lost(&r, &first, 200);
    rate_arrived(&s, &second, MS);
    rate_sample(&r, &s, 100, 0, 2 * MS);
    ck_assert_uint_eq(s.lost, 200);
    ck_assert_uint_eq(r.loss_size, 200);
}
END_TEST

START_TEST(counts_and_times_go_round)
{
    struct rate r;
    struct rate_sample s = {0};
    tlsyn_time start = (INT64_C(1) << 32) - 5000;

    rate_start(&r, UINT32_MAX - 99, start);
    struct rate_mark mark = sent(&r, UINT32_MAX - 99, 1000);
    rate_arrived(&s, &mark, start);
    rate_sample(&r, &s, 900, 0, start + 10 * MS);
    ck_assert_uint_eq(s.delivered, 1000);
    ck_assert_uint_eq(s.rate, 100000);
}
END_TEST

Suite *rate_suite(void);

Suite *rate_suite(void)
{
    Suite *s = suite_create("rate");
    TCase *all = tcase_create("all");

    tcase_add_test(all, a_sample_is_what_arrived_over_the_time_it_took);
    tcase_add_test(all, bunched_acks_make_nothing_faster_than_it_was_sent);
    tcase_add_test(all, the_newest_transmission_counts);
    tcase_add_test(all, shorter_than_a_round_trip_is_no_sample);
    tcase_add_test(all, silence_is_marked_until_it_has_passed);
    tcase_add_test(all, losses_since_it_was_sent_are_counted);
    tcase_add_test(all, counts_and_times_go_round);
    suite_add_tcase(s, all);
    return s;
}
