/*
 * The retransmission timer, as the wire sees it. Read first: RFC 6298.
 */
#include "support/flight.h"
#include "support/holds.h"

#define MSS 1460

/* Established after this round trip, nothing written; a tail is not probed (RFC 8985 7), for the
 * peer has no SACK. */
static struct tcp_test *after_round_trip(tlsyn_time round_trip)
{
    struct tcp_test *t = TCP_TEST(0);

    peer_sends(t, SYN());
    expect(t, SYNACK());
    advance(t, round_trip);
    peer_sends(t, ACK());
    return t;
}

static void writes(struct tcp_test *t, size_t n)
{
    user_sends(t, n);
    ck_assert_int_ge(peer_takes_all(t), 1);
}

/* How long it takes until the next segment leaves, to within a millisecond. */
static tlsyn_time silence(struct tcp_test *t)
{
    tlsyn_time from = t->now;

    while (t->sent_first == t->sent_end) {
        HOLDS(t->now - from < TLSYN_SECONDS(200));
        advance(t, TLSYN_MS(1));
    }
    return t->now - from;
}

static void ck_about(tlsyn_time got, tlsyn_time wanted)
{
    ck_assert_int_ge(got, wanted - TLSYN_MS(20)); /* the wheel's ticks */
    ck_assert_int_le(got, wanted + TLSYN_MS(20));
}

/* 2.1 (R6298-1) */
START_TEST(before_any_round_trip_it_is_a_second)
{
    struct tcp_test *t = TCP_TEST(0);

    ck_assert_int_eq(user_connects(t), 0);
    expect(t, SYN());
    ck_about(silence(t), TLSYN_SECONDS(1));
    tcp_test_close(t);
}
END_TEST

/* 2.2: R + 4 * R / 2 (R6298-2) */
START_TEST(behind_one_measurement_it_is_three_round_trips) /* loop: 100 ms */
{
    struct tcp_test *t = after_round_trip(TLSYN_MS(100) * (_i + 1));

    writes(t, 100);
    ck_about(silence(t), TLSYN_MS(300) * (_i + 1));
    ignore_sent(t);
    tcp_test_close(t);
}
END_TEST

/* 2.3: equal measurements take a quarter of the variation away each (R6298-3) */
START_TEST(equal_round_trips_bring_it_down)
{
    struct tcp_test *t = after_round_trip(TLSYN_MS(400));
    tlsyn_time last = TLSYN_MS(1200);

    for (int i = 0; i < 4; i++) {
        writes(t, 100);
        advance(t, TLSYN_MS(400));
        peer_sends(t, ACK());
        tlsyn_time rto = t->user.conn->rtt.rto;
        ck_assert_int_lt(rto, last);
        ck_assert_int_gt(rto, TLSYN_MS(400));
        last = rto;
    }
    ck_about(last, TLSYN_MS(400) + TLSYN_MS(800) * 81 / 256);
    tcp_test_close(t);
}
END_TEST

/* 2.4: a minimum of our own (R6298-4) */
START_TEST(it_is_never_less_than_its_minimum)
{
    struct tcp_test *t = after_round_trip(TLSYN_MS(1));

    writes(t, 100);
    tlsyn_time rto = silence(t);
    ck_assert_int_ge(rto, default_limits().rto_min);
    ignore_sent(t);
    tcp_test_close(t);
}
END_TEST

/* 3: Karn's algorithm (R6298-6) */
START_TEST(what_went_twice_measures_nothing)
{
    struct tcp_test *t = after_round_trip(TLSYN_MS(100));
    tlsyn_time srtt = info_of(t).srtt;

    writes(t, 100);
    silence(t);
    ignore_sent(t);
    peer_sends(t, ACK(.ack = 101));
    ck_assert_int_eq(info_of(t).srtt, srtt);
    tcp_test_close(t);
}
END_TEST

/* 5.1 (R6298-8) */
START_TEST(more_text_does_not_put_it_off)
{
    struct tcp_test *t = after_round_trip(TLSYN_MS(100));

    writes(t, 100);
    advance(t, TLSYN_MS(200));
    writes(t, 100);
    ck_about(silence(t), TLSYN_MS(100));
    expect(t, ACK(.seq = 1, .len = 200));
    ignore_sent(t);
    tcp_test_close(t);
}
END_TEST

