/*
 * Events in the states before a connection is there, CLOSED, LISTEN and SYN-SENT (RFC 9293 3.10.7.1
 * to 3.10.7.3), one test per kind of segment; and the user's calls by state (3.10.2 to 3.10.4).
 * Later states: test_rfc9293_3_10_7_4.c.
 */
#include <errno.h>

#include "support/peer.h"

#define NONE                                                                                       \
    {                                                                                              \
        .flags = 0xff                                                                              \
    }

struct row {
    struct seg arrives, answer; /* answer NONE: silence */
    enum tlsyn_state after;     /* of our only connection; CLOSED: there is none */
    const char *what;
};

static void expect_row(struct tcp_test *t, const struct row *row)
{
    enum tlsyn_state state = TLSYN_CLOSED;

    peer_sends(t, row->arrives);
    if (row->answer.flags != 0xff)
        expect(t, row->answer);
    expect_nothing(t);
    if (!list_empty(&t->tcp->all))
        state = container_of(t->tcp->all.next, struct tlsyn_conn, all)->state;
    ck_assert_msg(state == row->after, "%s: %s", row->what, tlsyn_state_name(state));
}

/* --- 3.10.7.1 CLOSED -------------------------------------------------------------------------- */

/* "An incoming segment not containing a RST causes a RST": its numbers make it acceptable to who
 * sent that. */
START_TEST(a_segment_to_nobody_is_reset_by_its_own_numbers) /* loop: the rows */
{
    const struct row rows[] = {
        {SYN(), RSTACK(.seq = 0, .ack = 1), TLSYN_CLOSED, "a SYN"},
        {SYN(.len = 5), RSTACK(.seq = 0, .ack = 6), TLSYN_CLOSED, "a SYN with text"},
        {SEG(TCP_SYN | TCP_FIN, .len = 5), RSTACK(.seq = 0, .ack = 7), TLSYN_CLOSED, "and FIN"},
        {SEG(0, .seq = 9, .len = 5), RSTACK(.seq = 0, .ack = 14), TLSYN_CLOSED, "text, no flag"},
        {SEG(TCP_FIN, .seq = 9), RSTACK(.seq = 0, .ack = 10), TLSYN_CLOSED, "a FIN, no ACK"},
        {ACK(.seq = 9, .ack = 77), RST(.seq = 77), TLSYN_CLOSED, "an ACK"},
        {ACK(.seq = 9, .ack = 77, .len = 5), RST(.seq = 77), TLSYN_CLOSED, "an ACK with text"},
        {SYNACK(.ack = 77), RST(.seq = 77), TLSYN_CLOSED, "a SYN-ACK"},
        {FIN(.seq = 9, .ack = 77), RST(.seq = 77), TLSYN_CLOSED, "a FIN with ACK"},
        {RST(.seq = 9), NONE, TLSYN_CLOSED, "a RST"},
        {RSTACK(.seq = 9, .ack = 77), NONE, TLSYN_CLOSED, "a RST with ACK"},
        {SEG(TCP_RST | TCP_SYN), NONE, TLSYN_CLOSED, "a RST with SYN"},
    };
    struct tcp_test *t = TCP_TEST(0);

    tlsyn_listener_close(t->listener);
    t->iss = 0; /* ours has none: the numbers as they are */
    expect_row(t, &rows[_i]);
    tcp_test_close(t);
}
END_TEST

/* --- 3.10.7.2 LISTEN -------------------------------------------------------------------------- */

/* "first check for a RST; second check for an ACK; third check for a SYN"; everything else is
 * dropped. */
