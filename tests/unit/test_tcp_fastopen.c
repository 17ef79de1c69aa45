/*
 * Cookies and admission: may the payload of a SYN reach the engine? Read first: RFC 7413 4.1, 4.2,
 * docs/HANDSHAKE.md.
 */
#include <errno.h>

#include "support/peer.h"

#define REQUEST                                                                                    \
    {                                                                                              \
        .mss = 1460, .has_fastopen = true                                                          \
    }

/* A peer that asks for a cookie and gets one. */
static struct tcp_options with_cookie(struct tcp_test *t)
{
    struct tcp_options options = REQUEST;

    peer_sends(t, SYN(.opt = REQUEST));
    const struct wire_tcp *synack = expect(t, SYNACK(.ack = 1));
    ck_assert(synack->options.has_fastopen);
    options.cookie_len = synack->options.cookie_len;
    memcpy(options.cookie, synack->options.cookie, options.cookie_len);
    peer_sends(t, RST(.seq = 1));
    t->peer_nxt = t->peer_rcv = 0;
    ck_assert_uint_eq(options.cookie_len, 8); /* as Linux: PEERS know this length */
    return options;
}

/* --- the listener gives ----------------------------------------------------------------------- */

START_TEST(a_cookie_is_given_to_who_asks)
{
    struct tcp_test *t = TCP_TEST(.cookies = true);

    with_cookie(t);
    ck_assert_uint_eq(counted(t, TLSYN_COUNT_tcp_fastopen_cookie_reqd), 1);
    tcp_test_close(t);
}
END_TEST

START_TEST(no_cookie_to_who_does_not_ask_or_where_they_are_off)
{
    struct tcp_test *t = TCP_TEST(.cookies = true);

    peer_sends(t, SYN());
    ck_assert(!expect(t, SYNACK())->options.has_fastopen);
    tcp_test_close(t);
    t = TCP_TEST(.open = true);
    peer_sends(t, SYN(.opt = REQUEST));
    ck_assert(!expect(t, SYNACK())->options.has_fastopen);
    tcp_test_close(t);
}
END_TEST

START_TEST(the_old_form_of_the_option_is_answered_in_kind)
{
    struct tcp_test *t = TCP_TEST(.cookies = true);

    peer_sends(t, SYN(.opt = {.mss = 1460, .has_fastopen = true, .fastopen_experimental = true}));
    ck_assert(expect(t, SYNACK())->options.fastopen_experimental);
    tcp_test_close(t);
}
END_TEST

START_TEST(a_cookie_is_as_good_from_another_port)
{
    struct tcp_test *t = TCP_TEST(.cookies = true);
    struct tcp_options options = with_cookie(t);

    t->peer_port = 6000;
    peer_sends(t, SYN(.len = 100, .opt = options));
    expect(t, SYNACK(.ack = 101));
    tcp_test_close(t);
}
END_TEST

/* --- admission -------------------------------------------------------------------------------- */

/* R7413-3 */
START_TEST(a_valid_cookie_admits_the_payload)
{
    struct tcp_test *t = TCP_TEST(.cookies = true);
    struct tcp_options options = with_cookie(t);

    peer_sends(t, SYN(.len = 100, .opt = options));
    ck_assert_int_eq(t->user.count[USER_SYN], 1);
    ck_assert_uint_eq(t->user.read, 100);
    ck_assert(!expect(t, SYNACK(.ack = 101))->options.has_fastopen);
    ck_assert_int_eq(t->user.count[USER_ESTABLISHED], 0);
    peer_sends(t, ACK());
    ck_assert_int_eq(t->user.count[USER_ESTABLISHED], 1);
    ck_assert_int_eq(t->user.count[USER_ACCEPT], 1);
    tcp_test_close(t);
}
END_TEST

/* R7413-3. What follows the SYN-ACK leaves in trains, and is not what Nagle's algorithm waits for.
 *  */
