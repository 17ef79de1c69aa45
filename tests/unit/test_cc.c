/*
 * Congestion control in numbers: RFC 5681, RFC 6928, RFC 3465.
 */
#include <check.h>

#include "tcp/cc.h"

#define SMSS 1000u

static struct cc fresh(uint32_t smss)
{
    struct cc cc;

    cc_init(&cc, &cc_newreno, smss);
    return cc;
}

START_TEST(the_initial_window_is_ten_segments_within_bounds) /* RFC 6928 2 (1) */
{
    ck_assert_uint_eq(fresh(536).cwnd, 5360);
    ck_assert_uint_eq(fresh(1460).cwnd, 14600);
    ck_assert_uint_eq(fresh(2000).cwnd, 14600);
    ck_assert_uint_eq(fresh(8960).cwnd, 17920);
}
END_TEST

START_TEST(slow_start_grows_by_what_was_acknowledged_two_segments_at_most)
{
    struct cc cc = fresh(SMSS);

    cc.ops->on_ack(&cc, 300, true);
    ck_assert_uint_eq(cc.cwnd, 10300);
    cc.ops->on_ack(&cc, 9000, true);
    ck_assert_uint_eq(cc.cwnd, 12300);
}
END_TEST

START_TEST(congestion_avoidance_grows_by_one_segment_per_window)
{
    struct cc cc = fresh(SMSS);

    cc.ssthresh = cc.cwnd;
    for (int i = 0; i < 9; i++)
        cc.ops->on_ack(&cc, SMSS, true);
    ck_assert_uint_eq(cc.cwnd, 10 * SMSS);
    cc.ops->on_ack(&cc, SMSS, true);
    ck_assert_uint_eq(cc.cwnd, 11 * SMSS);
}
END_TEST

START_TEST(it_grows_only_while_it_limits)
{
    struct cc cc = fresh(SMSS);

    cc.ops->on_ack(&cc, SMSS, false);
    ck_assert_uint_eq(cc.cwnd, 10 * SMSS);
}
END_TEST

START_TEST(loss_halves_the_flight_two_segments_at_least) /* RFC 5681 (4) */
{
    struct cc cc = fresh(SMSS);

    cc.ops->on_loss(&cc, 9000);
    ck_assert_uint_eq(cc.ssthresh, 4500);
    ck_assert_uint_eq(cc.cwnd, 4500);
    cc.ops->on_loss(&cc, 1000);
    ck_assert_uint_eq(cc.ssthresh, 2 * SMSS);
}
END_TEST

START_TEST(a_timeout_leaves_one_segment_and_holds_ssthresh_when_repeated) /* RFC 5681 3.1 */
{
    struct cc cc = fresh(SMSS);

    cc.ops->on_timeout(&cc, 10000, true);
    ck_assert_uint_eq(cc.cwnd, SMSS);
    ck_assert_uint_eq(cc.ssthresh, 5000);
    cc.ops->on_timeout(&cc, 1000, false);
    ck_assert_uint_eq(cc.ssthresh, 5000);
}
END_TEST

START_TEST(another_segment_size_keeps_the_number_of_segments)
{
    struct cc cc = fresh(1460);

    cc_set_smss(&cc, 1000);
    ck_assert_uint_eq(cc.cwnd, 10000);
    cc.cwnd = 7000;
    cc_set_smss(&cc, 500);
    ck_assert_uint_eq(cc.cwnd, 3500);
}
END_TEST

START_TEST(it_never_overflows)
{
    struct cc cc = fresh(65000);

    for (int i = 0; i < 100000; i++)
        cc.ops->on_ack(&cc, UINT32_MAX / 2, true);
    ck_assert_uint_le(cc.cwnd, 1u << 30);
}
END_TEST

Suite *cc_suite(void);

Suite *cc_suite(void)
{
    Suite *s = suite_create("cc");
    TCase *all = tcase_create("all");

    tcase_add_test(all, the_initial_window_is_ten_segments_within_bounds);
    tcase_add_test(all, slow_start_grows_by_what_was_acknowledged_two_segments_at_most);
    tcase_add_test(all, congestion_avoidance_grows_by_one_segment_per_window);
    tcase_add_test(all, it_grows_only_while_it_limits);
    tcase_add_test(all, loss_halves_the_flight_two_segments_at_least);
    tcase_add_test(all, a_timeout_leaves_one_segment_and_holds_ssthresh_when_repeated);
    tcase_add_test(all, another_segment_size_keeps_the_number_of_segments);
    tcase_add_test(all, it_never_overflows);
    suite_add_tcase(s, all);
    return s;
}
