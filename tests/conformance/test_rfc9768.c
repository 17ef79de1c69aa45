/*
 * Accurate ECN: what is fed back, and what is not believed. Read first: RFC 9768 3.
 */
#include "support/flight.h"

#define MSS 1448
#define ECT 2
#define CE  3

static struct tcp_test *listens(void)
{
    return TCP_TEST(.peer = {.mss = 1460, .sack_permitted = true, .has_ts = true});
}

/* Opened by a peer that knows AccECN, and ten segments are on their way. */
static struct tcp_test *ten_sent(void)
{
    struct tcp_test *t = listens();

    opens_with_ace(t, 7);
    ten_leave(t);
    return t;
}

/* An active open up to its SYN-ACK, which has these bits and this codepoint. */
static struct tcp_test *answered(unsigned ace, uint8_t codepoint)
{
    struct tcp_test *t = TCP_TEST(.conn = {.ecn = true}, .peer = {.mss = 1460, .has_ts = true});
    struct seg synack = with_ace(SYNACK(), ace);

    synack.codepoint = codepoint;
    ck_assert_int_eq(user_connects(t), 0);
    ck_assert_uint_eq(ace_of(expect(t, SYN())), 7);
    peer_sends(t, synack);
    return t;
}

/* The codepoint of the next new text. */
static unsigned next_text(struct tcp_test *t)
{
    ignore_sent(t);
    user_sends(t, 100);
    return expect(t, ACK(.len = 100))->codepoint;
}

/* ... of which more is there than the window lets go: an ACK of all with these bits brings it. */
static unsigned more_text(struct tcp_test *t, unsigned ace)
{
    peer_takes_all(t);
    peer_sends(t, with_ace(ACK(), ace));
    return expect(t, ACK(.len = MSS))->codepoint;
}

static struct tcp_options counters(uint32_t ect0, uint32_t ce, uint32_t ect1)
{
    return (struct tcp_options){.accecn_fields = 3, .accecn = {ect0, ce, ect1}};
}

/* --- the handshake: 3.1, 3.2.2.1 to 3.2.2.4 --------------------------------------------------- */

/* 3.2.2.1 table 3 (R9768-7) */
START_TEST(the_third_segment_says_how_the_syn_ack_arrived) /* loop: codepoint */
{
    static const unsigned encoding[] = {2, 3, 4, 6};
    struct tcp_test *t = answered(2, (uint8_t)_i);

    ck_assert_uint_eq(ace_of(expect(t, ACK())), encoding[_i]);
    user_sends(t, 100);
    ck_assert_uint_eq(ace_of(expect(t, ACK(.len = 100))), _i == CE ? 6 : 5);
    tcp_test_close(t);
}
END_TEST

/* 3.2.2.1, 3.2.2.2: its ACK has the encoding too, and the mark counts once (R9768-7) */
START_TEST(a_syn_ack_that_comes_again_is_encoded_again_and_counted_once)
{
    struct tcp_test *t = answered(2, CE);

    ignore_sent(t);
    for (int i = 0; i < 3; i++) {
        struct seg again = with_ace(SYNACK(.seq = 0, .ack = 1), 2);
        again.codepoint = CE;
        peer_sends(t, again);
        ck_assert_uint_eq(ace_of(expect(t, ACK(.seq = 1, .ack = 1))), 6);
    }
    user_sends(t, 100);
    ck_assert_uint_eq(ace_of(expect(t, ACK(.len = 100))), 6);
    tcp_test_close(t);
}
END_TEST

/* 3.2.2.2: it counts nowhere, and is heeded; 3.2.2.3: the SYN left as Not-ECT (R9768-3) */
START_TEST(a_syn_that_arrived_marked_reduces_the_window_and_ends_ect)
{
    struct tcp_test *t = answered(6, 0);

    expect(t, ACK());
    ck_assert_uint_lt(info_of(t).cwnd, 10 * MSS);
    ck_assert_uint_eq(info_of(t).delivered_marked, 0);
    ck_assert_uint_eq(next_text(t), 0);
    tcp_test_close(t);
}
END_TEST

