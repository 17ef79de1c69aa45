/*
 * Window scale, timestamps and PAWS. Read first: RFC 7323.
 */
#include "support/flight.h"

static struct tcp_test *stamped(void)
{
    struct tcp_test *t = TCP_TEST(.peer = {.mss = 1460, .has_ts = true});

    opens_passively(t);
    return t;
}

/* Of the peer, now. */
static uint32_t stamp(const struct tcp_test *t)
{
    return (uint32_t)(t->now / 1000);
}

static struct tcp_options ts(uint32_t value)
{
    return (struct tcp_options){.has_ts = true, .tsval = value};
}

/* What the next ACK echoes. */
static uint32_t echoed(struct tcp_test *t)
{
    ignore_sent(t);
    user_sends(t, 1);
    return expect(t, ACK(.len = 1))->options.tsecr;
}

/* --- 2: window scale -------------------------------------------------------------------------- */

/* 2.2 (R7323-WS1) */
START_TEST(the_syn_ack_scales_if_the_syn_did) /* loop 2 */
{
    struct tcp_test *t = TCP_TEST(.peer = {.mss = 1460, .has_wscale = _i, .wscale = 3});

    peer_sends(t, SYN());
    ck_assert(expect(t, SYNACK())->options.has_wscale == (_i == 1));
    tcp_test_close(t);
}
END_TEST

/* 2.2: an opener asks in every case, and goes by the answer (R7323-WS4) */
START_TEST(an_opener_scales_if_the_syn_ack_does) /* loop 2 */
{
    struct tcp_test *t = TCP_TEST(.peer = {.mss = 1460, .has_wscale = _i, .wscale = 3});

    ck_assert_int_eq(user_connects(t), 0);
    ck_assert(expect(t, SYN())->options.has_wscale);
    peer_sends(t, SYNACK());
    const struct wire_tcp *ack = expect(t, ACK());
    struct tlsyn_conn_info info = info_of(t);
    ck_assert_uint_eq(info.snd_wscale, _i ? 3 : 0);
    ck_assert_uint_le((uint32_t)ack->wnd << (_i ? info.rcv_wscale : 0), info.rcv_wnd);
    tcp_test_close(t);
}
END_TEST

/* 2.2, 2.3: each shift, fourteen at most (R7323-WS3) */
START_TEST(the_peers_window_is_shifted_by_what_its_syn_said) /* loop: shift */
{
    struct tcp_test *t =
        TCP_TEST(.peer = {.mss = 1460, .has_wscale = true, .wscale = (uint8_t)_i}, .peer_wnd = 9);

    opens_passively(t);
    peer_sends(t, ACK(.wnd = 2));
    ck_assert_uint_eq(info_of(t).snd_wnd, 2u << (_i < 14 ? _i : 14));
    tcp_test_close(t);
}
END_TEST

/* 2.3: what we announce can say all that we may ever offer */
START_TEST(our_shift_is_enough_for_the_whole_buffer) /* loop: buffer */
{
    static const uint32_t ring[] = {16384, 65535, 65536, 1 << 20, 1 << 24};
    struct tcp_test *t = TCP_TEST(.peer = {.mss = 1460, .has_wscale = true, .wscale = 7},
                                  .conn = {.rcv_ring = ring[_i]});

    peer_sends(t, SYN());
    const struct wire_tcp *synack = expect(t, SYNACK());
    ck_assert(synack->options.has_wscale);
    ck_assert_uint_ge(65535ull << synack->options.wscale, ring[_i]);
    ck_assert_uint_le(synack->options.wscale, 14);
    tcp_test_close(t);
}
END_TEST

/* 2.4: the SYN-ACK's window is not scaled, the next one is: its last unit is rounded up where there
 * is room for that (R7323-WS5) */
