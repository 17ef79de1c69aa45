/*
 * Recovery with SACK: RACK and PRR on a connection. Read first: RFC 8985 6, RFC 9937 6, RFC 2018 8.
 */
#include "support/peer.h"

#define MSS   1460
#define AT(n) (1 + (n)*MSS) /* the relative number of segment n */

static struct tlsyn_conn_info info_of(struct tcp_test *t)
{
    struct tlsyn_conn_info info;

    tlsyn_conn_info(t->user.conn, &info);
    return info;
}

/* Ten segments are on their way, over a round trip of 100 ms; `bytes` were written. */
static struct tcp_test *ten_sent(const struct tcp_test_options *options, size_t bytes)
{
    struct tcp_test_options o = *options;

    o.peer.mss = 1460;
    o.peer.sack_permitted = true;
    struct tcp_test *t = tcp_test_open(&o);
    peer_sends(t, SYN());
    expect(t, SYNACK());
    advance(t, TLSYN_MS(100));
    peer_sends(t, ACK());
    user_sends(t, bytes);
    ck_assert_int_eq(ignore_sent(t), 10);
    advance(t, TLSYN_MS(100));
    return t;
}

/* Segments [from, to) have arrived behind a hole at `ack`. */
static void sacks(struct tcp_test *t, int ack, int from, int to)
{
    struct tcp_options opt = {.sack_count = 1};

    opt.sack[0].left = t->iss + (tcp_seq)AT(from);
    opt.sack[0].right = t->iss + (tcp_seq)AT(to);
    peer_sends(t, ACK(.ack = AT(ack), .opt = opt));
}

static void dsacks(struct tcp_test *t, int ack, int from)
{
    sacks(t, ack, from, from + 1);
}

/* R8985-8 */
START_TEST(three_sacked_segments_bring_the_lost_one) /* loop 3 */
{
    struct tcp_test *t =
        ten_sent(&(struct tcp_test_options){.choose_iss = _i == 0   ? NULL
                                                          : _i == 1 ? iss_before_wrap
                                                                    : iss_before_half},
                 10 * MSS);

    sacks(t, 0, 1, 2);
    sacks(t, 0, 1, 3);
    expect_nothing(t);
    sacks(t, 0, 1, 4);
    expect(t, ACK(.seq = AT(0), .len = MSS));
    expect_nothing(t);
    ck_assert_uint_eq(info_of(t).fast_retransmits, 1);
    ck_assert_uint_eq(info_of(t).ssthresh, 7 * MSS); /* RFC 9438 4.6 */
    peer_sends(t, ACK(.ack = AT(10)));
    ck_assert_uint_eq(info_of(t).cwnd, 7 * MSS);
    advance(t, TLSYN_SECONDS(5));
    expect_nothing(t);
    tcp_test_close(t);
}
END_TEST

/* One ACK tells of several holes; what is sacked is not sent again. (R6675-3) */
START_TEST(only_holes_are_sent_again)
{
    struct tcp_test *t = ten_sent(&(struct tcp_test_options){0}, 10 * MSS);
    struct tcp_options opt = {.sack_count = 2};

    opt.sack[0].left = t->iss + AT(4);
    opt.sack[0].right = t->iss + AT(10);
    opt.sack[1].left = t->iss + AT(1);
    opt.sack[1].right = t->iss + AT(3);
    peer_sends(t, ACK(.ack = AT(0), .opt = opt));
    expect(t, ACK(.seq = AT(0), .len = MSS));
    expect(t, ACK(.seq = AT(3), .len = MSS));
    expect_nothing(t);
    peer_sends(t, ACK(.ack = AT(10)));
    advance(t, TLSYN_SECONDS(5));
    expect_nothing(t);
    ck_assert_uint_eq(info_of(t).timeouts, 0);
    tcp_test_close(t);
}
END_TEST