START_TEST(a_listener_takes_a_syn_resets_an_ack_and_drops_the_rest) /* loop: the rows */
{
    const struct row rows[] = {
        {RST(), NONE, TLSYN_CLOSED, "a RST"},
        {RSTACK(.ack = 77), NONE, TLSYN_CLOSED, "a RST with ACK"},
        {SEG(TCP_RST | TCP_SYN), NONE, TLSYN_CLOSED, "a RST with SYN"},
        {ACK(.ack = 77), RST(.seq = 77), TLSYN_CLOSED, "an ACK"},
        {ACK(.ack = 77, .len = 5), RST(.seq = 77), TLSYN_CLOSED, "an ACK with text"},
        {SYNACK(.ack = 77), RST(.seq = 77), TLSYN_CLOSED, "a SYN-ACK"},
        {FIN(.ack = 77), RST(.seq = 77), TLSYN_CLOSED, "a FIN with ACK"},
        {SYN(), SYNACK(.seq = 0, .ack = 1), TLSYN_SYN_RECEIVED, "a SYN"},
        {SYN(.len = 5), SYNACK(.seq = 0, .ack = 1), TLSYN_SYN_RECEIVED, "a SYN with text"},
        {SEG(TCP_SYN | TCP_URG, .urg = 3), SYNACK(.seq = 0, .ack = 1), TLSYN_SYN_RECEIVED,
         "a SYN with URG"},
        {SYN(.wnd = 0), SYNACK(.seq = 0, .ack = 1), TLSYN_SYN_RECEIVED, "a SYN without window"},
        {SEG(0, .len = 5), NONE, TLSYN_CLOSED, "text, no flag"},
        {SEG(TCP_FIN), NONE, TLSYN_CLOSED, "a FIN, no ACK"},
        {SEG(TCP_URG, .urg = 1, .len = 1), NONE, TLSYN_CLOSED, "URG alone"},
    };
    struct tcp_test *t = TCP_TEST(0);

    t->iss = 0;
    expect_row(t, &rows[_i]);
    tcp_test_close(t);
}
END_TEST

/* --- 3.10.7.3 SYN-SENT ------------------------------------------------------------------------ */

/* "first, check the ACK bit; second, the RST bit; fourth, the SYN bit; fifth, if neither: drop".
 * MUST-10, MUST-11 */
START_TEST(an_opener_wants_its_syn_acknowledged_and_the_peers) /* loop: the rows */
{
    const struct row rows[] = {
        {ACK(.seq = 5, .ack = 0), RST(.seq = 0), TLSYN_SYN_SENT, "an ACK of ISS"},
        {ACK(.seq = 5, .ack = 2), RST(.seq = 2), TLSYN_SYN_SENT, "an ACK of what was not sent"},
        {ACK(.seq = 5, .ack = -70000), RST(.seq = -70000), TLSYN_SYN_SENT, "an old ACK"},
        {SYNACK(.ack = 0), RST(.seq = 0), TLSYN_SYN_SENT, "a SYN-ACK of ISS"},
        {SYNACK(.ack = 2), RST(.seq = 2), TLSYN_SYN_SENT, "a SYN-ACK of what was not sent"},
        {RSTACK(.ack = 0), NONE, TLSYN_SYN_SENT, "a RST with an ACK of ISS"},
        {RSTACK(.ack = 2), NONE, TLSYN_SYN_SENT, "a RST with an ACK of what was not sent"},
        {RST(.seq = 1), NONE, TLSYN_SYN_SENT, "a RST without ACK"},
        {RSTACK(.ack = 1), NONE, TLSYN_CLOSED, "connection refused"},
        {SEG(TCP_RST | TCP_SYN | TCP_ACK, .ack = 1), NONE, TLSYN_CLOSED, "the same with SYN"},
        {SYNACK(.ack = 1), ACK(.seq = 1, .ack = 1), TLSYN_ESTABLISHED, "the SYN-ACK"},
        {SYNACK(.ack = 1, .len = 5), ACK(.seq = 1, .ack = 6), TLSYN_ESTABLISHED, "with text"},
        {SEG(TCP_SYN | TCP_ACK | TCP_FIN, .ack = 1), ACK(.seq = 1, .ack = 2), TLSYN_CLOSE_WAIT,
         "with FIN"},
        {SYN(), SYNACK(.seq = 0, .ack = 1), TLSYN_SYN_RECEIVED, "a crossing SYN"},
        {SYN(.len = 5), SYNACK(.seq = 0, .ack = 1), TLSYN_SYN_RECEIVED, "with text"},
        {ACK(.seq = 5, .ack = 1), NONE, TLSYN_SYN_SENT, "an acceptable ACK alone"},
        {SEG(0, .seq = 5, .len = 5), NONE, TLSYN_SYN_SENT, "text, no flag"},
        {SEG(TCP_FIN, .seq = 5), NONE, TLSYN_SYN_SENT, "a FIN, no ACK"},
        {FIN(.seq = 5, .ack = 1), NONE, TLSYN_SYN_SENT, "a FIN with ACK"},
    };
    struct tcp_test *t = TCP_TEST(0);

    ck_assert_int_eq(user_connects(t), 0);
    expect(t, SYN(.seq = 0));
    expect_row(t, &rows[_i]);
    ck_assert_int_eq(t->user.count[USER_CLOSED], rows[_i].after == TLSYN_CLOSED);
    if (rows[_i].after == TLSYN_CLOSED)
        ck_assert_int_eq(t->user.error, -ECONNREFUSED);
    tcp_test_close(t);
}
END_TEST