START_TEST(what_the_syn_ack_promised_is_not_taken_back_by_the_scale)
{
    struct tcp_test *t = TCP_TEST(.peer = {.mss = 1460, .has_wscale = true, .wscale = 7},
                                  .conn = {.rcv_ring = 66700});

    peer_sends(t, SYN());
    const struct wire_tcp *synack = expect(t, SYNACK());
    uint8_t scale = synack->options.wscale;
    ck_assert_uint_eq(synack->wnd, 65535);
    ck_assert_uint_gt(scale, 0);
    t->user.deaf = true;
    peer_sends(t, ACK(.len = 1000));
    advance(t, TLSYN_MS(100));
    ck_assert_uint_ge(1000 + ((uint32_t)expect(t, ACK(.ack = 1001))->wnd << scale), 65535);
    tcp_test_close(t);
}
END_TEST

/* 2.3: without scaling a window has 65,535 octets, however large the buffer is (R7323-WS5) */
START_TEST(beyond_what_a_window_can_say_nothing_is_acceptable)
{
    struct tcp_test *t =
        TCP_TEST(.peer = {.mss = 1460}, .conn = {.rcv_ring = 256000, .no_window_scale = true});

    opens_passively(t);
    user_sends(t, 100);
    expect(t, ACK(.len = 100));
    peer_sends(t, ACK(.seq = 1 + 65535, .ack = 101));
    expect(t, ACK(.ack = 1));
    ck_assert_uint_eq(info_of(t).in_flight, 100);
    peer_sends(t, ACK(.seq = 1 + 65534, .ack = 101));
    expect_nothing(t);
    ck_assert_uint_eq(info_of(t).in_flight, 0);
    tcp_test_close(t);
}
END_TEST

/* --- 3, 4: timestamps ------------------------------------------------------------------------- */

/* 3.2: TSecr (R7323-TS1) */
START_TEST(the_third_segment_echoes_the_syn_ack)
{
    struct tcp_test *t = TCP_TEST(.peer = {.mss = 1460, .has_ts = true});

    ck_assert_int_eq(user_connects(t), 0);
    const struct wire_tcp *syn = expect(t, SYN());
    ck_assert(syn->options.has_ts && syn->options.tsecr == 0);
    peer_sends(t, SYNACK(.opt = {.mss = 1460, .has_ts = true, .tsval = 777, .tsecr = 1}));
    ck_assert_uint_eq(expect(t, ACK())->options.tsecr, 777);
    tcp_test_close(t);
}
END_TEST

/* 3.2: where it was not agreed on, it means nothing and does no harm (R7323-TS1) */
START_TEST(a_timestamp_that_nobody_agreed_on_is_ignored)
{
    struct tcp_test *t = TCP_TEST(0);

    opens_passively(t);
    peer_sends(t, ACK(.text = "one", .opt = ts(5000)));
    peer_sends(t, ACK(.text = "two", .opt = ts(4000)));
    ck_assert_str_eq(t->user.text, "onetwo");
    t->user.wrong = 0;
    advance(t, TLSYN_MS(100));
    ck_assert(!expect(t, ACK())->options.has_ts);
    ignore_sent(t);
    tcp_test_close(t);
}
END_TEST

/* Appendix A (R7323-MSS1) */
START_TEST(timestamps_are_taken_out_of_the_text) /* loop 2 */
{
    struct tcp_test *t = TCP_TEST(.peer = {.mss = 1000, .has_ts = _i});

    opens_passively(t);
    user_sends(t, 3000);
    expect(t, ACK(.len = _i ? 988 : 1000));
    ignore_sent(t);
    tcp_test_close(t);
}
END_TEST

/* 5.4: a tick a millisecond, and never backwards (R7323-PAWS5) */
START_TEST(our_clock_goes_on_whatever_happens)
{
    struct tcp_test *t = stamped();
    uint32_t last = 0;

    for (int i = 0; i < 20; i++) {
        ignore_sent(t);
        user_sends(t, 1);
        uint32_t now = expect(t, ACK(.len = 1))->options.tsval;
        if (i > 0)
            ck_assert_uint_eq(now - last, 7);
        last = now;
        peer_sends(t, ACK());
        advance(t, TLSYN_MS(7));
    }
    tcp_test_close(t);
}
END_TEST