/* The window falls to half over the round trip, and new text goes meanwhile: RFC 9937 */
START_TEST(new_text_leaves_for_every_other_segment_that_arrives)
{
    struct tcp_test *t = ten_sent(&(struct tcp_test_options){0}, 40 * MSS);
    int sent = 0;

    for (int i = 2; i <= 10; i++) {
        sacks(t, 0, 1, i);
        sent += ignore_sent(t);
    }
    ck_assert_int_ge(sent, 4);
    ck_assert_int_le(sent, 7); /* two by limited transmit, then half of what arrives */
    ck_assert_uint_eq(info_of(t).fast_retransmits, 1);
    tcp_test_close(t);
}
END_TEST

/* The first ACKs of the batch let new text go, had they come one by one: it goes with the
 * retransmission, whose loss would else show to the timer alone. */
START_TEST(a_batch_that_leaves_nothing_on_its_way_lets_new_text_go_too)
{
    struct tcp_test *t = ten_sent(&(struct tcp_test_options){0}, 40 * MSS);

    t->hold = true;
    peer_sends(t, ACK(.ack = AT(6)));
    for (int i = 8; i <= 10; i++)
        sacks(t, 6, 7, i);
    t->hold = false;
    flush(t);
    expect(t, ACK(.seq = AT(6), .len = MSS));
    expect(t, ACK(.seq = AT(10), .len = MSS));
    ignore_sent(t);
    advance(t, TLSYN_MS(100));
    sacks(t, 6, 7, 11); /* the new text has arrived, the retransmission has not */
    expect(t, ACK(.seq = AT(6), .len = MSS));
    ck_assert_uint_eq(info_of(t).timeouts, 0);
    tcp_test_close(t);
}
END_TEST

START_TEST(a_lost_retransmission_is_sent_again_without_timeout)
{
    struct tcp_test *t = ten_sent(&(struct tcp_test_options){0}, 40 * MSS);

    sacks(t, 0, 1, 8);
    expect(t, ACK(.seq = AT(0), .len = MSS));
    int fresh = ignore_sent(t);
    for (int i = 9; i <= 10; i++)
        sacks(t, 0, 1, i);
    fresh += ignore_sent(t);
    ck_assert_int_gt(fresh, 0);
    advance(t, TLSYN_MS(100));
    sacks(t, 0, 1, 10 + fresh); /* what left behind the retransmission has arrived */
    expect(t, ACK(.seq = AT(0), .len = MSS));
    ck_assert_uint_eq(info_of(t).timeouts, 0);
    ck_assert_uint_eq(info_of(t).fast_retransmits, 1);
    tcp_test_close(t);
}
END_TEST

/* R8985-8 */
START_TEST(reordering_is_waited_for)
{
    struct tcp_test *t = ten_sent(&(struct tcp_test_options){0}, 10 * MSS);

    sacks(t, 0, 1, 3); /* segment 0 is late: first the stack sees that the path reorders */
    peer_sends(t, ACK(.ack = AT(3)));
    sacks(t, 3, 4, 10);
    expect_nothing(t); /* six segments: a counter of duplicates had sent long ago */
    advance(t, TLSYN_MS(20));
    expect_nothing(t);
    peer_sends(t, ACK(.ack = AT(10)));
    advance(t, TLSYN_SECONDS(5));
    expect_nothing(t);
    ck_assert_uint_eq(info_of(t).retransmits, 0);
    tcp_test_close(t);
}
END_TEST

START_TEST(but_only_for_a_quarter_of_a_round_trip)
{
    struct tcp_test *t = ten_sent(&(struct tcp_test_options){0}, 10 * MSS);

    sacks(t, 0, 1, 3);
    peer_sends(t, ACK(.ack = AT(3)));
    sacks(t, 3, 4, 10);
    expect_nothing(t);
    advance(t, TLSYN_MS(30));
    expect(t, ACK(.seq = AT(3), .len = MSS));
    expect_nothing(t);
    ck_assert_uint_eq(info_of(t).timeouts, 0);
    tcp_test_close(t);
}
END_TEST

