/*
 * The embedded handshake: what rides in SYN, SYN-ACK and ACK, and what happens where it does not
 * arrive. Read first: docs/HANDSHAKE.md; RFC 7413 4.2; RFC 9000 8.1.
 */
#include <errno.h>

#include "support/peer.h"

#define REQUEST                                                                                    \
    {                                                                                              \
        .mss = 1460, .has_fastopen = true                                                          \
    }

/* --- as a client ------------------------------------------------------------------------------ */

static struct tcp_test *client(uint32_t hello)
{
    struct tcp_test *t = TCP_TEST(.level = TLSYN_LEVEL_OPEN);

    t->user.plan[USER_OPEN].write = hello;
    t->user.plan[USER_SYNACK].write = 50;
    ck_assert_int_eq(user_connects(t), 0);
    expect(t, SYN(.seq = 0, .len = hello));
    return t;
}

START_TEST(flights_ride_in_all_three_segments)
{
    struct tcp_test *t = client(300);

    peer_sends(t, SYNACK(.ack = 301, .len = 800));
    ck_assert_uint_eq(t->user.read, 800);
    expect(t, ACK(.seq = 301, .ack = 801, .len = 50));
    expect_nothing(t);
    ck_assert_int_eq(t->user.count[USER_SYNACK], 1);
    ck_assert_int_eq(t->user.count[USER_ESTABLISHED], 1);
    tcp_test_close(t);
}
END_TEST

START_TEST(a_peer_that_takes_only_the_syn_gets_the_text_with_the_ack)
{
    struct tcp_test *t = client(300);

    peer_sends(t, SYNACK(.ack = 1));
    expect(t, ACK(.seq = 1, .ack = 1, .len = 350));
    expect_nothing(t);
    tcp_test_close(t);
}
END_TEST

/* R7413-6 */
START_TEST(a_peer_that_takes_part_gets_the_rest)
{
    struct tcp_test *t = client(300);

    peer_sends(t, SYNACK(.ack = 101));
    expect(t, ACK(.seq = 101, .ack = 1, .len = 250));
    expect_nothing(t);
    tcp_test_close(t);
}
END_TEST

/* RFC 9293 3.10.7.3 */
START_TEST(a_peer_that_takes_more_than_was_sent_is_reset)
{
    struct tcp_test *t = client(300);

    peer_sends(t, SYNACK(.ack = 302));
    expect(t, RST(.seq = 302));
    expect_state(t, TLSYN_SYN_SENT);
    tcp_test_close(t);
}
END_TEST

START_TEST(a_reset_of_a_syn_with_text_brings_a_plain_one_at_once)
{
    struct tcp_test *t = client(300);

    peer_sends(t, RSTACK(.seq = 0, .ack = 301));
    ck_assert(!expect(t, SYN(.seq = 0))->options.has_fastopen);
    ck_assert_int_eq(t->user.count[USER_CLOSED], 0);
    peer_sends(t, SYNACK(.ack = 1));
    expect(t, ACK(.seq = 1, .len = 350));
    tcp_test_close(t);
}
END_TEST

START_TEST(a_second_reset_refuses)
{
    struct tcp_test *t = client(300);

    peer_sends(t, RSTACK(.seq = 0, .ack = 301));
    expect(t, SYN());
    peer_sends(t, RSTACK(.seq = 0, .ack = 1));
    ck_assert_int_eq(t->user.error, -ECONNREFUSED);
    expect_nothing(t);
    tcp_test_close(t);
}
END_TEST

/* Both SYNs cross, and ours has text */
START_TEST(a_crossing_syn_leaves_the_text_to_the_stream)
{
    struct tcp_test *t = client(300);

    peer_sends(t, SYN(.len = 200, .opt = REQUEST));
    expect(t, SYNACK(.seq = 0, .ack = 1));
    t->peer_nxt = 1;
    peer_sends(t, SYNACK(.seq = 0, .ack = 1));
    expect(t, ACK(.seq = 1, .len = 300));
    peer_sends(t, ACK(.seq = 1, .len = 200));
    ck_assert_uint_eq(t->user.read, 200);
    tcp_test_close(t);
}
END_TEST