/* 7.1 (R7323-PAWS6) */
START_TEST(no_two_connections_begin_at_the_same_value)
{
    struct tcp_test *t = TCP_TEST(.peer = {.mss = 1460, .has_ts = true});
    uint32_t value[8];

    for (int i = 0; i < 8; i++) {
        t->peer_port = (uint16_t)(PEER_PORT + i);
        t->peer_nxt = 0;
        peer_sends(t, SYN());
        value[i] = expect(t, SYNACK())->options.tsval;
        for (int j = 0; j < i; j++)
            ck_assert_uint_ne(value[i], value[j]);
    }
    tcp_test_close(t);
}
END_TEST

/* 4.3 (2): SEG.SEQ =< Last.ACK.sent (R7323-TS6) */
START_TEST(text_that_is_not_acknowledged_yet_keeps_the_first_timestamp)
{
    struct tcp_test *t = stamped();

    advance(t, TLSYN_SECONDS(1));
    uint32_t first = stamp(t);
    peer_sends(t, ACK(.len = 10, .opt = ts(first)));
    peer_sends(t, ACK(.len = 10, .opt = ts(first + 5)));
    advance(t, TLSYN_MS(100)); /* one ACK for both */
    ck_assert_uint_eq(expect(t, ACK(.ack = 21))->options.tsecr, first);
    tcp_test_close(t);
}
END_TEST

/* 4.3, 5.3 R2 before R3: what is not acceptable says nothing (R7323-TS6) */
START_TEST(an_old_segment_does_not_bring_a_newer_timestamp)
{
    struct tcp_test *t = stamped();

    peer_sends(t, ACK(.len = 10));
    uint32_t before = echoed(t);
    peer_sends(t, ACK(.seq = 1, .len = 10, .opt = ts(before + 1000)));
    ck_assert_uint_eq(echoed(t), before);
    tcp_test_close(t);
}
END_TEST

/* 4.3: it fills the hole, so it is the one to be echoed (R7323-TS6) */
START_TEST(what_fills_the_hole_is_echoed)
{
    struct tcp_test *t = stamped();

    advance(t, TLSYN_SECONDS(1));
    uint32_t now = stamp(t);
    peer_sends(t, ACK(.seq = 11, .len = 10, .opt = ts(now + 1)));
    ck_assert_uint_ne(expect(t, ACK(.ack = 1))->options.tsecr, now + 1);
    peer_sends(t, ACK(.seq = 1, .len = 10, .opt = ts(now + 9)));
    ck_assert_uint_eq(expect(t, ACK(.ack = 21))->options.tsecr, now + 9);
    tcp_test_close(t);
}
END_TEST

/* --- 5: PAWS ---------------------------------------------------------------------------------- */

/* 5.3 R1: half the space behind is older (R7323-PAWS1) */
START_TEST(an_older_timestamp_is_answered_and_its_text_dropped) /* loop: distance */
{
    static const uint32_t back[] = {1, 1000, 1u << 30, (1u << 31) - 1};
    struct tcp_test *t = stamped();

    uint32_t recent = echoed(t);
    peer_takes_all(t);
    peer_sends(t, ACK(.text = "old", .opt = ts(recent - back[_i])));
    expect(t, ACK(.ack = 1));
    ck_assert_uint_eq(t->user.read, 0);
    ck_assert_uint_eq(dropped(t, TLSYN_DROP_tcp_paws), 1);
    tcp_test_close(t);
}
END_TEST

/* ... and half of it ahead, with the same one, is not (R7323-PAWS1) */
START_TEST(an_equal_or_newer_timestamp_is_taken) /* loop: distance */
{
    static const uint32_t ahead[] = {0, 1, 1u << 30, (1u << 31) - 1};
    struct tcp_test *t = stamped();

    uint32_t recent = echoed(t);
    peer_sends(t, ACK(.len = 3, .opt = ts(recent + ahead[_i])));
    ck_assert_uint_eq(t->user.read, 3);
    ck_assert_uint_eq(echoed(t), recent + ahead[_i]);
    tcp_test_close(t);
}
END_TEST

/* 5.2 (R7323-PAWS2) */
START_TEST(a_reset_is_not_too_old)
{
    struct tcp_test *t = stamped();

    peer_sends(t, RST(.seq = 1, .opt = ts(1)));
    expect_no_connection(t);
    tcp_test_close(t);
}
END_TEST

