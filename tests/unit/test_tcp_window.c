/*
 * Windows: the peer's, which bounds what we send, and ours. Read first: RFC 9293 3.8.6, RFC 7323 2.
 */
#include "support/peer.h"

static uint32_t snd_wnd(struct tcp_test *t)
{
    struct tlsyn_conn_info info;

    tlsyn_conn_info(t->user.conn, &info);
    return info.snd_wnd;
}

/* --- the peer's window ------------------------------------------------------------------------ */

START_TEST(no_more_is_sent_than_the_window_takes)
{
    struct tcp_test *t = TCP_TEST(.peer_wnd = 4000);

    opens_passively(t);
    user_sends(t, 10000);
    expect(t, ACK(.seq = 1, .len = 1460));
    expect(t, ACK(.seq = 1461, .len = 1460));
    expect_nothing(t); /* 1080 would still fit: no silly segment while something is on its way */
    peer_sends(t, ACK(.ack = 2921, .wnd = 8000));
    ck_assert_int_eq(peer_takes_all(t), 5);
    tcp_test_close(t);
}
END_TEST

/* RFC 9293 3.10.7.4: SND.WL1 and SND.WL2 */
START_TEST(an_older_segment_does_not_change_the_window)
{
    struct tcp_test *t = TCP_TEST(0);

    opens_passively(t);
    user_sends(t, 1000);
    peer_takes_all(t);
    peer_sends(t, ACK(.seq = 1, .ack = 501, .wnd = 5000, .len = 10));
    ck_assert_uint_eq(snd_wnd(t), 5000);
    peer_sends(t, ACK(.seq = 11, .ack = 1, .wnd = 100)); /* newer number, older ACK */
    ck_assert_uint_eq(snd_wnd(t), 5000);
    peer_sends(t, ACK(.seq = 11, .ack = 501, .wnd = 6000));
    ck_assert_uint_eq(snd_wnd(t), 6000);
    tcp_test_close(t);
}
END_TEST

/* Simulator seed 174: text that is sent again has an older number, but what it acknowledges is
 * news, and so is its window. */
START_TEST(a_window_comes_with_the_ack_that_moves_it)
{
    struct tcp_test *t = TCP_TEST(.peer_wnd = 4380);

    opens_passively(t);
    user_sends(t, 10000);
    for (int i = 0; i < 3; i++)
        expect(t, ACK(.seq = 1 + i * 1460, .len = 1460));
    peer_sends(t, ACK(.seq = 11, .ack = 1, .wnd = 4380,
                      .len = 10)); /* in front of it something is missing */
    peer_sends(t, ACK(.seq = 1, .ack = 2921, .wnd = 1460, .len = 10));
    ck_assert_uint_eq(snd_wnd(t), 1460);
    while (t->sent_first < t->sent_end)
        ck_assert_uint_eq(expect(t, ACK(.seq = 4381))->text_len, 0);
    tcp_test_close(t);
}
END_TEST

/* MUST-34, SHLD-15 */
START_TEST(a_window_that_shrinks_stops_new_text)
{
    struct tcp_test *t = TCP_TEST(.peer_wnd = 20000);

    opens_passively(t);
    user_sends(t, 30000);
    peer_takes_all(t);
    peer_sends(t, ACK(.ack = 1461, .wnd = 2000));
    expect_nothing(t); /* what is on its way exceeds it: the usable window is negative */
    peer_sends(t, ACK(.ack = 14601, .wnd = 2000));
    expect(t, ACK(.seq = 14601, .len = 1460));
    tcp_test_close(t);
}
END_TEST

/* --- window scale ----------------------------------------------------------------------------- */

/* RFC 7323 2.2, R7323-WS2 */
START_TEST(the_peers_window_is_scaled_but_not_in_its_syn)
{
    struct tcp_test *t =
        TCP_TEST(.peer = {.mss = 1460, .has_wscale = true, .wscale = 3}, .peer_wnd = 1000);

    user_connects(t);
    expect(t, SYN());
    peer_sends(t, SYNACK(.wnd = 5000));
    ck_assert_uint_eq(snd_wnd(t), 5000);
    peer_sends(t, ACK(.wnd = 5000));
    ck_assert_uint_eq(snd_wnd(t), 40000);
    tcp_test_close(t);
}
END_TEST

/* R7323-WS3 */
START_TEST(a_shift_above_fourteen_counts_as_fourteen)
{
    struct tcp_test *t = TCP_TEST(.peer = {.mss = 1460, .has_wscale = true, .wscale = 15});

    opens_passively(t);
    peer_sends(t, ACK(.wnd = 1));
    ck_assert_uint_eq(snd_wnd(t), 1 << 14);
    tcp_test_close(t);
}
END_TEST