START_TEST(paper_pads_the_stream_to_1024)
{
    struct tcp_test *t = TCP_TEST(.level = TLSYN_LEVEL_PAPER);

    t->user.plan[USER_OPEN].write = 300;
    user_connects(t);
    ck_assert_int_eq(t->sent_end - t->sent_first, 1);
    const struct wire_tcp *syn = &t->sent[t->sent_first].segment;
    ck_assert_uint_eq(syn->text_len, TLSYN_PAPER_PAYLOAD);
    ck_assert(!syn->options.has_fastopen);
    for (int i = 300; i < TLSYN_PAPER_PAYLOAD; i++)
        if (syn->text[i])
            ck_abort_msg("octet %d of the padding is not zero", i);
    tcp_test_close(t);
}
END_TEST

/* --- as a server ------------------------------------------------------------------------------ */

/* A SYN with `hello` bytes arrives at a server that answers with `flight` bytes. */
static struct tcp_test *server(size_t hello, uint32_t flight)
{
    struct tcp_test *t = TCP_TEST(.open = true);

    t->user.plan[USER_SYN].write = flight;
    peer_sends(t, SYN(.len = hello, .opt = REQUEST));
    ck_assert_int_eq(t->user.count[USER_SYN], 1);
    return t;
}

START_TEST(the_flight_rides_in_the_syn_ack)
{
    struct tcp_test *t = server(300, 500);

    expect(t, SYNACK(.seq = 0, .ack = 301, .len = 500));
    expect_nothing(t);
    peer_sends(t, ACK(.ack = 501, .len = 40));
    ck_assert_int_eq(t->user.count[USER_ESTABLISHED], 1);
    ck_assert_uint_eq(t->user.read, 340);
    tcp_test_close(t);
}
END_TEST

START_TEST(the_rest_of_the_flight_follows_at_once)
{
    struct tcp_test *t = server(1300, 3000);

    expect(t, SYNACK(.seq = 0, .ack = 1301, .len = 1456)); /* beside its MSS option */
    expect(t, ACK(.seq = 1457, .len = 1460));
    expect(t, ACK(.seq = 2917, .len = 84));
    expect_nothing(t);
    tcp_test_close(t);
}
END_TEST

/* RFC 9000 8.1's idea: three bytes for one, headers counted (R7413-11) */
START_TEST(no_more_than_three_times_what_came_leaves_before_validation)
{
    struct tcp_test *t = server(300, 60000);
    size_t came = 20 + 20 + 4 + 4 + 300, left = 0;

    for (int i = 0; i < 170; i++) /* all its retransmissions too */
        advance(t, TLSYN_SECONDS(1));
    left = sent_bytes(t);
    ck_assert_uint_gt(left, came);
    ck_assert_uint_le(left, 3 * came);
    ck_assert_uint_ge(counted(t, TLSYN_COUNT_tcp_amplification_limited), 1);
    tcp_test_close(t);
}
END_TEST

/* Simulator seed 2520: the flight had used up the limit, the client's ACK was lost, and the client
 * had nothing to say. */
START_TEST(the_flight_leaves_room_for_the_syn_ack_again)
{
    struct tcp_test *t = server(300, 60000);
    int again = 0;

    ignore_sent(t);
    for (int i = 0; i < 170; i++)
        advance(t, TLSYN_SECONDS(1));
    for (; t->sent_first < t->sent_end; again++)
        ck_assert_uint_eq(expect(t, SYNACK(.seq = 0, .ack = 301))->text_len, 0);
    ck_assert_int_eq(again, 7); /* after 1, 3, 7, 15, 31, 63 and 123 s */
    peer_sends(t, ACK());
    peer_takes_all(t);
    ck_assert_int_gt(t->peer_rcv, 1400);
    tcp_test_close(t);
}
END_TEST

