/*
 * Rules of loss recovery and of opening that the other tests do not reach: RFC 6675 5, RFC 8985 7,
 * RFC 6298 3, RFC 7413 4.2.
 */
#include <errno.h>

#include "support/flight.h"
#include "support/holds.h"

#define MSS 1460

/* Ten segments on their way, 50 ms, which is a round trip, after they left; more is written. */
static struct tcp_test *ten_on_their_way(void)
{
    struct tcp_test *t =
        TCP_TEST(.peer = {.mss = MSS, .sack_permitted = true}, .conn = {.controller = "newreno"});

    opens_passively(t);
    user_sends(t, 40 * MSS);
    ck_assert_int_eq(peer_takes_all(t), 10);
    advance(t, TLSYN_MS(50));
    return t;
}

/* (C): what is in the network stays within cwnd, whichever ACKs come. (R6675-7) */
START_TEST(recovery_sends_no_more_than_cwnd_leaves_room_for) /* loop: the lost segment */
{
    struct tcp_test *t = ten_on_their_way();

    for (int got = _i + 1; got < 10; got++) {
        peer_sacks(t, _i, _i + 1, got + 1);
        struct tlsyn_conn_info info = info_of(t);
        HOLDS(info.in_flight <= info.cwnd);
    }
    ck_assert_uint_eq(info_of(t).fast_retransmits, 1);
    ignore_sent(t);
    tcp_test_close(t);
}
END_TEST

/* RFC 9937 6.1: the ACK that shows the loss lets go as much as it has delivered, which is the
 * retransmission; new text is what the ones before it were for (RFC 3042 2). */
START_TEST(the_ack_that_shows_the_loss_lets_one_segment_go)
{
    struct tcp_test *t = TCP_TEST(.peer = {.mss = MSS, .sack_permitted = true});

    peer_sends(t, SYN());
    expect(t, SYNACK());
    advance(t, TLSYN_MS(50)); /* the round trip that RACK measures reordering by */
    peer_sends(t, ACK());
    user_sends(t, 40 * MSS);
    ck_assert_int_eq(peer_takes_all(t), 10);
    advance(t, TLSYN_MS(50));
    for (int got = 1; got <= 2; got++) {
        peer_sacks(t, 0, 1, got + 1);
        expect(t, ACK(.seq = 1 + (9 + got) * MSS, .len = MSS));
        expect_nothing(t);
    }
    peer_sacks(t, 0, 1, 4);
    expect(t, ACK(.seq = 1, .len = MSS));
    expect_nothing(t);
    tcp_test_close(t);
}
END_TEST

/* Recovery lasts until what was sent when it began is acknowledged: a part of it does not end
 * it, and a further loss in it is the same sign of congestion. Then cwnd is ssthresh. (R6675-8) */
START_TEST(recovery_ends_at_its_point_and_not_before)
{
    struct tcp_test *t = ten_on_their_way();

    peer_sacks(t, 0, 2, 6);
    ck_assert_uint_eq(info_of(t).fast_retransmits, 1);
    uint32_t ssthresh = info_of(t).ssthresh;
    ck_assert(t->user.conn->in_recovery);
    peer_sacks(t, 1, 2, 6); /* partial */
    ck_assert(t->user.conn->in_recovery);
    ck_assert_uint_eq(info_of(t).ssthresh, ssthresh);
    peer_sends(t, ACK(.ack = seq_diff(t->user.conn->recover, t->iss)));
    ck_assert(!t->user.conn->in_recovery);
    ck_assert_uint_eq(info_of(t).fast_retransmits, 1);
    ck_assert_uint_le(info_of(t).cwnd, ssthresh);
    ignore_sent(t);
    tcp_test_close(t);
}
END_TEST

/* 5.1: behind a timeout, what was sent before it starts no fast recovery. (The text that tells
 * of the loss is new, or the timeout would have been for nothing: RFC 5682.) (R6675-9) */
START_TEST(a_timeout_is_followed_by_no_fast_recovery_of_the_same_flight)
{
    struct tcp_test *t = ten_on_their_way();

    advance(t, TLSYN_SECONDS(1)); /* a probe of the tail, then the timeout */
    ck_assert_uint_ge(info_of(t).timeouts, 1);
    peer_sends(t, ACK(.ack = 1 + MSS));
    uint32_t ssthresh = info_of(t).ssthresh;
    int end = seq_diff(t->user.conn->snd_nxt, t->iss + 1) / MSS;
    for (int got = end - 1; got <= end; got++)
        peer_sacks(t, 1, end - 2, got);
    for (int got = end - 3; got > 4; got--)
        peer_sacks(t, 1, got, end);
    ck_assert_uint_eq(info_of(t).fast_retransmits, 0);
    ck_assert_uint_eq(info_of(t).ssthresh, ssthresh);
    ignore_sent(t);
    tcp_test_close(t);
}
END_TEST

/* 7.2: a window that is shut has its own probes, and a timeout its own repair. (R8985-14) */
START_TEST(no_tail_is_probed_while_the_window_is_shut_or_behind_a_timeout) /* loop 2 */
{
    struct tcp_test *t = ten_on_their_way();

    if (_i == 0)
        peer_sends(t, ACK(.ack = 1 + 10 * MSS, .wnd = 0));
    else
        advance(t, TLSYN_SECONDS(1));
    uint64_t probes = counted(t, TLSYN_COUNT_tcp_loss_probes);
    advance(t, TLSYN_SECONDS(20));
    ck_assert_uint_eq(counted(t, TLSYN_COUNT_tcp_loss_probes), probes);
    if (_i == 0)
        ck_assert_uint_ge(counted(t, TLSYN_COUNT_tcp_zero_window_probes), 2);
    ignore_sent(t);
    tcp_test_close(t);
}
END_TEST

