/*
 * Fast Open: cookies, text in SYNs, and what either end does when the other one knows nothing of
 * it. Read first: RFC 7413.
 */
#include <errno.h>

#include "support/flight.h"

static struct tcp_test *serves(void)
{
    return TCP_TEST(.cookies = true, .peer = {.mss = 1460, .sack_permitted = true});
}

/* A SYN that asks for a cookie, or with this one, and with text or none. */
static struct seg syn_with(const struct tcp_options *cookie, const char *text)
{
    struct seg syn = SYN(.seq = 0, .text = text);

    syn.opt = cookie ? *cookie : (struct tcp_options){.mss = 1460, .has_fastopen = true};
    return syn;
}

/* The cookie that a first connection is given, which then ends; the next one begins anew. */
static struct tcp_options cookie_of(struct tcp_test *t)
{
    struct tcp_options cookie = {.mss = 1460, .has_fastopen = true};

    peer_sends(t, syn_with(NULL, NULL));
    const struct tcp_options *o = &expect(t, SYNACK(.ack = 1))->options;
    ck_assert(o->has_fastopen && o->cookie_len > 0);
    cookie.cookie_len = o->cookie_len;
    memcpy(cookie.cookie, o->cookie, o->cookie_len);
    peer_sends(t, RST(.seq = 1));
    expect_no_connection(t);
    t->peer_port++;
    t->peer_nxt = t->peer_rcv = 0;
    user_init(&t->user);
    return cookie;
}

/* --- 4.1.1, 4.1.2: the option and the cookie -------------------------------------------------- */

/* 4.1.1 (R7413-1) */
START_TEST(a_cookie_has_four_to_sixteen_octets_and_an_even_number)
{
    struct tcp_test *t = serves();
    struct tcp_options cookie = cookie_of(t);

    ck_assert_uint_ge(cookie.cookie_len, 4);
    ck_assert_uint_le(cookie.cookie_len, 16);
    ck_assert_uint_eq(cookie.cookie_len % 2, 0);
    tcp_test_close(t);
}
END_TEST

/* 4.1.2: bound to the address, and to nothing else (R7413-2) */
START_TEST(the_cookie_is_the_same_for_another_port_and_for_a_later_connection)
{
    struct tcp_test *t = serves();
    struct tcp_options first = cookie_of(t), second = cookie_of(t);

    ck_assert_mem_eq(first.cookie, second.cookie, first.cookie_len);
    tcp_test_close(t);
}
END_TEST

/* 4.1.2: each bit of it counts (R7413-2) */
START_TEST(a_cookie_with_one_bit_changed_is_none) /* loop: octet */
{
    struct tcp_test *t = serves();
    struct tcp_options cookie = cookie_of(t);

    cookie.cookie[_i % cookie.cookie_len] ^= 1;
    peer_sends(t, syn_with(&cookie, "hello"));
    const struct wire_tcp *synack = expect(t, SYNACK(.ack = 1));
    ck_assert(synack->options.has_fastopen &&
              synack->options.cookie_len > 0); /* 4.2.2: a new one */
    ck_assert_uint_eq(t->user.read, 0);
    tcp_test_close(t);
}
END_TEST

/* 4.1.1: on a segment without SYN it means nothing (R7413-1) */
START_TEST(the_option_behind_the_handshake_means_nothing)
{
    struct tcp_test *t = serves();
    struct tcp_options ask = {.has_fastopen = true};

    peer_sends(t, SYN());
    ck_assert(!expect(t, SYNACK())->options.has_fastopen);
    peer_sends(t, ACK());
    peer_sends(t, ACK(.text = "text", .opt = ask));
    advance(t, TLSYN_MS(100));
    ck_assert(!expect(t, ACK(.ack = 5))->options.has_fastopen);
    ck_assert_str_eq(t->user.text, "text");
    t->user.wrong = 0;
    tcp_test_close(t);
}
END_TEST

/* --- 4.2.2: the server ------------------------------------------------------------------------ */

/* (R7413-3) */
START_TEST(text_with_a_valid_cookie_is_the_users_at_once)
{
    struct tcp_test *t = serves();
    struct tcp_options cookie = cookie_of(t);

    peer_sends(t, syn_with(&cookie, "hello"));
    expect(t, SYNACK(.ack = 6));
    ck_assert_str_eq(t->user.text, "hello");
    t->user.wrong = 0;
    expect_state(t, TLSYN_SYN_RECEIVED);
    peer_sends(t, ACK());
    expect_state(t, TLSYN_ESTABLISHED);
    tcp_test_close(t);
}
END_TEST