/* Who has nothing more to say hears of a lost ACK by them alone, however little was said. */
START_TEST(a_tiny_syn_gets_the_syn_acks_of_a_plain_one)
{
    struct tcp_test *t = server(1, 1000);
    size_t came = 20 + 20 + 4 + 4 + 1, plain = 8 * (20 + 20 + 4), left = 0;

    for (int i = 0; i < 170; i++)
        advance(t, TLSYN_SECONDS(1));
    left = sent_bytes(t);
    ck_assert_uint_ge(left, plain);
    ck_assert_uint_le(left, plain + 3 * came / 2);
    peer_takes_all(t);
    peer_sends(t, ACK()); /* and the rest for who is there */
    peer_takes_all(t);
    ck_assert_int_eq(t->peer_rcv, 1001);
    tcp_test_close(t);
}
END_TEST

/* Nine certificates of a kilobyte, and a client that is never heard again. */
START_TEST(a_long_chain_into_a_black_hole_stays_below_three_times) /* loop: bytes of the SYN */
{
    static const size_t hellos[] = {100, 250, 517, 1000, 1400};
    struct tcp_test *t = server(hellos[_i], 9216);
    size_t came = 20 + 20 + 4 + 4 + hellos[_i];

    for (int i = 0; i < 200; i++) {
        advance(t, TLSYN_SECONDS(1));
        ck_assert_uint_le(sent_bytes(t), 3 * came);
    }
    ck_assert_uint_gt(sent_bytes(t), 3 * came / 2);
    expect_no_connection(t); /* and not for ever */
    ignore_sent(t);
    tcp_test_close(t);
}
END_TEST

/* Text is taken back from an engine that has no time: the handshake goes on as a plain one. */
START_TEST(an_engine_without_time_has_the_text_come_again)
{
    struct tcp_test *t = TCP_TEST(.open = true, .cookies = true);

    t->user.plan[USER_SYN].result = -EAGAIN;
    t->user.plan[USER_ESTABLISHED].write = 500;
    peer_sends(t, SYN(.len = 300, .opt = REQUEST));
    const struct wire_tcp *synack = expect(t, SYNACK(.seq = 0, .ack = 1));
    ck_assert_uint_eq(synack->options.cookie_len, 8);
    ck_assert_int_eq(t->user.count[USER_SYN], 1);
    ck_assert_uint_eq(counted(t, TLSYN_COUNT_tcp_admit_engine_busy), 1);
    ck_assert_uint_eq(t->tcp->embedded, 1); /* it still is there */
    t->user.read = 0;
    peer_sends(t, ACK(.seq = 1, .ack = 1, .len = 300));
    ck_assert_int_eq(t->user.count[USER_ACCEPT], 1);
    ck_assert_uint_eq(t->user.read, 300);
    expect(t, ACK(.seq = 1, .ack = 301, .len = 500));
    ck_assert_uint_eq(t->tcp->embedded, 0);
    tcp_test_close(t);
}
END_TEST

START_TEST(each_syn_more_allows_three_times_its_size)
{
    struct tcp_test *t = server(300, 60000);
    size_t came = 348, left = 0;

    for (int i = 0; i < 100; i++) {
        peer_sends(t, SYN(.seq = 0, .len = 300, .opt = REQUEST));
        came += 348;
    }
    advance(t, TLSYN_SECONDS(170));
    left = sent_bytes(t);
    ck_assert_uint_le(left, 3 * came);
    tcp_test_close(t);
}
END_TEST

START_TEST(a_validated_peer_gets_the_rest)
{
    struct tcp_test *t = server(300, 5000);

    ck_assert_int_ge(peer_takes_all(t), 1);
    ck_assert_int_lt(t->peer_rcv, 1400);
    peer_sends(t, ACK());
    peer_takes_all(t);
    ck_assert_int_eq(t->peer_rcv, 5001);
    tcp_test_close(t);
}
END_TEST

