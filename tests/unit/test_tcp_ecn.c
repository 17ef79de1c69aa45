/*
 * ECN on a connection. Read first: RFC 3168 6.1, RFC 9768 3.
 */
#include "support/flight.h"

#define MSS 1448
#define CE  3
#define ECT 2

/* A passive open by a SYN with these bits, arriving with this codepoint; the bits of the SYN-ACK
 * go to *answer. */
static struct tcp_test *asked(unsigned ace, uint8_t codepoint, unsigned *answer)
{
    struct tcp_test *t = TCP_TEST(.peer = {.mss = 1460, .sack_permitted = true, .has_ts = true});
    struct seg syn = with_ace(SYN(), ace);

    syn.codepoint = codepoint;
    peer_sends(t, syn);
    const struct wire_tcp *synack = expect(t, SYNACK());
    *answer = ace_of(synack);
    ck_assert_uint_eq(synack->codepoint, 0); /* RFC 3168 6.1.1 */
    return t;
}

/* --- negotiation ------------------------------------------------------------------------------ */

/* SHLD-8, R3168-1 (R9768-1) */
START_TEST(a_listener_answers_what_the_syn_asks) /* RFC 9768 table 2; loop: 8 x 4 */
{
    static const unsigned encoding[] = {2, 3, 4, 6};
    unsigned ace = (unsigned)_i / 4, codepoint = (unsigned)_i % 4, answer;
    struct tcp_test *t = asked(ace, (uint8_t)codepoint, &answer);
    bool accurate = ace != 0 && ace != 3;

    ck_assert_uint_eq(answer, ace == 0 ? 0 : ace == 3 ? 1 : encoding[codepoint]);
    peer_sends(t, with_ace(ACK(), accurate ? 2 : 0));
    ck_assert_int_eq(info_of(t).ecn, ace == 0   ? TLSYN_ECN_NONE
                                     : accurate ? TLSYN_ECN_ACCURATE
                                                : TLSYN_ECN_CLASSIC);
    user_sends(t, 3 * MSS);
    ck_assert_uint_eq(expect(t, ACK(.len = MSS))->codepoint, ace ? ECT : 0);
    tcp_test_close(t);
}
END_TEST

/* R3168-1 (R9768-3) */
START_TEST(an_opener_takes_what_the_syn_ack_says) /* loop: 8 */
{
    static const struct {
        enum tlsyn_ecn mode;
        bool ect;
    } row[] = {
        {TLSYN_ECN_NONE, false},     {TLSYN_ECN_CLASSIC, true},   {TLSYN_ECN_ACCURATE, true},
        {TLSYN_ECN_ACCURATE, false}, {TLSYN_ECN_ACCURATE, false}, /* the SYN was mangled */
        {TLSYN_ECN_CLASSIC, true},   {TLSYN_ECN_ACCURATE, false}, {TLSYN_ECN_NONE, false},
    };
    struct tcp_test *t = TCP_TEST(.conn = {.ecn = true}, .peer = {.mss = 1460, .has_ts = true});

    ck_assert_int_eq(user_connects(t), 0);
    ck_assert_uint_eq(ace_of(expect(t, SYN())), 7);
    peer_sends(t, with_ace(SYNACK(), (unsigned)_i));
    const struct wire_tcp *ack = expect(t, ACK());
    ck_assert_uint_eq(ace_of(ack), row[_i].mode == TLSYN_ECN_ACCURATE ? 2 : 0);
    ck_assert_uint_eq(ack->codepoint, 0);
    ck_assert_int_eq(info_of(t).ecn, row[_i].mode);
    user_sends(t, 100);
    const struct wire_tcp *text = expect(t, ACK(.len = 100));
    ck_assert_uint_eq(text->codepoint, row[_i].ect ? ECT : 0);
    ck_assert_uint_eq(ace_of(text), row[_i].mode == TLSYN_ECN_ACCURATE ? 5 : 0);
    tcp_test_close(t);
}
END_TEST

START_TEST(who_asks_for_the_classic_one_gets_that_or_none) /* loop: 8 */
{
    struct tcp_test *t = TCP_TEST(.conn = {.ecn = true, .ecn_classic = true});
    bool classic = _i == 1 || _i == 5;

    ck_assert_int_eq(user_connects(t), 0);
    ck_assert_uint_eq(ace_of(expect(t, SYN())), 3);
    peer_sends(t, with_ace(SYNACK(), (unsigned)_i));
    ck_assert_uint_eq(ace_of(expect(t, ACK())), 0);
    ck_assert_int_eq(info_of(t).ecn, classic ? TLSYN_ECN_CLASSIC : TLSYN_ECN_NONE);
    tcp_test_close(t);
}
END_TEST

