/*
 * A peer, or a stranger who guesses, that means harm: floods, lies about the path, reflection,
 * hostage-taking. Read first: RFC 4987 3, RFC 5961 7, RFC 5927 7, RFC 6429 3, RFC 7413 5.
 */
#include <errno.h>

#include "support/peer.h"
#include "tcp/admit.h"

#define REQUEST                                                                                    \
    {                                                                                              \
        .mss = 1460, .has_fastopen = true                                                          \
    }

/* --- floods ----------------------------------------------------------------------------------- */

static struct tcp_test *with_backlog(uint32_t backlog)
{
    struct tlsyn_limits limits = default_limits();

    limits.syn_backlog = backlog;
    limits.syn_cookies = false;
    return TCP_TEST(.limits = limits, .open = true);
}

/* The forged SYNs of a flood are never answered: they must not keep the place for minutes. */
START_TEST(a_flood_of_syns_does_not_lock_others_out)
{
    struct tcp_test *t = with_backlog(16);

    for (uint16_t i = 0; i < 500; i++) {
        another_peer(t, (uint16_t)(10000 + i));
        peer_sends(t, SYN());
        ck_assert_uint_le(t->tcp->half_open, 16);
    }
    ignore_sent(t);
    another_peer(t, PEER_PORT);
    peer_sends(t, SYN());
    expect(t, SYNACK(.ack = 1));
    peer_sends(t, ACK());
    expect_state(t, TLSYN_ESTABLISHED);
    ck_assert_uint_eq(counted(t, TLSYN_COUNT_tcp_listen_overflows), 485);
    tcp_test_close(t);
}
END_TEST

START_TEST(who_leaves_for_others_hears_of_it_and_its_engine_no_longer_counts)
{
    struct tcp_test *t = with_backlog(2);

    peer_sends(t, SYN(.len = 100, .opt = REQUEST));
    ck_assert_uint_eq(t->tcp->embedded, 1);
    for (uint16_t i = 0; i < 2; i++) {
        another_peer(t, (uint16_t)(10000 + i));
        peer_sends(t, SYN());
    }
    ck_assert_int_eq(t->user.count[USER_CLOSED], 1);
    ck_assert_int_eq(t->user.error, -ETIMEDOUT);
    ck_assert_uint_eq(t->tcp->embedded, 0);
    ck_assert_uint_eq(t->tcp->half_open, 2);
    tcp_test_close(t);
}
END_TEST

/* MUST-8. Simulator seed 33101: the ACK of a SYN-ACK whose connection is no more must not be good
 * for the next one of the same peer, which knows nothing of the text that the old one took. */
START_TEST(no_initial_number_comes_twice_in_one_batch)
{
    struct tcp_test *t = with_backlog(1);

    peer_sends(t, SYN(.len = 100, .opt = REQUEST));
    expect(t, SYNACK(.ack = 101));
    tcp_seq iss = t->iss;
    another_peer(t, 10000);
    peer_sends(t, SYN());
    expect(t, SYNACK(.ack = 1));
    another_peer(t, PEER_PORT);
    peer_sends(t, SYN());
    expect(t, SYNACK(.ack = 1));
    ck_assert_uint_ne(t->iss, iss);
    tcp_test_close(t);
}
END_TEST

struct closer {
    struct tlsyn_conn_events events;
    struct tcp_test *t;
};

static struct closer *the_closer; /* events carry no more than the user */

static void closes_the_listener(struct tlsyn_handler *handler, struct tlsyn_conn *conn, int error)
{
    (void)handler;
    (void)conn;
    (void)error;
    the_closer->t->user.conn = NULL;
    tlsyn_listener_close(the_closer->t->listener);
}

START_TEST(who_leaves_may_close_the_listener)
{
    struct tcp_test *t = with_backlog(1);
    struct closer closer = {.events = *t->user.handler.events, .t = t};

    the_closer = &closer;
    closer.events.on_closed = closes_the_listener;
    t->user.handler.events = &closer.events;
    peer_sends(t, SYN(.len = 100, .opt = REQUEST));
    another_peer(t, 10000);
    peer_sends(t, SYN());
    expect_no_connection(t);
    tcp_test_close(t);
}
END_TEST

/* CVE-2016-5696: a bound that all connections share tells a stranger, by what is left of it,
 * whether his guess about another connection was right; and he may use up the answers that the
 * others need. (R5961-4) */
START_TEST(challenges_of_one_connection_cost_no_other_any)
{
    struct tlsyn_limits limits = default_limits();

    limits.challenge_per_second = 5;
    struct tcp_test *t = TCP_TEST(.limits = limits);
    opens_passively(t);
    for (int i = 0; i < 20; i++)
        peer_sends(t, SYN(.seq = 77));
    ck_assert_int_eq(ignore_sent(t), 5);
    another_peer(t, 10000);
    peer_sends(t, SYN());
    expect(t, SYNACK());
    peer_sends(t, ACK());
    for (int i = 0; i < 20; i++)
        peer_sends(t, SYN(.seq = 77));
    ck_assert_int_eq(ignore_sent(t), 5);
    tcp_test_close(t);
}
END_TEST