START_TEST(a_valid_cookie_brings_the_answer_before_the_handshake_ends)
{
    struct tcp_test *t = TCP_TEST(.cookies = true, .conn = {.nagle = true},
                                  .caps = {.mtu = 1500, .gso_max = 65000, .csum = true});
    struct tcp_options options = with_cookie(t);

    options.mss = 1460;
    peer_sends(t, SYN(.len = 100, .opt = options, .wnd = 100 + 2 * 1460));
    expect(t, SYNACK(.ack = 101));
    user_sends(t, 100);
    expect(t, ACK(.seq = 1, .len = 100));
    user_sends(t, 2 * 1460);
    expect(t, ACK(.seq = 101, .len = 2 * 1460));
    ck_assert_int_eq(t->user.count[USER_ESTABLISHED], 0);
    tcp_test_close(t);
}
END_TEST

/* The SYN-ACK takes nothing of cwnd (RFC 6928 2). */
START_TEST(ten_segments_leave_before_the_handshake_ends)
{
    struct tcp_test *t = TCP_TEST(.cookies = true);
    struct tcp_options options = with_cookie(t);

    options.mss = 1000;
    peer_sends(t, SYN(.len = 100, .opt = options, .wnd = 65535));
    ignore_sent(t);
    user_sends(t, 15 * 1000);
    ck_assert_int_eq(ignore_sent(t), 10);
    tcp_test_close(t);
}
END_TEST

/* R7413-3 */
START_TEST(a_valid_cookie_is_enough_without_text)
{
    struct tcp_test *t = TCP_TEST(.cookies = true);
    struct tcp_options options = with_cookie(t);

    peer_sends(t, SYN(.opt = options));
    ck_assert_int_eq(t->user.count[USER_SYN], 1);
    ck_assert(!expect(t, SYNACK(.ack = 1))->options.has_fastopen);
    user_sends(t, 100);
    expect(t, ACK(.seq = 1, .len = 100));
    peer_sends(t, ACK(.len = 10));
    ck_assert_uint_eq(t->user.read, 10);
    ck_assert_int_eq(t->user.count[USER_ACCEPT], 1);
    tcp_test_close(t);
}
END_TEST

/* R7413-4 */
START_TEST(a_wrong_cookie_brings_the_syn_alone_and_a_new_one)
{
    struct tcp_test *t = TCP_TEST(.cookies = true, .open = true);
    struct tcp_options options = with_cookie(t);

    options.cookie[3] ^= 1;
    peer_sends(t, SYN(.len = 100, .opt = options));
    ck_assert_int_eq(t->user.count[USER_SYN], 0);
    ck_assert_uint_eq(expect(t, SYNACK(.ack = 1))->options.cookie_len, 8);
    ck_assert_uint_eq(counted(t, TLSYN_COUNT_tcp_fastopen_cookie_bad), 1);
    peer_sends(t, ACK(.seq = 1, .len = 100)); /* as text, then */
    ck_assert_uint_eq(t->user.read, 100);
    tcp_test_close(t);
}
END_TEST

/* R7413-2. A cookie is known for an hour or two, and in the second one is exchanged. */
START_TEST(cookies_are_renewed_by_the_hour)
{
    struct tcp_test *t = TCP_TEST(.cookies = true);
    struct tcp_options options = with_cookie(t), renewed = options;

    t->user.deaf = true;
    for (int i = 0; i < 2; i++) {
        advance(t, TLSYN_SECONDS(3600));
        ignore_sent(t);
        another_peer(t, (uint16_t)(6000 + i));
        peer_sends(t, SYN(.len = 100, .opt = renewed));
        const struct wire_tcp *synack = expect(t, SYNACK(.ack = 101));
        ck_assert_uint_eq(synack->options.cookie_len, 8);
        ck_assert_mem_ne(synack->options.cookie, renewed.cookie, 8);
        memcpy(renewed.cookie, synack->options.cookie, 8);
        ck_assert_uint_eq(counted(t, TLSYN_COUNT_tcp_fastopen_alt_key), (unsigned)i + 1);
    }
    another_peer(t, 7000);
    peer_sends(t, SYN(.len = 100, .opt = options)); /* two hours old */
    expect(t, SYNACK(.ack = 1));
    ck_assert_uint_eq(counted(t, TLSYN_COUNT_tcp_fastopen_cookie_bad), 1);
    tcp_test_close(t);
}
END_TEST