START_TEST(who_is_not_told_to_asks_for_nothing)
{
    struct tcp_test *t = TCP_TEST(0);

    ck_assert_int_eq(user_connects(t), 0);
    ck_assert_uint_eq(ace_of(expect(t, SYN())), 0);
    peer_sends(t, with_ace(SYNACK(), 1));
    expect(t, ACK());
    ck_assert_int_eq(info_of(t).ecn, TLSYN_ECN_NONE);
    tcp_test_close(t);
}
END_TEST

/* R3168-4 */
START_TEST(a_repeated_syn_asks_for_nothing_and_ect_stays_off) /* RFC 9768 3.1.4, 3.1.5 */
{
    struct tcp_test *t = TCP_TEST(.conn = {.ecn = true});

    ck_assert_int_eq(user_connects(t), 0);
    ck_assert_uint_eq(ace_of(expect(t, SYN())), 7);
    advance(t, TLSYN_MS(1100));
    ck_assert_uint_eq(ace_of(expect(t, SYN())), 0);
    peer_sends(t, with_ace(SYNACK(), 2)); /* the answer to the first one */
    ignore_sent(t);
    ck_assert_int_eq(info_of(t).ecn, TLSYN_ECN_ACCURATE);
    user_sends(t, 100);
    ck_assert_uint_eq(expect(t, ACK(.len = 100))->codepoint, 0);
    tcp_test_close(t);
}
END_TEST

START_TEST(a_listener_hears_that_the_repeated_syn_does_not_ask)
{
    unsigned answer;
    struct tcp_test *t = asked(7, 0, &answer);

    peer_sends(t, SYN(.seq = 0));
    ck_assert_uint_eq(ace_of(expect(t, SYNACK())), 2);
    peer_sends(t, with_ace(ACK(), 2));
    user_sends(t, 100);
    ck_assert_uint_eq(expect(t, ACK(.len = 100))->codepoint, 0);
    tcp_test_close(t);
}
END_TEST

START_TEST(
    zeroed_or_mangled_bits_in_the_third_segment_end_ect) /* RFC 9768 3.2.2.3, 3.2.2.4; loop: 8 */
{
    unsigned answer;
    struct tcp_test *t = asked(7, 0, &answer);
    bool bad = _i == 0 || _i == 3 || _i == 4 || _i == 6;

    peer_sends(t, with_ace(ACK(), (unsigned)_i));
    user_sends(t, 100);
    ck_assert_uint_eq(expect(t, ACK(.len = 100))->codepoint, bad ? 0 : ECT);
    ck_assert_uint_eq(info_of(t).delivered_marked, _i == 6); /* 3.2.2.2: it counts all the same */
    tcp_test_close(t);
}
END_TEST

/* --- RFC 3168 --------------------------------------------------------------------------------- */

/* Established by a peer that asks like this, and ten segments are on their way. */
static struct tcp_test *ten_sent(unsigned ace)
{
    unsigned answer;
    struct tcp_test *t = asked(ace, 0, &answer);

    advance(t, TLSYN_MS(50));
    peer_sends(t, with_ace(ACK(), ace == 3 ? 0 : 2));
    user_sends(t, 40 * MSS);
    ck_assert_int_eq(ignore_sent(t), 10);
    advance(t, TLSYN_MS(50));
    return t;
}

/* R3168-3 */
START_TEST(ece_reduces_once_a_round_trip_and_cwr_says_so)
{
    struct tcp_test *t = ten_sent(3);

    peer_sends(t, with_ace(ACK(.ack = 1 + 2 * MSS), 1));
    uint32_t cwnd = info_of(t).cwnd;
    ck_assert_uint_lt(cwnd, 10 * MSS);
    peer_sends(t, with_ace(ACK(.ack = 1 + 9 * MSS), 1));
    ck_assert_uint_le(info_of(t).cwnd, cwnd + MSS);
    ck_assert_uint_ge(info_of(t).cwnd, cwnd);
    const struct wire_tcp *text = expect(t, ACK(.len = MSS));
    ck_assert_uint_eq(ace_of(text), 2); /* CWR on the first new text, and on it alone */
    ck_assert_uint_eq(text->codepoint, ECT);
    ck_assert_uint_eq(ace_of(expect(t, ACK(.len = MSS))), 0);
    ignore_sent(t);
    peer_sends(t, with_ace(ACK(.ack = 1 + 11 * MSS), 1)); /* a round trip later */
    ck_assert_uint_lt(info_of(t).cwnd, cwnd);
    tcp_test_close(t);
}
END_TEST

/* R3168-2 */
START_TEST(what_goes_again_goes_without_ect) /* RFC 3168 6.1.5 */
{
    struct tcp_test *t = ten_sent(3);

    for (int i = 0; i < 100 && info_of(t).timeouts == 0; i++) {
        ignore_sent(t);
        advance(t, TLSYN_MS(10));
    }
    ck_assert_uint_eq(expect(t, ACK(.seq = 1, .len = MSS))->codepoint, 0);
    tcp_test_close(t);
}
END_TEST

