/*
 * The congestion window and what ACKs are for: slow start, avoidance, duplicates, delayed ACKs;
 * with the controller of the RFC, and a peer without SACK. Read first: RFC 5681, RFC 6928.
 */
#include "support/flight.h"

#define MSS 1460

static struct tcp_test *newreno(void)
{
    struct tcp_test *t = TCP_TEST(.conn = {.controller = "newreno"});

    opens_with_ace(t, 0);
    return t;
}

static struct tcp_test *ten_sent(void)
{
    struct tcp_test *t = newreno();

    ten_leave(t);
    return t;
}

static void acks(struct tcp_test *t, int segments)
{
    peer_sends(t, ACK(.ack = 1 + segments * MSS));
}

/* --- 3.1 -------------------------------------------------------------------------------------- */

/* RFC 6928 2: min(10 * MSS, max(2 * MSS, 14600)) (R5681-1) */
START_TEST(the_initial_window_goes_by_the_segments_size) /* loop: MSS */
{
    static const struct {
        uint16_t mss;
        uint32_t window;
    } row[] = {{536, 5360}, {1460, 14600}, {4000, 14600}, {8960, 17920}};
    struct tcp_test *t = TCP_TEST(.peer = {.mss = row[_i].mss}, .caps = {.mtu = 9000});

    opens_passively(t);
    ck_assert_uint_eq(info_of(t).cwnd, row[_i].window);
    tcp_test_close(t);
}
END_TEST

/* (R5681-2) */
START_TEST(the_handshake_does_not_open_the_window) /* loop: active */
{
    struct tcp_test *t = TCP_TEST(0);

    _i ? opens_actively(t) : opens_passively(t);
    ck_assert_uint_eq(info_of(t).cwnd, 10 * MSS);
    tcp_test_close(t);
}
END_TEST

START_TEST(no_more_leaves_than_the_window_and_an_ack_lets_more_go)
{
    struct tcp_test *t = ten_sent();

    expect_nothing(t);
    acks(t, 1);
    expect(t, ACK(.seq = 1 + 10 * MSS, .len = MSS));
    expect(t, ACK(.seq = 1 + 11 * MSS, .len = MSS));
    expect_nothing(t);
    tcp_test_close(t);
}
END_TEST

/* slow start: as much as was acknowledged */
START_TEST(slow_start_doubles_the_window_in_a_round_trip)
{
    struct tcp_test *t = ten_sent();

    for (int i = 1; i <= 10; i++)
        acks(t, i);
    ck_assert_uint_eq(info_of(t).cwnd, 20 * MSS);
    ignore_sent(t);
    tcp_test_close(t);
}
END_TEST

/* ACK splitting: bytes are counted (R5681-3) */
START_TEST(an_ack_of_an_octet_opens_the_window_by_an_octet)
{
    struct tcp_test *t = ten_sent();

    for (int i = 1; i <= 100; i++)
        peer_sends(t, ACK(.ack = 1 + i));
    ck_assert_uint_le(info_of(t).cwnd, 10 * MSS + 100);
    ignore_sent(t);
    tcp_test_close(t);
}
END_TEST

/* The third duplicate: half of the flight */
static void loses_one(struct tcp_test *t)
{
    for (int i = 0; i < 9; i++)
        peer_sends(t, ACK(.ack = 1));
    ck_assert_uint_eq(info_of(t).fast_retransmits, 1);
}

/* (R5681-9) */
START_TEST(a_repaired_loss_leaves_half_the_flight)
{
    struct tcp_test *t = ten_sent();

    loses_one(t);
    acks(t, 12); /* two left by limited transmit */
    ck_assert_uint_eq(info_of(t).ssthresh, 5 * MSS);
    ck_assert_uint_le(info_of(t).cwnd, 5 * MSS); /* less where less is on its way: RFC 6582 3.2 */
    ignore_sent(t);
    tcp_test_close(t);
}
END_TEST