/* 3: each round trip is measured. (R6298-7) */
START_TEST(every_round_trip_brings_a_measurement) /* loop 2: with timestamps, and without */
{
    struct tcp_test *t = TCP_TEST(.peer = {.mss = MSS, .has_ts = _i == 1});

    opens_passively(t);
    for (int i = 1; i < 12; i++) {
        tlsyn_time before = info_of(t).srtt;

        user_sends(t, 100);
        peer_takes_all(t);
        advance(t, TLSYN_MS(10 * i));
        peer_sends(t, ACK());
        ck_assert_int_gt(info_of(t).srtt, before);
    }
    tcp_test_close(t);
}
END_TEST

/* 4.2: the user has the connection already, and the text of the SYN: a reset takes all of it
 * back. (R7413-12, R5961-5) */
START_TEST(a_reset_of_an_embedded_open_frees_everything)
{
    struct tcp_test *t = TCP_TEST(.open = true);
    size_t before = t->memory.bytes;

    t->user.plan[USER_SYN].write = 5000;
    peer_sends(t, SYN(.len = 300, .opt = {.mss = MSS, .has_fastopen = true}));
    ck_assert_int_eq(t->user.count[USER_SYN], 1);
    ck_assert_uint_eq(t->tcp->embedded, 1);
    ignore_sent(t);
    peer_sends(t, RST(.seq = 301));
    ck_assert_int_eq(t->user.count[USER_CLOSED], 1);
    ck_assert_int_eq(t->user.error, -ECONNRESET);
    expect_nothing(t);
    expect_no_connection(t);
    ck_assert_uint_le(t->memory.bytes, before + 1024); /* the table has grown */
    tcp_test_close(t);
}
END_TEST

/* RFC 9293 3.8.6: a window that shrank under what is on its way: what lies in it goes again when
 * it is lost, the rest waits. (SHLD-16, SHLD-17, MUST-34) */
START_TEST(what_lies_in_a_shrunk_window_goes_again)
{
    struct tcp_test *t = TCP_TEST(0);

    opens_passively(t);
    user_sends(t, 10 * MSS);
    ck_assert_int_eq(peer_takes_all(t), 10);
    peer_sends(t, ACK(.ack = 1, .wnd = 2 * MSS));
    expect_nothing(t);
    advance(t, TLSYN_MS(250));
    expect(t, ACK(.seq = 1, .len = MSS));
    peer_sends(t, ACK(.ack = 1 + MSS, .wnd = MSS));
    expect(t, ACK(.seq = 1 + MSS, .len = MSS));
    expect_nothing(t);
    advance(t, TLSYN_SECONDS(200));
    expect_state(t, TLSYN_ESTABLISHED);
    ignore_sent(t);
    tcp_test_close(t);
}
END_TEST

/* RFC 9293 3.8.6.1: a receiver may leave its window shut for as long as its user does not read.
 * (MAY-8) */
START_TEST(a_user_who_does_not_read_keeps_the_window_shut)
{
    struct tcp_test *t = TCP_TEST(.conn = {.rcv_ring = 4096});

    t->user.deaf = true;
    opens_passively(t);
    peer_sends(t, ACK(.seq = 1, .len = 4096));
    expect(t, ACK(.ack = 4097, .wnd = 0));
    for (int hour = 0; hour < 24; hour++) {
        advance(t, TLSYN_SECONDS(3600));
        peer_sends(t, ACK(.seq = 4097, .len = 1)); /* a probe */
        t->peer_nxt = 4097;
        expect(t, ACK(.ack = 4097, .wnd = 0));
    }
    expect_state(t, TLSYN_ESTABLISHED);
    tcp_test_close(t);
}
END_TEST

/* RFC 8985 6.2: the smallest round trip is that of the last minutes: a path that became longer
 * is believed in the end. (R8985-3) */
START_TEST(the_smallest_round_trip_grows_old)
{
    struct tcp_test *t = TCP_TEST(.peer = {.mss = MSS, .sack_permitted = true});

    opens_passively(t);
    for (int second = 0; second < 400; second++) {
        user_sends(t, 100);
        peer_takes_all(t);
        advance(t, TLSYN_MS(second < 10 ? 20 : 60));
        peer_sends(t, ACK());
        if (second == 200)
            ck_assert_int_le(info_of(t).min_rtt, TLSYN_MS(21));
        advance(t, TLSYN_MS(940));
    }
    ck_assert_int_ge(info_of(t).min_rtt, TLSYN_MS(60));
    tcp_test_close(t);
}
END_TEST

Suite *recovery_suite(void);

Suite *recovery_suite(void)
{
    Suite *s = suite_create("recovery");
    TCase *all = tcase_create("all");

    tcase_add_loop_test(all, recovery_sends_no_more_than_cwnd_leaves_room_for, 0, 6);
    tcase_add_test(all, the_ack_that_shows_the_loss_lets_one_segment_go);
    tcase_add_test(all, recovery_ends_at_its_point_and_not_before);
    tcase_add_test(all, a_timeout_is_followed_by_no_fast_recovery_of_the_same_flight);
    tcase_add_loop_test(all, no_tail_is_probed_while_the_window_is_shut_or_behind_a_timeout, 0, 2);
    tcase_add_loop_test(all, every_round_trip_brings_a_measurement, 0, 2);
    tcase_add_test(all, a_reset_of_an_embedded_open_frees_everything);
    tcase_add_test(all, what_lies_in_a_shrunk_window_goes_again);
    tcase_add_test(all, a_user_who_does_not_read_keeps_the_window_shut);
    tcase_add_test(all, the_smallest_round_trip_grows_old);
    suite_add_tcase(s, all);
    return s;
}