/* (R7413-4) */
START_TEST(text_without_a_cookie_comes_again_behind_the_handshake)
{
    struct tcp_test *t = serves();

    peer_sends(t, syn_with(NULL, "hello"));
    expect(t, SYNACK(.ack = 1));
    ck_assert_uint_eq(t->user.read, 0);
    t->peer_nxt = 1;
    peer_sends(t, ACK(.text = "hello"));
    ck_assert_str_eq(t->user.text, "hello");
    t->user.wrong = 0;
    ignore_sent(t);
    tcp_test_close(t);
}
END_TEST

/* (R7413-3) */
START_TEST(an_answer_may_leave_before_the_third_segment)
{
    struct tcp_test *t = serves();
    struct tcp_options cookie = cookie_of(t);

    t->user.plan[USER_SYN].write = 100;
    peer_sends(t, syn_with(&cookie, "hello"));
    expect_state(t, TLSYN_SYN_RECEIVED);
    peer_takes_all(t);
    ck_assert_int_eq(t->peer_rcv, 101);
    t->user.wrong = 0;
    tcp_test_close(t);
}
END_TEST

/* 2.1: the SYN comes twice, its text is taken once */
START_TEST(a_repeated_syn_brings_its_text_once)
{
    struct tcp_test *t = serves();
    struct tcp_options cookie = cookie_of(t);

    peer_sends(t, syn_with(&cookie, "hello"));
    expect(t, SYNACK(.ack = 6));
    peer_sends(t, syn_with(&cookie, "hello"));
    ck_assert_uint_eq(t->user.read, 5);
    ck_assert_int_eq(t->user.count[USER_ACCEPT], 1);
    t->user.wrong = 0;
    ignore_sent(t);
    tcp_test_close(t);
}
END_TEST

/* A reset frees all (R7413-12) */
START_TEST(a_reset_ends_what_the_cookie_opened)
{
    struct tcp_test *t = serves();
    struct tcp_options cookie = cookie_of(t);

    peer_sends(t, syn_with(&cookie, "hello"));
    expect(t, SYNACK(.ack = 6));
    peer_sends(t, RST(.seq = 6));
    expect_no_connection(t);
    ck_assert_int_eq(t->user.error, -ECONNRESET);
    t->user.wrong = 0;
    tcp_test_close(t);
}
END_TEST

/* --- 4.2.1: the client ------------------------------------------------------------------------ */

static struct tcp_test *opens(enum tlsyn_level level, uint32_t text)
{
    struct tcp_test *t = TCP_TEST(.level = level, .peer = {.mss = 1460, .sack_permitted = true});

    t->user.plan[USER_OPEN].write = text;
    ck_assert_int_eq(user_connects(t), 0);
    return t;
}

/* 4.1.1: the first time it asks, and sends no text */
START_TEST(without_a_cookie_it_asks_for_one_and_its_text_waits)
{
    struct tcp_test *t = opens(TLSYN_LEVEL_FASTOPEN, 100);
    const struct wire_tcp *syn = expect(t, SYN());

    ck_assert(syn->options.has_fastopen);
    ck_assert_uint_eq(syn->options.cookie_len, 0);
    peer_sends(t, SYNACK());
    expect(t, ACK(.seq = 1, .len = 100));
    tcp_test_close(t);
}
END_TEST

/* The next time the cookie goes along, and text with it */
START_TEST(a_cookie_is_for_the_next_connection)
{
    struct tcp_test *t = opens(TLSYN_LEVEL_FASTOPEN, 100);
    struct tcp_options o = {.mss = 1460, .has_fastopen = true, .cookie_len = 8};

    memcpy(o.cookie, "8 octets", 8);
    expect(t, SYN());
    peer_sends(t, SYNACK(.opt = o));
    ignore_sent(t);
    user_acts(&t->user, USER_ABORTS);
    flush(t);
    ignore_sent(t);
    user_init(&t->user);
    t->user.plan[USER_OPEN].write = 100;
    t->peer_nxt = t->peer_rcv = 0;
    ck_assert_int_eq(user_connects(t), 0);
    const struct wire_tcp *syn = expect(t, SYN(.len = 100));
    ck_assert_uint_eq(syn->options.cookie_len, 8);
    ck_assert_mem_eq(syn->options.cookie, "8 octets", 8);
    peer_sends(t, SYNACK(.ack = 101));
    ck_assert_uint_eq(info_of(t).syn_text_acked, 100);
    ignore_sent(t);
    tcp_test_close(t);
}
END_TEST