/* R3168-3 */
START_TEST(marked_text_is_echoed_until_cwr_comes) /* RFC 3168 6.1.3 */
{
    unsigned answer;
    struct tcp_test *t = asked(3, 0, &answer);

    peer_sends(t, ACK());
    peer_sends(t, ACK(.len = 3, .codepoint = CE));
    ck_assert_uint_eq(ace_of(expect(t, ACK())), 1); /* at once */
    user_sends(t, 10);
    ck_assert_uint_eq(ace_of(expect(t, ACK(.len = 10))), 1);
    peer_sends(t, with_ace(ACK(.len = 3, .codepoint = ECT), 2));
    user_sends(t, 10);
    ck_assert_uint_eq(ace_of(expect(t, ACK(.len = 10))), 0);
    ck_assert_uint_eq(info_of(t).marked, 1);
    tcp_test_close(t);
}
END_TEST

/* --- RFC 9768 --------------------------------------------------------------------------------- */

/* R9768-2 */
START_TEST(ace_counts_marked_segments_and_goes_round)
{
    unsigned answer;
    struct tcp_test *t = asked(7, 0, &answer);
    uint32_t ce = 0;

    peer_sends(t, with_ace(ACK(), 2));
    for (unsigned i = 1; i <= 20; i++) {
        peer_sends(t, with_ace(ACK(.len = 5, .codepoint = CE), 5));
        advance(t, TLSYN_MS(50));
        const struct wire_tcp *ack = expect(t, ACK());
        ck_assert_uint_eq(ace_of(ack), (5 + i) % 8);
        ck_assert_uint_eq(ack->options.accecn_fields, 3);
        ck_assert_uint_eq(ack->options.accecn[0], 1);
        ce = ack->options.accecn[1];
        ck_assert_uint_eq(ce, 5 * i);
        ck_assert_uint_eq(ack->options.accecn[2], 1);
    }
    tcp_test_close(t);
}
END_TEST

START_TEST(a_change_of_codepoint_is_told_at_once)
{
    unsigned answer;
    struct tcp_test *t = asked(7, 0, &answer);

    peer_sends(t, with_ace(ACK(), 2));
    peer_sends(t, with_ace(ACK(.len = 3, .codepoint = ECT), 5));
    expect(t, ACK());
    peer_sends(t, with_ace(ACK(.len = 3, .codepoint = ECT), 5));
    expect_nothing(t); /* delayed */
    peer_sends(t, with_ace(ACK(.len = 3, .codepoint = CE), 5));
    ck_assert_uint_eq(ace_of(expect(t, ACK())), 6);
    tcp_test_close(t);
}
END_TEST

START_TEST(the_peers_counter_reduces_once_a_round_trip)
{
    struct tcp_test *t = ten_sent(7);

    peer_sends(t, with_ace(ACK(.ack = 1 + 2 * MSS), 5));
    ck_assert_uint_eq(info_of(t).delivered_marked, 0);
    peer_sends(t, with_ace(ACK(.ack = 1 + 4 * MSS), 7));
    uint32_t cwnd = info_of(t).cwnd;
    ck_assert_uint_lt(cwnd, 10 * MSS);
    peer_sends(t, with_ace(ACK(.ack = 1 + 6 * MSS), 1));
    ck_assert_uint_eq(info_of(t).delivered_marked, 4);
    ck_assert_uint_ge(info_of(t).cwnd, cwnd);
    ck_assert_uint_eq(counted(t, TLSYN_COUNT_tcp_delivered_ce), 4);
    tcp_test_close(t);
}
END_TEST

START_TEST(eight_marks_at_once_show_in_the_option)
{
    struct tcp_test *t = ten_sent(7);
    struct tcp_options opt = {.accecn_fields = 3, .accecn = {1, 8 * MSS, 1}};

    peer_sends(t, with_ace(ACK(.ack = 1 + 8 * MSS, .opt = opt), 5));
    ck_assert_uint_eq(info_of(t).delivered_marked, 8);
    ck_assert_uint_lt(info_of(t).ssthresh, 18 * MSS); /* ten, and what the ACK let it grow */
    tcp_test_close(t);
}
END_TEST

/* R9768-4 */
START_TEST(a_zeroed_option_is_not_believed) /* RFC 9768 3.2.3.2.4 */
{
    struct tcp_test *t = ten_sent(7);
    struct tcp_options zero = {.accecn_fields = 3},
                       opt = {.accecn_fields = 3, .accecn = {1, MSS, 1}};

    peer_sends(t, with_ace(ACK(.ack = 1 + 2 * MSS, .opt = zero), 5));
    peer_sends(t, with_ace(ACK(.ack = 1 + 8 * MSS, .opt = opt), 5));
    ck_assert_uint_eq(info_of(t).delivered_marked, 0);
    tcp_test_close(t);
}
END_TEST