/* (R5681-4) */
START_TEST(avoidance_opens_the_window_by_a_segment_in_a_round_trip)
{
    struct tcp_test *t = ten_sent();

    loses_one(t);
    acks(t, 12); /* two left by limited transmit */
    uint32_t cwnd = info_of(t).cwnd;
    for (int round = 1; round <= 3; round++) {
        advance(t, FLIGHT_RTT);
        peer_takes_all(t);
        peer_sends(t, ACK());
        ck_assert_uint_le(info_of(t).cwnd, cwnd + (uint32_t)(round * MSS) + MSS);
    }
    ck_assert_uint_gt(info_of(t).cwnd, cwnd);
    ignore_sent(t);
    tcp_test_close(t);
}
END_TEST

/* Of the flight, not of the window, which has room for ten here (R5681-5) */
START_TEST(a_timeout_leaves_a_segment_and_half_the_flight_as_threshold)
{
    struct tcp_test *t = newreno();

    user_sends(t, 6 * MSS);
    ck_assert_int_eq(peer_takes_all(t), 6);
    advance(t, TLSYN_MS(300));
    expect(t, ACK(.seq = 1, .len = MSS));
    expect_nothing(t);
    ck_assert_uint_eq(info_of(t).cwnd, MSS);
    ck_assert_uint_eq(info_of(t).ssthresh, 3 * MSS);
    tcp_test_close(t);
}
END_TEST

/* (R5681-6) */
START_TEST(a_second_timeout_leaves_the_threshold_alone)
{
    struct tcp_test *t = ten_sent();

    advance(t, TLSYN_SECONDS(2));
    ck_assert_uint_ge(info_of(t).timeouts, 2);
    ck_assert_uint_eq(info_of(t).ssthresh, 5 * MSS);
    ignore_sent(t);
    tcp_test_close(t);
}
END_TEST

/* --- 3.2 -------------------------------------------------------------------------------------- */

/* (R5681-8) */
START_TEST(two_duplicates_let_a_new_segment_go_each)
{
    struct tcp_test *t = ten_sent();

    for (int i = 0; i < 2; i++) {
        peer_sends(t, ACK(.ack = 1));
        expect(t, ACK(.seq = 1 + (10 + i) * MSS, .len = MSS));
        expect_nothing(t);
        ck_assert_uint_eq(info_of(t).cwnd, 10 * MSS);
    }
    tcp_test_close(t);
}
END_TEST

/* (R5681-7) */
START_TEST(the_third_duplicate_brings_what_is_missing)
{
    struct tcp_test *t = ten_sent();

    peer_sends(t, ACK(.ack = 1));
    peer_sends(t, ACK(.ack = 1));
    ignore_sent(t);
    peer_sends(t, ACK(.ack = 1));
    expect(t, ACK(.seq = 1, .len = MSS));
    tcp_test_close(t);
}
END_TEST

/* 2 (R5681-13) */
START_TEST(what_is_no_duplicate_brings_nothing) /* loop: text, window, FIN */
{
    struct tcp_test *t = ten_sent();

    for (int i = 0; i < 5; i++) {
        struct seg seg = ACK(.ack = 1);
        seg.len = _i == 0 ? 10 : 0;
        seg.wnd = _i == 1 ? 60000 + i : 65535;
        peer_sends(t, _i == 2 ? FIN(.seq = 1, .ack = 1) : seg);
    }
    ck_assert_uint_eq(info_of(t).retransmits, 0);
    ignore_sent(t);
    tcp_test_close(t);
}
END_TEST

/* --- 4 ---------------------------------------------------------------------------------------- */

/* 4.2: at least every second full segment (R5681-11) */
START_TEST(every_second_full_segment_is_acknowledged)
{
    struct tcp_test *t = newreno();

    for (int i = 0; i < 10; i++) {
        peer_sends(t, ACK(.len = MSS));
        if (i % 2)
            expect(t, ACK(.ack = 1 + (i + 1) * MSS));
        expect_nothing(t);
    }
    tcp_test_close(t);
}
END_TEST

