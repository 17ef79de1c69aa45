/*
 * Which segments are acceptable, at the borders: what the comparison with another TCP
 * (tests/differential) has brought to light. Read first: RFC 9293 3.4, 3.10.7.4; RFC 5961; RFC 7323
 * 5.3.
 */

#include "support/peer.h"

#define HALF (INT64_C(1) << 31)

static struct tcp_test *established(void)
{
    struct tcp_test *t = TCP_TEST(0);

    opens_passively(t);
    return t;
}

/* RFC 9293 3.4: half the space away text lies neither before nor behind, and covers no window. */
START_TEST(text_half_the_number_space_away_is_not_acceptable) /* loop 3 */
{
    static const int64_t away[] = {HALF, -HALF + 4, HALF - 4};
    struct tcp_test *t = established();

    user_sends(t, 100);
    ignore_sent(t);
    peer_sends(t, ACK(.seq = 1 + away[_i], .ack = 101, .len = 8));
    expect(t, ACK(.seq = 101, .ack = 1));
    ck_assert_int_eq(seq_diff(t->user.conn->snd_una, t->iss), 1);
    ck_assert_uint_eq(t->user.read, 0);
    tcp_test_close(t);
}
END_TEST

/* RFC 5961 5.2, and below our SYN there was nothing to acknowledge: however large the window, few
 * ACKs can be right. */
START_TEST(an_ack_of_what_was_never_sent_is_challenged) /* loop 4 */
{
    static const int64_t acks[] = {-1, -1000, 1 - HALF, 2};
    struct tcp_test *t = established();

    peer_sends(t, ACK(.seq = 1, .ack = acks[_i], .len = 10));
    expect(t, ACK(.seq = 1, .ack = 1));
    ck_assert_uint_eq(t->user.read, 0);
    tcp_test_close(t);
}
END_TEST

START_TEST(an_old_ack_is_acceptable_for_a_window)
{
    struct tcp_test *t = established();

    for (int i = 0; i < 3; i++) {
        user_sends(t, 1000);
        peer_takes_all(t);
        peer_sends(t, ACK(.seq = 1, .wnd = 2000));
    }
    ignore_sent(t);
    peer_sends(t, ACK(.seq = 1, .ack = 1, .len = 10));
    ck_assert_uint_eq(t->user.read, 10);
    ignore_sent(t);
    tcp_test_close(t);
}
END_TEST

/* RFC 5961 5.2: MAX.SND.WND is the largest ever seen, the SYN's too. */
START_TEST(the_largest_window_may_have_been_the_syns)
{
    struct tcp_test *t = TCP_TEST(0);

    peer_sends(t, SYN(.wnd = 50000));
    expect(t, SYNACK());
    peer_sends(t, ACK(.wnd = 10));
    ck_assert_uint_eq(t->user.conn->snd_wnd, 10);
    ck_assert_uint_eq(t->user.conn->snd_wnd_max, 50000);
    tcp_test_close(t);
}
END_TEST

/* RFC 5961 4.2 before RFC 7323 3.2: a peer that has begun anew must learn that we have not. */
START_TEST(a_syn_without_the_agreed_timestamp_is_challenged)
{
    struct tcp_test *t = TCP_TEST(.peer = {.mss = 1460, .has_ts = true});

    opens_passively(t);
    peer_sends(t, SYN(.seq = 500000, .no_options = true));
    expect(t, ACK(.seq = 1, .ack = 1));
    expect_state(t, TLSYN_ESTABLISHED);
    tcp_test_close(t);
}
END_TEST

/* RFC 5961 5.2 has many old ACKs acceptable; a timestamp from the far future that rides with one
 * would silence the peer. */
START_TEST(a_timestamp_with_an_old_ack_is_not_noted)
{
    struct tcp_test *t = TCP_TEST(.peer = {.mss = 1460, .has_ts = true, .tsval = 1000000});

    opens_passively(t);
    user_sends(t, 1000);
    peer_takes_all(t);
    peer_sends(t, ACK(.opt = {.has_ts = true, .tsval = 1000001}));
    peer_sends(t, ACK(.seq = 1, .ack = 500, .opt = {.has_ts = true, .tsval = 2000000}));
    ignore_sent(t);
    peer_sends(t, ACK(.seq = 1, .len = 10, .opt = {.has_ts = true, .tsval = 1000002}));
    ck_assert_uint_eq(t->user.read, 10);
    ck_assert_uint_eq(dropped(t, TLSYN_DROP_tcp_paws), 0);
    ignore_sent(t);
    tcp_test_close(t);
}
END_TEST

/* RFC 9293 3.10.7.4, eighth: a FIN behind a gap that nothing fills can't keep the real one from
 * ending the stream. */