/* --- 3.10.2 SEND, 3.10.4 CLOSE ---------------------------------------------------------------- */

static const enum tlsyn_state later[] = {TLSYN_ESTABLISHED, TLSYN_FIN_WAIT_1, TLSYN_FIN_WAIT_2,
                                         TLSYN_CLOSE_WAIT,  TLSYN_CLOSING,    TLSYN_LAST_ACK};
#define LATER 6

/* "connection closing": behind our FIN nothing can be sent; before it, in CLOSE-WAIT too. */
START_TEST(send_is_refused_behind_a_close) /* loop: the state */
{
    struct tcp_test *t = in_state(later[_i], false);
    bool open = later[_i] == TLSYN_ESTABLISHED || later[_i] == TLSYN_CLOSE_WAIT;
    ssize_t wrote = tlsyn_conn_write(t->user.conn, "text", 4);

    ck_assert_int_eq(wrote, open ? 4 : -EPIPE);
    flush(t);
    if (open)
        expect(t, ACK(.seq = 1, .text = "text"));
    expect_nothing(t);
    tcp_test_close(t);
}
END_TEST

/* FIN leaves once: FIN-WAIT-1 from ESTABLISHED, LAST-ACK from CLOSE-WAIT. A second CLOSE changes
 * nothing. */
START_TEST(close_sends_one_fin) /* loop: the state */
{
    static const enum tlsyn_state after[LATER] = {TLSYN_FIN_WAIT_1, TLSYN_FIN_WAIT_1,
                                                  TLSYN_FIN_WAIT_2, TLSYN_LAST_ACK,
                                                  TLSYN_CLOSING,    TLSYN_LAST_ACK};
    struct tcp_test *t = in_state(later[_i], false);

    for (int i = 0; i < 2; i++) {
        tlsyn_conn_close(t->user.conn);
        flush(t);
    }
    if (after[_i] != later[_i])
        expect(t, FIN(.seq = 1));
    expect_nothing(t);
    expect_state(t, after[_i]);
    tcp_test_close(t);
}
END_TEST

/* 3.10.3 RECEIVE: what came before the peer's FIN is read to its end in any of the states behind
 * it; then the end shows. */
START_TEST(receive_works_to_the_end_of_the_stream) /* loop: the state */
{
    struct tcp_test *t = in_state(later[_i], false);
    bool ended =
        later[_i] == TLSYN_CLOSE_WAIT || later[_i] == TLSYN_CLOSING || later[_i] == TLSYN_LAST_ACK;

    peer_sends(t, ACK(.len = 5));
    ck_assert_uint_eq(t->user.read, ended ? 0 : 5);
    ck_assert(tlsyn_conn_ended(t->user.conn) == ended);
    tcp_test_close(t);
}
END_TEST

Suite *rfc9293_3_10_suite(void);

Suite *rfc9293_3_10_suite(void)
{
    Suite *s = suite_create("rfc9293_3_10");
    TCase *segments = tcase_create("segments"), *calls = tcase_create("calls");

    tcase_add_loop_test(segments, a_segment_to_nobody_is_reset_by_its_own_numbers, 0, 12);
    tcase_add_loop_test(segments, a_listener_takes_a_syn_resets_an_ack_and_drops_the_rest, 0, 14);
    tcase_add_loop_test(segments, an_opener_wants_its_syn_acknowledged_and_the_peers, 0, 19);
    suite_add_tcase(s, segments);
    tcase_add_loop_test(calls, send_is_refused_behind_a_close, 0, LATER);
    tcase_add_loop_test(calls, close_sends_one_fin, 0, LATER);
    tcase_add_loop_test(calls, receive_works_to_the_end_of_the_stream, 0, LATER);
    suite_add_tcase(s, calls);
    return s;
}