/* --- reflection ------------------------------------------------------------------------------- */

/* RFC 9000 8.1, in our terms: whatever leaves counts, challenge ACKs and the RST of the end too. */
START_TEST(nothing_that_leaves_escapes_the_amplification_limit) /* loop 2 */
{
    /* out of the window, for a challenge; in it, with an ACK of nothing, for a reset */
    const int64_t seq = _i == 0 ? 90000 : SEG_ANY, ack = _i == 0 ? 1 : 500000;
    struct tcp_test *t = TCP_TEST(.open = true);
    size_t in = 20 + 20 + 8 + 300, out = 0; /* IP, TCP, MSS and Fast Open, text */

    t->user.plan[USER_SYN].write = 100000;
    peer_sends(t, SYN(.len = 300, .opt = REQUEST));
    for (int i = 0; i < 40; i++) {
        peer_sends(t, ACK(.seq = seq, .ack = ack));
        in += 40;
    }
    advance(t, TLSYN_SECONDS(100));
    tlsyn_conn_abort(t->user.conn, 0);
    flush(t);
    out = sent_bytes(t);
    ignore_sent(t);
    ck_assert_uint_gt(out, in);
    ck_assert_uint_le(out, 3 * in);
    tcp_test_close(t);
}
END_TEST

START_TEST(no_reset_where_there_is_no_room_for_one)
{
    struct tcp_test *t = TCP_TEST(.open = true);
    size_t in = 20 + 20 + 8 + 300, out = 0;

    t->user.plan[USER_SYN].write = 3 * 348 - 48 - 20; /* SYN-ACK and text: 20 short of the limit */
    peer_sends(t, SYN(.len = 300, .opt = REQUEST));
    tlsyn_conn_abort(t->user.conn, 0);
    flush(t);
    out = sent_bytes(t);
    ignore_sent(t);
    ck_assert_uint_gt(out, 2 * in);
    ck_assert_uint_le(out, 3 * in);
    tcp_test_close(t);
}
END_TEST

/* An ACK of nothing makes room for 120 octets, a reset of 40 among them. */
START_TEST(a_reset_in_reply_takes_its_share)
{
    struct tcp_test *t = TCP_TEST(.open = true);
    size_t in = 20 + 20 + 8 + 300 + 40, out = 0;

    t->user.plan[USER_SYN].write = 3 * 348 - 44; /* the flight takes all that the SYN allows */
    peer_sends(t, SYN(.len = 300, .opt = REQUEST));
    peer_sends(t, ACK(.ack = 500000));
    for (int i = 0; i < 130; i++)
        advance(t, TLSYN_SECONDS(1));
    out = sent_bytes(t);
    ck_assert_uint_gt(out, 3 * 348);
    ck_assert_uint_le(out, 3 * in);
    ignore_sent(t);
    tcp_test_close(t);
}
END_TEST

/* RFC 7413 4.1.2: cookies expire. (R7413-2) */
START_TEST(a_cookie_is_not_good_for_ever)
{
    struct tcp_test *t = TCP_TEST(.cookies = true);
    struct wire_tcp syn = {.flags = TCP_SYN, .text_len = 300};
    const struct tcp_ask ask = {.ends = {.remote = tlsyn_addr_ip4((const uint8_t[]){10, 0, 0, 2})},
                                .syn = &syn,
                                .segment_len = 340};

    syn.options.has_fastopen = true;
    syn.options.cookie_len = TCP_COOKIE_LEN;
    tcp_cookie_make(t->listener, &ask.ends, syn.options.cookie);
    ck_assert_int_eq(tcp_admit(t->listener, &ask), TCP_ADMIT_VALID_COOKIE);
    advance(t, TLSYN_SECONDS(3599));
    ck_assert_int_eq(tcp_admit(t->listener, &ask), TCP_ADMIT_OLD_COOKIE);
    advance(t, TLSYN_SECONDS(3602));
    ck_assert_int_eq(tcp_admit(t->listener, &ask), TCP_ADMIT_BAD_COOKIE);
    tcp_test_close(t);
}
END_TEST

/* --- lies ------------------------------------------------------------------------------------- */

/* RFC 1191 6.3: a router never widens a path. Segments longer than our own link takes
 * would never leave. */