/* R8985-7 */
START_TEST(a_dsack_makes_it_wait_longer)
{
    struct tcp_test *t = ten_sent(&(struct tcp_test_options){0}, 10 * MSS);

    sacks(t, 0, 1, 6);
    expect(t, ACK(.seq = AT(0), .len = MSS));
    peer_sends(t, ACK(.ack = AT(6))); /* it was only late */
    dsacks(t, 6, 0);
    ck_assert_uint_eq(counted(t, TLSYN_COUNT_tcp_dsack_received), 1);
    peer_sends(t, ACK(.ack = AT(10)));
    ignore_sent(t);
    user_sends(t, 5 * MSS);
    ck_assert_int_eq(ignore_sent(t), 5);
    advance(t, TLSYN_MS(100));
    sacks(t, 10, 11, 15);
    advance(t, TLSYN_MS(40));
    expect_nothing(t); /* two quarters of 100 ms */
    advance(t, TLSYN_MS(15));
    expect(t, ACK(.seq = AT(10), .len = MSS));
    tcp_test_close(t);
}
END_TEST

/* RFC 7323 4.2: of the segments that an ACK takes together the first has waited for it. */
START_TEST(the_round_trip_is_that_of_the_first_segment_acknowledged)
{
    struct tcp_test *t = ten_sent(&(struct tcp_test_options){0}, 10 * MSS);

    peer_sends(t, ACK(.ack = AT(10)));
    user_sends(t, MSS);
    advance(t, TLSYN_MS(60));
    user_sends(t, MSS);
    ck_assert_int_eq(ignore_sent(t), 2);
    advance(t, TLSYN_MS(40));
    peer_sends(t, ACK(.ack = AT(12)));
    ck_assert_int_eq(info_of(t).srtt, TLSYN_MS(100));
    ck_assert_int_le(info_of(t).min_rtt, TLSYN_MS(40)); /* the path's is the other one's */
    tcp_test_close(t);
}
END_TEST

/* R8985-9 */
START_TEST(a_timeout_sends_again_what_is_not_sacked)
{
    struct tcp_test *t = ten_sent(&(struct tcp_test_options){0}, 10 * MSS);

    sacks(t, 0, 2, 3);
    expect_nothing(t);
    sacks(t, 0, 2, 10);
    expect(t, ACK(.seq = AT(0), .len = MSS));
    ignore_sent(t);
    advance(t, TLSYN_MS(600));
    ck_assert_uint_ge(info_of(t).timeouts, 1);
    expect(t, ACK(.seq = AT(0), .len = MSS));
    peer_sends(t, ACK(.ack = AT(1)));
    ignore_sent(t);
    peer_sends(t, ACK(.ack = AT(10)));
    advance(t, TLSYN_SECONDS(5));
    expect_nothing(t);
    tcp_test_close(t);
}
END_TEST

/* RFC 2018 8 (R2018-6, R2018-8) */
START_TEST(a_peer_that_reneges_gets_all_again)
{
    struct tcp_test *t = ten_sent(&(struct tcp_test_options){0}, 10 * MSS);

    sacks(t, 0, 1, 10);
    expect(t, ACK(.seq = AT(0), .len = MSS));
    peer_sends(t, ACK(.ack = AT(1))); /* and has thrown the others away */
    t->peer_rcv = AT(1);
    for (int i = 0; i < 40 && t->peer_rcv < AT(10); i++) {
        advance(t, TLSYN_MS(100));
        if (peer_takes_all(t))
            peer_sends(t, ACK());
    }
    ck_assert_uint_eq(t->user.acked, 10 * MSS);
    ck_assert_uint_ge(counted(t, TLSYN_COUNT_tcp_sack_reneging), 1);
    tcp_test_close(t);
}
END_TEST