/* 4.2: within half a second (MUST-40) */
START_TEST(a_single_segment_is_acknowledged_in_time)
{
    struct tcp_test *t = newreno();

    peer_sends(t, ACK(.len = MSS));
    expect_nothing(t);
    advance(t, TLSYN_MS(500));
    expect(t, ACK(.ack = 1 + MSS));
    tcp_test_close(t);
}
END_TEST

/* 4.2 (R5681-11) */
START_TEST(text_out_of_order_and_text_that_fills_a_gap_are_acknowledged_at_once)
{
    struct tcp_test *t = newreno();

    peer_sends(t, ACK(.seq = 101, .len = 100));
    expect(t, ACK(.ack = 1));
    peer_sends(t, ACK(.seq = 301, .len = 100));
    expect(t, ACK(.ack = 1));
    peer_sends(t, ACK(.seq = 1, .len = 50)); /* in part */
    expect(t, ACK(.ack = 51));
    peer_sends(t, ACK(.seq = 51, .len = 50));
    expect(t, ACK(.ack = 201));
    tcp_test_close(t);
}
END_TEST

/* 4.2 (R5681-12) */
START_TEST(no_segment_has_two_acks)
{
    struct tcp_test *t = newreno();
    int acked = 0;

    for (int i = 0; i < 50; i++) {
        peer_sends(t, ACK(.seq = 1 + (i * 7 % 50) * 10, .len = 10));
        int n = ignore_sent(t);
        ck_assert_int_le(n, 1);
        acked += n;
    }
    advance(t, TLSYN_SECONDS(1));
    ck_assert_int_le(acked + ignore_sent(t), 50);
    ck_assert_uint_eq(t->user.read, 500);
    tcp_test_close(t);
}
END_TEST

static void add_window(Suite *suite)
{
    TCase *window = tcase_create("window");

    tcase_add_loop_test(window, the_initial_window_goes_by_the_segments_size, 0, 4);
    tcase_add_loop_test(window, the_handshake_does_not_open_the_window, 0, 2);
    tcase_add_test(window, no_more_leaves_than_the_window_and_an_ack_lets_more_go);
    tcase_add_test(window, slow_start_doubles_the_window_in_a_round_trip);
    tcase_add_test(window, an_ack_of_an_octet_opens_the_window_by_an_octet);
    tcase_add_test(window, a_repaired_loss_leaves_half_the_flight);
    tcase_add_test(window, avoidance_opens_the_window_by_a_segment_in_a_round_trip);
    tcase_add_test(window, a_timeout_leaves_a_segment_and_half_the_flight_as_threshold);
    tcase_add_test(window, a_second_timeout_leaves_the_threshold_alone);
    suite_add_tcase(suite, window);
}

Suite *rfc5681_suite(void);
Suite *rfc5681_suite(void)
{
    Suite *suite = suite_create("rfc5681");
    TCase *duplicates = tcase_create("duplicates"), *delayed = tcase_create("delayed");

    add_window(suite);
    tcase_add_test(duplicates, two_duplicates_let_a_new_segment_go_each);
    tcase_add_test(duplicates, the_third_duplicate_brings_what_is_missing);
    tcase_add_loop_test(duplicates, what_is_no_duplicate_brings_nothing, 0, 3);
    suite_add_tcase(suite, duplicates);
    tcase_add_test(delayed, every_second_full_segment_is_acknowledged);
    tcase_add_test(delayed, a_single_segment_is_acknowledged_in_time);
    tcase_add_test(delayed, text_out_of_order_and_text_that_fills_a_gap_are_acknowledged_at_once);
    tcase_add_test(delayed, no_segment_has_two_acks);
    suite_add_tcase(suite, delayed);
    return suite;
}
