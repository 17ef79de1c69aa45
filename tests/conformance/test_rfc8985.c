/*
 * Loss by time, and probes of the tail. Read first: RFC 8985 6, 7.
 */
#include "support/flight.h"

#define MSS 1460

static struct tcp_test *opened(bool sack)
{
    struct tcp_test *t =
        TCP_TEST(.peer = {.mss = MSS, .sack_permitted = sack}, .conn = {.controller = "newreno"});

    opens_with_ace(t, 0);
    return t;
}

static struct tcp_test *ten_sent(void)
{
    struct tcp_test *t = opened(true);

    ten_leave(t);
    return t;
}

/* So many segments leave, and no more is there. */
static struct tcp_test *tail_of(int segments)
{
    struct tcp_test *t = opened(true);

    user_sends(t, (size_t)segments * MSS);
    ck_assert_int_eq(peer_takes_all(t), segments);
    return t;
}

/* Has the segment (counted from 0) left again? Forgets what was sent. */
static bool again(struct tcp_test *t, int segment)
{
    bool found = false;

    for (int i = t->sent_first; i < t->sent_end; i++)
        found = found || seq_diff(t->sent[i].segment.seq, t->iss) == 1 + segment * MSS;
    ignore_sent(t);
    return found;
}

/* --- 6.2: detection --------------------------------------------------------------------------- */

/* step 4: three segments end the patience where nothing was seen to be reordered (R8985-6) */
START_TEST(three_sacked_segments_are_enough) /* loop: which is lost */
{
    struct tcp_test *t = ten_sent();

    for (int n = 1; n <= 3; n++) {
        ck_assert(!again(t, _i));
        peer_sacks(t, _i, _i + 1, _i + 1 + n);
    }
    ck_assert(again(t, _i));
    tcp_test_close(t);
}
END_TEST

/* step 5: fewer wait for a quarter of a round trip (R8985-8) */
START_TEST(two_sacked_segments_wait_a_quarter_of_a_round_trip)
{
    struct tcp_test *t = ten_sent();

    peer_sacks(t, 0, 1, 3);
    ck_assert(!again(t, 0));
    advance(t, FLIGHT_RTT / 8);
    ck_assert(!again(t, 0));
    advance(t, FLIGHT_RTT / 4);
    ck_assert(again(t, 0));
    tcp_test_close(t);
}
END_TEST

/* ... and what arrives meanwhile was only late */
START_TEST(what_arrives_within_that_time_was_only_late)
{
    struct tcp_test *t = ten_sent();

    peer_sacks(t, 0, 1, 3);
    advance(t, FLIGHT_RTT / 8);
    peer_sends(t, ACK(.ack = 1 + 3 * MSS));
    advance(t, FLIGHT_RTT / 2);
    ck_assert_uint_eq(info_of(t).retransmits, 0);
    ignore_sent(t);
    tcp_test_close(t);
}
END_TEST

/* step 3: once late, three are no longer enough (R8985-5) */
START_TEST(where_segments_were_late_before_three_are_not_enough)
{
    struct tcp_test *t = ten_sent();

    peer_sacks(t, 0, 1, 3);
    peer_sends(t, ACK(.ack = 1 + 3 * MSS));
    ignore_sent(t);
    peer_sacks(t, 3, 4, 8);
    ck_assert(!again(t, 3));
    advance(t, FLIGHT_RTT / 2);
    ck_assert(again(t, 3));
    tcp_test_close(t);
}
END_TEST

/* step 5: what left later than what has arrived is not lost yet (R8985-8) */
START_TEST(what_left_later_than_the_last_that_arrived_is_not_lost)
{
    struct tcp_test *t = ten_sent();

    peer_sacks(t, 0, 1, 5);
    ignore_sent(t);
    advance(t, FLIGHT_RTT / 2);
    ck_assert(!again(t, 5));
    ck_assert(!again(t, 9));
    tcp_test_close(t);
}
END_TEST

/* A retransmission that is lost as well is found by what left behind it (R8985-2) */
START_TEST(a_lost_retransmission_is_found_without_the_timer)
{
    struct tcp_test *t = ten_sent();

    peer_sacks(t, 0, 1, 10);
    ck_assert(again(t, 0));
    for (int i = 0; i < 3; i++) { /* new text leaves, arrives, and is sacked */
        int end = seq_diff(t->user.conn->snd_nxt, t->iss + 1) / MSS;
        advance(t, FLIGHT_RTT);
        peer_sacks(t, 0, 1, end);
    }
    ck_assert_uint_eq(info_of(t).timeouts, 0);
    ck_assert_uint_ge(info_of(t).retransmits, 2);
    ignore_sent(t);
    tcp_test_close(t);
}
END_TEST

