/*
 * State SYN-RECEIVED, reached from LISTEN. Read first: RFC 9293 3.10.7.4, RFC 6298 5.7.
 */
#include <errno.h>

#include "support/peer.h"

static struct tcp_test *half_open(void)
{
    struct tcp_test *t = TCP_TEST(0);

    peer_sends(t, SYN());
    expect(t, SYNACK(.ack = 1));
    return t;
}

/* --- segments --------------------------------------------------------------------------------- */

START_TEST(the_first_text_may_come_with_the_ack)
{
    struct tcp_test *t = half_open();

    peer_sends(t, ACK(.seq = 1, .ack = 1, .len = 10));
    ck_assert_int_eq(t->user.count[USER_ESTABLISHED], 1);
    ck_assert_uint_eq(t->user.read, 10);
    tcp_test_close(t);
}
END_TEST

START_TEST(a_fin_may_come_with_the_ack)
{
    struct tcp_test *t = half_open();

    peer_sends(t, FIN(.seq = 1, .ack = 1, .len = 10));
    expect(t, ACK(.ack = 12));
    expect_state(t, TLSYN_CLOSE_WAIT);
    ck_assert(t->user.ended);
    tcp_test_close(t);
}
END_TEST

START_TEST(an_unacceptable_ack_is_reset)
{
    struct tcp_test *t = half_open();

    peer_sends(t, ACK(.seq = 1, .ack = 2));
    expect(t, RST(.seq = 2));
    peer_sends(t, ACK(.seq = 1, .ack = 0));
    expect(t, RST(.seq = 0));
    ck_assert_uint_eq(t->tcp->half_open, 1);
    tcp_test_close(t);
}
END_TEST

/* R5961-5 */
START_TEST(a_reset_returns_to_listen)
{
    struct tcp_test *t = half_open();

    peer_sends(t, RST(.seq = 1));
    expect_nothing(t);
    expect_no_connection(t);
    ck_assert_int_eq(t->user.count[USER_ACCEPT], 0);
    tcp_test_close(t);
}
END_TEST

START_TEST(a_segment_without_ack_is_dropped)
{
    struct tcp_test *t = half_open();

    peer_sends(t, SEG(0, .seq = 1, .len = 10));
    expect_nothing(t);
    ck_assert_uint_eq(dropped(t, TLSYN_DROP_tcp_no_ack), 1);
    tcp_test_close(t);
}
END_TEST

/* RFC 9293 3.10.7.4, fourth: from a passive open, back to LISTEN */
START_TEST(another_syn_in_the_window_begins_anew)
{
    struct tcp_test *t = half_open();

    peer_sends(t, SYN(.seq = 1000));
    expect_nothing(t);
    expect_no_connection(t);
    peer_sends(t, SYN(.seq = 1000));
    expect(t, SYNACK(.ack = 1001));
    tcp_test_close(t);
}
END_TEST

/* --- loss ------------------------------------------------------------------------------------- */

START_TEST(the_syn_again_brings_the_syn_ack_again)
{
    struct tcp_test *t = half_open();
    tcp_seq iss = t->iss;

    peer_sends(t, SYN(.seq = 0));
    expect(t, SYNACK(.seq = 0, .ack = 1));
    ck_assert_uint_eq(t->iss, iss);
    ck_assert_uint_eq(t->tcp->half_open, 1);
    tcp_test_close(t);
}
END_TEST

START_TEST(the_syn_ack_is_repeated_and_given_up_at_last)
{
    struct tcp_test *t = half_open();

    advance(t, TLSYN_MS(1001));
    expect(t, SYNACK(.seq = 0, .ack = 1));
    advance(t, TLSYN_MS(2001));
    expect(t, SYNACK(.seq = 0, .ack = 1));
    advance(t, TLSYN_SECONDS(600));
    ignore_sent(t);
    expect_no_connection(t);
    ck_assert_int_eq(t->user.count[USER_ACCEPT], 0);
    tcp_test_close(t);
}
END_TEST

/* --- the acceptor ----------------------------------------------------------------------------- */

START_TEST(an_acceptor_that_refuses_resets)
{
    struct tcp_test *t = half_open();

    t->user.refuses = true;
    peer_sends(t, ACK());
    expect(t, RSTACK(.seq = 1, .ack = 1));
    expect_nothing(t);
    expect_no_connection(t);
    ck_assert_int_eq(t->user.count[USER_CLOSED], 0);
    tcp_test_close(t);
}
END_TEST

START_TEST(an_acceptor_that_aborts_is_told_once)
{
    struct tcp_test *t = half_open();

    t->user.plan[USER_ACCEPT].act = USER_ABORTS;
    peer_sends(t, ACK());
    expect(t, RSTACK());
    ck_assert_int_eq(t->user.count[USER_CLOSED], 1);
    ck_assert_int_eq(t->user.error, -ECANCELED);
    ck_assert_int_eq(t->user.count[USER_ESTABLISHED], 0);
    expect_no_connection(t);
    tcp_test_close(t);
}
END_TEST

Suite *tcp_syn_received_suite(void);

Suite *tcp_syn_received_suite(void)
{
    Suite *s = suite_create("tcp_syn_received");
    TCase *segments = tcase_create("segments");
    TCase *loss = tcase_create("loss");
    TCase *the_acceptor = tcase_create("the acceptor");

    tcase_add_test(segments, the_first_text_may_come_with_the_ack);
    tcase_add_test(segments, a_fin_may_come_with_the_ack);
    tcase_add_test(segments, an_unacceptable_ack_is_reset);
    tcase_add_test(segments, a_reset_returns_to_listen);
    tcase_add_test(segments, a_segment_without_ack_is_dropped);
    tcase_add_test(segments, another_syn_in_the_window_begins_anew);
    suite_add_tcase(s, segments);
    tcase_add_test(loss, the_syn_again_brings_the_syn_ack_again);
    tcase_add_test(loss, the_syn_ack_is_repeated_and_given_up_at_last);
    suite_add_tcase(s, loss);
    tcase_add_test(the_acceptor, an_acceptor_that_refuses_resets);
    tcase_add_test(the_acceptor, an_acceptor_that_aborts_is_told_once);
    suite_add_tcase(s, the_acceptor);
    return s;
}