/* R7413-2 */
START_TEST(a_cookie_outlives_its_key_once)
{
    static const uint8_t keys[3][TLSYN_COOKIE_KEY] = {{1}, {2}, {3}};
    struct tcp_test *t = TCP_TEST(.cookies = true);

    t->user.deaf = true;
    tlsyn_listener_cookie_keys(t->listener, keys + 1, 1);
    struct tcp_options options = with_cookie(t), renewed = options;
    tlsyn_listener_cookie_keys(t->listener, keys, 2); /* a new key, and the one before */
    t->peer_port = 6000;
    peer_sends(t, SYN(.len = 100, .opt = options));
    const struct wire_tcp *synack = expect(t, SYNACK(.ack = 101));
    memcpy(renewed.cookie, synack->options.cookie, 8);
    ck_assert_mem_ne(renewed.cookie, options.cookie, 8);
    tlsyn_listener_cookie_keys(t->listener, (const uint8_t[2][TLSYN_COOKIE_KEY]){{3}, {1}}, 2);
    for (int i = 0; i < 2; i++) {
        another_peer(t, (uint16_t)(7000 + i));
        peer_sends(t, SYN(.len = 100, .opt = i ? options : renewed));
        expect(t, SYNACK(.ack = i ? 1 : 101));
    }
    tcp_test_close(t);
}
END_TEST

/* Whoever overhears a SYN has its cookie, and may send it again: to its own use, if it has the
 * address too; else it makes us send three segments, and no engine twice. */
START_TEST(a_replayed_syn_with_cookie_makes_one_engine)
{
    struct tcp_test *t = TCP_TEST(.cookies = true);
    struct tcp_options options = with_cookie(t);

    for (int i = 0; i < 20; i++) {
        t->peer_nxt = 0;
        peer_sends(t, SYN(.len = 100, .opt = options));
    }
    ck_assert_int_eq(t->user.count[USER_SYN], 1);
    ck_assert_int_eq(t->user.count[USER_ACCEPT], 1);
    ck_assert_uint_eq(t->tcp->embedded, 1);
    tcp_test_close(t);
}
END_TEST

/* Of the lengths that the option may have; none is ours. */
START_TEST(a_foreign_or_truncated_cookie_is_refused_and_replaced) /* loop 17 */
{
    struct tcp_test *t = TCP_TEST(.cookies = true);
    struct tcp_options options = with_cookie(t);

    if (_i < 4 || _i % 2 || _i == 8) { /* RFC 7413 4.1.1: no such option; and 8 is ours */
        tcp_test_close(t);
        return;
    }
    options.cookie_len = (uint8_t)_i;
    peer_sends(t, SYN(.len = 100, .opt = options));
    const struct wire_tcp *synack = expect(t, SYNACK(.ack = 1));
    ck_assert_uint_eq(synack->options.cookie_len, 8);
    ck_assert_uint_eq(counted(t, TLSYN_COUNT_tcp_fastopen_cookie_bad), 1);
    ck_assert_int_eq(t->user.count[USER_SYN], 0);
    tcp_test_close(t);
}
END_TEST

START_TEST(a_request_with_payload_is_admitted_where_the_listener_is_open)
{
    struct tcp_test *t = TCP_TEST(.open = true, .cookies = true);

    peer_sends(t, SYN(.len = 100, .opt = REQUEST));
    ck_assert_uint_eq(expect(t, SYNACK(.ack = 101))->options.cookie_len, 8);
    ck_assert_int_eq(t->user.count[USER_SYN], 1);
    tcp_test_close(t);
}
END_TEST

