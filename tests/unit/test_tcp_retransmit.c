/*
 * The retransmission timer. Read first: RFC 6298, RFC 9293 3.8.1 and 3.8.3, RFC 5681 3.1 and 4.1.
 */
#include <errno.h>

#include "support/peer.h"

static struct tlsyn_conn_info info_of(struct tcp_test *t)
{
    struct tlsyn_conn_info info;

    tlsyn_conn_info(t->user.conn, &info);
    return info;
}

/* Established, with a measured RTT of 100 ms. */
static struct tcp_test *measured(bool timestamps)
{
    struct tcp_test *t = TCP_TEST(.peer = {.mss = 1460, .has_ts = timestamps});

    peer_sends(t, SYN());
    expect(t, SYNACK());
    advance(t, TLSYN_MS(100));
    peer_sends(t, ACK());
    ck_assert_int_eq(info_of(t).srtt, TLSYN_MS(100));
    return t;
}

/* --- when ------------------------------------------------------------------------------------- */

/* RFC 6298 (2.2): RTO = 100 + 4 * 50 ms (R6298-10, MUST-18) */
START_TEST(text_is_repeated_after_the_rto_twice_as_late_each_time)
{
    struct tcp_test *t = measured(false);
    tlsyn_time gap = TLSYN_MS(300), at;

    user_sends(t, 100);
    expect(t, ACK(.seq = 1, .len = 100));
    at = t->last.at;
    for (int i = 0; i < 5; i++, gap *= 2) {
        advance(t, at + gap - TLSYN_MS(1) - t->now);
        expect_nothing(t);
        advance(t, TLSYN_MS(2));
        expect(t, ACK(.seq = 1, .len = 100));
        at = t->last.at;
    }
    ck_assert_uint_eq(info_of(t).timeouts, 5);
    tcp_test_close(t);
}
END_TEST

/* RFC 6298 (5.3) (R6298-9) */
START_TEST(an_ack_of_new_text_starts_the_timer_anew)
{
    struct tcp_test *t = measured(false);

    user_sends(t, 200);
    peer_takes_all(t);
    for (int i = 0; i < 5; i++) {
        advance(t, TLSYN_MS(150));
        peer_sends(t, ACK(.ack = 2 + i));
        expect_nothing(t);
    }
    tcp_test_close(t);
}
END_TEST

/* RFC 6298 (5.2) (R6298-8, R6298-9) */
START_TEST(no_timer_runs_when_all_is_acknowledged)
{
    struct tcp_test *t = measured(false);

    user_sends(t, 200);
    peer_takes_all(t);
    peer_sends(t, ACK());
    advance(t, TLSYN_SECONDS(100));
    expect_nothing(t);
    tcp_test_close(t);
}
END_TEST

/* --- what is measured: RFC 6298 3 (MUST-18) --------------------------------------------------- */

/* R6298-6 */
START_TEST(what_was_sent_twice_is_not_measured)
{
    struct tcp_test *t = measured(false);
    tlsyn_time rto;

    user_sends(t, 100);
    advance(t, TLSYN_MS(350));
    ck_assert_int_eq(peer_takes_all(t), 2);
    rto = info_of(t).rto;
    peer_sends(t, ACK());
    ck_assert_int_eq(info_of(t).srtt, TLSYN_MS(100));
    /* and the back-off stays until something was measured */
    ck_assert_int_eq(info_of(t).rto, rto);
    user_sends(t, 100);
    advance(t, TLSYN_MS(100));
    peer_takes_all(t);
    peer_sends(t, ACK());
    ck_assert_int_eq(info_of(t).rto, TLSYN_MS(300));
    tcp_test_close(t);
}
END_TEST

/* RFC 7323 4 (R7323-TS7) */
START_TEST(a_timestamp_tells_which_of_both_was_acknowledged)
{
    struct tcp_test *t = measured(true);

    user_sends(t, 100);
    advance(t, TLSYN_MS(350));
    ck_assert_int_eq(peer_takes_all(t), 2);
    advance(t, TLSYN_MS(60));
    peer_sends(t, ACK());
    ck_assert_int_lt(info_of(t).srtt, TLSYN_MS(110));
    ck_assert_int_lt(info_of(t).rto, TLSYN_MS(400));
    tcp_test_close(t);
}
END_TEST

