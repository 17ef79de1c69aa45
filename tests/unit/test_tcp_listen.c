/*
 * State LISTEN. Read first: RFC 9293 3.10.7.2 and 3.10.7.1.
 */
#include <errno.h>

#include "support/peer.h"

/* --- segments for a listener ------------------------------------------------------------------ */

/* RFC 9293 3.5 figure 6 */
START_TEST(a_syn_is_answered_and_the_ack_makes_a_connection)
{
    struct tcp_test *t = TCP_TEST(0);

    peer_sends(t, SYN());
    ck_assert_int_eq(t->user.count[USER_ACCEPT], 0);
    const struct wire_tcp *synack = expect(t, SYNACK(.seq = 0, .ack = 1));
    ck_assert_uint_eq(synack->options.mss, 1460);
    peer_sends(t, ACK());
    expect_nothing(t);
    expect_state(t, TLSYN_ESTABLISHED);
    ck_assert_uint_eq(counted(t, TLSYN_COUNT_tcp_passive_opens), 1);
    tcp_test_close(t);
}
END_TEST

START_TEST(a_reset_is_ignored)
{
    struct tcp_test *t = TCP_TEST(0);

    peer_sends(t, RST(.seq = 0));
    expect_nothing(t);
    ck_assert_uint_eq(dropped(t, TLSYN_DROP_tcp_rst_invalid), 1);
    tcp_test_close(t);
}
END_TEST

START_TEST(an_ack_is_answered_with_a_reset_of_its_number)
{
    struct tcp_test *t = TCP_TEST(0);

    peer_sends(t, ACK(.seq = 7, .ack = 1000));
    const struct wire_tcp *rst = expect(t, RST());
    ck_assert_uint_eq(rst->seq, 1000);
    expect_no_connection(t);
    tcp_test_close(t);
}
END_TEST

START_TEST(a_segment_with_neither_syn_nor_ack_is_dropped)
{
    struct tcp_test *t = TCP_TEST(0);

    peer_sends(t, SEG(0, .seq = 0, .len = 10));
    peer_sends(t, SEG(TCP_FIN, .seq = 0));
    peer_sends(t, SEG(TCP_SYN | TCP_FIN, .seq = 0));
    expect_nothing(t);
    expect_no_connection(t);
    tcp_test_close(t);
}
END_TEST

/* RFC 9293 3.10.7.1: CLOSED */
START_TEST(a_port_without_listener_resets)
{
    struct tcp_test *t = TCP_TEST(0);

    t->local_port = 81;
    peer_sends(t, SYN(.seq = 5, .len = 3));
    expect(t, RSTACK(.ack = 9));
    peer_sends(t, RST(.seq = 5));
    peer_sends(t, ACK(.seq = 5, .ack = 77, .len = 3));
    ck_assert_uint_eq(expect(t, RST())->seq, 77);
    expect_nothing(t);
    tcp_test_close(t);
}
END_TEST

/* RFC 9293 3.1 (MUST-3) */
START_TEST(a_damaged_syn_is_dropped)
{
    struct tcp_test *t = TCP_TEST(0);

    peer_sends(t, SYN(.bad_checksum = true));
    expect_nothing(t);
    ck_assert_uint_eq(dropped(t, TLSYN_DROP_tcp_checksum), 1);
    tcp_test_close(t);
}
END_TEST

/* R7413-3 */
START_TEST(text_of_a_syn_without_fast_open_is_not_acknowledged)
{
    struct tcp_test *t = TCP_TEST(.open = true, .cookies = true);

    peer_sends(t, SYN(.len = 100));
    expect(t, SYNACK(.ack = 1));
    peer_sends(t, ACK(.seq = 1, .len = 100));
    ck_assert_uint_eq(t->user.read, 100);
    tcp_test_close(t);
}
END_TEST

/* --- who listens ------------------------------------------------------------------------------ */

/* MUST-41 */
START_TEST(two_listeners_cannot_share_an_endpoint)
{
    struct tcp_test *t = TCP_TEST(0);
    struct tlsyn_listen_options listen = {.local = {.port = LISTEN_PORT}};

    ck_assert_int_eq(tlsyn_listener_open(t->stack, &listen, &t->user.acceptor, NULL), -EADDRINUSE);
    listen.local.port = 0;
    ck_assert_int_eq(tlsyn_listener_open(t->stack, &listen, &t->user.acceptor, NULL), -EINVAL);
    listen.local = (struct tlsyn_endpoint){tlsyn_addr_ip4((const uint8_t[]){10, 9, 9, 9}), 80};
    ck_assert_int_eq(tlsyn_listener_open(t->stack, &listen, &t->user.acceptor, NULL),
                     -EADDRNOTAVAIL);
    tcp_test_close(t);
}
END_TEST

START_TEST(closing_a_listener_resets_those_that_nobody_accepted)
{
    struct tcp_test *t = TCP_TEST(0);

    peer_sends(t, SYN());
    expect(t, SYNACK());
    tlsyn_listener_close(t->listener);
    flush(t);
    expect(t, RSTACK(.seq = 1, .ack = 1));
    expect_no_connection(t);
    ck_assert_int_eq(t->user.count[USER_ACCEPT], 0);
    tcp_test_close(t);
}
END_TEST

START_TEST(connections_outlive_their_listener)
{
    struct tcp_test *t = TCP_TEST(0);

    opens_passively(t);
    tlsyn_listener_close(t->listener);
    peer_sends(t, ACK(.len = 10));
    ck_assert_uint_eq(t->user.read, 10);
    expect_state(t, TLSYN_ESTABLISHED);
    tcp_test_close(t);
}
END_TEST

Suite *tcp_listen_suite(void);

Suite *tcp_listen_suite(void)
{
    Suite *s = suite_create("tcp_listen");
    TCase *segments_for_a_listener = tcase_create("segments for a listener");
    TCase *who_listens = tcase_create("who listens");

    tcase_add_test(segments_for_a_listener, a_syn_is_answered_and_the_ack_makes_a_connection);
    tcase_add_test(segments_for_a_listener, a_reset_is_ignored);
    tcase_add_test(segments_for_a_listener, an_ack_is_answered_with_a_reset_of_its_number);
    tcase_add_test(segments_for_a_listener, a_segment_with_neither_syn_nor_ack_is_dropped);
    tcase_add_test(segments_for_a_listener, a_port_without_listener_resets);
    tcase_add_test(segments_for_a_listener, a_damaged_syn_is_dropped);
    tcase_add_test(segments_for_a_listener, text_of_a_syn_without_fast_open_is_not_acknowledged);
    suite_add_tcase(s, segments_for_a_listener);
    tcase_add_test(who_listens, two_listeners_cannot_share_an_endpoint);
    tcase_add_test(who_listens, closing_a_listener_resets_those_that_nobody_accepted);
    tcase_add_test(who_listens, connections_outlive_their_listener);
    suite_add_tcase(s, who_listens);
    return s;
}
