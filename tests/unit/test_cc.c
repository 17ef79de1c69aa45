/*
 * Congestion control in numbers: RFC 5681, RFC 6928, RFC 3465.
 */
#include <check.h>

#include "tcp/cc.h"

#define SMSS 1000u

static struct cc fresh(uint32_t smss)
{
    struct cc cc;

    ck_assert_int_eq(cc_init(&cc, &cc_newreno, NULL, 0), 0);
    cc_set_smss(&cc, smss);
    return cc;
}

static void congestion(struct cc *cc, enum cc_cause cause, uint32_t flight_size)
{
    cc_congestion(cc, cause, &(struct cc_event){.flight_size = flight_size});
}

static void acked(struct cc *cc, uint32_t bytes, bool limited)
{
    struct cc_ack ack = {.acked = bytes, .delivered = bytes, .limited = limited};

    cc_on_ack(cc, &ack);
}

/* R5681-1 */
START_TEST(the_initial_window_is_ten_segments_within_bounds) /* RFC 6928 2 (1) */
{
    ck_assert_uint_eq(fresh(536).cwnd, 5360);
    ck_assert_uint_eq(fresh(1460).cwnd, 14600);
    ck_assert_uint_eq(fresh(2000).cwnd, 14600);
    ck_assert_uint_eq(fresh(8960).cwnd, 17920);
}
END_TEST

START_TEST(slow_start_grows_by_what_was_acknowledged)
{
    struct cc cc = fresh(SMSS);

    acked(&cc, 300, true);
    ck_assert_uint_eq(cc.cwnd, 10300);
    acked(&cc, 9000, true);
    ck_assert_uint_eq(cc.cwnd, 19300);
    cc.ssthresh = 20000; /* and no further */
    acked(&cc, 9000, true);
    ck_assert_uint_eq(cc.cwnd, 20000);
}
END_TEST

/* R5681-4 */
START_TEST(congestion_avoidance_grows_by_one_segment_per_window)
{
    struct cc cc = fresh(SMSS);

    cc.ssthresh = cc.cwnd;
    for (int i = 0; i < 9; i++)
        acked(&cc, SMSS, true);
    ck_assert_uint_eq(cc.cwnd, 10 * SMSS);
    acked(&cc, SMSS, true);
    ck_assert_uint_eq(cc.cwnd, 11 * SMSS);
}
END_TEST

START_TEST(it_grows_only_while_it_limits)
{
    struct cc cc = fresh(SMSS);

    acked(&cc, SMSS, false);
    ck_assert_uint_eq(cc.cwnd, 10 * SMSS);
}
END_TEST

/* R5681-5 */
START_TEST(loss_halves_the_flight_two_segments_at_least) /* RFC 5681 (4) */
{
    struct cc cc = fresh(SMSS);

    congestion(&cc, CC_LOSS, 9000);
    ck_assert_uint_eq(cc.ssthresh, 4500);
    ck_assert_uint_eq(cc.cwnd, 4500);
    congestion(&cc, CC_LOSS, 1000);
    ck_assert_uint_eq(cc.ssthresh, 2 * SMSS);
}
END_TEST

/* R5681-5, R5681-6 */
START_TEST(a_timeout_leaves_one_segment_and_holds_ssthresh_when_repeated) /* RFC 5681 3.1 */
{
    struct cc cc = fresh(SMSS);

    congestion(&cc, CC_TIMEOUT, 10000);
    ck_assert_uint_eq(cc.cwnd, SMSS);
    ck_assert_uint_eq(cc.ssthresh, 5000);
    congestion(&cc, CC_TIMEOUT_AGAIN, 1000);
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
        acked(&cc, UINT32_MAX / 2, true);
    ck_assert_uint_le(cc.cwnd, 1u << 30);
}
END_TEST

START_TEST(what_was_taken_for_nothing_is_given_back)
{
    struct cc cc = fresh(SMSS);

    cc_undo(&cc, &(struct cc_event){0}); /* nothing to undo */
    ck_assert_uint_eq(cc.cwnd, 10 * SMSS);
    congestion(&cc, CC_LOSS, 10 * SMSS);
    cc.cwnd = 3 * SMSS; /* recovery's */
    cc_undo(&cc, &(struct cc_event){0});
    ck_assert_uint_eq(cc.cwnd, 10 * SMSS);
    ck_assert_uint_eq(cc.ssthresh, UINT32_MAX);
    congestion(&cc, CC_TIMEOUT, 10 * SMSS);
    congestion(&cc, CC_TIMEOUT_AGAIN, SMSS);
    cc_undo(&cc, &(struct cc_event){0});
    ck_assert_uint_eq(cc.cwnd, 10 * SMSS);
    cc.cwnd = 2 * SMSS;
    cc_undo(&cc, &(struct cc_event){0}); /* once */
    ck_assert_uint_eq(cc.cwnd, 2 * SMSS);
}
END_TEST

START_TEST(in_recovery_a_window_is_not_grown_by_acks)
{
    struct cc cc = fresh(SMSS);
    struct cc_ack ack = {.acked = SMSS, .limited = true, .in_recovery = true};

    cc_on_ack(&cc, &ack);
    ck_assert_uint_eq(cc.cwnd, 10 * SMSS);
}
END_TEST

/* MAY-18 */
START_TEST(controllers_are_found_by_name)
{
    ck_assert_ptr_eq(cc_find("newreno"), &cc_newreno);
    ck_assert_ptr_nonnull(cc_find(NULL));
    ck_assert_ptr_eq(cc_find(NULL), cc_find(""));
    ck_assert_ptr_null(cc_find("vegas"));
}
END_TEST

Suite *cc_suite(void);

Suite *cc_suite(void)
{
    Suite *s = suite_create("cc");
    TCase *all = tcase_create("all");

    tcase_add_test(all, the_initial_window_is_ten_segments_within_bounds);
    tcase_add_test(all, slow_start_grows_by_what_was_acknowledged);
    tcase_add_test(all, congestion_avoidance_grows_by_one_segment_per_window);
    tcase_add_test(all, it_grows_only_while_it_limits);
    tcase_add_test(all, loss_halves_the_flight_two_segments_at_least);
    tcase_add_test(all, a_timeout_leaves_one_segment_and_holds_ssthresh_when_repeated);
    tcase_add_test(all, another_segment_size_keeps_the_number_of_segments);
    tcase_add_test(all, it_never_overflows);
    tcase_add_test(all, what_was_taken_for_nothing_is_given_back);
    tcase_add_test(all, in_recovery_a_window_is_not_grown_by_acks);
    tcase_add_test(all, controllers_are_found_by_name);
    suite_add_tcase(s, all);
    return s;
}