/* 4.2.1: all, some or none of its text may be acknowledged (R7413-6) */
START_TEST(what_the_syn_ack_leaves_out_goes_behind_it) /* loop: octets taken */
{
    static const int64_t taken[] = {0, 1, 50, 99, 100};
    struct tcp_test *t = opens(TLSYN_LEVEL_OPEN, 100);

    expect(t, SYN(.len = 100));
    peer_sends(t, SYNACK(.ack = 1 + taken[_i]));
    expect(t, ACK(.seq = 1 + taken[_i], .len = (size_t)(100 - taken[_i])));
    ck_assert_uint_eq(info_of(t).syn_text_acked, (uint64_t)taken[_i]);
    ignore_sent(t);
    tcp_test_close(t);
}
END_TEST

/* RFC 9293 3.10.7.3: an ACK of more than was sent is nobody's */
START_TEST(a_syn_ack_of_more_than_the_text_is_reset)
{
    struct tcp_test *t = opens(TLSYN_LEVEL_OPEN, 100);

    expect(t, SYN(.len = 100));
    peer_sends(t, SYNACK(.ack = 102));
    expect(t, RST(.seq = 102));
    expect_state(t, TLSYN_SYN_SENT);
    tcp_test_close(t);
}
END_TEST

/* 4.2.1 (R7413-7) */
START_TEST(a_syn_that_times_out_goes_again_without_option_and_text)
{
    struct tcp_test *t = opens(TLSYN_LEVEL_OPEN, 100);

    expect(t, SYN(.len = 100));
    advance(t, TLSYN_MS(1100));
    ck_assert(!expect(t, SYN(.seq = 0, .len = 0))->options.has_fastopen);
    peer_sends(t, SYNACK(.ack = 1));
    expect(t, ACK(.seq = 1, .len = 100));
    tcp_test_close(t);
}
END_TEST

/* 4.1.3 (R7413-9) */
START_TEST(text_that_fits_no_syn_waits_for_the_handshake)
{
    struct tcp_test *t = opens(TLSYN_LEVEL_OPEN, 5000);

    expect(t, SYN(.len = 0));
    peer_sends(t, SYNACK());
    expect(t, ACK(.seq = 1, .len = 1460));
    ignore_sent(t);
    tcp_test_close(t);
}
END_TEST

Suite *rfc7413_suite(void);
Suite *rfc7413_suite(void)
{
    Suite *suite = suite_create("rfc7413");
    TCase *option = tcase_create("cookie"), *server = tcase_create("server"),
          *client = tcase_create("client");

    tcase_add_test(option, a_cookie_has_four_to_sixteen_octets_and_an_even_number);
    tcase_add_test(option, the_cookie_is_the_same_for_another_port_and_for_a_later_connection);
    tcase_add_loop_test(option, a_cookie_with_one_bit_changed_is_none, 0, 8);
    tcase_add_test(option, the_option_behind_the_handshake_means_nothing);
    suite_add_tcase(suite, option);
    tcase_add_test(server, text_with_a_valid_cookie_is_the_users_at_once);
    tcase_add_test(server, text_without_a_cookie_comes_again_behind_the_handshake);
    tcase_add_test(server, an_answer_may_leave_before_the_third_segment);
    tcase_add_test(server, a_repeated_syn_brings_its_text_once);
    tcase_add_test(server, a_reset_ends_what_the_cookie_opened);
    suite_add_tcase(suite, server);
    tcase_add_test(client, without_a_cookie_it_asks_for_one_and_its_text_waits);
    tcase_add_test(client, a_cookie_is_for_the_next_connection);
    tcase_add_loop_test(client, what_the_syn_ack_leaves_out_goes_behind_it, 0, 5);
    tcase_add_test(client, a_syn_ack_of_more_than_the_text_is_reset);
    tcase_add_test(client, a_syn_that_times_out_goes_again_without_option_and_text);
    tcase_add_test(client, text_that_fits_no_syn_waits_for_the_handshake);
    suite_add_tcase(suite, client);
    return suite;
}
