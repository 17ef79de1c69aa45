/*
 * The header and its options (RFC 9293 3.1, 3.2, 3.7.1), on the wire of a whole stack.
 */
#include "support/holds.h"
#include "support/peer.h"
#include "wire/ether.h"
#include "wire/ip4.h"

/* The window is unsigned: 65535 is no -1, and by its scale it is more than 2^30. (MUST-1, REC-1) */
START_TEST(a_window_of_all_ones_is_a_large_one) /* loop: scale */
{
    static const uint8_t scale[] = {0, 1, 14};
    struct tlsyn_conn_info info;
    struct tcp_test *t = TCP_TEST(.peer = {.mss = 1460, .has_wscale = _i > 0, .wscale = scale[_i]});

    opens_passively(t);
    tlsyn_conn_info(t->user.conn, &info);
    ck_assert_uint_eq(info.snd_wnd, 65535u << scale[_i]);
    user_sends(t, 10000);
    ck_assert_int_eq(peer_takes_all(t), 7);
    tcp_test_close(t);
}
END_TEST

/* Options come in any segment: those of a SYN, on an ACK, say nothing and do no harm; its text
 * is taken. (MUST-5, R7323-WS1, R2018-1, MUST-65) */
START_TEST(options_of_a_syn_on_another_segment_mean_nothing) /* loop 3 */
{
    static const struct tcp_options late[] = {
        {.mss = 100}, {.has_wscale = true, .wscale = 9}, {.sack_permitted = true}};
    struct tlsyn_conn_info before, after;
    struct tcp_test *t = TCP_TEST(0);

    opens_passively(t);
    tlsyn_conn_info(t->user.conn, &before);
    peer_sends(t, ACK(.text = "text", .opt = late[_i]));
    tlsyn_conn_info(t->user.conn, &after);
    ck_assert_uint_eq(after.mss, before.mss);
    ck_assert_uint_eq(after.snd_wscale, 0);
    ck_assert_uint_eq(after.snd_wnd, 65535);
    ck_assert(!after.sack);
    ck_assert_str_eq(t->user.text, "text");
    t->user.wrong = 0;
    tcp_test_close(t);
}
END_TEST

/* An option begins at any octet; the length says where the next one does. (MUST-64) */
START_TEST(options_stand_at_any_alignment) /* loop: NOPs in front */
{
    uint8_t raw[24] = {0};
    struct tlsyn_conn_info info;
    struct tcp_test *t = TCP_TEST(0);
    uint8_t *at = raw + _i;

    memset(raw, 1, (size_t)_i);
    memcpy(at, (const uint8_t[]){2, 4, 2, 88, 3, 3, 5, 253, 3, 7, 8, 10, 0, 0, 1, 0, 0, 0, 0, 0},
           20);
    peer_sends(t, SYN(.raw = raw, .raw_len = 24));
    const struct wire_tcp *synack = expect(t, SYNACK(.ack = 1));
    ck_assert(synack->options.has_ts && synack->options.tsecr == 256);
    uint32_t echo = synack->options.tsval;
    peer_sends(t, ACK(.opt = {.has_ts = true, .tsval = 257, .tsecr = echo}));
    tlsyn_conn_info(t->user.conn, &info);
    ck_assert_uint_eq(info.mss, 600 - 12);
    ck_assert_uint_eq(info.snd_wscale, 5);
    tcp_test_close(t);
}
END_TEST

static void check_emitted(const uint8_t *tcp)
{
    size_t len = (size_t)(tcp[12] >> 4) * 4, at = 20;

    while (at < len) {
        HOLDS(tcp[at] != 0);
        if (tcp[at] == 1) {
            at++;
            continue;
        }
        HOLDS(at + 1 < len && tcp[at + 1] >= 2 && at + tcp[at + 1] <= len);
        at += tcp[at + 1];
    }
}

/* Every option but the two of one octet has a length, and the header ends with what was said: it
 * is filled with no-operations, so there is no end-of-options that something could follow.
 * (MUST-68, MUST-69) */
START_TEST(what_we_emit_is_a_chain_of_lengths) /* loop: what is negotiated */
{
    struct tcp_test *t = TCP_TEST(.peer = {.mss = 1460,
                                           .has_ts = _i & 1,
                                           .sack_permitted = _i & 2,
                                           .has_wscale = _i & 4,
                                           .has_fastopen = _i & 8},
                                  .cookies = true);

    t->hold = true;
    peer_sends(t, SYN());
    t->hold = false;
    tlsyn_stack_output(t->stack, t->now);
    ck_assert_int_ge(t->link.count, 1);
    for (int i = 0; i < t->link.count; i++)
        if (t->link.frame[i].bytes[13] == 0)
            check_emitted(t->link.frame[i].bytes + ETHER_HEADER_LEN + IP4_HEADER_LEN);
    flush(t);
    expect(t, SYNACK());
    peer_sends(t, ACK());
    peer_sends(t, ACK(.seq = 100, .len = 10));
    for (int i = t->sent_first; i < t->sent_end; i++)
        check_emitted(t->sent[i].bytes + ETHER_HEADER_LEN + IP4_HEADER_LEN);
    ignore_sent(t);
    tcp_test_close(t);
}
END_TEST