START_TEST(nothing_is_admitted_where_all_is_off)
{
    struct tcp_test *t = TCP_TEST(0);

    peer_sends(t, SYN(.len = 1024, .opt = REQUEST));
    expect(t, SYNACK(.ack = 1));
    ck_assert_int_eq(t->user.count[USER_SYN], 0);
    ck_assert_uint_eq(counted(t, TLSYN_COUNT_tcp_syn_data_plain), 1);
    tcp_test_close(t);
}
END_TEST

START_TEST(paper_goes_by_length_alone)
{
    struct tcp_test *t = TCP_TEST(.paper = true);

    peer_sends(t, SYN(.len = 1024 - 5)); /* 20 + 4 octets of header: one too few */
    expect(t, SYNACK(.ack = 1));
    peer_sends(t, RST(.seq = 1));
    t->peer_nxt = t->peer_rcv = 0;
    peer_sends(t, SYN(.len = 1024 - 4));
    expect(t, SYNACK(.ack = 1021));
    ck_assert_int_eq(t->user.count[USER_SYN], 1);
    tcp_test_close(t);
}
END_TEST

static void asks(struct tcp_test *t, uint16_t port, struct tcp_options options, bool admitted)
{
    another_peer(t, port);
    peer_sends(t, SYN(.len = 100, .opt = options));
    expect(t, SYNACK(.ack = admitted ? 101 : 1));
}

/* --- under load ------------------------------------------------------------------------------- */

START_TEST(a_busy_listener_asks_for_cookies)
{
    struct tlsyn_limits limits = default_limits();

    limits.embedded_per_second = 2;
    struct tcp_test *t = TCP_TEST(.open = true, .cookies = true, .limits = limits);
    struct tcp_options cookie = with_cookie(t);
    t->user.deaf = true;
    for (int i = 0; i < 4; i++) {
        another_peer(t, (uint16_t)(7000 + i));
        peer_sends(t, SYN(.len = 100, .opt = REQUEST));
        expect(t, SYNACK(.ack = i < 2 ? 101 : 1));
    }
    another_peer(t, 8000); /* who has one gets in */
    peer_sends(t, SYN(.len = 100, .opt = cookie));
    expect(t, SYNACK(.ack = 101));
    tcp_test_close(t);
}
END_TEST

/* R7413-5 */
START_TEST(only_so_many_embedded_opens_are_pending)
{
    struct tlsyn_limits limits = default_limits();

    limits.embedded_backlog = 4;
    struct tcp_test *t = TCP_TEST(.open = true, .cookies = true, .limits = limits);
    struct tcp_options cookie = with_cookie(t);
    const struct tcp_options plain = REQUEST;
    t->user.deaf = true;
    for (int i = 0; i < 4; i++) /* half of them without a cookie */
        asks(t, (uint16_t)(7000 + i), plain, i < 2);
    ck_assert_uint_eq(counted(t, TLSYN_COUNT_tcp_admit_busy), 2);
    for (int i = 0; i < 4; i++)
        asks(t, (uint16_t)(8000 + i), cookie, i < 2);
    ck_assert_uint_eq(counted(t, TLSYN_COUNT_tcp_admit_backlog_full), 2);
    ck_assert_uint_eq(t->tcp->embedded, 4);
    ck_assert_uint_eq(counted(t, TLSYN_COUNT_tcp_fastopen_overflow), 4);
    advance(t, TLSYN_MS(3100)); /* they had their time: the oldest leave */
    ignore_sent(t);
    asks(t, 9000, cookie, true);
    asks(t, 9001, plain, true);
    ck_assert_uint_eq(t->tcp->embedded, 4);
    ck_assert_uint_eq(counted(t, TLSYN_COUNT_tcp_listen_overflows), 2);
    tcp_test_close(t);
}
END_TEST

