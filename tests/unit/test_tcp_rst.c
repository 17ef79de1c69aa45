/*
 * Resets and what may be forged, in each synchronized state. Read first: RFC 9293 3.5.2, 3.10.7.4
 * "second", "fourth"; RFC 5961 3 to 5.
 */
#include <errno.h>

#include "support/peer.h"

/* Each state from ESTABLISHED on, reached by segments. */
static const enum tlsyn_state states[] = {TLSYN_ESTABLISHED, TLSYN_FIN_WAIT_1, TLSYN_FIN_WAIT_2,
                                          TLSYN_CLOSE_WAIT,  TLSYN_CLOSING,    TLSYN_LAST_ACK,
                                          TLSYN_TIME_WAIT};
#define STATES 7

static bool peer_ended(enum tlsyn_state state)
{
    return state == TLSYN_CLOSE_WAIT || state == TLSYN_CLOSING || state == TLSYN_LAST_ACK ||
           state == TLSYN_TIME_WAIT;
}

/* --- reset ------------------------------------------------------------------------------------ */

START_TEST(a_reset_with_the_exact_number_ends_the_connection) /* loop 7 */
{
    enum tlsyn_state state = states[_i];
    struct tcp_test *t = in_state(state, false);
    bool over = state == TLSYN_CLOSING || state == TLSYN_LAST_ACK || state == TLSYN_TIME_WAIT;

    peer_sends(t, RST());
    expect_nothing(t);
    ck_assert_int_eq(t->user.count[USER_CLOSED], 1);
    ck_assert_int_eq(t->user.error, over ? 0 : -ECONNRESET); /* MUST-12: told apart */
    expect_no_connection(t);
    tcp_test_close(t);
}
END_TEST

/* RFC 5961 3.2 (R5961-1, MAY-12) */
START_TEST(a_reset_elsewhere_in_the_window_is_challenged) /* loop 7 */
{
    struct tcp_test *t = in_state(states[_i], false);
    int64_t nxt = t->peer_nxt;

    peer_sends(t, RST(.seq = nxt + 1));
    expect(t, ACK(.ack = nxt));
    expect_nothing(t);
    ck_assert_uint_eq(t->tcp->demux.count, 1);
    ck_assert_uint_eq(counted(t, TLSYN_COUNT_tcp_challenge_acks), 1);
    tcp_test_close(t);
}
END_TEST

/* R5961-1 */
START_TEST(a_reset_outside_the_window_is_dropped) /* loop 7 */
{
    struct tcp_test *t = in_state(states[_i], false);

    peer_sends(t, RST(.seq = t->peer_nxt - 1));
    peer_sends(t, RST(.seq = t->peer_nxt + 10000000));
    expect_nothing(t);
    ck_assert_uint_eq(t->tcp->demux.count, 1);
    tcp_test_close(t);
}
END_TEST

/* SHLD-2 */
START_TEST(a_reset_may_carry_text)
{
    struct tcp_test *t = in_state(TLSYN_ESTABLISHED, false);

    peer_sends(t, RST(.seq = 1, .text = "why"));
    ck_assert_int_eq(t->user.error, -ECONNRESET);
    ck_assert_uint_eq(t->user.read, 0);
    tcp_test_close(t);
}
END_TEST

/* RFC 7323 5.2: a RST is taken without timestamp (R7323-PAWS2) */
START_TEST(a_reset_needs_no_timestamp)
{
    struct tcp_test *t = TCP_TEST(.peer = {.mss = 1460, .has_ts = true});

    opens_passively(t);
    peer_sends(t, RST(.no_options = true));
    ck_assert_int_eq(t->user.error, -ECONNRESET);
    tcp_test_close(t);
}
END_TEST

/* --- SYN -------------------------------------------------------------------------------------- */

/* RFC 5961 4.2 (TIME-WAIT has its own rule) (R5961-2) */
START_TEST(a_syn_is_challenged_whatever_its_number) /* loop 6 */
{
    struct tcp_test *t = in_state(states[_i], false);
    int64_t nxt = t->peer_nxt;

    peer_sends(t, SYN(.seq = nxt));
    expect(t, ACK(.ack = nxt));
    peer_sends(t, SYN(.seq = 0));
    expect(t, ACK(.ack = nxt));
    peer_sends(t, SYNACK(.seq = nxt + 5));
    expect(t, ACK(.ack = nxt));
    expect_nothing(t);
    ck_assert_uint_eq(t->tcp->demux.count, 1);
    tcp_test_close(t);
}
END_TEST