/* A cookie validates in advance */
START_TEST(a_cookie_lifts_the_limit)
{
    struct tcp_test *t = TCP_TEST(.cookies = true);
    struct tcp_options options = REQUEST;

    peer_sends(t, SYN(.opt = REQUEST));
    options.cookie_len = 8;
    memcpy(options.cookie, expect(t, SYNACK())->options.cookie, 8);
    peer_sends(t, RST(.seq = 1));
    t->peer_nxt = t->peer_rcv = 0;
    t->user.plan[USER_SYN].write = 10000;
    peer_sends(t, SYN(.len = 100, .opt = options));
    peer_takes_all(t);
    ck_assert_int_eq(t->peer_rcv, 10001);
    tcp_test_close(t);
}
END_TEST

START_TEST(a_hundred_copies_of_the_syn_make_one_engine)
{
    struct tcp_test *t = server(300, 400);

    expect(t, SYNACK(.ack = 301, .len = 400));
    for (int i = 0; i < 100; i++)
        peer_sends(t, SYN(.seq = 0, .len = 300, .opt = REQUEST));
    while (t->sent_first < t->sent_end)
        expect(t, SYNACK(.seq = 0, .ack = 301));
    ck_assert_int_eq(t->user.count[USER_ACCEPT], 1);
    ck_assert_int_eq(t->user.count[USER_SYN], 1);
    ck_assert_uint_eq(t->user.read, 300);
    tcp_test_close(t);
}
END_TEST

START_TEST(the_syn_ack_again_is_bare_and_the_flight_follows_the_ack)
{
    struct tcp_test *t = server(300, 500);

    expect(t, SYNACK(.seq = 0, .ack = 301, .len = 500));
    advance(t, TLSYN_MS(1001));
    const struct wire_tcp *again = expect(t, SYNACK(.seq = 0, .ack = 301));
    ck_assert(!again->options.has_fastopen);
    t->peer_rcv = 1; /* the first one, with its text, was lost */
    peer_sends(t, ACK(.ack = 1));
    expect(t, ACK(.seq = 1, .len = 500)); /* the bytes are those of the pattern: unchanged */
    expect_nothing(t);
    ck_assert_int_eq(t->user.count[USER_ESTABLISHED], 1);
    tcp_test_close(t);
}
END_TEST

START_TEST(a_lost_payload_of_the_syn_ack_is_sent_again_at_once)
{
    struct tcp_test *t = server(300, 500);

    expect(t, SYNACK(.len = 500));
    peer_sends(t, ACK(.ack = 1)); /* a middlebox took the text out */
    expect(t, ACK(.seq = 1, .len = 500));
    expect_nothing(t);
    tcp_test_close(t);
}
END_TEST

/* What is larger than a SYN comes in two pieces (Linux sends as much of it as fits): the first is
 * taken, though there is nothing to answer yet. */
START_TEST(a_hello_split_over_the_syn_and_what_follows_is_put_together)
{
    struct tcp_test *t = server(1000, 0);

    expect(t, SYNACK(.seq = 0, .ack = 1001));
    expect_nothing(t);
    t->user.plan[USER_DATA].write = 500;
    peer_sends(t, ACK(.seq = 1001, .len = 700));
    ck_assert_uint_eq(t->user.read, 1700);
    ck_assert_int_eq(t->user.count[USER_SYN], 1);
    expect(t, ACK(.seq = 1, .ack = 1701, .len = 500));
    tcp_test_close(t);
}
END_TEST

/* RFC 7413 4.2.2 */
START_TEST(no_text_in_a_syn_ack_to_who_did_not_ask)
{
    struct tcp_test *t = TCP_TEST(.open = true, .cookies = true);

    t->user.plan[USER_SYN].write = t->user.plan[USER_ESTABLISHED].write = 100;
    peer_sends(t, SYN(.len = 300));
    expect(t, SYNACK(.ack = 1));
    peer_sends(t, ACK(.seq = 1, .len = 300));
    expect(t, ACK(.seq = 1, .ack = 301, .len = 100));
    tcp_test_close(t);
}
END_TEST