/* 3.2.2.2: from 5 to 6, and the controller hears of it (R9768-7) */
START_TEST(a_syn_ack_that_arrived_marked_counts_for_the_server)
{
    struct tcp_test *t = listens();

    peer_sends(t, with_ace(SYN(), 7));
    expect(t, SYNACK());
    peer_sends(t, with_ace(ACK(), 6));
    ck_assert_uint_eq(info_of(t).delivered_marked, 1);
    ck_assert_uint_lt(info_of(t).cwnd, 10 * MSS);
    peer_sends(t, with_ace(ACK(.len = 10), 6)); /* the same mark */
    ck_assert_uint_eq(info_of(t).delivered_marked, 1);
    ck_assert_uint_eq(next_text(t), 0); /* 3.2.2.3: it left as Not-ECT */
    tcp_test_close(t);
}
END_TEST

/* 3.2.2.2: text has no encoding of the handshake: 6 is the counter, and one mark */
START_TEST(text_in_the_third_segment_brings_the_counter_itself)
{
    struct tcp_test *t = listens();

    peer_sends(t, with_ace(SYN(), 7));
    expect(t, SYNACK());
    peer_sends(t, with_ace(ACK(.len = 10), 6));
    ck_assert_uint_eq(info_of(t).delivered_marked, 1);
    ck_assert_uint_eq(next_text(t), ECT);
    tcp_test_close(t);
}
END_TEST

/* 3.2.2.1 note 1: no ECT, no response; our own feedback goes on (R9768-8) */
START_TEST(a_zeroed_field_is_not_heeded_and_ours_goes_on) /* loop: the third segment, with text */
{
    struct tcp_test *t = listens();

    peer_sends(t, with_ace(SYN(), 7));
    expect(t, SYNACK());
    peer_sends(t, ACK(.len = (size_t)(_i * 10)));
    ck_assert_uint_eq(next_text(t), 0);
    uint32_t cwnd = info_of(t).cwnd;
    peer_sends(t, with_ace(ACK(.ack = 101, .len = 5, .codepoint = CE), 3));
    ck_assert_uint_ge(info_of(t).cwnd, cwnd);
    ck_assert_uint_eq(info_of(t).delivered_marked, 0);
    ck_assert_uint_eq(ace_of(expect(t, ACK())), 6);
    tcp_test_close(t);
}
END_TEST

/* 3.2.2.4: in either direction (R9768-8) */
START_TEST(an_opener_looks_for_zero_in_the_first_feedback_too)
{
    struct tcp_test *t = answered(2, 0);

    expect(t, ACK());
    ck_assert_uint_eq(next_text(t), ECT);
    peer_sends(t, ACK(.ack = 101));
    ck_assert_uint_eq(next_text(t), 0);
    peer_sends(t, with_ace(ACK(.ack = 201), 4));
    ck_assert_uint_eq(info_of(t).delivered_marked, 0);
    tcp_test_close(t);
}
END_TEST

/* 3.2.2.4: the counter may pass zero later on */
START_TEST(zero_means_nothing_but_a_count_later_on)
{
    struct tcp_test *t = answered(2, 0);

    expect(t, ACK());
    ck_assert_uint_eq(next_text(t), ECT);
    peer_sends(t, with_ace(ACK(.ack = 101), 7));
    peer_sends(t, with_ace(ACK(.ack = 101, .len = 1), 0));
    ck_assert_uint_eq(info_of(t).delivered_marked, 3);
    ck_assert_uint_eq(next_text(t), ECT);
    tcp_test_close(t);
}
END_TEST