/* Segmentation clears CWR in all but the first: a train would tell two counts. */
START_TEST(what_carries_cwr_goes_by_itself)
{
    struct tcp_test *t = TCP_TEST(.peer = {.mss = 1460, .has_ts = true},
                                  .caps = {.mtu = 1500, .gso_max = 65535, .csum = true});

    peer_sends(t, with_ace(SYN(), 7));
    expect(t, SYNACK());
    peer_sends(t, with_ace(ACK(), 2));
    peer_sends(t, with_ace(ACK(.len = 1, .codepoint = CE), 5)); /* ACE is 6 now */
    ignore_sent(t);
    user_sends(t, 4 * MSS);
    for (int i = 0; i < 4; i++)
        ck_assert_uint_eq(ace_of(expect(t, ACK(.len = MSS))), 6);
    tcp_test_close(t);
}
END_TEST

START_TEST(marks_and_losses_of_one_round_trip_reduce_once) /* RFC 3168 6.1.2 */
{
    struct tcp_test *t = ten_sent(3);
    struct tcp_options opt = {.sack_count = 1};

    peer_sends(t, with_ace(ACK(.ack = 1 + 2 * MSS), 1));
    uint32_t ssthresh = info_of(t).ssthresh;
    opt.sack[0].left = t->iss + 1 + 3 * MSS;
    opt.sack[0].right = t->iss + 1 + 8 * MSS;
    peer_sends(t, with_ace(ACK(.ack = 1 + 2 * MSS, .opt = opt), 1));
    ck_assert_uint_eq(info_of(t).fast_retransmits, 1);
    ck_assert_uint_eq(info_of(t).ssthresh, ssthresh);
    tcp_test_close(t);
}
END_TEST

/* RFC 3168 6.1.2, RFC 5681 (4): eight of ten are acknowledged by the ACK that tells of a mark: half
 * of ten is what is left, not half of two. */
START_TEST(half_of_what_was_on_its_way_before_the_ack_is_left)
{
    struct tcp_test *t = ten_sent(3);
    struct tlsyn_conn_options options;

    tlsyn_conn_get_options(t->user.conn, &options);
    options.controller = "newreno";
    ck_assert_int_eq(tlsyn_conn_set_options(t->user.conn, &options), 0);
    peer_sends(t, with_ace(ACK(.ack = 1 + 8 * MSS), 1));
    ck_assert_uint_eq(info_of(t).ssthresh, 5 * MSS);
    tcp_test_close(t);
}
END_TEST

Suite *tcp_ecn_suite(void);
Suite *tcp_ecn_suite(void)
{
    Suite *suite = suite_create("tcp_ecn");
    TCase *open = tcase_create("negotiation"), *classic = tcase_create("classic"),
          *accurate = tcase_create("accurate");

    tcase_add_loop_test(open, a_listener_answers_what_the_syn_asks, 0, 32);
    tcase_add_loop_test(open, an_opener_takes_what_the_syn_ack_says, 0, 8);
    tcase_add_loop_test(open, who_asks_for_the_classic_one_gets_that_or_none, 0, 8);
    tcase_add_test(open, who_is_not_told_to_asks_for_nothing);
    tcase_add_test(open, a_repeated_syn_asks_for_nothing_and_ect_stays_off);
    tcase_add_test(open, a_listener_hears_that_the_repeated_syn_does_not_ask);
    tcase_add_loop_test(open, zeroed_or_mangled_bits_in_the_third_segment_end_ect, 0, 8);
    suite_add_tcase(suite, open);
    tcase_add_test(classic, half_of_what_was_on_its_way_before_the_ack_is_left);
    tcase_add_test(classic, ece_reduces_once_a_round_trip_and_cwr_says_so);
    tcase_add_test(classic, what_goes_again_goes_without_ect);
    tcase_add_test(classic, marked_text_is_echoed_until_cwr_comes);
    tcase_add_test(classic, marks_and_losses_of_one_round_trip_reduce_once);
    suite_add_tcase(suite, classic);
    tcase_add_test(accurate, ace_counts_marked_segments_and_goes_round);
    tcase_add_test(accurate, a_change_of_codepoint_is_told_at_once);
    tcase_add_test(accurate, the_peers_counter_reduces_once_a_round_trip);
    tcase_add_test(accurate, eight_marks_at_once_show_in_the_option);
    tcase_add_test(accurate, a_zeroed_option_is_not_believed);
    tcase_add_test(accurate, what_carries_cwr_goes_by_itself);
    suite_add_tcase(suite, accurate);
    return suite;
}