/* RFC 7413 5.1: a cookie that was overheard, or whose owner is the attacker. */
START_TEST(a_stolen_cookie_is_good_for_so_many)
{
    struct tlsyn_limits limits = default_limits();

    limits.embedded_per_source = 5;
    struct tcp_test *t = TCP_TEST(.cookies = true, .limits = limits);
    struct tcp_options cookie = with_cookie(t);
    t->user.deaf = true;
    for (int i = 0; i < 100; i++)
        asks(t, (uint16_t)(7000 + i), cookie, i < 5);
    ck_assert_int_eq(t->user.count[USER_SYN], 5);
    ck_assert_uint_eq(counted(t, TLSYN_COUNT_tcp_admit_source_busy), 95);
    ck_assert_uint_eq(t->tcp->embedded, 5);
    advance(t, TLSYN_SECONDS(4)); /* its owner gets in again soon */
    ignore_sent(t);
    asks(t, 8000, cookie, true);
    tcp_test_close(t);
}
END_TEST

/* And so it is for him while he completes what he begins. */
START_TEST(who_answers_is_not_counted)
{
    struct tlsyn_limits limits = default_limits();

    limits.embedded_per_source = 1;
    struct tcp_test *t = TCP_TEST(.cookies = true, .limits = limits);
    struct tcp_options cookie = with_cookie(t);
    for (int i = 0; i < 20; i++) {
        user_init(&t->user);
        asks(t, (uint16_t)(7000 + i), cookie, true);
        peer_sends(t, ACK());
        expect_state(t, TLSYN_ESTABLISHED);
        user_acts(&t->user, USER_ABORTS);
        flush(t);
        ignore_sent(t);
    }
    tcp_test_close(t);
}
END_TEST

/* --- the client ------------------------------------------------------------------------------- */

START_TEST(a_cookie_is_kept_for_the_next_open)
{
    struct tcp_test *t = TCP_TEST(.level = TLSYN_LEVEL_COOKIE);
    static const uint8_t given[8] = {1, 2, 3, 4, 5, 6, 7, 8};
    struct tcp_options answer = {.mss = 1460, .has_fastopen = true, .cookie_len = 8};

    memcpy(answer.cookie, given, 8);
    t->user.plan[USER_OPEN].write = 100;
    user_connects(t);
    const struct wire_tcp *syn = expect(t, SYN(.len = 100));
    ck_assert(syn->options.has_fastopen && syn->options.cookie_len == 0);
    peer_sends(t, SYNACK(.opt = answer));
    user_begins_anew(t);
    t->user.plan[USER_OPEN].write = 100;
    user_connects(t);
    syn = expect(t, SYN(.len = 100));
    ck_assert_uint_eq(syn->options.cookie_len, 8);
    ck_assert_mem_eq(syn->options.cookie, given, 8);
    peer_sends(t, SYNACK(.ack = 1)); /* it was not honoured */
    user_begins_anew(t);
    user_connects(t);
    ck_assert_uint_eq(expect(t, SYN())->options.cookie_len, 0);
    tcp_test_close(t);
}
END_TEST

START_TEST(a_peer_whose_cookie_we_have_refuses_at_once)
{
    struct tcp_test *t = TCP_TEST(.level = TLSYN_LEVEL_FASTOPEN);
    struct tcp_options answer = {
        .mss = 1460, .has_fastopen = true, .cookie_len = 8, .cookie = {1, 2, 3}};

    user_connects(t);
    expect(t, SYN());
    peer_sends(t, SYNACK(.opt = answer));
    user_begins_anew(t);
    t->user.plan[USER_OPEN].write = 100;
    user_connects(t);
    expect(t, SYN(.len = 100));
    peer_sends(t, RSTACK(.seq = 0, .ack = 101));
    ck_assert_int_eq(t->user.error, -ECONNREFUSED);
    expect_nothing(t);
    tcp_test_close(t);
}
END_TEST