/* 3.2.2.3: "it still ought to respond" */
START_TEST(marks_are_heeded_though_the_handshake_was_mangled)
{
    struct tcp_test *t = answered(4, 0); /* our SYN left as Not-ECT, and arrived as ECT(0) */

    ignore_sent(t);
    user_sends(t, 20 * MSS);
    ck_assert_uint_eq(expect(t, ACK(.len = MSS))->codepoint, 0);
    peer_sends(t, with_ace(ACK(.ack = 1 + 2 * MSS), 6));
    ck_assert_uint_eq(info_of(t).delivered_marked, 1);
    ck_assert_uint_lt(info_of(t).cwnd, 10 * MSS);
    ignore_sent(t);
    tcp_test_close(t);
}
END_TEST

/* 3.1.5: one handshake does not ask for both kinds of feedback (R9768-5) */
START_TEST(a_syn_of_the_other_kind_resets_the_half_open_connection) /* loop 2 */
{
    struct tcp_test *t = listens();

    peer_sends(t, with_ace(SYN(), _i ? 3 : 7));
    expect(t, SYNACK());
    peer_sends(t, with_ace(SYN(.seq = 0), _i ? 7 : 3));
    expect(t, RSTACK());
    expect_no_connection(t);
    tcp_test_close(t);
}
END_TEST

/* 3.1.5: the latest SYN is what is fed back, and what asks for nothing ends ECT (R9768-6) */
START_TEST(a_syn_that_comes_again_is_answered_by_how_it_arrived) /* loop: codepoint */
{
    static const unsigned encoding[] = {2, 3, 4, 6};
    struct tcp_test *t = listens();
    struct seg again = with_ace(SYN(.seq = 0), 7);

    peer_sends(t, with_ace(SYN(), 7));
    ck_assert_uint_eq(ace_of(expect(t, SYNACK())), 2);
    again.codepoint = (uint8_t)_i;
    peer_sends(t, again);
    ck_assert_uint_eq(ace_of(expect(t, SYNACK())), encoding[_i]);
    tcp_test_close(t);
}
END_TEST

/* 3.2.3.2.2: the option goes first, then the bits; 3.1.5: then there is no ECT (R9768-12) */
START_TEST(a_syn_ack_that_is_not_answered_asks_for_less_each_time)
{
    struct tcp_test *t = listens();

    peer_sends(t, with_ace(SYN(), 7));
    const struct wire_tcp *synack = expect(t, SYNACK());
    ck_assert_uint_eq(ace_of(synack), 2);
    ck_assert_uint_eq(synack->options.accecn_fields, 3);
    advance(t, TLSYN_MS(1100));
    synack = expect(t, SYNACK());
    ck_assert_uint_eq(ace_of(synack), 2);
    ck_assert_uint_eq(synack->options.accecn_fields, 0);
    advance(t, TLSYN_MS(2100));
    ck_assert_uint_eq(ace_of(expect(t, SYNACK())), 0);
    peer_sends(t, with_ace(ACK(), 2));
    ck_assert_uint_eq(next_text(t), 0);
    ck_assert_int_eq(info_of(t).ecn, TLSYN_ECN_ACCURATE); /* 3.1.5: the mode stays */
    tcp_test_close(t);
}
END_TEST

/* 3.2.3.2.1 */
START_TEST(an_option_in_a_syn_is_ignored)
{
    struct tcp_test *t = listens();
    struct seg syn = with_ace(SYN(.opt = {.mss = 1460, .accecn_fields = 3}), 7);

    peer_sends(t, syn); /* zeroed, as none may begin */
    expect(t, SYNACK());
    advance(t, FLIGHT_RTT);
    peer_sends(t, with_ace(ACK(.opt = counters(1, 0, 1)), 2));
    user_sends(t, 20 * 1460);
    ignore_sent(t);
    peer_sends(t, with_ace(ACK(.ack = 1 + 9 * 1460, .opt = counters(1, 9 * 1460, 1)), 6));
    ck_assert_uint_eq(info_of(t).delivered_marked, 9); /* by the option, which is believed */
    tcp_test_close(t);
}
END_TEST