/* 4 (R8985-1) */
START_TEST(without_sack_time_tells_nothing)
{
    struct tcp_test *t = opened(false);

    ten_leave(t);
    peer_sends(t, ACK(.ack = 1));
    peer_sends(t, ACK(.ack = 1));
    advance(t, FLIGHT_RTT);
    ck_assert_uint_eq(info_of(t).retransmits, 0);
    ignore_sent(t);
    tcp_test_close(t);
}
END_TEST

/* Until the retransmission timer has run out; only what leaves then is kept. How long that took. */
static tlsyn_time until_timeout(struct tcp_test *t)
{
    tlsyn_time waited = 0;

    while (waited < TLSYN_SECONDS(2) && info_of(t).timeouts == 0) {
        ignore_sent(t);
        advance(t, TLSYN_MS(10));
        waited += TLSYN_MS(10);
    }
    ck_assert_uint_eq(info_of(t).timeouts, 1);
    return waited;
}

/* 6.3: the first one, and what is older (R8985-9) */
START_TEST(a_timeout_sends_the_first_segment_again)
{
    struct tcp_test *t = tail_of(3);

    until_timeout(t);
    ck_assert(again(t, 0));
    tcp_test_close(t);
}
END_TEST

/* One has arrived, so that RACK.rtt is known, and the next has left. */
static struct tcp_test *second_sent(void)
{
    struct tcp_test *t = tail_of(1);

    advance(t, FLIGHT_RTT);
    peer_sends(t, ACK(.ack = 1 + MSS));
    user_sends(t, MSS);
    ck_assert(again(t, 1));
    return t;
}

/* 6.3 (R8985-9) */
START_TEST(what_left_a_moment_before_a_timeout_is_not_lost_by_it)
{
    struct tcp_test *t = second_sent();
    tlsyn_time timeout = until_timeout(t);

    tcp_test_close(t);
    t = second_sent();
    advance(t, timeout - TLSYN_MS(20));
    user_sends(t, MSS);
    ck_assert(again(t, 2));
    until_timeout(t);
    ck_assert(again(t, 1));
    peer_sends(t, ACK(.ack = 1 + 2 * MSS)); /* there is room for what is lost now */
    expect_nothing(t);
    tcp_test_close(t);
}
END_TEST

/* --- 7: probes of the tail -------------------------------------------------------------------- */

/* 7.2, 7.3: the last segment, two round trips behind (R8985-11, R8985-12) */
START_TEST(a_silent_tail_is_probed_by_its_last_segment_after_two_round_trips)
{
    struct tcp_test *t = tail_of(3);

    advance(t, 2 * FLIGHT_RTT - TLSYN_MS(10));
    expect_nothing(t);
    advance(t, TLSYN_MS(30));
    expect(t, ACK(.seq = 1 + 2 * MSS, .len = MSS));
    expect_nothing(t);
    tcp_test_close(t);
}
END_TEST

/* 7.3: the congestion window holds it back, the peer's takes it (R8985-12) */
START_TEST(new_text_is_the_better_probe)
{
    struct tcp_test *t = opened(true);

    user_sends(t, 11 * MSS);
    ck_assert_int_eq(peer_takes_all(t), 10);
    advance(t, 3 * FLIGHT_RTT);
    expect(t, ACK(.seq = 1 + 10 * MSS, .len = MSS));
    expect_nothing(t);
    tcp_test_close(t);
}
END_TEST

/* 7.3 (R8985-12) */
START_TEST(where_the_window_takes_no_new_text_the_last_segment_probes)
{
    struct tcp_test *t = opened(true);

    t->options.peer_wnd = 3 * MSS;
    peer_sends(t, ACK());
    user_sends(t, 4 * MSS);
    ck_assert_int_eq(peer_takes_all(t), 3);
    advance(t, 3 * FLIGHT_RTT);
    expect(t, ACK(.seq = 1 + 2 * MSS, .len = MSS));
    expect_nothing(t);
    tcp_test_close(t);
}
END_TEST

