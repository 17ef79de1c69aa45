/*
 * Options that change while a connection lives: the cork, Nagle's algorithm, buffers,
 * the user timeout.
 */
#include <errno.h>

#include "support/peer.h"

static void set(struct tcp_test *t, const struct tlsyn_conn_options *options)
{
    ck_assert_int_eq(tlsyn_conn_set_options(t->user.conn, options), 0);
}
#define SET(t, ...) set(t, &(struct tlsyn_conn_options){__VA_ARGS__})

/* --- the cork --------------------------------------------------------------------------------- */

START_TEST(a_corked_connection_waits_for_a_full_segment)
{
    struct tcp_test *t = TCP_TEST(.conn = {.cork = true});

    opens_passively(t);
    user_sends(t, 1000);
    expect_nothing(t);
    user_sends(t, 1000);
    expect(t, ACK(.seq = 1, .len = 1460));
    expect_nothing(t);
    SET(t, .cork = false);
    flush(t);
    expect(t, ACK(.seq = 1461, .len = 540));
    tcp_test_close(t);
}
END_TEST

/* MUST-60, MAY-16 */
START_TEST(a_cork_holds_for_200_ms_at_most)
{
    struct tcp_test *t = TCP_TEST(.conn = {.cork = true});

    opens_passively(t);
    for (int i = 0; i < 3; i++) {
        user_sends(t, 10);
        advance(t, TLSYN_MS(150));
        user_writes(&t->user, 10); /* the time counts from the first that waits */
        flush(t);
        advance(t, TLSYN_MS(49));
        expect_nothing(t);
        advance(t, TLSYN_MS(2));
        expect(t, ACK(.seq = 1 + 20 * i, .len = 20));
        peer_sends(t, ACK(.ack = 21 + 20 * i));
    }
    expect_nothing(t);
    tcp_test_close(t);
}
END_TEST

START_TEST(a_fin_pulls_the_cork)
{
    struct tcp_test *t = TCP_TEST(.conn = {.cork = true});

    opens_passively(t);
    user_sends(t, 10);
    expect_nothing(t);
    user_acts(&t->user, USER_CLOSES);
    flush(t);
    expect(t, FIN(.seq = 1, .len = 10));
    tcp_test_close(t);
}
END_TEST

START_TEST(a_cork_holds_the_odd_end_of_a_train)
{
    struct tcp_test *t =
        TCP_TEST(.conn = {.cork = true}, .caps = {.mtu = 1500, .gso_max = 65000, .csum = true});

    opens_passively(t);
    user_sends(t, 3000);
    expect(t, ACK(.seq = 1, .len = 2920));
    peer_sends(t, ACK(.ack = 2921));
    expect_nothing(t);
    advance(t, TLSYN_MS(201));
    expect(t, ACK(.seq = 2921, .len = 80));
    tcp_test_close(t);
}
END_TEST

/* As Linux's TCP_NODELAY does to TCP_CORK */
START_TEST(nagle_turned_off_pulls_the_cork_once)
{
    struct tcp_test *t = TCP_TEST(.conn = {.nagle = true, .cork = true});

    opens_passively(t);
    user_sends(t, 100);
    expect_nothing(t);
    SET(t, .cork = true);
    flush(t);
    expect(t, ACK(.seq = 1, .len = 100));
    user_sends(t, 100);
    expect_nothing(t);
    tcp_test_close(t);
}
END_TEST

/* RFC 9293 3.9.1.2: text that more follows is not pushed, but when nothing comes, or nothing can.
 * MAY-15 */
START_TEST(what_more_follows_is_not_pushed)
{
    struct tcp_test *t = TCP_TEST(.conn = {.nagle = true, .cork = true, .more = true});

    opens_passively(t);
    user_writes(&t->user, 100);
    SET(t, .cork = true, .more = true);
    flush(t);
    ck_assert(!(expect(t, ACK(.seq = 1, .len = 100))->flags & TCP_PSH));
    user_writes(&t->user, 100);
    advance(t, TLSYN_MS(200));
    ck_assert(expect(t, ACK(.seq = 101, .len = 100))->flags & TCP_PSH);
    SET(t, .cork = true, .more = true);
    user_writes(&t->user, 100);
    tlsyn_conn_close(t->user.conn);
    flush(t);
    ck_assert(expect(t, FIN(.seq = 201, .len = 100))->flags & TCP_PSH);
    tcp_test_close(t);
}
END_TEST

/* --- the others ------------------------------------------------------------------------------- */