/* 5.3 R1 (R7323-PAWS1) */
START_TEST(a_fin_with_an_older_timestamp_ends_nothing)
{
    struct tcp_test *t = stamped();

    uint32_t recent = echoed(t);
    peer_takes_all(t);
    peer_sends(t, FIN(.opt = ts(recent - 1)));
    expect_state(t, TLSYN_ESTABLISHED);
    expect(t, ACK(.ack = 1));
    tcp_test_close(t);
}
END_TEST

START_TEST(an_ack_with_an_older_timestamp_acknowledges_nothing_and_opens_no_window)
{
    struct tcp_test *t = stamped();

    uint32_t recent = echoed(t);
    peer_sends(t, ACK(.ack = 2, .wnd = 1000, .opt = ts(recent - 1)));
    ck_assert_uint_eq(t->user.acked, 0);
    ck_assert_uint_eq(info_of(t).snd_wnd, 65535);
    ignore_sent(t);
    tcp_test_close(t);
}
END_TEST

/* 5.3: "an old in-order segment" with the right number is refused by its stamp alone: the number
 * space has been gone round (R7323-PAWS3) */
START_TEST(a_wrapped_duplicate_with_the_right_number_is_found_out)
{
    struct tcp_test *t = stamped();

    advance(t, TLSYN_SECONDS(100));
    peer_sends(t, ACK(.len = 10));
    uint32_t recent = echoed(t);
    peer_takes_all(t);
    peer_sends(t, ACK(.seq = 11, .text = "from long ago", .opt = ts(recent - 50000)));
    ck_assert_uint_eq(t->user.read, 10);
    expect(t, ACK(.ack = 11));
    peer_sends(t, ACK(.seq = 11, .len = 10));
    ck_assert_uint_eq(t->user.read, 20);
    ignore_sent(t);
    tcp_test_close(t);
}
END_TEST

Suite *rfc7323_suite(void);
Suite *rfc7323_suite(void)
{
    Suite *suite = suite_create("rfc7323");
    TCase *scale = tcase_create("scale"), *stamps = tcase_create("timestamps"),
          *paws = tcase_create("paws");

    tcase_add_loop_test(scale, the_syn_ack_scales_if_the_syn_did, 0, 2);
    tcase_add_loop_test(scale, an_opener_scales_if_the_syn_ack_does, 0, 2);
    tcase_add_loop_test(scale, the_peers_window_is_shifted_by_what_its_syn_said, 0, 16);
    tcase_add_loop_test(scale, our_shift_is_enough_for_the_whole_buffer, 0, 5);
    tcase_add_test(scale, what_the_syn_ack_promised_is_not_taken_back_by_the_scale);
    tcase_add_test(scale, beyond_what_a_window_can_say_nothing_is_acceptable);
    suite_add_tcase(suite, scale);
    tcase_add_test(stamps, the_third_segment_echoes_the_syn_ack);
    tcase_add_test(stamps, a_timestamp_that_nobody_agreed_on_is_ignored);
    tcase_add_loop_test(stamps, timestamps_are_taken_out_of_the_text, 0, 2);
    tcase_add_test(stamps, our_clock_goes_on_whatever_happens);
    tcase_add_test(stamps, no_two_connections_begin_at_the_same_value);
    tcase_add_test(stamps, text_that_is_not_acknowledged_yet_keeps_the_first_timestamp);
    tcase_add_test(stamps, an_old_segment_does_not_bring_a_newer_timestamp);
    tcase_add_test(stamps, what_fills_the_hole_is_echoed);
    suite_add_tcase(suite, stamps);
    tcase_add_loop_test(paws, an_older_timestamp_is_answered_and_its_text_dropped, 0, 4);
    tcase_add_loop_test(paws, an_equal_or_newer_timestamp_is_taken, 0, 4);
    tcase_add_test(paws, a_reset_is_not_too_old);
    tcase_add_test(paws, a_fin_with_an_older_timestamp_ends_nothing);
    tcase_add_test(paws, an_ack_with_an_older_timestamp_acknowledges_nothing_and_opens_no_window);
    tcase_add_test(paws, a_wrapped_duplicate_with_the_right_number_is_found_out);
    suite_add_tcase(suite, paws);
    return suite;
}
