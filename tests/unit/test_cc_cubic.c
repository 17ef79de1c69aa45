/*
 * CUBIC held against its formulas in floating point (RFC 9438 4), and HyStart++ (RFC 9406 4.2),
 * under a made-up clock.
 */
#include <check.h>
#include <math.h>

#include "tcp/cc.h"

#define SMSS 1000u
#define C    0.4
#define BETA 0.7

struct flow {
    struct cc cc;
    tlsyn_time now, rtt;
};

static struct flow fresh(uint32_t segments, tlsyn_time rtt)
{
    struct flow f = {.now = TLSYN_SECONDS(10), .rtt = rtt};

    ck_assert_int_eq(cc_init(&f.cc, &cc_cubic, NULL, 0), 0);
    cc_set_smss(&f.cc, SMSS);
    f.cc.cwnd = segments * SMSS;
    return f;
}

static void ack(struct flow *f, uint32_t bytes, bool limited)
{
    struct cc_ack ack = {
        .now = f->now,
        .acked = bytes,
        .delivered = bytes,
        .in_flight = f->cc.cwnd,
        .rtt = f->rtt,
        .srtt = f->rtt,
        .min_rtt = f->rtt,
        .rto = TLSYN_SECONDS(1),
        .limited = limited,
    };

    cc_on_ack(&f->cc, &ack);
}

/* A window's worth of ACKs, spread over a round trip. */
static void round_trip(struct flow *f)
{
    uint32_t n = f->cc.cwnd / SMSS;
    tlsyn_time start = f->now;

    for (uint32_t i = 1; i <= n; i++) {
        f->now = start + f->rtt * i / n;
        ack(f, SMSS, true);
    }
}

static void lose(struct flow *f)
{
    cc_congestion(&f->cc, CC_LOSS, &(struct cc_event){.now = f->now});
}

/* --- the function ----------------------------------------------------------------------------- */

static double w_cubic(double t, double w_max, double cwnd_epoch)
{
    double k = cbrt((w_max - cwnd_epoch) / C);

    return C * pow(t - k, 3) + w_max;
}

START_TEST(the_window_follows_the_cubic_function) /* 4.2, 4.4, 4.5; loop: thousands of segments */
{
    double w_max = 1000 * (_i + 1), rtt = 0.1, t = 0;
    struct flow f = fresh((uint32_t)w_max, TLSYN_MS(100));

    lose(&f);
    ck_assert_uint_eq(f.cc.ssthresh, (uint32_t)(w_max * BETA * SMSS));
    ck_assert_uint_eq(f.cc.cwnd, f.cc.ssthresh);
    for (; t < 16; t += rtt) {
        double w = f.cc.cwnd / (double)SMSS;

        ck_assert_double_ge(w, w_cubic(t - rtt, w_max, w_max * BETA) * 0.995);
        ck_assert_double_le(w, w_cubic(t + rtt, w_max, w_max * BETA) * 1.005 + 1);
        round_trip(&f);
    }
    ck_assert_uint_gt(f.cc.cwnd,
                      (uint32_t)w_max * SMSS); /* K is 9.1 s and 15.3 s: beyond the plateau */
}
END_TEST

START_TEST(it_never_grows_faster_than_by_half_in_a_round_trip) /* 4.2 */
{
    struct flow f = fresh(100, TLSYN_SECONDS(3));

    lose(&f);
    for (int i = 0; i < 10; i++) {
        uint32_t before = f.cc.cwnd;

        round_trip(&f);
        ck_assert_double_le(f.cc.cwnd, before * exp(0.5) + SMSS); /* 1.5 per ACK, compounded */
    }
}
END_TEST

START_TEST(small_windows_grow_as_renos_average) /* 4.3 */
{
    struct flow f = fresh(20, TLSYN_MS(10));
    double alpha = 3 * (1 - BETA) / (1 + BETA), w = 14;

    lose(&f);
    for (int i = 0; i < 40; i++) {
        for (uint32_t n = f.cc.cwnd / SMSS; n > 0; n--)
            w += (w >= 20 ? 1 : alpha) / w;
        round_trip(&f);
        ck_assert_double_eq_tol(f.cc.cwnd / (double)SMSS, w, 0.3);
    }
    ck_assert_uint_gt(f.cc.cwnd, 30 * SMSS); /* one per round trip in the end */
}
END_TEST

