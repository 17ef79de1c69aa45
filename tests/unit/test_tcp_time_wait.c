/*
 * State TIME-WAIT. Read first: RFC 9293 3.6.1, RFC 6191, RFC 1337.
 */
#include <errno.h>

#include "support/peer.h"
#include "tcp/isn.h"

/* Shorter than the clock of sequence numbers, so that a new incarnation is not above the old
 * one by itself. */
static tcp_seq always_the_same(struct tcp *tcp, const struct tlsyn_endpoint *local,
                               const struct tlsyn_endpoint *remote)
{
    (void)tcp, (void)local, (void)remote;
    return 4000000000u;
}

static struct tcp_test *waiting(const struct tcp_test_options *options)
{
    struct tcp_test *t = tcp_test_open(options);

    opens_passively(t);
    user_acts(&t->user, USER_CLOSES);
    flush(t);
    expect(t, FIN(.seq = 1));
    peer_sends(t, FIN());
    expect(t, ACK(.seq = 2, .ack = 2));
    ck_assert_uint_eq(t->tcp->time_wait_count, 1);
    return t;
}

#define WAITING(...) waiting(&(struct tcp_test_options){__VA_ARGS__})

/* --- whose numbers --------------------------------------------------------------------------- */

/* R6528-1: one host's stacks, one after the other */
START_TEST(stacks_with_one_secret_number_their_connections_as_one_host)
{
    static const uint8_t secret[TLSYN_ISN_SECRET] = {1, 2, 3};
    struct siphash_key key;

    struct tcp_test *t = TCP_TEST(0);
    const struct tlsyn_conn *conn;

    memcpy(&key, secret, sizeof(key));
    ck_assert_int_eq(tcp_isn_secret(t->tcp, secret), 0);
    opens_actively(t);
    conn = t->user.conn;
    ck_assert_uint_eq(conn->iss, isn_choose(&key, &conn->local, &conn->remote, t->tcp->iss_chosen));
    ck_assert_uint_eq(conn->ts_offset, isn_ts_offset(&key, &conn->local, &conn->remote));
    ck_assert_int_eq(tcp_isn_secret(t->tcp, secret), -EISCONN);
    tcp_test_close(t);
}
END_TEST

/* --- how long --------------------------------------------------------------------------------- */

/* MUST-13 */
START_TEST(it_lasts_two_segment_lifetimes)
{
    struct tcp_test *t = WAITING(0);

    advance(t, TLSYN_SECONDS(59));
    ck_assert_uint_eq(t->tcp->time_wait_count, 1);
    advance(t, TLSYN_SECONDS(2));
    expect_no_connection(t);
    expect_nothing(t);
    tcp_test_close(t);
}
END_TEST

START_TEST(the_peers_fin_again_is_acknowledged_and_starts_it_anew)
{
    struct tcp_test *t = WAITING(0);

    advance(t, TLSYN_SECONDS(50));
    peer_sends(t, FIN(.seq = 1));
    expect(t, ACK(.seq = 2, .ack = 2));
    advance(t, TLSYN_SECONDS(50));
    ck_assert_uint_eq(t->tcp->time_wait_count, 1);
    advance(t, TLSYN_SECONDS(11));
    expect_no_connection(t);
    tcp_test_close(t);
}
END_TEST

START_TEST(the_oldest_makes_room)
{
    struct tlsyn_limits limits = default_limits();

    limits.time_wait = 3;
    struct tcp_test *t = TCP_TEST(.limits = limits);
    for (int i = 0; i < 5; i++) {
        another_peer(t, (uint16_t)(1000 + i));
        user_init(&t->user);
        opens_passively(t);
        user_acts(&t->user, USER_CLOSES);
        flush(t);
        expect(t, FIN());
        peer_sends(t, FIN());
        expect(t, ACK());
    }
    ck_assert_uint_eq(t->tcp->time_wait_count, 3);
    ck_assert_uint_eq(counted(t, TLSYN_COUNT_tcp_time_wait_overflow), 2);
    t->peer_port = 1000; /* forgotten: a listener resets an ACK */
    peer_sends(t, ACK());
    expect(t, RST());
    tcp_test_close(t);
}
END_TEST

/* --- a new incarnation: MAY-2 ----------------------------------------------------------------- */

START_TEST(a_syn_with_a_higher_number_reopens)
{
    struct tcp_test *t = WAITING(0);

    peer_sends(t, SYN(.seq = 1000));
    expect(t, SYNACK(.ack = 1001));
    ck_assert_uint_eq(t->tcp->time_wait_count, 0);
    peer_sends(t, ACK(.ack = 1));
    ck_assert_int_eq(t->user.count[USER_ESTABLISHED], 2);
    tcp_test_close(t);
}
END_TEST