/* 5.2 (R6298-9) */
START_TEST(nothing_is_sent_again_when_all_is_acknowledged)
{
    struct tcp_test *t = after_round_trip(TLSYN_MS(100));

    writes(t, 100);
    peer_sends(t, ACK());
    advance(t, TLSYN_SECONDS(100));
    expect_nothing(t);
    tcp_test_close(t);
}
END_TEST

/* 5.3 (R6298-9) */
START_TEST(an_ack_of_some_of_it_starts_it_anew)
{
    struct tcp_test *t = after_round_trip(TLSYN_MS(100));

    writes(t, 100);
    writes(t, 100);
    advance(t, TLSYN_MS(100));
    peer_sends(t, ACK(.ack = 101));
    ck_about(silence(t), t->user.conn->rtt.rto);
    expect(t, ACK(.seq = 101, .len = 100));
    tcp_test_close(t);
}
END_TEST

/* 5.4 (R6298-10) */
START_TEST(the_earliest_segment_goes_again_and_it_alone)
{
    struct tcp_test *t = after_round_trip(TLSYN_MS(100));

    writes(t, 5 * MSS);
    silence(t);
    expect(t, ACK(.seq = 1, .len = MSS));
    expect_nothing(t);
    tcp_test_close(t);
}
END_TEST

/* 5.5, 5.6 (R6298-10) */
START_TEST(each_time_it_is_twice_as_long)
{
    struct tcp_test *t = after_round_trip(TLSYN_MS(100));
    tlsyn_time wanted = TLSYN_MS(300);

    writes(t, 100);
    for (int i = 0; i < 6; i++) {
        ck_about(silence(t), wanted);
        expect(t, ACK(.seq = 1, .len = 100));
        wanted *= 2;
    }
    tcp_test_close(t);
}
END_TEST

/* 5, last note: kept until new text was measured */
START_TEST(it_stays_long_until_something_was_measured)
{
    struct tcp_test *t = after_round_trip(TLSYN_MS(100));

    writes(t, 100);
    silence(t);
    ignore_sent(t);
    peer_sends(t, ACK());
    writes(t, 100);
    ck_about(silence(t), TLSYN_MS(600));
    ignore_sent(t);
    peer_sends(t, ACK(.ack = 201));
    writes(t, 100);
    advance(t, TLSYN_MS(100));
    peer_sends(t, ACK());
    writes(t, 100);
    ck_assert_int_lt(silence(t), TLSYN_MS(400));
    ignore_sent(t);
    tcp_test_close(t);
}
END_TEST

/* 5.7 (R6298-11) */
START_TEST(behind_a_lost_syn_it_is_three_seconds)
{
    struct tcp_test *t = TCP_TEST(0);

    ck_assert_int_eq(user_connects(t), 0);
    expect(t, SYN());
    advance(t, TLSYN_MS(1100));
    expect(t, SYN());
    peer_sends(t, SYNACK());
    expect(t, ACK());
    writes(t, 100);
    ck_about(silence(t), TLSYN_SECONDS(3));
    ignore_sent(t);
    tcp_test_close(t);
}
END_TEST

Suite *rfc6298_suite(void);
Suite *rfc6298_suite(void)
{
    Suite *suite = suite_create("rfc6298");
    TCase *length = tcase_create("length"), *timer = tcase_create("timer");

    tcase_add_test(length, before_any_round_trip_it_is_a_second);
    tcase_add_loop_test(length, behind_one_measurement_it_is_three_round_trips, 0, 4);
    tcase_add_test(length, equal_round_trips_bring_it_down);
    tcase_add_test(length, it_is_never_less_than_its_minimum);
    tcase_add_test(length, what_went_twice_measures_nothing);
    suite_add_tcase(suite, length);
    tcase_add_test(timer, more_text_does_not_put_it_off);
    tcase_add_test(timer, nothing_is_sent_again_when_all_is_acknowledged);
    tcase_add_test(timer, an_ack_of_some_of_it_starts_it_anew);
    tcase_add_test(timer, the_earliest_segment_goes_again_and_it_alone);
    tcase_add_test(timer, each_time_it_is_twice_as_long);
    tcase_add_test(timer, it_stays_long_until_something_was_measured);
    tcase_add_test(timer, behind_a_lost_syn_it_is_three_seconds);
    suite_add_tcase(suite, timer);
    return suite;
}