START_TEST(time_without_use_does_not_count) /* 4.2, 5.8 */
{
    struct flow busy = fresh(1000, TLSYN_MS(100)), idle, slack;

    lose(&busy);
    round_trip(&busy);
    idle = slack = busy;
    for (int i = 0; i < 50; i++) { /* the application writes less than cwnd */
        slack.now += TLSYN_MS(100);
        ack(&slack, SMSS, false);
    }
    idle.now += TLSYN_SECONDS(5);
    cc_restart(&idle.cc, 0, TLSYN_SECONDS(1), &(struct cc_event){.now = idle.now});
    round_trip(&busy);
    round_trip(&idle);
    round_trip(&slack);
    ck_assert_double_eq_tol(slack.cc.cwnd, busy.cc.cwnd, SMSS);
    ck_assert_double_eq_tol(idle.cc.cwnd, busy.cc.cwnd, SMSS);
}
END_TEST

/* --- reductions ------------------------------------------------------------------------------- */

START_TEST(a_second_loss_below_the_first_makes_room_for_others) /* 4.7 */
{
    struct flow f = fresh(1000, TLSYN_MS(100));

    lose(&f);
    ck_assert_uint_eq(f.cc.of.cubic.epoch.w_max, 1000 * SMSS);
    lose(&f);
    ck_assert_uint_eq(f.cc.cwnd, 490 * SMSS);
    ck_assert_uint_eq(f.cc.of.cubic.epoch.w_max, 595 * SMSS); /* 700 * 1.7 / 2 */
}
END_TEST

START_TEST(loss_leaves_two_segments_ecn_one) /* 4.6 */
{
    struct flow f = fresh(2, TLSYN_MS(100));

    lose(&f);
    ck_assert_uint_eq(f.cc.cwnd, 2 * SMSS);
    cc_congestion(&f.cc, CC_ECN, &(struct cc_event){.now = f.now});
    ck_assert_uint_eq(f.cc.cwnd, 1400);
    cc_congestion(&f.cc, CC_ECN, &(struct cc_event){.now = f.now});
    ck_assert_uint_eq(f.cc.cwnd, SMSS);
    ck_assert_uint_eq(f.cc.ssthresh, 2 * SMSS);
}
END_TEST

START_TEST(after_a_timeout_slow_start_ends_on_a_plateau) /* 4.8 */
{
    struct flow f = fresh(1000, TLSYN_MS(100));

    cc_congestion(&f.cc, CC_TIMEOUT, &(struct cc_event){.now = f.now});
    ck_assert_uint_eq(f.cc.cwnd, SMSS);
    ck_assert_uint_eq(f.cc.ssthresh, 700 * SMSS);
    cc_congestion(&f.cc, CC_TIMEOUT_AGAIN, &(struct cc_event){.now = f.now});
    ck_assert_uint_eq(f.cc.ssthresh, 700 * SMSS);
    for (int i = 0; i < 10; i++)
        round_trip(&f);
    ck_assert_uint_ge(f.cc.cwnd, 700 * SMSS);
    ck_assert_uint_le(f.cc.cwnd, 702 * SMSS);
    round_trip(&f);
    ck_assert_uint_eq(f.cc.of.cubic.epoch.k, 0);
    ck_assert_uint_le(f.cc.cwnd, 703 * SMSS);
}
END_TEST

START_TEST(a_loss_that_was_none_leaves_everything_as_it_was) /* 4.9.2 */
{
    struct flow f = fresh(1000, TLSYN_MS(100)), untouched;

    lose(&f);
    round_trip(&f);
    untouched = f;
    lose(&f);
    round_trip(&f);
    cc_undo(&f.cc, &(struct cc_event){0});
    f.now = untouched.now;
    for (int i = 0; i < 20; i++) {
        round_trip(&f);
        round_trip(&untouched);
    }
    ck_assert_double_eq_tol(f.cc.cwnd, untouched.cc.cwnd, 2 * SMSS);
}
END_TEST