/* R7323-WS1, WS4 (R7323-WS4) */
START_TEST(without_the_peers_option_nothing_is_scaled)
{
    struct tcp_test *t = TCP_TEST(.conn = {.rcv_ring = 256u << 10});

    peer_sends(t, SYN());
    ck_assert(!expect(t, SYNACK())->options.has_wscale);
    peer_sends(t, ACK(.wnd = 700));
    ck_assert_uint_eq(snd_wnd(t), 700);
    peer_sends(t, ACK(.len = 1));
    advance(t, TLSYN_MS(100));
    expect(t, ACK(.wnd = 65535)); /* of 256 KiB */
    tcp_test_close(t);
}
END_TEST

/* R7323-WS2 */
START_TEST(our_window_is_scaled_but_not_in_the_syn)
{
    struct tcp_test *t =
        TCP_TEST(.peer = {.mss = 1460, .has_wscale = true}, .conn = {.rcv_ring = 256u << 10});

    user_connects(t);
    const struct wire_tcp *syn = expect(t, SYN(.wnd = 65535));
    uint8_t shift = syn->options.wscale;
    peer_sends(t, SYNACK());
    ck_assert_uint_eq((uint32_t)expect(t, ACK())->wnd << shift, 256u << 10);
    tcp_test_close(t);
}
END_TEST

/* --- our window ------------------------------------------------------------------------------- */

/* SHLD-14; RFC 7323 2.4 (R7323-WS5, R7323-WS6) */
START_TEST(our_right_edge_moves_back_by_what_the_scale_cuts_off_at_most)
{
    struct tcp_test *t =
        TCP_TEST(.peer = {.mss = 1460, .has_wscale = true}, .conn = {.no_delack = true});
    uint8_t shift;
    int64_t edge = 0;

    t->user.deaf = true;
    peer_sends(t, SYN());
    const struct wire_tcp *synack = expect(t, SYNACK());
    shift = synack->options.wscale;
    edge = 1 + (int64_t)synack->wnd; /* of a SYN's window nothing is scaled */
    peer_sends(t, ACK());
    for (int i = 0; i < 200; i++) {
        peer_sends(t, ACK(.len = (size_t)(37 + i)));
        const struct wire_tcp *ack = expect(t, ACK());
        int64_t now = seq_diff(ack->ack, t->peer_iss) + ((int64_t)ack->wnd << shift);
        ck_assert_int_gt(now + (1 << shift), edge);
        edge = now > edge ? now : edge;
        if (i % 7 == 0)
            user_reads(&t->user, 100);
        flush(t);
        ignore_sent(t);
    }
    tcp_test_close(t);
}
END_TEST

/* R7323-WS5 */
START_TEST(text_up_to_the_largest_right_edge_is_taken)
{
    struct tcp_test *t =
        TCP_TEST(.peer = {.mss = 1460, .has_wscale = true}, .conn = {.rcv_ring = 4096});

    t->user.deaf = true;
    opens_passively(t); /* the SYN-ACK promised 4096 */
    peer_sends(t, ACK(.len = 1001));
    peer_sends(t, ACK(.len = 1001));
    expect(t, ACK(.ack = 2003));
    peer_sends(t, ACK(.len = 1001));
    advance(t, TLSYN_MS(41));
    ck_assert_uint_lt((uint32_t)expect(t, ACK(.ack = 3004))->wnd << 8, 1093);
    peer_sends(t, ACK(.len = 1093));
    ck_assert_uint_eq(user_reads(&t->user, SIZE_MAX), 4096);
    tcp_test_close(t);
}
END_TEST

START_TEST(the_syns_window_is_a_promise)
{
    struct tcp_test *t = TCP_TEST(.conn = {.rcv_ring = 1024});

    t->user.deaf = true;
    user_connects(t);
    expect(t, SYN(.wnd = 1024));
    peer_sends(t, SYNACK(.len = 1000));
    expect(t, ACK(.ack = 1001, .wnd = 24));
    tcp_test_close(t);
}
END_TEST

/* RFC 9293 3.8.6.2.2 (MUST-39) */
START_TEST(a_full_window_opens_by_a_segment_or_half_the_ring)
{
    struct tcp_test *t = TCP_TEST(.conn = {.rcv_ring = 8192});

    t->user.deaf = true;
    opens_passively(t);
    for (int i = 0; i < 8; i++)
        peer_sends(t, ACK(.len = 1024));
    ignore_sent(t);
    peer_sends(t, ACK(.seq = 8193, .len = 1)); /* a probe */
    expect(t, ACK(.ack = 8193, .wnd = 0));
    user_reads(&t->user, 1000);
    flush(t);
    expect_nothing(t);
    user_reads(&t->user, 3000);
    flush(t);
    expect(t, ACK(.ack = 8193, .wnd = 4000));
    tcp_test_close(t);
}
END_TEST