START_TEST(a_lying_timestamp_is_not_believed)
{
    struct tcp_test *t = measured(true);

    user_sends(t, 100);
    advance(t, TLSYN_MS(350));
    peer_takes_all(t);
    peer_sends(t, ACK(.opt = {.has_ts = true, .tsval = 2000000, .tsecr = t->ts_echo + 100000}));
    ck_assert_uint_eq(t->user.acked, 100);
    ck_assert_int_eq(info_of(t).srtt, TLSYN_MS(100));
    tcp_test_close(t);
}
END_TEST

/* --- giving up -------------------------------------------------------------------------------- */

/* MUST-20, SHLD-11 */
START_TEST(a_silent_peer_is_given_up_with_an_error)
{
    struct tcp_test *t = measured(false);

    user_sends(t, 100);
    advance(t, TLSYN_SECONDS(100));
    ck_assert_int_eq(t->user.count[USER_CLOSED], 0);
    advance(t, TLSYN_SECONDS(400));
    ck_assert_int_eq(t->user.count[USER_CLOSED], 1);
    ck_assert_int_eq(t->user.error, -ETIMEDOUT);
    expect_no_connection(t);
    ck_assert_uint_eq(counted(t, TLSYN_COUNT_tcp_abort_on_timeout), 1);
    ignore_sent(t);
    tcp_test_close(t);
}
END_TEST

/* MUST-21 */
START_TEST(a_connection_may_be_less_patient)
{
    struct tcp_test *t = TCP_TEST(.conn = {.user_timeout = TLSYN_SECONDS(5)});

    opens_passively(t);
    user_sends(t, 100);
    advance(t, TLSYN_SECONDS(12));
    ck_assert_int_eq(t->user.error, -ETIMEDOUT);
    ignore_sent(t);
    tcp_test_close(t);
}
END_TEST

START_TEST(progress_resets_the_patience)
{
    struct tcp_test *t = TCP_TEST(.conn = {.user_timeout = TLSYN_SECONDS(20)});

    opens_passively(t);
    user_writes(&t->user, 100);
    for (int i = 1; i < 20; i++) {
        advance(t, TLSYN_SECONDS(15));
        ignore_sent(t);
        peer_sends(t, ACK(.ack = 1 + i));
    }
    expect_state(t, TLSYN_ESTABLISHED);
    ignore_sent(t);
    tcp_test_close(t);
}
END_TEST

/* --- congestion ------------------------------------------------------------------------------- */

/* RFC 6928 2 (R5681-1) */
START_TEST(ten_segments_leave_at_first)
{
    struct tcp_test *t = TCP_TEST(0);

    opens_passively(t);
    user_sends(t, 100000);
    ck_assert_int_eq(peer_takes_all(t), 10);
    tcp_test_close(t);
}
END_TEST

/* RFC 5681 3.1: slow start (MUST-19) */
START_TEST(each_acknowledged_segment_lets_two_go)
{
    struct tcp_test *t = TCP_TEST(0);

    opens_passively(t);
    user_sends(t, 100000);
    ck_assert_int_eq(peer_takes_all(t), 10);
    for (int i = 1; i <= 5; i++) {
        peer_sends(t, ACK(.ack = 1 + i * 1460));
        ck_assert_int_eq(peer_takes_all(t), 2);
    }
    tcp_test_close(t);
}
END_TEST