START_TEST(a_first_loss_that_was_none_does_not_end_slow_start)
{
    struct flow f = fresh(10, TLSYN_MS(100));

    lose(&f);
    cc_undo(&f.cc, &(struct cc_event){0});
    round_trip(&f);
    ck_assert_uint_eq(f.cc.cwnd, 20 * SMSS);
    round_trip(&f);
    ck_assert_uint_eq(f.cc.cwnd, 40 * SMSS);
}
END_TEST

/* --- HyStart++ -------------------------------------------------------------------------------- */

START_TEST(longer_round_trips_end_slow_start)
{
    struct flow f = fresh(16, TLSYN_MS(80));

    round_trip(&f);
    round_trip(&f);
    ck_assert_uint_eq(f.cc.cwnd, 64 * SMSS);
    f.rtt = TLSYN_MS(89); /* less than an eighth */
    round_trip(&f);
    round_trip(&f);
    ck_assert_uint_eq(f.cc.cwnd, 256 * SMSS);
    f.rtt = TLSYN_MS(101);
    round_trip(&f);
    uint32_t doubtful = f.cc.cwnd;
    ck_assert_uint_lt(doubtful,
                      330 * SMSS); /* a quarter of the growth, from the eighth sample on */
    for (int i = 0; i < 3; i++)
        round_trip(&f);
    ck_assert_uint_eq(f.cc.ssthresh, UINT32_MAX);
    round_trip(&f); /* the fifth */
    round_trip(&f);
    ck_assert_uint_lt(f.cc.ssthresh, UINT32_MAX);
    ck_assert_double_eq_tol(f.cc.cwnd, f.cc.ssthresh, f.cc.cwnd * 0.02);
}
END_TEST

START_TEST(jitter_does_not_end_slow_start)
{
    struct flow f = fresh(16, TLSYN_MS(80));

    round_trip(&f);
    f.rtt = TLSYN_MS(120);
    round_trip(&f);
    f.rtt = TLSYN_MS(80);
    round_trip(&f);
    uint32_t before = f.cc.cwnd;
    round_trip(&f);
    ck_assert_uint_eq(f.cc.cwnd, 2 * before);
    ck_assert_uint_eq(f.cc.ssthresh, UINT32_MAX);
}
END_TEST

START_TEST(loss_ends_hystart)
{
    struct flow f = fresh(16, TLSYN_MS(80));

    round_trip(&f);
    lose(&f);
    f.cc.cwnd = 4 * SMSS; /* as a timeout would leave it */
    f.rtt = TLSYN_MS(300);
    for (int i = 0; i < 2; i++)
        round_trip(&f);
    ck_assert_uint_eq(f.cc.cwnd, 16 * SMSS); /* plain slow start */
}
END_TEST

Suite *cc_cubic_suite(void);

Suite *cc_cubic_suite(void)
{
    Suite *s = suite_create("cc_cubic");
    TCase *window = tcase_create("window"), *reductions = tcase_create("reductions");
    TCase *hystart = tcase_create("hystart");

    tcase_add_loop_test(window, the_window_follows_the_cubic_function, 0, 5);
    tcase_add_test(window, it_never_grows_faster_than_by_half_in_a_round_trip);
    tcase_add_test(window, small_windows_grow_as_renos_average);
    tcase_add_test(window, time_without_use_does_not_count);
    suite_add_tcase(s, window);
    tcase_add_test(reductions, a_second_loss_below_the_first_makes_room_for_others);
    tcase_add_test(reductions, loss_leaves_two_segments_ecn_one);
    tcase_add_test(reductions, after_a_timeout_slow_start_ends_on_a_plateau);
    tcase_add_test(reductions, a_loss_that_was_none_leaves_everything_as_it_was);
    tcase_add_test(reductions, a_first_loss_that_was_none_does_not_end_slow_start);
    suite_add_tcase(s, reductions);
    tcase_add_test(hystart, longer_round_trips_end_slow_start);
    tcase_add_test(hystart, jitter_does_not_end_slow_start);
    tcase_add_test(hystart, loss_ends_hystart);
    suite_add_tcase(s, hystart);
    return s;
}