START_TEST(an_engine_less_user_reads_the_syns_text_when_established)
{
    struct tcp_test *t = TCP_TEST(.open = true);
    struct tlsyn_conn_events events = *t->user.handler.events;

    events.on_syn = NULL;
    t->user.handler.events = &events;
    t->user.deaf = true;
    peer_sends(t, SYN(.len = 300, .opt = REQUEST));
    expect(t, SYNACK(.ack = 301));
    ck_assert_int_eq(t->user.count[USER_DATA], 0);
    peer_sends(t, ACK());
    ck_assert_int_eq(t->user.count[USER_DATA], 1);
    tcp_test_close(t);
}
END_TEST

START_TEST(the_peers_unscaled_syn_window_bounds_the_flight)
{
    struct tcp_test *t = TCP_TEST(.open = true);

    t->user.plan[USER_SYN].write = 3000;
    peer_sends(t, SYN(.len = 1300, .wnd = 1000, .opt = REQUEST));
    expect(t, SYNACK(.len = 1000));
    expect_nothing(t);
    tcp_test_close(t);
}
END_TEST

Suite *tcp_embedded_suite(void);

Suite *tcp_embedded_suite(void)
{
    Suite *s = suite_create("tcp_embedded");
    TCase *as_a_client = tcase_create("as a client");
    TCase *as_a_server = tcase_create("as a server");

    tcase_add_test(as_a_client, flights_ride_in_all_three_segments);
    tcase_add_test(as_a_client, a_peer_that_takes_only_the_syn_gets_the_text_with_the_ack);
    tcase_add_test(as_a_client, a_peer_that_takes_part_gets_the_rest);
    tcase_add_test(as_a_client, a_peer_that_takes_more_than_was_sent_is_reset);
    tcase_add_test(as_a_client, a_reset_of_a_syn_with_text_brings_a_plain_one_at_once);
    tcase_add_test(as_a_client, a_second_reset_refuses);
    tcase_add_test(as_a_client, a_crossing_syn_leaves_the_text_to_the_stream);
    tcase_add_test(as_a_client, paper_pads_the_stream_to_1024);
    suite_add_tcase(s, as_a_client);
    tcase_add_test(as_a_server, the_flight_rides_in_the_syn_ack);
    tcase_add_test(as_a_server, the_rest_of_the_flight_follows_at_once);
    tcase_add_test(as_a_server, no_more_than_three_times_what_came_leaves_before_validation);
    tcase_add_test(as_a_server, the_flight_leaves_room_for_the_syn_ack_again);
    tcase_add_test(as_a_server, a_tiny_syn_gets_the_syn_acks_of_a_plain_one);
    tcase_add_loop_test(as_a_server, a_long_chain_into_a_black_hole_stays_below_three_times, 0, 5);
    tcase_add_test(as_a_server, an_engine_without_time_has_the_text_come_again);
    tcase_add_test(as_a_server, each_syn_more_allows_three_times_its_size);
    tcase_add_test(as_a_server, a_validated_peer_gets_the_rest);
    tcase_add_test(as_a_server, a_cookie_lifts_the_limit);
    tcase_add_test(as_a_server, a_hundred_copies_of_the_syn_make_one_engine);
    tcase_add_test(as_a_server, the_syn_ack_again_is_bare_and_the_flight_follows_the_ack);
    tcase_add_test(as_a_server, a_lost_payload_of_the_syn_ack_is_sent_again_at_once);
    tcase_add_test(as_a_server, a_hello_split_over_the_syn_and_what_follows_is_put_together);
    tcase_add_test(as_a_server, no_text_in_a_syn_ack_to_who_did_not_ask);
    tcase_add_test(as_a_server, an_engine_less_user_reads_the_syns_text_when_established);
    tcase_add_test(as_a_server, the_peers_unscaled_syn_window_bounds_the_flight);
    suite_add_tcase(s, as_a_server);
    return s;
}
