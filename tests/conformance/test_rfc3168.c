/*
 * The older ECN: one bit of feedback a round trip. Read first: RFC 3168 6.1.
 */
#include "support/flight.h"

#define MSS 1460
#define ECT 2
#define CE  3

static struct tcp_test *classic(void)
{
    struct tcp_test *t = TCP_TEST(.peer = {.mss = MSS});

    opens_with_ace(t, 3);
    return t;
}

static void text_arrives(struct tcp_test *t, uint8_t codepoint, unsigned flags)
{
    struct seg seg = with_ace(ACK(.len = 10), flags);

    seg.codepoint = codepoint;
    peer_sends(t, seg);
    advance(t, TLSYN_MS(100));
}

/* Is ECE in the next ACK? */
static bool echoed(struct tcp_test *t)
{
    return ace_of(expect(t, ACK())) & 1;
}

/* 6.1.1 (R3168-1) */
START_TEST(the_answer_to_an_ecn_setup_syn_is_ece_alone)
{
    struct tcp_test *t = TCP_TEST(0);

    peer_sends(t, with_ace(SYN(), 3));
    const struct wire_tcp *synack = expect(t, SYNACK());
    ck_assert_uint_eq(ace_of(synack), 1);
    ck_assert_uint_eq(synack->codepoint, 0); /* 6.1.1: no ECT on a SYN-ACK */
    tcp_test_close(t);
}
END_TEST

/* 6.1.1: an opener that was not answered so is not ECN-capable (R3168-1) */
START_TEST(bits_without_an_agreement_mean_nothing)
{
    struct tcp_test *t = TCP_TEST(0);

    opens_passively(t);
    text_arrives(t, CE, 1);
    ck_assert(!echoed(t));
    ten_leave(t);
    uint32_t cwnd = info_of(t).cwnd;
    peer_sends(t, with_ace(ACK(.ack = 1 + 2 * MSS), 1));
    ck_assert_uint_ge(info_of(t).cwnd, cwnd);
    ck_assert_uint_eq(expect(t, ACK(.len = MSS))->codepoint, 0);
    ignore_sent(t);
    tcp_test_close(t);
}
END_TEST

/* 6.1.2 (R3168-2) */
START_TEST(new_text_is_ect_and_an_ack_is_not)
{
    struct tcp_test *t = classic();

    user_sends(t, 100);
    ck_assert_uint_eq(expect(t, ACK(.len = 100))->codepoint, ECT);
    text_arrives(t, ECT, 0);
    ck_assert_uint_eq(expect(t, ACK(.len = 0))->codepoint, 0); /* 6.1.4 */
    tcp_test_close(t);
}
END_TEST

/* 6.1.6 (R3168-2) */
START_TEST(a_probe_of_a_shut_window_is_not_ect)
{
    struct tcp_test *t = classic();

    peer_sends(t, ACK(.wnd = 0));
    user_sends(t, 100);
    expect_nothing(t);
    advance(t, TLSYN_SECONDS(3));
    ck_assert_uint_eq(expect(t, ACK(.seq = 1, .len = 1))->codepoint, 0);
    ignore_sent(t);
    tcp_test_close(t);
}
END_TEST

/* 6.1.3 (R3168-3) */
START_TEST(a_mark_is_echoed_in_every_ack_until_cwr)
{
    struct tcp_test *t = classic();

    text_arrives(t, CE, 0);
    ck_assert(echoed(t));
    for (int i = 0; i < 5; i++) {
        text_arrives(t, ECT, 0);
        ck_assert(echoed(t));
    }
    text_arrives(t, ECT, 2);
    ck_assert(!echoed(t));
    tcp_test_close(t);
}
END_TEST

/* 6.1.3: a mark in what carries CWR is a new one (R3168-3) */
START_TEST(a_mark_beside_cwr_is_echoed_anew)
{
    struct tcp_test *t = classic();

    text_arrives(t, CE, 0);
    ck_assert(echoed(t));
    text_arrives(t, CE, 2);
    ck_assert(echoed(t));
    tcp_test_close(t);
}
END_TEST