/* RFC 5961 7 (R5961-4) */
START_TEST(challenges_are_rate_limited)
{
    struct tlsyn_limits limits = default_limits();

    limits.challenge_per_second = 5;
    struct tcp_test *t = TCP_TEST(.limits = limits);
    opens_passively(t);
    for (int i = 0; i < 20; i++)
        peer_sends(t, SYN(.seq = 77));
    ck_assert_int_eq(ignore_sent(t), 5);
    tcp_test_close(t);
}
END_TEST

/* --- ACK -------------------------------------------------------------------------------------- */

/* RFC 9293 3.10.7.4, fifth; RFC 5961 5.2 (R5681-14, R5961-3) */
START_TEST(an_ack_of_what_was_never_sent_is_answered_and_its_text_ignored) /* loop 7 */
{
    struct tcp_test *t = in_state(states[_i], false);
    int64_t nxt = t->peer_nxt;

    peer_sends(t, ACK(.ack = 5000, .len = peer_ended(states[_i]) ? 0 : 10));
    expect(t, ACK(.ack = nxt));
    ck_assert_uint_eq(t->user.read, 0);
    peer_sends(t, ACK(.seq = nxt, .ack = -70000));
    expect(t, ACK(.ack = nxt));
    tcp_test_close(t);
}
END_TEST

START_TEST(a_segment_without_ack_is_dropped) /* loop 7 */
{
    struct tcp_test *t = in_state(states[_i], false);

    peer_sends(t, SEG(0, .len = 1));
    expect_nothing(t);
    ck_assert_uint_eq(t->user.read, 0);
    tcp_test_close(t);
}
END_TEST

/* RFC 9293 3.10.7.4, first */
START_TEST(a_segment_out_of_the_window_is_acknowledged_and_dropped) /* loop 7 */
{
    struct tcp_test *t = in_state(states[_i], false);
    int64_t nxt = t->peer_nxt;

    peer_sends(t, ACK(.seq = nxt - 1, .len = 1));
    expect(t, ACK(.ack = nxt));
    peer_sends(t, ACK(.seq = nxt + 10000000, .len = 5));
    expect(t, ACK(.ack = nxt));
    expect_nothing(t);
    ck_assert_uint_eq(dropped(t, TLSYN_DROP_tcp_out_of_window), 2);
    tcp_test_close(t);
}
END_TEST

/* --- our resets ------------------------------------------------------------------------------- */

/* RFC 9293 3.10.5 */
START_TEST(an_abort_resets_unless_both_streams_had_ended) /* loop 6 */
{
    enum tlsyn_state state = states[_i];
    struct tcp_test *t = in_state(state, false);

    user_acts(&t->user, USER_ABORTS);
    ck_assert_int_eq(t->user.count[USER_CLOSED], 1);
    ck_assert_int_eq(t->user.error, -ECANCELED);
    flush(t);
    if (state != TLSYN_CLOSING && state != TLSYN_LAST_ACK)
        expect(t, RSTACK());
    expect_nothing(t);
    expect_no_connection(t);
    tcp_test_close(t);
}
END_TEST

Suite *tcp_rst_suite(void);

Suite *tcp_rst_suite(void)
{
    Suite *s = suite_create("tcp_rst");
    TCase *reset = tcase_create("reset");
    TCase *SYN = tcase_create("SYN");
    TCase *ACK = tcase_create("ACK");
    TCase *our_resets = tcase_create("our resets");

    tcase_add_loop_test(reset, a_reset_with_the_exact_number_ends_the_connection, 0, 7);
    tcase_add_loop_test(reset, a_reset_elsewhere_in_the_window_is_challenged, 0, 7);
    tcase_add_loop_test(reset, a_reset_outside_the_window_is_dropped, 0, 7);
    tcase_add_test(reset, a_reset_may_carry_text);
    tcase_add_test(reset, a_reset_needs_no_timestamp);
    suite_add_tcase(s, reset);
    tcase_add_loop_test(SYN, a_syn_is_challenged_whatever_its_number, 0, 6);
    tcase_add_test(SYN, challenges_are_rate_limited);
    suite_add_tcase(s, SYN);
    tcase_add_loop_test(ACK, an_ack_of_what_was_never_sent_is_answered_and_its_text_ignored, 0, 7);
    tcase_add_loop_test(ACK, a_segment_without_ack_is_dropped, 0, 7);
    tcase_add_loop_test(ACK, a_segment_out_of_the_window_is_acknowledged_and_dropped, 0, 7);
    suite_add_tcase(s, ACK);
    tcase_add_loop_test(our_resets, an_abort_resets_unless_both_streams_had_ended, 0, 6);
    suite_add_tcase(s, our_resets);
    return s;
}