/* MUST-17 */
START_TEST(nagle_turned_off_lets_go_what_waits)
{
    struct tcp_test *t = TCP_TEST(.conn = {.nagle = true});

    opens_passively(t);
    user_sends(t, 10);
    expect(t, ACK(.len = 10));
    user_sends(t, 10);
    expect_nothing(t);
    SET(t, .nagle = false);
    flush(t);
    expect(t, ACK(.seq = 11, .len = 10));
    tcp_test_close(t);
}
END_TEST

START_TEST(a_user_timeout_set_later_counts)
{
    struct tcp_test *t = TCP_TEST(0);

    opens_passively(t);
    user_sends(t, 10);
    SET(t, .user_timeout = TLSYN_SECONDS(5));
    advance(t, TLSYN_SECONDS(4));
    expect_state(t, TLSYN_ESTABLISHED);
    advance(t, TLSYN_SECONDS(10));
    ck_assert_int_eq(t->user.error, -ETIMEDOUT);
    ignore_sent(t);
    tcp_test_close(t);
}
END_TEST

START_TEST(a_larger_send_buffer_takes_more_and_keeps_what_it_has)
{
    struct tcp_test *t = TCP_TEST(.conn = {.snd_ring = 4096}, .peer_wnd = 2000);

    opens_passively(t);
    ck_assert_uint_eq(user_writes(&t->user, 10000), 4096);
    SET(t, .snd_ring = 16384);
    ck_assert_uint_eq(user_writes(&t->user, 10000), 10000);
    flush(t);
    while (t->user.acked < 14096) {
        peer_takes_all(t); /* compares with the pattern */
        peer_sends(t, ACK(.wnd = 8000));
        advance(t, TLSYN_MS(300));
    }
    tcp_test_close(t);
}
END_TEST

START_TEST(a_smaller_receive_buffer_takes_no_window_back)
{
    struct tcp_test *t = TCP_TEST(.conn = {.rcv_ring = 32768});

    t->user.deaf = true;
    opens_passively(t);
    SET(t, .rcv_ring = 8192);
    peer_sends(t, ACK(.len = 1460));
    peer_sends(t, ACK(.len = 1460));
    expect(t, ACK(.ack = 2921, .wnd = 32768 - 2920)); /* the edge stays */
    for (int i = 0; i < 20; i++)
        peer_sends(t, ACK(.len = 1460));
    peer_sends(t, ACK(.len = 32768 - 22 * 1460));
    while (t->sent_first != t->sent_end)
        expect(t, ACK());
    ck_assert_uint_eq(user_reads(&t->user, 32768), 32768);
    flush(t);
    expect(t, ACK(.ack = 32769, .wnd = 8192)); /* and then there is less */
    tcp_test_close(t);
}
END_TEST

/* Simulator seed 105033 */
START_TEST(nor_does_a_syn_ack_that_is_sent_again)
{
    struct tcp_test *t = TCP_TEST(.open = true, .conn = {.rcv_ring = 32768});

    peer_sends(t, SYN(.len = 100, .opt = {.has_fastopen = true}));
    expect(t, SYNACK(.ack = 101, .wnd = 32768));
    SET(t, .rcv_ring = 8192);
    advance(t, TLSYN_MS(1100));
    expect(t, SYNACK(.ack = 101, .wnd = 32768));
    tcp_test_close(t);
}
END_TEST

/* Simulator seed 106244: BBR has no ssthresh, and the one that came after it took "none" for the
 * window at which recovery ends. */
START_TEST(a_controller_that_comes_in_recovery_ends_it_where_it_began)
{
    struct tcp_test *t =
        TCP_TEST(.peer = {.mss = 1460, .sack_permitted = true}, .conn = {.controller = "bbr"});
    struct tcp_options blocks = {.sack_count = 1};
    struct tlsyn_conn_info info;

    opens_passively(t);
    user_sends(t, 14600);
    advance(t, TLSYN_MS(50));
    blocks.sack[0] = (struct tcp_sack_block){t->iss + 1 + 1460, t->iss + 1 + 14600};
    peer_sends(t, ACK(.ack = 1, .opt = blocks));
    ck_assert(t->user.conn->in_recovery);
    SET(t, .controller = "newreno");
    peer_sends(t, ACK(.ack = 14601));
    tlsyn_conn_info(t->user.conn, &info);
    ck_assert(!t->user.conn->in_recovery);
    ck_assert_uint_le(info.cwnd, 100000);
    ignore_sent(t);
    tcp_test_close(t);
}
END_TEST