/* 7.3: one, then the timer (R8985-12) */
START_TEST(there_is_one_probe_at_a_time)
{
    struct tcp_test *t = tail_of(3);

    advance(t, 3 * FLIGHT_RTT);
    expect(t, ACK(.seq = 1 + 2 * MSS, .len = MSS));
    for (int i = 0; i < 300 && t->sent_first == t->sent_end; i++)
        advance(t, TLSYN_MS(10));
    expect(t, ACK(.seq = 1, .len = MSS));
    ck_assert_uint_eq(info_of(t).timeouts, 1);
    tcp_test_close(t);
}
END_TEST

/* 7.2: not where a loss is known of (R8985-10) */
START_TEST(no_probe_where_something_was_sacked)
{
    struct tcp_test *t = tail_of(4);

    advance(t, FLIGHT_RTT);
    peer_sacks(t, 0, 1, 2);
    ignore_sent(t);
    ck_assert(!t->user.conn->rack.tlp_outstanding);
    advance(t, FLIGHT_RTT / 2);
    ck_assert(again(t, 0)); /* that was RACK */
    ck_assert(!t->user.conn->rack.tlp_outstanding);
    tcp_test_close(t);
}
END_TEST

/* 7.4.2: the original arrived as well, as D-SACK says: nothing was lost (R8985-13) */
START_TEST(a_probe_that_came_twice_costs_nothing)
{
    struct tcp_test *t = tail_of(3);
    uint32_t cwnd = info_of(t).cwnd;

    advance(t, 3 * FLIGHT_RTT);
    ignore_sent(t);
    peer_sends(t, ACK(.ack = 1 + 3 * MSS));
    peer_sends(t, with_block(ACK(.ack = 1 + 3 * MSS), t, 1 + 2 * MSS, 1 + 3 * MSS));
    ck_assert_uint_ge(info_of(t).cwnd, cwnd);
    tcp_test_close(t);
}
END_TEST

/* 7.4.2: no such word: the last segment was lost, and the probe repaired it (R8985-13) */
START_TEST(a_loss_that_the_probe_repaired_is_a_loss)
{
    struct tcp_test *t = tail_of(3);
    uint32_t cwnd = info_of(t).cwnd;

    advance(t, 3 * FLIGHT_RTT);
    ignore_sent(t);
    peer_sends(t, ACK(.ack = 1 + 3 * MSS));
    user_sends(t, MSS);
    peer_takes_all(t);
    peer_sends(t, ACK());
    ck_assert_uint_lt(info_of(t).cwnd, cwnd + MSS);
    ck_assert_uint_lt(info_of(t).ssthresh, cwnd);
    tcp_test_close(t);
}
END_TEST

Suite *rfc8985_suite(void);
Suite *rfc8985_suite(void)
{
    Suite *suite = suite_create("rfc8985");
    TCase *rack = tcase_create("rack"), *tail = tcase_create("tail");

    tcase_add_loop_test(rack, three_sacked_segments_are_enough, 0, 6);
    tcase_add_test(rack, two_sacked_segments_wait_a_quarter_of_a_round_trip);
    tcase_add_test(rack, what_arrives_within_that_time_was_only_late);
    tcase_add_test(rack, where_segments_were_late_before_three_are_not_enough);
    tcase_add_test(rack, what_left_later_than_the_last_that_arrived_is_not_lost);
    tcase_add_test(rack, a_lost_retransmission_is_found_without_the_timer);
    tcase_add_test(rack, without_sack_time_tells_nothing);
    tcase_add_test(rack, a_timeout_sends_the_first_segment_again);
    tcase_add_test(rack, what_left_a_moment_before_a_timeout_is_not_lost_by_it);
    suite_add_tcase(suite, rack);
    tcase_add_test(tail, a_silent_tail_is_probed_by_its_last_segment_after_two_round_trips);
    tcase_add_test(tail, new_text_is_the_better_probe);
    tcase_add_test(tail, where_the_window_takes_no_new_text_the_last_segment_probes);
    tcase_add_test(tail, there_is_one_probe_at_a_time);
    tcase_add_test(tail, no_probe_where_something_was_sacked);
    tcase_add_test(tail, a_probe_that_came_twice_costs_nothing);
    tcase_add_test(tail, a_loss_that_the_probe_repaired_is_a_loss);
    suite_add_tcase(suite, tail);
    return suite;
}