/* --- the receiver: 3.2.2.5.1 ------------------------------------------------------------------ */

static struct tcp_test *receives(void)
{
    struct tcp_test *t = listens();

    opens_with_ace(t, 7);
    return t;
}

static void text_arrives(struct tcp_test *t, uint8_t codepoint)
{
    struct seg seg = with_ace(ACK(.len = 10), 5);

    seg.codepoint = codepoint;
    peer_sends(t, seg);
}

/* Change-triggered (R9768-9) */
START_TEST(the_first_marked_text_is_told_at_once)
{
    struct tcp_test *t = receives();

    text_arrives(t, ECT);
    expect(t, ACK());
    text_arrives(t, ECT);
    expect_nothing(t); /* delayed */
    text_arrives(t, CE);
    ck_assert_uint_eq(ace_of(expect(t, ACK())), 6);
    expect_nothing(t);
    tcp_test_close(t);
}
END_TEST

/* Increment-triggered, with text: every second one (R9768-9) */
START_TEST(every_second_marked_segment_of_text_is_told_at_once)
{
    struct tcp_test *t = receives();

    text_arrives(t, CE);
    ck_assert_uint_eq(ace_of(expect(t, ACK())), 6);
    text_arrives(t, CE);
    expect_nothing(t);
    text_arrives(t, CE);
    ck_assert_uint_eq(ace_of(expect(t, ACK())), 0);
    tcp_test_close(t);
}
END_TEST

/* Increment-triggered, without: every third one, or ACKs would answer ACKs (R9768-9) */
START_TEST(every_third_marked_ack_is_told_at_once)
{
    struct tcp_test *t = receives();

    for (int i = 1; i <= 6; i++) {
        struct seg ack = with_ace(ACK(), 5);
        ack.codepoint = CE;
        peer_sends(t, ack);
        if (i % 3 == 0)
            ck_assert_uint_eq(ace_of(expect(t, ACK())), (5u + (unsigned)i) % 8);
        expect_nothing(t);
    }
    tcp_test_close(t);
}
END_TEST

/* 3.2: the segment counts, its text does not exist */
START_TEST(a_marked_ack_counts_as_a_segment_and_as_no_bytes)
{
    struct tcp_test *t = receives();
    struct seg ack = with_ace(ACK(), 5);

    ack.codepoint = CE;
    peer_sends(t, ack);
    text_arrives(t, CE);
    const struct wire_tcp *told = expect(t, ACK());
    ck_assert_uint_eq(ace_of(told), 7);
    ck_assert_uint_eq(told->options.accecn[1], 10);
    tcp_test_close(t);
}
END_TEST

/* 3.2: bytes by codepoint, of what comes again too */
START_TEST(each_codepoint_has_its_count_of_bytes)
{
    struct tcp_test *t = receives();
    const struct wire_tcp *told;

    text_arrives(t, ECT);
    text_arrives(t, 1);
    text_arrives(t, CE);
    ignore_sent(t);
    struct seg again = with_ace(ACK(.seq = 1, .len = 30), 5);
    again.codepoint = 1;
    peer_sends(t, again); /* old text: not acceptable, not counted */
    ignore_sent(t);
    text_arrives(t, CE);
    ignore_sent(t);
    text_arrives(t, CE);
    advance(t, TLSYN_MS(100));
    told = expect(t, ACK());
    ck_assert_uint_eq(told->options.accecn_fields, 3);
    ck_assert_uint_eq(told->options.accecn[0], 11);
    ck_assert_uint_eq(told->options.accecn[1], 30);
    ck_assert_uint_eq(told->options.accecn[2], 11);
    tcp_test_close(t);
}
END_TEST