/* R2018-10 */
START_TEST(blocks_that_lie_change_nothing)
{
    struct tcp_test *t = ten_sent(&(struct tcp_test_options){0}, 10 * MSS);

    sacks(t, 0, 5, 11); /* never sent */
    sacks(t, 0, 8, 2);  /* inverted */
    sacks(t, 0, 0, 9);  /* says nothing that the ACK would not */
    sacks(t, 0, 100000, 100003);
    expect_nothing(t);
    ck_assert_uint_eq(info_of(t).fast_retransmits, 0);
    peer_sends(t, ACK(.ack = AT(10)));
    tcp_test_close(t);
}
END_TEST

/* CVE-2019-11477, 11478: work and memory stay bounded, and the stream whole */
START_TEST(a_storm_of_tiny_blocks_costs_little)
{
    struct tcp_test *t = ten_sent(&(struct tcp_test_options){0}, 10 * MSS);

    for (tcp_seq i = 2; i + 8 < AT(10); i += 8) {
        struct tcp_options opt = {.sack_count = 4};

        for (tcp_seq k = 0; k < 4; k++)
            opt.sack[k] = (struct tcp_sack_block){t->iss + i + 2 * k, t->iss + i + 2 * k + 1};
        peer_sends(t, ACK(.ack = 1, .opt = opt));
        ck_assert_uint_le(t->user.conn->board.count, 64 + 2 * 10);
    }
    ck_assert_int_lt(ignore_sent(t), 200);
    tcp_test_close(t);
}
END_TEST

START_TEST(without_memory_the_timer_repairs) /* loop 3 */
{
    struct tcp_test *t = ten_sent(&(struct tcp_test_options){0}, 30 * MSS);

    t->peer_rcv = AT(0);
    test_memory_fail_all(&t->memory, true);
    for (int i = 0; i < 12; i++)
        sacks(t, 0, 1 + _i + i % 3 * 2, 2 + _i + i % 3 * 2);
    for (int i = 0; i < 200 && t->peer_rcv < AT(30); i++) {
        advance(t, TLSYN_MS(100));
        if (peer_takes_all(t))
            peer_sends(t, ACK());
    }
    test_memory_fail_all(&t->memory, false);
    ck_assert_uint_eq(t->user.acked, 30 * MSS);
    tcp_test_close(t);
}
END_TEST

START_TEST(an_idle_connection_keeps_no_board)
{
    struct tcp_test *t = ten_sent(&(struct tcp_test_options){0}, 10 * MSS);

    peer_sends(t, ACK(.ack = AT(10)));
    ck_assert_ptr_nonnull(t->user.conn->board.memory); /* more may come soon */
    advance(t, TLSYN_SECONDS(3));
    ck_assert_ptr_null(t->user.conn->board.memory);
    tcp_test_close(t);
}
END_TEST

/* --- what we report --------------------------------------------------------------------------- */

static struct tcp_test *receiver(bool sack)
{
    struct tcp_test *t = TCP_TEST(.peer = {.mss = 1460, .sack_permitted = sack});

    opens_passively(t);
    return t;
}

/* One ACK each without SACK. With it they all say the same, and some are sent in case
 * one gets lost. R5681-12 */
START_TEST(a_batch_out_of_order_is_answered_more_than_once)
{
    for (int sack = 0; sack < 2; sack++) {
        struct tcp_test *t = receiver(sack);

        t->hold = true;
        for (int i = 1; i <= 4; i++)
            peer_sends(t, ACK(.seq = 1 + 100 * i, .len = 100));
        t->hold = false;
        flush(t);
        ck_assert_int_eq(ignore_sent(t), sack ? 3 : 4);
        peer_sends(t, ACK(.seq = 1, .len = 100)); /* the hole closes */
        ck_assert_int_eq(ignore_sent(t), 1);      /* never more than segments came (RFC 5681 4.2) */
        tcp_test_close(t);
    }
}
END_TEST