START_TEST(what_was_set_can_be_read)
{
    static const struct tlsyn_conn_options want = {
        .nagle = true,
        .cork = true,
        .more = true,
        .no_delack = true,
        .keepalive = true,
        .keep_count = 4,
        .keep_idle = TLSYN_MS(1500),
        .keep_interval = TLSYN_SECONDS(2),
        .snd_ring = 10000,
        .rcv_ring = 20000,
        .user_timeout = TLSYN_SECONDS(7),
        .controller = "newreno",
    };
    struct tcp_test *t = TCP_TEST(.conn = {.controller = "newreno"});
    struct tlsyn_conn_options is;
    struct tlsyn_conn_info info;

    opens_passively(t);
    tlsyn_conn_get_options(t->user.conn, &is);
    ck_assert(!is.nagle && !is.keepalive && is.user_timeout == 0 && is.snd_ring == 0);
    ck_assert_int_eq(is.keep_idle, TLSYN_SECONDS(7200));
    set(t, &want);
    tlsyn_conn_get_options(t->user.conn, &is);
    ck_assert(is.nagle && is.cork && is.more && is.no_delack && is.keepalive);
    ck_assert_str_eq(is.controller, "newreno");
    ck_assert_uint_eq(is.keep_count, 4);
    ck_assert_int_eq(is.keep_idle, want.keep_idle);
    ck_assert_int_eq(is.keep_interval, want.keep_interval);
    ck_assert_uint_eq(is.snd_ring, 10000);
    ck_assert_uint_eq(is.rcv_ring, 20000);
    ck_assert_int_eq(is.user_timeout, want.user_timeout);
    tlsyn_conn_info(t->user.conn, &info);
    ck_assert_uint_ge(info.snd_ring, 10000);
    ck_assert_uint_ge(info.rcv_ring, 20000);
    tcp_test_close(t);
}
END_TEST

START_TEST(a_refused_change_changes_nothing)
{
    struct tcp_test *t = TCP_TEST(0);
    struct tlsyn_conn_options is, bad = {.nagle = true, .keep_idle = -1};

    opens_passively(t);
    ck_assert_int_eq(tlsyn_conn_set_options(t->user.conn, &bad), -EINVAL);
    tlsyn_conn_get_options(t->user.conn, &is);
    ck_assert(!is.nagle);
    tcp_test_close(t);
}
END_TEST

START_TEST(the_buffers_can_be_looked_into)
{
    struct tcp_test *t = TCP_TEST(.peer_wnd = 3000);
    struct tlsyn_conn_info info;

    t->user.deaf = true;
    opens_passively(t);
    user_sends(t, 5000);
    peer_sends(t, ACK(.seq = 1, .ack = 1, .len = 100));
    peer_sends(t, ACK(.seq = 201, .ack = 1, .len = 50));
    tlsyn_conn_info(t->user.conn, &info);
    ck_assert_uint_eq(info.snd_queued, 5000);
    ck_assert_uint_eq(info.snd_unsent, 5000 - 2920);
    ck_assert_uint_eq(info.in_flight, 2920);
    ck_assert_uint_eq(info.rcv_queued, 100);
    ck_assert_uint_eq(info.rcv_ooo, 50);
    ignore_sent(t);
    tcp_test_close(t);
}
END_TEST

Suite *tcp_settings_suite(void);

Suite *tcp_settings_suite(void)
{
    Suite *s = suite_create("tcp_settings");
    TCase *cork = tcase_create("cork");
    TCase *others = tcase_create("others");

    tcase_add_test(cork, a_corked_connection_waits_for_a_full_segment);
    tcase_add_test(cork, a_cork_holds_for_200_ms_at_most);
    tcase_add_test(cork, a_fin_pulls_the_cork);
    tcase_add_test(cork, a_cork_holds_the_odd_end_of_a_train);
    tcase_add_test(cork, nagle_turned_off_pulls_the_cork_once);
    tcase_add_test(cork, what_more_follows_is_not_pushed);
    suite_add_tcase(s, cork);
    tcase_add_test(others, nagle_turned_off_lets_go_what_waits);
    tcase_add_test(others, a_user_timeout_set_later_counts);
    tcase_add_test(others, a_larger_send_buffer_takes_more_and_keeps_what_it_has);
    tcase_add_test(others, a_smaller_receive_buffer_takes_no_window_back);
    tcase_add_test(others, nor_does_a_syn_ack_that_is_sent_again);
    tcase_add_test(others, a_controller_that_comes_in_recovery_ends_it_where_it_began);
    tcase_add_test(others, what_was_set_can_be_read);
    tcase_add_test(others, a_refused_change_changes_nothing);
    tcase_add_test(others, the_buffers_can_be_looked_into);
    suite_add_tcase(s, others);
    return s;
}