/* 3.2.3.3: or it would go round unseen (R9768-17) */
START_TEST(a_counter_that_grows_on_and_on_is_told_now_and_then)
{
    struct tcp_test *t = receives();
    uint32_t bytes = 0, told = 0;
    int options = 0;

    while (bytes < 3 << 20) {
        struct seg seg = with_ace(ACK(.len = MSS), 5);

        seg.codepoint = ECT;
        peer_sends(t, seg);
        bytes += MSS;
        advance(t, TLSYN_MS(100));
        const struct wire_tcp *ack = expect(t, ACK());
        user_reads(&t->user, MSS);
        flush(t);
        ignore_sent(t);
        if (ack->options.accecn_fields == 3) {
            told = ack->options.accecn[0] - 1;
            options++;
        }
        ck_assert_uint_lt(bytes - told, 1 << 22);
    }
    ck_assert_uint_gt(told, 2 << 20);
    ck_assert_int_lt(options, 12); /* and not with each */
    tcp_test_close(t);
}
END_TEST

/* 3.2: "the most recent value", on a retransmission too */
START_TEST(text_that_goes_again_carries_the_latest_count)
{
    struct tcp_test *t = receives();

    user_sends(t, 100);
    ck_assert_uint_eq(ace_of(expect(t, ACK(.len = 100))), 5);
    struct seg marked = with_ace(ACK(.ack = 1, .len = 10), 5);
    marked.codepoint = CE;
    peer_sends(t, marked);
    ignore_sent(t);
    advance(t, TLSYN_SECONDS(2));
    const struct wire_tcp *again = expect(t, ACK(.seq = 1, .len = 100));
    ck_assert_uint_eq(ace_of(again), 6);
    ck_assert_uint_eq(again->codepoint, 0);
    ignore_sent(t);
    tcp_test_close(t);
}
END_TEST

/* --- the sender: 3.2.2.5.2, 3.2.3.2.3 to 3.2.3.2.5 -------------------------------------------- */

/* No option, ACKs that stand for a segment or two, then one for eight and more: it may have gone
 * round (R9768-11) */
START_TEST(where_acks_were_lost_and_no_option_tells_the_count_may_have_gone_round)
{
    struct tcp_test *t = ten_sent();

    peer_sends(t, with_ace(ACK(.ack = 1 + MSS), 5));
    peer_sends(t, with_ace(ACK(.ack = 1 + 2 * MSS), 5));
    ck_assert_uint_eq(info_of(t).delivered_marked, 0);
    peer_sends(t, with_ace(ACK(.ack = 1 + 10 * MSS), 5));
    ck_assert_uint_eq(info_of(t).delivered_marked, 8);
    ck_assert_uint_lt(info_of(t).ssthresh, 40 * MSS);
    tcp_test_close(t);
}
END_TEST

/* Seven at most: three bits are enough */
START_TEST(where_few_were_lost_the_count_is_taken_at_its_word)
{
    struct tcp_test *t = ten_sent();

    for (int i = 1; i <= 3; i++)
        peer_sends(t, with_ace(ACK(.ack = 1 + i * MSS), 5));
    peer_sends(t, with_ace(ACK(.ack = 1 + 10 * MSS), 5));
    ck_assert_uint_eq(info_of(t).delivered_marked, 0);
    tcp_test_close(t);
}
END_TEST

/* "under the prevailing conditions": who always acknowledges ten at once has lost none */
START_TEST(where_acks_always_stand_for_many_none_was_lost)
{
    struct tcp_test *t = ten_sent();

    peer_sends(t, with_ace(ACK(.ack = 1 + 10 * MSS), 5));
    ck_assert_uint_eq(info_of(t).delivered_marked, 0);
    peer_takes_all(t);
    peer_sends(t, with_ace(ACK(.ack = 1 + 20 * MSS), 5));
    ck_assert_uint_eq(info_of(t).delivered_marked, 0);
    tcp_test_close(t);
}
END_TEST