/* 6.1.5: of text outside of the window nothing is heeded */
START_TEST(a_mark_outside_of_the_window_is_not_echoed)
{
    struct tcp_test *t = classic();
    struct seg old = ACK(.seq = 1, .len = 10, .codepoint = CE);

    text_arrives(t, ECT, 0);
    ignore_sent(t);
    peer_sends(t, old);
    ck_assert(!echoed(t));
    ck_assert_uint_eq(info_of(t).marked, 0);
    tcp_test_close(t);
}
END_TEST

/* 6.1.4: an ACK of the peer's is not text */
START_TEST(a_mark_of_an_ack_is_not_echoed)
{
    struct tcp_test *t = classic();

    peer_sends(t, ACK(.codepoint = CE));
    text_arrives(t, ECT, 0);
    ck_assert(!echoed(t));
    tcp_test_close(t);
}
END_TEST

/* 6.1.2 (R3168-3) */
START_TEST(an_echo_halves_nothing_twice_in_a_round_trip)
{
    struct tcp_test *t = classic();

    ten_leave(t);
    for (int i = 1; i <= 5; i++) {
        peer_sends(t, with_ace(ACK(.ack = 1 + i * MSS), 1));
        ck_assert_uint_ge(info_of(t).cwnd, 5 * MSS);
    }
    ignore_sent(t);
    tcp_test_close(t);
}
END_TEST

/* 6.1.2 (R3168-3) */
START_TEST(cwr_is_said_once_and_on_new_text)
{
    struct tcp_test *t = classic();
    int said = 0;

    ten_leave(t);
    for (int i = 1; i <= 10; i++)
        peer_sends(t, with_ace(ACK(.ack = 1 + i * MSS), 1));
    while (t->sent_first < t->sent_end) {
        unsigned cwr = ace_of(&t->sent[t->sent_first].segment) & 2;
        if (cwr)
            ck_assert_int_ge(seq_diff(t->sent[t->sent_first].segment.seq, t->iss), 1 + 10 * MSS);
        said += cwr != 0;
        expect(t, ACK(.len = MSS));
    }
    ck_assert_int_eq(said, 1);
    tcp_test_close(t);
}
END_TEST

/* 6.1.2: in place of a loss, so the window shrinks as for one, and nothing goes again */
START_TEST(an_echo_makes_nothing_go_again)
{
    struct tcp_test *t = classic();

    ten_leave(t);
    peer_sends(t, with_ace(ACK(.ack = 1 + 5 * MSS), 1));
    ck_assert_uint_lt(info_of(t).cwnd, 10 * MSS);
    ck_assert_uint_eq(info_of(t).retransmits, 0);
    while (t->sent_first < t->sent_end)
        ck_assert_int_ge(seq_diff(expect(t, ACK(.len = MSS))->seq, t->iss), 1 + 10 * MSS);
    tcp_test_close(t);
}
END_TEST

Suite *rfc3168_suite(void);
Suite *rfc3168_suite(void)
{
    Suite *suite = suite_create("rfc3168");
    TCase *tcase = tcase_create("classic");

    tcase_add_test(tcase, the_answer_to_an_ecn_setup_syn_is_ece_alone);
    tcase_add_test(tcase, bits_without_an_agreement_mean_nothing);
    tcase_add_test(tcase, new_text_is_ect_and_an_ack_is_not);
    tcase_add_test(tcase, a_probe_of_a_shut_window_is_not_ect);
    tcase_add_test(tcase, a_mark_is_echoed_in_every_ack_until_cwr);
    tcase_add_test(tcase, a_mark_beside_cwr_is_echoed_anew);
    tcase_add_test(tcase, a_mark_outside_of_the_window_is_not_echoed);
    tcase_add_test(tcase, a_mark_of_an_ack_is_not_echoed);
    tcase_add_test(tcase, an_echo_halves_nothing_twice_in_a_round_trip);
    tcase_add_test(tcase, cwr_is_said_once_and_on_new_text);
    tcase_add_test(tcase, an_echo_makes_nothing_go_again);
    suite_add_tcase(suite, tcase);
    return suite;
}