/* MAY-2 */
START_TEST(a_syn_with_an_old_number_is_challenged)
{
    struct tcp_test *t = WAITING(0);

    peer_sends(t, SYN(.seq = -1000));
    expect(t, ACK(.seq = 2, .ack = 2));
    ck_assert_uint_eq(t->tcp->time_wait_count, 1);
    tcp_test_close(t);
}
END_TEST

/* RFC 6191 (SHLD-4) */
START_TEST(a_syn_with_a_newer_timestamp_reopens_whatever_its_number)
{
    struct tcp_test *t = WAITING(.peer = {.mss = 1460, .has_ts = true});

    advance(t, TLSYN_SECONDS(1));
    peer_sends(t, SYN(.seq = -100000));
    expect(t, SYNACK(.ack = -99999));
    tcp_test_close(t);
}
END_TEST

START_TEST(a_syn_with_an_older_timestamp_does_not)
{
    struct tcp_test *t = WAITING(.peer = {.mss = 1460, .has_ts = true});

    peer_sends(t, SYN(.seq = 5000, .opt = {.mss = 1460, .has_ts = true, .tsval = 5}));
    expect(t, ACK(.ack = 2));
    ck_assert_uint_eq(t->tcp->time_wait_count, 1);
    tcp_test_close(t);
}
END_TEST

/* RFC 9293 3.6.1: "larger than the largest sequence number it used on the previous connection"
 * R6528-3 */
START_TEST(the_new_numbers_lie_above_the_old_ones)
{
    struct tcp_test *t = WAITING(.choose_iss = always_the_same);
    tcp_seq last = t->iss + 2;

    peer_sends(t, SYN(.seq = 1000));
    const struct wire_tcp *synack = expect(t, SYNACK());
    ck_assert(seq_gt(synack->seq, last));
    peer_sends(t, ACK(.ack = 1));
    ck_assert_int_eq(t->user.count[USER_ESTABLISHED], 2);
    tcp_test_close(t);
}
END_TEST

/* --- other segments --------------------------------------------------------------------------- */

START_TEST(text_is_ignored)
{
    struct tcp_test *t = WAITING(0);
    uint64_t read = t->user.read;

    peer_sends(t, ACK(.seq = 2, .len = 100));
    ck_assert_uint_eq(t->user.read, read);
    ck_assert_uint_eq(t->tcp->time_wait_count, 1);
    tcp_test_close(t);
}
END_TEST

START_TEST(an_active_open_does_not_take_the_same_pair_of_endpoints)
{
    struct tcp_test *t = WAITING(0);
    struct tlsyn_connect_options connect = {
        .remote = {tlsyn_addr_ip4((const uint8_t[]){10, 0, 0, 2}), PEER_PORT},
        .local = {.port = LISTEN_PORT}};

    ck_assert_int_lt(tlsyn_conn_open(t->stack, &connect, &t->user.handler, NULL), 0);
    ck_assert_uint_eq(t->tcp->time_wait_count, 1);
    tcp_test_close(t);
}
END_TEST

Suite *tcp_time_wait_suite(void);

Suite *tcp_time_wait_suite(void)
{
    Suite *s = suite_create("tcp_time_wait");
    TCase *how_long = tcase_create("how long");
    TCase *a_new_incarnation_MAY_2 = tcase_create("a new incarnation: MAY-2");
    TCase *other_segments = tcase_create("other segments");

    tcase_add_test(how_long, stacks_with_one_secret_number_their_connections_as_one_host);
    tcase_add_test(how_long, it_lasts_two_segment_lifetimes);
    tcase_add_test(how_long, the_peers_fin_again_is_acknowledged_and_starts_it_anew);
    tcase_add_test(how_long, the_oldest_makes_room);
    suite_add_tcase(s, how_long);
    tcase_add_test(a_new_incarnation_MAY_2, a_syn_with_a_higher_number_reopens);
    tcase_add_test(a_new_incarnation_MAY_2, a_syn_with_an_old_number_is_challenged);
    tcase_add_test(a_new_incarnation_MAY_2,
                   a_syn_with_a_newer_timestamp_reopens_whatever_its_number);
    tcase_add_test(a_new_incarnation_MAY_2, a_syn_with_an_older_timestamp_does_not);
    tcase_add_test(a_new_incarnation_MAY_2, the_new_numbers_lie_above_the_old_ones);
    suite_add_tcase(s, a_new_incarnation_MAY_2);
    tcase_add_test(other_segments, text_is_ignored);
    tcase_add_test(other_segments, an_active_open_does_not_take_the_same_pair_of_endpoints);
    suite_add_tcase(s, other_segments);
    return s;
}