/* 3.2.3: an option tells what three bits can't (R9768-11) */
START_TEST(where_an_option_has_come_the_count_has_not_gone_round_unless_it_says_so) /* loop 2 */
{
    struct tcp_test *t = ten_sent();
    uint32_t marked = _i ? 8 * MSS : 0;

    peer_sends(t, with_ace(ACK(.ack = 1 + MSS, .opt = counters(1 + MSS, 0, 1)), 5));
    peer_sends(t, with_ace(ACK(.ack = 1 + 10 * MSS, .opt = counters(1 + MSS, marked, 1)), 5));
    ck_assert_uint_eq(info_of(t).delivered_marked, _i ? 8 : 0);
    ck_assert_uint_eq(more_text(t, 5), ECT);
    ignore_sent(t);
    tcp_test_close(t);
}
END_TEST

/* 3.2.3.2.5: the one counter without the other: mangled (R9768-10) */
START_TEST(marked_bytes_without_a_marked_segment_end_ect)
{
    struct tcp_test *t = ten_sent();

    peer_sends(t, with_ace(ACK(.ack = 1 + 2 * MSS, .opt = counters(1, 0, 1)), 5));
    peer_sends(t, with_ace(ACK(.ack = 1 + 4 * MSS, .opt = counters(1, MSS, 1)), 5));
    ck_assert_uint_eq(more_text(t, 5), 0);
    ignore_sent(t);
    tcp_test_close(t);
}
END_TEST

/* ... but the ACK with the option may come behind others that had no room for one */
START_TEST(marked_bytes_that_are_told_later_are_no_contradiction)
{
    struct tcp_test *t = ten_sent();

    peer_sends(t, with_ace(ACK(.ack = 1 + 2 * MSS), 7));
    peer_sends(t, with_ace(ACK(.ack = 1 + 4 * MSS, .opt = counters(1, 2 * MSS, 1)), 7));
    ck_assert_uint_eq(info_of(t).delivered_marked, 2);
    ck_assert_uint_eq(more_text(t, 7), ECT);
    ignore_sent(t);
    tcp_test_close(t);
}
END_TEST

/* 3.2.3.1: a superseded ACK is ignored, which the option shows where numbers can't */
START_TEST(an_older_option_tells_nothing)
{
    struct tcp_test *t = ten_sent();

    peer_sends(t, with_ace(ACK(.ack = 1 + 4 * MSS, .opt = counters(1, 3 * MSS, 1)), 0));
    ck_assert_uint_eq(info_of(t).delivered_marked, 3);
    peer_sends(t, with_ace(ACK(.ack = 1 + 4 * MSS, .opt = counters(1, MSS, 1)), 6));
    ck_assert_uint_eq(info_of(t).delivered_marked, 3);
    peer_sends(t, with_ace(ACK(.ack = 1 + 6 * MSS, .opt = counters(1, 3 * MSS, 1)), 0));
    ck_assert_uint_eq(info_of(t).delivered_marked, 3);
    tcp_test_close(t);
}
END_TEST

/* 3.2.3.2.4: either counter of ECT that begins at zero: the option is nobody's word, and the three
 * bits are read with care (R9768-4) */
START_TEST(a_zeroed_option_leaves_the_three_bits_and_care) /* loop 2: which counter */
{
    struct tcp_test *t = ten_sent();

    peer_sends(t, with_ace(ACK(.ack = 1 + MSS, .opt = counters((uint32_t)_i, 0, !_i)), 5));
    peer_sends(t, with_ace(ACK(.ack = 1 + 10 * MSS, .opt = counters(1, 0, 1)), 5));
    ck_assert_uint_eq(info_of(t).delivered_marked, 8);
    tcp_test_close(t);
}
END_TEST

/* 3.2.3: what is left out has not changed; other lengths are read as far as whole fields go
 * (R9768-13) */