START_TEST(a_ring_of_less_than_two_segments_opens_too)
{
    struct tcp_test *t = TCP_TEST(.conn = {.rcv_ring = 2048});

    t->user.deaf = true;
    opens_passively(t);
    peer_sends(t, ACK(.len = 1024));
    peer_sends(t, ACK(.len = 1024));
    ignore_sent(t);
    user_reads(&t->user, 2048);
    flush(t);
    expect(t, ACK(.ack = 2049, .wnd = 2048));
    tcp_test_close(t);
}
END_TEST

/* MUST-66; RFC 9293 3.10.7.4, first */
START_TEST(a_full_window_still_takes_acks_and_resets)
{
    struct tcp_test *t = TCP_TEST(.conn = {.rcv_ring = 1024});

    t->user.deaf = true;
    opens_passively(t);
    peer_sends(t, ACK(.len = 1024));
    user_sends(t, 100);
    peer_takes_all(t);
    peer_sends(t, ACK(.len = 1)); /* its ACK counts, its text doesn't */
    expect(t, ACK(.ack = 1025, .wnd = 0));
    ck_assert_uint_eq(t->user.acked, 100);
    peer_sends(t, RST(.seq = 1025));
    ck_assert_int_eq(t->user.count[USER_CLOSED], 1);
    tcp_test_close(t);
}
END_TEST

/* --- silly windows at the sender: RFC 9293 3.8.6.2.1 (MUST-38) -------------------------------- */

START_TEST(half_of_the_largest_window_is_worth_sending)
{
    struct tcp_test *t = TCP_TEST(.peer_wnd = 1000);

    opens_passively(t);
    user_sends(t, 5000);
    expect(t, ACK(.seq = 1, .len = 1000));
    peer_sends(t, ACK(.ack = 1001, .wnd = 500));
    expect(t, ACK(.seq = 1001, .len = 500));
    peer_sends(t, ACK(.ack = 1501, .wnd = 400));
    expect_nothing(t);
    tcp_test_close(t);
}
END_TEST

START_TEST(a_small_window_is_filled_when_the_override_timer_fires)
{
    struct tcp_test *t = TCP_TEST(.peer_wnd = 1000);

    opens_passively(t);
    user_sends(t, 5000);
    expect(t, ACK(.seq = 1, .len = 1000));
    advance(t, TLSYN_MS(10));
    peer_sends(t, ACK(.ack = 1001, .wnd = 400));
    expect_nothing(t);
    advance(t, TLSYN_SECONDS(1));
    expect(t, ACK(.seq = 1001, .len = 400));
    tcp_test_close(t);
}
END_TEST

Suite *tcp_window_suite(void);

Suite *tcp_window_suite(void)
{
    Suite *s = suite_create("tcp_window");
    TCase *the_peer_s_window = tcase_create("the peer's window");
    TCase *window_scale = tcase_create("window scale");
    TCase *our_window = tcase_create("our window");
    TCase *silly_windows_at_the_sender_RFC_9293_3_8_6_2_1_MUST_38 =
        tcase_create("silly windows at the sender: RFC 9293 3.8.6.2.1 (MUST-38)");

    tcase_add_test(the_peer_s_window, no_more_is_sent_than_the_window_takes);
    tcase_add_test(the_peer_s_window, an_older_segment_does_not_change_the_window);
    tcase_add_test(the_peer_s_window, a_window_comes_with_the_ack_that_moves_it);
    tcase_add_test(the_peer_s_window, a_window_that_shrinks_stops_new_text);
    suite_add_tcase(s, the_peer_s_window);
    tcase_add_test(window_scale, the_peers_window_is_scaled_but_not_in_its_syn);
    tcase_add_test(window_scale, a_shift_above_fourteen_counts_as_fourteen);
    tcase_add_test(window_scale, without_the_peers_option_nothing_is_scaled);
    tcase_add_test(window_scale, our_window_is_scaled_but_not_in_the_syn);
    suite_add_tcase(s, window_scale);
    tcase_add_test(our_window, our_right_edge_moves_back_by_what_the_scale_cuts_off_at_most);
    tcase_add_test(our_window, text_up_to_the_largest_right_edge_is_taken);
    tcase_add_test(our_window, the_syns_window_is_a_promise);
    tcase_add_test(our_window, a_full_window_opens_by_a_segment_or_half_the_ring);
    tcase_add_test(our_window, a_ring_of_less_than_two_segments_opens_too);
    tcase_add_test(our_window, a_full_window_still_takes_acks_and_resets);
    suite_add_tcase(s, our_window);
    tcase_add_test(silly_windows_at_the_sender_RFC_9293_3_8_6_2_1_MUST_38,
                   half_of_the_largest_window_is_worth_sending);
    tcase_add_test(silly_windows_at_the_sender_RFC_9293_3_8_6_2_1_MUST_38,
                   a_small_window_is_filled_when_the_override_timer_fires);
    suite_add_tcase(s, silly_windows_at_the_sender_RFC_9293_3_8_6_2_1_MUST_38);
    return s;
}