/* R7413-7 */
START_TEST(the_syn_again_is_bare)
{
    struct tcp_test *t = TCP_TEST(.level = TLSYN_LEVEL_OPEN);

    t->user.plan[USER_OPEN].write = 100;
    user_connects(t);
    ck_assert(expect(t, SYN(.len = 100))->options.has_fastopen);
    advance(t, TLSYN_MS(1001));
    ck_assert(!expect(t, SYN(.seq = 0))->options.has_fastopen);
    peer_sends(t, SYNACK(.ack = 101)); /* the first one came after all: still embedded */
    expect(t, ACK(.seq = 101));
    expect_nothing(t);
    ck_assert_uint_eq(t->user.acked, 0); /* it was no news behind the hook: it rode in the SYN */
    tcp_test_close(t);
}
END_TEST

/* R7413-9 */
START_TEST(what_does_not_fit_one_syn_waits)
{
    struct tcp_test *t = TCP_TEST(.level = TLSYN_LEVEL_OPEN);

    t->user.plan[USER_OPEN].write = 1421;
    user_connects(t);
    expect(t, SYN());
    peer_sends(t, SYNACK());
    expect(t, ACK(.seq = 1, .len = 1421));
    tcp_test_close(t);
}
END_TEST

Suite *tcp_fastopen_suite(void);

Suite *tcp_fastopen_suite(void)
{
    Suite *s = suite_create("tcp_fastopen");
    TCase *the_listener_gives = tcase_create("the listener gives");
    TCase *admission = tcase_create("admission");
    TCase *under_load = tcase_create("under load");
    TCase *the_client = tcase_create("the client");

    tcase_add_test(the_listener_gives, a_cookie_is_given_to_who_asks);
    tcase_add_test(the_listener_gives, no_cookie_to_who_does_not_ask_or_where_they_are_off);
    tcase_add_test(the_listener_gives, the_old_form_of_the_option_is_answered_in_kind);
    tcase_add_test(the_listener_gives, a_cookie_is_as_good_from_another_port);
    suite_add_tcase(s, the_listener_gives);
    tcase_add_test(admission, a_valid_cookie_admits_the_payload);
    tcase_add_test(admission, a_valid_cookie_brings_the_answer_before_the_handshake_ends);
    tcase_add_test(the_listener_gives, ten_segments_leave_before_the_handshake_ends);
    tcase_add_test(the_listener_gives, a_valid_cookie_is_enough_without_text);
    tcase_add_test(admission, a_wrong_cookie_brings_the_syn_alone_and_a_new_one);
    tcase_add_test(admission, cookies_are_renewed_by_the_hour);
    tcase_add_test(admission, a_cookie_outlives_its_key_once);
    tcase_add_test(admission, a_replayed_syn_with_cookie_makes_one_engine);
    tcase_add_loop_test(admission, a_foreign_or_truncated_cookie_is_refused_and_replaced, 4, 17);
    tcase_add_test(admission, a_request_with_payload_is_admitted_where_the_listener_is_open);
    tcase_add_test(admission, nothing_is_admitted_where_all_is_off);
    tcase_add_test(admission, paper_goes_by_length_alone);
    suite_add_tcase(s, admission);
    tcase_add_test(under_load, a_busy_listener_asks_for_cookies);
    tcase_add_test(under_load, only_so_many_embedded_opens_are_pending);
    tcase_add_test(under_load, a_stolen_cookie_is_good_for_so_many);
    tcase_add_test(under_load, who_answers_is_not_counted);
    suite_add_tcase(s, under_load);
    tcase_add_test(the_client, a_cookie_is_kept_for_the_next_open);
    tcase_add_test(the_client, the_syn_again_is_bare);
    tcase_add_test(the_client, a_peer_whose_cookie_we_have_refuses_at_once);
    tcase_add_test(the_client, what_does_not_fit_one_syn_waits);
    suite_add_tcase(s, the_client);
    return s;
}
