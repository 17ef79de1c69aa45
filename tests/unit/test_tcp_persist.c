/*
 * Zero-window probes. Read first: RFC 9293 3.8.6.1.
 */
#include <errno.h>

#include "support/peer.h"

/* 1000 bytes were acknowledged by an ACK that closes the window; 4000 are waiting; the RTT is 10
 * ms. */
static struct tcp_test *stopped(void)
{
    struct tcp_test *t = TCP_TEST(.conn = {.user_timeout = TLSYN_SECONDS(30)});

    opens_passively(t);
    user_sends(t, 1000);
    advance(t, TLSYN_MS(10));
    peer_takes_all(t);
    peer_sends(t, ACK(.wnd = 0));
    user_sends(t, 4000);
    expect_nothing(t);
    return t;
}

/* --- probes ----------------------------------------------------------------------------------- */

/* MUST-36, SHLD-29, SHLD-30 */
START_TEST(the_first_probe_comes_after_an_rto_the_next_ones_later_and_later)
{
    struct tcp_test *t = stopped();
    tlsyn_time at = t->now, gap = 0;

    for (int i = 0; i < 5; i++) {
        while (t->sent_first == t->sent_end)
            advance(t, TLSYN_MS(1));
        expect(t, ACK(.seq = 1001, .len = 1));
        ck_assert_int_ge(t->last.at - at, gap * 19 / 10);
        gap = t->last.at - at;
        at = t->last.at;
        t->peer_rcv = 1001;
        peer_sends(t, ACK(.ack = 1001, .wnd = 0));
    }
    ck_assert_uint_eq(counted(t, TLSYN_COUNT_tcp_zero_window_probes), 5);
    tcp_test_close(t);
}
END_TEST

START_TEST(an_opened_window_lets_everything_go)
{
    struct tcp_test *t = stopped();

    advance(t, TLSYN_MS(300));
    expect(t, ACK(.seq = 1001, .len = 1));
    peer_sends(t, ACK(.ack = 1001, .wnd = 10000)); /* the probe was not taken */
    expect(t, ACK(.seq = 1001, .len = 1460));
    expect(t, ACK(.seq = 2461, .len = 1460));
    expect(t, ACK(.seq = 3921, .len = 1080));
    expect_nothing(t);
    tcp_test_close(t);
}
END_TEST

START_TEST(a_probe_that_is_taken_counts)
{
    struct tcp_test *t = stopped();

    advance(t, TLSYN_MS(300));
    expect(t, ACK(.seq = 1001, .len = 1));
    peer_sends(t, ACK(.ack = 1002, .wnd = 0));
    advance(t, TLSYN_MS(300));
    expect(t, ACK(.seq = 1002, .len = 1));
    tcp_test_close(t);
}
END_TEST

/* MUST-37 */
START_TEST(a_peer_that_answers_probes_keeps_the_connection_for_ever)
{
    struct tcp_test *t = stopped();

    for (int i = 0; i < 3000; i++) {
        advance(t, TLSYN_MS(500));
        if (ignore_sent(t))
            peer_sends(t, ACK(.ack = 1001, .wnd = 0));
    }
    expect_state(t, TLSYN_ESTABLISHED);
    peer_sends(t, ACK(.ack = 1001, .wnd = 10000));
    ck_assert_int_eq(peer_takes_all(t), 3);
    tcp_test_close(t);
}
END_TEST

START_TEST(a_peer_that_is_silent_is_given_up)
{
    struct tcp_test *t = stopped();

    advance(t, TLSYN_SECONDS(200));
    ck_assert_int_eq(t->user.error, -ETIMEDOUT);
    ck_assert_int_eq(t->user.count[USER_CLOSED], 1);
    ignore_sent(t);
    tcp_test_close(t);
}
END_TEST

/* MUST-35, SHLD-17 */
START_TEST(a_window_shrunk_to_zero_under_way_is_probed)
{
    struct tcp_test *t = TCP_TEST(.conn = {.user_timeout = TLSYN_SECONDS(30)});

    opens_passively(t);
    user_sends(t, 1000);
    expect(t, ACK(.seq = 1, .len = 1000));
    peer_sends(t, ACK(.ack = 1, .wnd = 0)); /* nothing taken, and no room any more */
    for (int i = 0; i < 600; i++) {
        advance(t, TLSYN_MS(500));
        if (ignore_sent(t))
            peer_sends(t, ACK(.ack = 1, .wnd = 0));
    }
    expect_state(t, TLSYN_ESTABLISHED);
    ck_assert_uint_ge(counted(t, TLSYN_COUNT_tcp_zero_window_probes), 5);
    peer_sends(t, ACK(.ack = 1, .wnd = 2000));
    expect(t, ACK(.seq = 1, .len = 1000));
    tcp_test_close(t);
}
END_TEST

START_TEST(a_fin_alone_is_probed_too)
{
    struct tcp_test *t = TCP_TEST(0);

    opens_passively(t);
    peer_sends(t, ACK(.wnd = 0));
    user_acts(&t->user, USER_CLOSES);
    flush(t);
    advance(t, TLSYN_SECONDS(2));
    expect(t, FIN(.seq = 1));
    ignore_sent(t);
    peer_sends(t, ACK(.ack = 2, .wnd = 0));
    expect_state(t, TLSYN_FIN_WAIT_2);
    tcp_test_close(t);
}
END_TEST

START_TEST(probing_ends_when_all_is_acknowledged)
{
    struct tcp_test *t = TCP_TEST(.conn = {.user_timeout = TLSYN_SECONDS(30)});

    opens_passively(t);
    peer_sends(t, ACK(.wnd = 0));
    user_sends(t, 1);
    advance(t, TLSYN_SECONDS(2));
    expect(t, ACK(.seq = 1, .len = 1));
    ignore_sent(t);
    peer_sends(t, ACK(.ack = 2, .wnd = 0));
    advance(t, TLSYN_SECONDS(1000));
    expect_nothing(t);
    expect_state(t, TLSYN_ESTABLISHED);
    tcp_test_close(t);
}
END_TEST

Suite *tcp_persist_suite(void);

Suite *tcp_persist_suite(void)
{
    Suite *s = suite_create("tcp_persist");
    TCase *probes = tcase_create("probes");

    tcase_add_test(probes, the_first_probe_comes_after_an_rto_the_next_ones_later_and_later);
    tcase_add_test(probes, an_opened_window_lets_everything_go);
    tcase_add_test(probes, a_probe_that_is_taken_counts);
    tcase_add_test(probes, a_peer_that_answers_probes_keeps_the_connection_for_ever);
    tcase_add_test(probes, a_peer_that_is_silent_is_given_up);
    tcase_add_test(probes, a_window_shrunk_to_zero_under_way_is_probed);
    tcase_add_test(probes, a_fin_alone_is_probed_too);
    tcase_add_test(probes, probing_ends_when_all_is_acknowledged);
    suite_add_tcase(s, probes);
    return s;
}