/* A checksum that is off by one octet, anywhere in header or text, is no segment of ours.
 * (MUST-3) */
START_TEST(one_flipped_bit_anywhere_and_the_segment_is_dropped)
{
    static uint8_t frame[PEER_FRAME_MAX];
    struct tcp_test *t = TCP_TEST(0);

    opens_passively(t);
    size_t len = peer_frame(t, ACK(.len = 40), frame);
    for (size_t at = ETHER_HEADER_LEN + IP4_HEADER_LEN; at < len; at++) {
        frame[at] ^= (uint8_t)(1 << at % 8);
        peer_sends_frame(t, frame, len);
        frame[at] ^= (uint8_t)(1 << at % 8);
        HOLDS(t->user.read == 0);
    }
    expect_nothing(t);
    peer_sends_frame(t, frame, len);
    ck_assert_uint_eq(t->user.read, 40);
    tcp_test_close(t);
}
END_TEST

/* RFC 7323 3.2: TSecr means something with ACK only; ours is 0 then, and the peer's is not
 * looked at. (R7323-TS4) */
START_TEST(an_echo_without_ack_is_zero_and_not_heard)
{
    struct tlsyn_conn_info info;
    struct tcp_test *t = TCP_TEST(.peer = {.mss = 1460, .has_ts = true});

    ck_assert_int_eq(user_connects(t), 0);
    const struct wire_tcp *syn = expect(t, SYN());
    ck_assert(syn->options.has_ts && syn->options.tsecr == 0);
    peer_sends(t, SYN(.opt = {.mss = 1460, .has_ts = true, .tsval = 5, .tsecr = 0x12345678}));
    expect(t, SYNACK(.seq = 0, .ack = 1));
    tlsyn_conn_info(t->user.conn, &info);
    ck_assert_int_eq(info.srtt, 0);
    tcp_test_close(t);
}
END_TEST

/* RFC 7323 5.3: PAWS comes first: text in the window with an old timestamp is dropped; and text
 * below the window, whose timestamp is new, is answered and leaves what we echo as it was.
 * (R7323-PAWS3) */
START_TEST(the_timestamp_is_judged_before_the_number)
{
    struct tcp_test *t = TCP_TEST(.peer = {.mss = 1460, .has_ts = true});

    opens_passively(t);
    uint32_t recent = t->user.conn->ts_recent;
    peer_sends(t, ACK(.len = 5, .opt = {.has_ts = true, .tsval = recent - 1, .tsecr = 1}));
    t->peer_nxt = 1;
    ck_assert_uint_eq(t->user.read, 0);
    expect(t, ACK(.ack = 1));
    peer_sends(t,
               ACK(.seq = -20, .len = 5, .opt = {.has_ts = true, .tsval = recent + 9, .tsecr = 1}));
    expect(t, ACK(.ack = 1));
    ck_assert_uint_eq(t->user.conn->ts_recent, recent);
    tcp_test_close(t);
}
END_TEST

/* A reset of an agreed connection carries a timestamp too. (R7323-TS5) */
START_TEST(a_reset_has_a_timestamp)
{
    struct tcp_test *t = TCP_TEST(.peer = {.mss = 1460, .has_ts = true});

    opens_passively(t);
    tlsyn_conn_abort(t->user.conn, 0);
    flush(t);
    const struct wire_tcp *rst = expect(t, RSTACK());
    ck_assert(rst->options.has_ts && rst->options.tsval != 0);
    tcp_test_close(t);
}
END_TEST

Suite *rfc9293_3_1_suite(void);

Suite *rfc9293_3_1_suite(void)
{
    Suite *s = suite_create("rfc9293_3_1");
    TCase *all = tcase_create("header");

    tcase_add_loop_test(all, a_window_of_all_ones_is_a_large_one, 0, 3);
    tcase_add_loop_test(all, options_of_a_syn_on_another_segment_mean_nothing, 0, 3);
    tcase_add_loop_test(all, options_stand_at_any_alignment, 0, 5);
    tcase_add_loop_test(all, what_we_emit_is_a_chain_of_lengths, 0, 16);
    tcase_add_test(all, one_flipped_bit_anywhere_and_the_segment_is_dropped);
    tcase_add_test(all, an_echo_without_ack_is_zero_and_not_heard);
    tcase_add_test(all, the_timestamp_is_judged_before_the_number);
    tcase_add_test(all, a_reset_has_a_timestamp);
    suite_add_tcase(s, all);
    return s;
}