/* The next ACK may get lost, too: it is not to be the only one for a small window. */
START_TEST(behind_a_sign_of_loss_sixteen_segments_are_acknowledged_one_by_one) /* loop 2 */
{
    struct tcp_test *t = receiver(true);
    int64_t seq = 1;

    if (_i == 0) {
        peer_sends(t, ACK(.seq = 101, .len = 100));
        peer_sends(t, ACK(.seq = 1, .len = 100));
        seq = 201;
    } else {
        peer_sends(t, ACK(.seq = 1, .len = 100));
        peer_sends(t, ACK(.seq = 1, .len = 100));
        seq = 101;
    }
    ck_assert_int_ge(ignore_sent(t), 1);
    for (int i = 0; i < 16; i++, seq += 100) {
        peer_sends(t, ACK(.seq = seq, .len = 100));
        expect(t, ACK(.ack = seq + 100));
    }
    peer_sends(t, ACK(.seq = seq, .len = 100));
    expect_nothing(t); /* delayed, as ever */
    advance(t, TLSYN_MS(50));
    ck_assert_int_eq(ignore_sent(t), 1);
    tcp_test_close(t);
}
END_TEST

/* RFC 2883 4.1, 4.2 (R2018-9) */
START_TEST(what_came_twice_is_reported_first_and_once)
{
    struct tcp_test *t = receiver(true);
    const struct wire_tcp *ack;

    peer_sends(t, ACK(.seq = 1, .len = 100));
    peer_sends(t, ACK(.seq = 201, .len = 100));
    ignore_sent(t);
    peer_sends(t, ACK(.seq = 1, .len = 100));
    ack = expect(t, ACK());
    ck_assert_int_eq(ack->options.sack_count, 2);
    ck_assert_uint_eq(ack->options.sack[0].left - t->peer_iss, 1);
    ck_assert_uint_eq(ack->options.sack[0].right - t->peer_iss, 101);
    peer_sends(t, ACK(.seq = 201, .len = 100));
    ack = expect(t, ACK());
    ck_assert_int_eq(ack->options.sack_count, 2);
    ck_assert_uint_eq(ack->options.sack[0].left, ack->options.sack[1].left);
    peer_sends(t, ACK(.seq = 301, .len = 100));
    ck_assert_int_eq(expect(t, ACK())->options.sack_count, 1);
    tcp_test_close(t);
}
END_TEST

Suite *tcp_rack_suite(void);

Suite *tcp_rack_suite(void)
{
    Suite *s = suite_create("tcp_rack");
    TCase *sender = tcase_create("sender"), *reports = tcase_create("what we report");

    tcase_add_loop_test(sender, three_sacked_segments_bring_the_lost_one, 0, 3);
    tcase_add_test(sender, only_holes_are_sent_again);
    tcase_add_test(sender, a_batch_that_leaves_nothing_on_its_way_lets_new_text_go_too);
    tcase_add_test(sender, new_text_leaves_for_every_other_segment_that_arrives);
    tcase_add_test(sender, a_lost_retransmission_is_sent_again_without_timeout);
    tcase_add_test(sender, reordering_is_waited_for);
    tcase_add_test(sender, but_only_for_a_quarter_of_a_round_trip);
    tcase_add_test(sender, a_dsack_makes_it_wait_longer);
    tcase_add_test(sender, the_round_trip_is_that_of_the_first_segment_acknowledged);
    tcase_add_test(sender, a_timeout_sends_again_what_is_not_sacked);
    tcase_add_test(sender, a_peer_that_reneges_gets_all_again);
    tcase_add_test(sender, blocks_that_lie_change_nothing);
    tcase_add_test(sender, a_storm_of_tiny_blocks_costs_little);
    tcase_add_loop_test(sender, without_memory_the_timer_repairs, 0, 3);
    tcase_add_test(sender, an_idle_connection_keeps_no_board);
    suite_add_tcase(s, sender);
    tcase_add_test(reports, a_batch_out_of_order_is_answered_more_than_once);
    tcase_add_loop_test(reports, behind_a_sign_of_loss_sixteen_segments_are_acknowledged_one_by_one,
                        0, 2);
    tcase_add_test(reports, what_came_twice_is_reported_first_and_once);
    suite_add_tcase(s, reports);
    return s;
}