START_TEST(a_path_never_becomes_wider_by_icmp)
{
    struct tcp_test *t = TCP_TEST(.peer = {.mss = 8960});

    opens_passively(t);
    user_sends(t, 1000);
    peer_takes_all(t);
    peer_sends_unreachable(t, 4, 9000, 1);
    ck_assert_uint_eq(t->user.conn->mss, 1460);
    peer_sends_unreachable(t, 4, 1000, 1);
    ck_assert_uint_eq(t->user.conn->mss, 960);
    peer_sends_unreachable(t, 4, 1400, 1);
    ck_assert_uint_eq(t->user.conn->mss, 960);
    ignore_sent(t);
    tcp_test_close(t);
}
END_TEST

/* RFC 5961 5.2, 7323 4.3: in the window by luck, but with an ACK field that can't be: its timestamp
 * is as little to be believed. */
START_TEST(a_timestamp_counts_only_with_an_ack_that_can_be)
{
    struct tcp_test *t = TCP_TEST(.peer = {.mss = 1460, .has_ts = true, .tsval = 1000000});

    opens_passively(t);
    int64_t next = t->peer_nxt;
    peer_sends(t, ACK(.ack = 100000, .len = 10,
                      .opt = {.has_ts = true, .tsval = 1000000 + (UINT32_C(1) << 30)}));
    expect(t, ACK(.ack = next));
    peer_sends(t, ACK(.seq = next, .len = 10, .opt = {.has_ts = true, .tsval = 1000001}));
    ck_assert_uint_eq(t->user.read, 10);
    ck_assert_uint_eq(dropped(t, TLSYN_DROP_tcp_paws), 0);
    ignore_sent(t);
    tcp_test_close(t);
}
END_TEST

/* RFC 5681 3.2 step 4: duplicates that stand for no segment of ours make nothing grow. */
START_TEST(made_up_duplicate_acks_inflate_no_further_than_the_flight)
{
    struct tcp_test *t = TCP_TEST(0);

    opens_passively(t);
    user_sends(t, 14600);
    for (int i = 0; i < 300; i++)
        peer_sends(t, ACK(.ack = 1));
    ck_assert_uint_le(t->user.conn->cc.cwnd, 2 * 14600 + 4 * 1460);
    ignore_sent(t);
    tcp_test_close(t);
}
END_TEST

/* RFC 6429 3: a peer may hold the window shut for as long as our user bears it; when the user has
 * left, not for ever. */
START_TEST(a_shut_window_does_not_keep_an_abandoned_connection) /* loop 2 */
{
    struct tcp_test *t = TCP_TEST(.conn = {.user_timeout = TLSYN_SECONDS(60)});
    bool abandoned = _i == 1;

    opens_passively(t);
    user_writes(&t->user, 100);
    peer_sends(t, ACK(.wnd = 0));
    if (abandoned)
        user_acts(&t->user, USER_RELEASES);
    for (int i = 0; i < 300; i++) {
        advance(t, TLSYN_SECONDS(1));
        if (ignore_sent(t) && t->tcp->demux.count)
            peer_sends(t, ACK(.ack = 1, .wnd = 0));
        ignore_sent(t);
    }
    ck_assert_uint_eq(t->tcp->demux.count, abandoned ? 0 : 1);
    tcp_test_close(t);
}
END_TEST

Suite *tcp_hostile_suite(void);

Suite *tcp_hostile_suite(void)
{
    Suite *s = suite_create("tcp_hostile");
    TCase *floods = tcase_create("floods");
    TCase *reflection = tcase_create("reflection");
    TCase *lies = tcase_create("lies");

    tcase_add_test(floods, a_flood_of_syns_does_not_lock_others_out);
    tcase_add_test(floods, who_leaves_for_others_hears_of_it_and_its_engine_no_longer_counts);
    tcase_add_test(floods, no_initial_number_comes_twice_in_one_batch);
    tcase_add_test(floods, who_leaves_may_close_the_listener);
    tcase_add_test(floods, challenges_of_one_connection_cost_no_other_any);
    suite_add_tcase(s, floods);
    tcase_add_loop_test(reflection, nothing_that_leaves_escapes_the_amplification_limit, 0, 2);
    tcase_add_test(reflection, no_reset_where_there_is_no_room_for_one);
    tcase_add_test(reflection, a_reset_in_reply_takes_its_share);
    tcase_add_test(reflection, a_cookie_is_not_good_for_ever);
    suite_add_tcase(s, reflection);
    tcase_add_test(lies, a_path_never_becomes_wider_by_icmp);
    tcase_add_test(lies, a_timestamp_counts_only_with_an_ack_that_can_be);
    tcase_add_test(lies, made_up_duplicate_acks_inflate_no_further_than_the_flight);
    tcase_add_loop_test(lies, a_shut_window_does_not_keep_an_abandoned_connection, 0, 2);
    suite_add_tcase(s, lies);
    return s;
}