/* RFC 5681 (4), 3.1 (MUST-19, R5681-5) */
START_TEST(a_timeout_leaves_one_segment_and_half_the_flight)
{
    struct tcp_test *t = TCP_TEST(.conn = {.controller = "newreno"});

    opens_passively(t);
    user_writes(&t->user, 14600); /* F-RTO would send new text first */
    flush(t);
    ck_assert_int_eq(ignore_sent(t), 10);
    advance(t, TLSYN_MS(210));
    expect(t, ACK(.seq = 1, .len = 1460));
    expect_nothing(t);
    ck_assert_uint_eq(info_of(t).cwnd, 1460);
    ck_assert_uint_eq(info_of(t).ssthresh, 7300);
    advance(t, TLSYN_MS(410));
    expect(t, ACK(.seq = 1, .len = 1460));
    ck_assert_uint_eq(info_of(t).ssthresh, 7300); /* the same loss: held */
    t->peer_rcv = 1461;
    peer_sends(t, ACK(.ack = 1461));
    expect(t, ACK(.seq = 1461, .len = 1460));
    expect(t, ACK(.seq = 2921, .len = 1460));
    expect_nothing(t);
    tcp_test_close(t);
}
END_TEST

/* RFC 5681 4.1 (R5681-10) */
START_TEST(an_idle_connection_begins_with_ten_segments_again)
{
    struct tcp_test *t = TCP_TEST(.conn = {.snd_ring = 1 << 20},
                                  .peer = {.mss = 1460, .has_wscale = true, .wscale = 8});

    opens_passively(t);
    user_sends(t, 200000);
    while (peer_takes_all(t) > 0)
        peer_sends(t, ACK());
    ck_assert_uint_eq(t->user.acked, 200000);
    ck_assert_uint_gt(info_of(t).cwnd, 20 * 1460);
    advance(t, TLSYN_SECONDS(5));
    user_sends(t, 100000);
    ck_assert_int_eq(peer_takes_all(t), 10);
    tcp_test_close(t);
}
END_TEST

/* RFC 6928 2: more than one SYN-ACK was lost (R5681-2) */
START_TEST(after_lost_syn_acks_one_segment_leaves_at_first)
{
    struct tcp_test *t = TCP_TEST(0);

    peer_sends(t, SYN());
    advance(t, TLSYN_MS(3100));
    expect(t, SYNACK());
    expect(t, SYNACK());
    expect(t, SYNACK());
    peer_sends(t, ACK());
    user_sends(t, 10000);
    expect(t, ACK(.len = 1460));
    expect_nothing(t);
    tcp_test_close(t);
}
END_TEST

Suite *tcp_retransmit_suite(void);

Suite *tcp_retransmit_suite(void)
{
    Suite *s = suite_create("tcp_retransmit");
    TCase *when = tcase_create("when");
    TCase *what_is_measured_RFC_6298_3_MUST_18 =
        tcase_create("what is measured: RFC 6298 3 (MUST-18)");
    TCase *giving_up = tcase_create("giving up");
    TCase *congestion = tcase_create("congestion");

    tcase_add_test(when, text_is_repeated_after_the_rto_twice_as_late_each_time);
    tcase_add_test(when, an_ack_of_new_text_starts_the_timer_anew);
    tcase_add_test(when, no_timer_runs_when_all_is_acknowledged);
    suite_add_tcase(s, when);
    tcase_add_test(what_is_measured_RFC_6298_3_MUST_18, what_was_sent_twice_is_not_measured);
    tcase_add_test(what_is_measured_RFC_6298_3_MUST_18,
                   a_timestamp_tells_which_of_both_was_acknowledged);
    tcase_add_test(what_is_measured_RFC_6298_3_MUST_18, a_lying_timestamp_is_not_believed);
    suite_add_tcase(s, what_is_measured_RFC_6298_3_MUST_18);
    tcase_add_test(giving_up, a_silent_peer_is_given_up_with_an_error);
    tcase_add_test(giving_up, a_connection_may_be_less_patient);
    tcase_add_test(giving_up, progress_resets_the_patience);
    suite_add_tcase(s, giving_up);
    tcase_add_test(congestion, ten_segments_leave_at_first);
    tcase_add_test(congestion, each_acknowledged_segment_lets_two_go);
    tcase_add_test(congestion, a_timeout_leaves_one_segment_and_half_the_flight);
    tcase_add_test(congestion, an_idle_connection_begins_with_ten_segments_again);
    tcase_add_test(congestion, after_lost_syn_acks_one_segment_leaves_at_first);
    suite_add_tcase(s, congestion);
    return s;
}