START_TEST(an_option_may_be_of_any_length) /* loop: octets of it */
{
    struct tcp_test *t = TCP_TEST(.peer = {.mss = MSS});
    uint8_t raw[16];

    opens_with_ace(t, 7);
    ten_leave(t);
    memset(raw, 1, sizeof(raw));
    raw[0] = 172;
    raw[1] = (uint8_t)(2 + _i);
    memcpy(raw + 2, (const uint8_t[]){0, 0, 1, 0, 5, 168, 0, 0, 1, 1, 1, 1}, (size_t)_i);
    peer_sends(t, with_ace(ACK(.ack = 1 + 4 * MSS, .raw = raw, .raw_len = 16), 6));
    ck_assert_uint_eq(info_of(t).delivered_marked, 1);
    ck_assert_uint_eq(t->user.conn->ecn_told.bytes, _i >= 6 ? MSS : 0);
    ignore_sent(t);
    tcp_test_close(t);
}
END_TEST

static TCase *handshake(void)
{
    TCase *open = tcase_create("handshake");

    tcase_add_loop_test(open, the_third_segment_says_how_the_syn_ack_arrived, 0, 4);
    tcase_add_test(open, a_syn_ack_that_comes_again_is_encoded_again_and_counted_once);
    tcase_add_test(open, a_syn_that_arrived_marked_reduces_the_window_and_ends_ect);
    tcase_add_test(open, a_syn_ack_that_arrived_marked_counts_for_the_server);
    tcase_add_test(open, text_in_the_third_segment_brings_the_counter_itself);
    tcase_add_loop_test(open, a_zeroed_field_is_not_heeded_and_ours_goes_on, 0, 2);
    tcase_add_test(open, an_opener_looks_for_zero_in_the_first_feedback_too);
    tcase_add_test(open, zero_means_nothing_but_a_count_later_on);
    tcase_add_test(open, marks_are_heeded_though_the_handshake_was_mangled);
    tcase_add_loop_test(open, a_syn_of_the_other_kind_resets_the_half_open_connection, 0, 2);
    tcase_add_loop_test(open, a_syn_that_comes_again_is_answered_by_how_it_arrived, 0, 4);
    tcase_add_test(open, a_syn_ack_that_is_not_answered_asks_for_less_each_time);
    tcase_add_test(open, an_option_in_a_syn_is_ignored);
    return open;
}

static TCase *receiver(void)
{
    TCase *in = tcase_create("receiver");

    tcase_add_test(in, the_first_marked_text_is_told_at_once);
    tcase_add_test(in, every_second_marked_segment_of_text_is_told_at_once);
    tcase_add_test(in, every_third_marked_ack_is_told_at_once);
    tcase_add_test(in, a_marked_ack_counts_as_a_segment_and_as_no_bytes);
    tcase_add_test(in, each_codepoint_has_its_count_of_bytes);
    tcase_add_test(in, a_counter_that_grows_on_and_on_is_told_now_and_then);
    tcase_add_test(in, text_that_goes_again_carries_the_latest_count);
    return in;
}

static TCase *sender(void)
{
    TCase *out = tcase_create("sender");

    tcase_add_test(out, where_acks_were_lost_and_no_option_tells_the_count_may_have_gone_round);
    tcase_add_test(out, where_few_were_lost_the_count_is_taken_at_its_word);
    tcase_add_test(out, where_acks_always_stand_for_many_none_was_lost);
    tcase_add_loop_test(
        out, where_an_option_has_come_the_count_has_not_gone_round_unless_it_says_so, 0, 2);
    tcase_add_test(out, marked_bytes_without_a_marked_segment_end_ect);
    tcase_add_test(out, marked_bytes_that_are_told_later_are_no_contradiction);
    tcase_add_test(out, an_older_option_tells_nothing);
    tcase_add_loop_test(out, a_zeroed_option_leaves_the_three_bits_and_care, 0, 2);
    tcase_add_loop_test(out, an_option_may_be_of_any_length, 0, 13);
    return out;
}

Suite *rfc9768_suite(void);
Suite *rfc9768_suite(void)
{
    Suite *suite = suite_create("rfc9768");

    suite_add_tcase(suite, handshake());
    suite_add_tcase(suite, receiver());
    suite_add_tcase(suite, sender());
    return suite;
}