START_TEST(a_fin_in_order_counts_whatever_came_before)
{
    struct tcp_test *t = established();

    peer_sends(t, FIN(.seq = 501));
    expect(t, ACK(.ack = 1));
    peer_sends(t, FIN(.seq = 301)); /* RFC 5681 4.2: each of them is answered */
    expect(t, ACK(.ack = 1));
    peer_sends(t, FIN(.seq = 1, .len = 10));
    expect(t, ACK(.ack = 12));
    expect_state(t, TLSYN_CLOSE_WAIT);
    ck_assert(t->user.ended);
    tcp_test_close(t);
}
END_TEST

/* Nor does one that the stream has run over wait for the numbers to come round. */
START_TEST(a_fin_that_the_stream_has_passed_is_forgotten)
{
    struct tcp_test *t = established();

    peer_sends(t, FIN(.seq = 101));
    peer_sends(t, ACK(.seq = 1, .len = 200));
    ignore_sent(t);
    ck_assert(!t->user.conn->fin_seen);
    expect_state(t, TLSYN_ESTABLISHED);
    peer_sends(t, FIN(.seq = 201));
    expect(t, ACK(.ack = 202));
    expect_state(t, TLSYN_CLOSE_WAIT);
    tcp_test_close(t);
}
END_TEST

/* RFC 9293 3.10.5: LAST-ACK and CLOSING are behind our FIN. While it waits for room the peer has
 * not heard it. */
START_TEST(an_abort_in_front_of_a_fin_that_waits_resets) /* loop 2 */
{
    struct tcp_test *t = established();
    bool last_ack = _i == 1;

    peer_sends(t, ACK(.wnd = 0));
    if (last_ack)
        peer_sends(t, FIN(.wnd = 0));
    user_writes(&t->user, 10);
    user_acts(&t->user, USER_CLOSES);
    flush(t);
    if (!last_ack)
        peer_sends(t, FIN(.wnd = 0));
    expect_state(t, last_ack ? TLSYN_LAST_ACK : TLSYN_CLOSING);
    ignore_sent(t);
    user_acts(&t->user, USER_ABORTS);
    flush(t);
    expect(t, RSTACK(.seq = 1, .ack = 2));
    expect_no_connection(t);
    tcp_test_close(t);
}
END_TEST

START_TEST(an_abort_behind_both_fins_says_nothing)
{
    struct tcp_test *t = established();

    peer_sends(t, FIN());
    expect(t, ACK(.ack = 2));
    user_acts(&t->user, USER_CLOSES);
    flush(t);
    expect(t, FIN(.seq = 1, .ack = 2));
    user_acts(&t->user, USER_ABORTS);
    flush(t);
    expect_nothing(t);
    expect_no_connection(t);
    tcp_test_close(t);
}
END_TEST

/* RFC 9293 3.10.7.2: a SYN with FIN opens nothing, and so it ends no TIME-WAIT either. */
START_TEST(a_syn_with_fin_leaves_time_wait_alone)
{
    struct tcp_test *t = established();

    user_acts(&t->user, USER_CLOSES);
    flush(t);
    expect(t, FIN(.seq = 1, .ack = 1));
    peer_sends(t, FIN());
    expect(t, ACK(.seq = 2, .ack = 2));
    ck_assert_uint_eq(t->tcp->time_wait_count, 1);
    peer_sends(t, SEG(TCP_SYN | TCP_FIN, .seq = 5000));
    ck_assert_uint_eq(t->tcp->time_wait_count, 1);
    ignore_sent(t);
    tcp_test_close(t);
}
END_TEST

Suite *tcp_acceptable_suite(void);

Suite *tcp_acceptable_suite(void)
{
    Suite *s = suite_create("tcp_acceptable");
    TCase *fields = tcase_create("fields");
    TCase *ends = tcase_create("ends");

    tcase_add_loop_test(fields, text_half_the_number_space_away_is_not_acceptable, 0, 3);
    tcase_add_loop_test(fields, an_ack_of_what_was_never_sent_is_challenged, 0, 4);
    tcase_add_test(fields, an_old_ack_is_acceptable_for_a_window);
    tcase_add_test(fields, the_largest_window_may_have_been_the_syns);
    tcase_add_test(fields, a_syn_without_the_agreed_timestamp_is_challenged);
    tcase_add_test(fields, a_timestamp_with_an_old_ack_is_not_noted);
    suite_add_tcase(s, fields);
    tcase_add_test(ends, a_fin_in_order_counts_whatever_came_before);
    tcase_add_test(ends, a_fin_that_the_stream_has_passed_is_forgotten);
    tcase_add_loop_test(ends, an_abort_in_front_of_a_fin_that_waits_resets, 0, 2);
    tcase_add_test(ends, an_abort_behind_both_fins_says_nothing);
    tcase_add_test(ends, a_syn_with_fin_leaves_time_wait_alone);
    suite_add_tcase(s, ends);
    return s;
}
