/*
 * Bounds that are reached, and memory that fails: something is dropped or refused and counted,
 * nothing leaks, nobody is told twice.
 */
#include <errno.h>

#include "support/peer.h"

#define REQUEST                                                                                    \
    {                                                                                              \
        .mss = 1460, .has_fastopen = true                                                          \
    }

static void next_peer(struct tcp_test *t)
{
    another_peer(t, (uint16_t)(t->peer_port + 1));
}

/* --- limits ----------------------------------------------------------------------------------- */

START_TEST(no_more_connections_than_allowed)
{
    struct tlsyn_limits limits = default_limits();

    limits.connections = 3;
    struct tcp_test *t = TCP_TEST(.limits = limits);
    for (int i = 0; i < 5; i++, next_peer(t)) {
        peer_sends(t, SYN());
        if (i < 3)
            expect(t, SYNACK());
        expect_nothing(t);
    }
    ck_assert_uint_eq(dropped(t, TLSYN_DROP_tcp_connections_full), 2);
    ck_assert_int_eq(user_connects(t), -ENOBUFS);
    tcp_test_close(t);
}
END_TEST

START_TEST(no_more_half_open_connections_than_allowed)
{
    struct tlsyn_limits limits = default_limits();

    limits.syn_backlog = 2;
    limits.syn_cookies = false;
    struct tcp_test *t = TCP_TEST(.limits = limits);
    for (int i = 0; i < 4; i++, next_peer(t))
        peer_sends(t, SYN());
    ck_assert_int_eq(ignore_sent(t), 4);
    ck_assert_uint_eq(counted(t, TLSYN_COUNT_tcp_listen_overflows), 2);
    ck_assert_uint_eq(t->tcp->half_open, 2);
    t->peer_port = PEER_PORT + 3; /* the newest is completed: there is room again */
    t->peer_nxt = 1;
    t->peer_rcv = 1;
    peer_sends(t, SYN(.seq = 0));
    expect(t, SYNACK());
    peer_sends(t, ACK());
    t->peer_port = 9999;
    peer_sends(t, SYN(.seq = 0));
    expect(t, SYNACK());
    ck_assert_uint_eq(counted(t, TLSYN_COUNT_tcp_listen_overflows), 2);
    tcp_test_close(t);
}
END_TEST

START_TEST(no_more_holes_than_allowed)
{
    struct tlsyn_limits limits = default_limits();

    limits.ooo_ranges = 3;
    struct tcp_test *t = TCP_TEST(.limits = limits);
    opens_passively(t);
    for (int i = 1; i <= 5; i++)
        peer_sends(t, ACK(.seq = 1 + i * 20, .len = 10));
    ck_assert_uint_eq(dropped(t, TLSYN_DROP_tcp_ooo_full), 2);
    peer_sends(t, ACK(.seq = 1, .len = 121)); /* fills the holes that are known */
    ck_assert_uint_eq(t->user.read, 121);
    ignore_sent(t);
    tcp_test_close(t);
}
END_TEST

START_TEST(resets_are_rate_limited)
{
    struct tlsyn_limits limits = default_limits();

    limits.rst_per_second = 4;
    struct tcp_test *t = TCP_TEST(.limits = limits);
    t->local_port = 81;
    for (int i = 0; i < 10; i++, next_peer(t))
        peer_sends(t, SYN());
    ck_assert_int_eq(ignore_sent(t), 4);
    ck_assert_uint_eq(counted(t, TLSYN_COUNT_tcp_rst_rate_limited), 6);
    advance(t, TLSYN_SECONDS(1));
    peer_sends(t, SYN());
    ck_assert_int_eq(ignore_sent(t), 1);
    tcp_test_close(t);
}
END_TEST

START_TEST(a_full_send_ring_takes_no_more_until_something_is_acknowledged)
{
    struct tcp_test *t = TCP_TEST(.conn = {.snd_ring = 4096});

    opens_passively(t);
    ck_assert_uint_eq(user_writes(&t->user, 10000), 4096);
    flush(t);
    ck_assert_int_eq(tlsyn_conn_write(t->user.conn, "x", 1), 0);
    peer_takes_all(t);
    peer_sends(t, ACK());
    ck_assert_uint_eq(user_writes(&t->user, 10000), 4096);
    tcp_test_close(t);
}
END_TEST

/* RFC 9293 3.7.1; a hostile MSS makes many small segments */
START_TEST(a_tiny_mss_is_not_taken_at_its_word)
{
    struct tcp_test *t = TCP_TEST(.peer = {.mss = 1});

    opens_passively(t);
    user_sends(t, 1000);
    ck_assert_int_le(ignore_sent(t), 20);
    tcp_test_close(t);
}
END_TEST

/* MUST-15 */
START_TEST(without_an_mss_option_536_is_meant)
{
    struct tcp_test *t = TCP_TEST(.peer_has_no_options = true);

    opens_passively(t);
    user_sends(t, 1000);
    expect(t, ACK(.len = 536));
    tcp_test_close(t);
}
END_TEST

/* --- memory: the nth request fails ------------------------------------------------------------ */

/* A whole life, whatever becomes of it; the segments of a peer that knows nothing of our
 * trouble. */
static void passive_life(struct tcp_test *t)
{
    t->user.plan[USER_SYN].write = 200;
    peer_sends(t, SYN(.len = 300, .opt = REQUEST));
    peer_takes_all(t);
    peer_sends(t, ACK(.seq = 301));
    peer_sends(t, ACK(.seq = 401, .len = 100)); /* behind a hole */
    peer_sends(t, ACK(.seq = 1, .len = 400));
    if (t->user.conn) {
        user_writes(&t->user, 3000);
        user_acts(&t->user, USER_CLOSES);
    }
    flush(t);
    peer_takes_all(t);
    peer_sends(t, FIN());
    advance(t, TLSYN_SECONDS(100));
    ignore_sent(t);
}

START_TEST(a_passive_life_survives_any_failed_request) /* loop 25 */
{
    struct tcp_test *t = TCP_TEST(.open = true);

    test_memory_fail(&t->memory, (uint64_t)_i + 1);
    passive_life(t);
    ck_assert_int_le(t->user.count[USER_CLOSED], 1);
    ck_assert_int_le(t->user.count[USER_SYN], 1);
    tcp_test_close(t); /* fails if memory is out */
}
END_TEST

START_TEST(a_passive_life_survives_when_all_requests_fail_from_the_nth_on) /* loop 25 */
{
    struct tcp_test *t = TCP_TEST(.open = true);

    test_memory_fail(&t->memory, (uint64_t)_i + 1);
    t->memory.fail_to = UINT64_MAX;
    passive_life(t);
    tcp_test_close(t);
}
END_TEST

START_TEST(an_active_life_survives_any_failed_request) /* loop 25 */
{
    struct tcp_test *t = TCP_TEST(.level = TLSYN_LEVEL_OPEN);

    test_memory_fail(&t->memory, (uint64_t)_i + 1);
    t->user.plan[USER_OPEN].write = 100;
    t->user.plan[USER_SYNACK].write = 100;
    int error = user_connects(t);
    if (error < 0)
        ck_assert_int_eq(error, -ENOMEM);
    peer_takes_all(t);
    if (error == 0) {
        peer_sends(t, ACK(.seq = 201, .ack = 1, .len = 100)); /* overtakes */
        peer_sends(t, SYNACK(.seq = 0, .len = 200));
        peer_takes_all(t);
        peer_sends(t, FIN());
    }
    advance(t, TLSYN_SECONDS(1));
    ignore_sent(t);
    tcp_test_close(t);
}
END_TEST

START_TEST(text_that_found_no_memory_is_taken_when_it_comes_again)
{
    struct tcp_test *t = TCP_TEST(0);

    opens_passively(t);
    test_memory_fail_all(&t->memory, true);
    peer_sends(t, ACK(.seq = 1, .len = 100));
    ck_assert_uint_eq(dropped(t, TLSYN_DROP_no_memory), 1);
    test_memory_fail_all(&t->memory, false);
    ignore_sent(t);
    peer_sends(t, ACK(.seq = 1, .len = 100));
    ck_assert_uint_eq(t->user.read, 100);
    tcp_test_close(t);
}
END_TEST

START_TEST(a_write_without_memory_says_so)
{
    struct tcp_test *t = TCP_TEST(0);

    opens_passively(t);
    test_memory_fail_all(&t->memory, true);
    ck_assert_int_eq(tlsyn_conn_write(t->user.conn, "x", 1), -ENOMEM);
    test_memory_fail_all(&t->memory, false);
    ck_assert_int_eq(tlsyn_conn_write(t->user.conn, "x", 1), 1);
    tcp_test_close(t);
}
END_TEST

START_TEST(the_end_of_the_stack_tells_every_user)
{
    struct tcp_test *t = TCP_TEST(0);

    opens_passively(t);
    user_writes(&t->user, 100);
    tlsyn_stack_free(t->stack);
    t->stack = NULL;
    ck_assert_int_eq(t->user.count[USER_CLOSED], 1);
    ck_assert_int_eq(t->user.error, -ECONNABORTED);
    tcp_test_close(t);
}
END_TEST

Suite *tcp_bounds_suite(void);

Suite *tcp_bounds_suite(void)
{
    Suite *s = suite_create("tcp_bounds");
    TCase *limits = tcase_create("limits");
    TCase *memory_the_nth_request_fails = tcase_create("memory: the nth request fails");

    tcase_add_test(limits, no_more_connections_than_allowed);
    tcase_add_test(limits, no_more_half_open_connections_than_allowed);
    tcase_add_test(limits, no_more_holes_than_allowed);
    tcase_add_test(limits, resets_are_rate_limited);
    tcase_add_test(limits, a_full_send_ring_takes_no_more_until_something_is_acknowledged);
    tcase_add_test(limits, a_tiny_mss_is_not_taken_at_its_word);
    tcase_add_test(limits, without_an_mss_option_536_is_meant);
    suite_add_tcase(s, limits);
    tcase_add_loop_test(memory_the_nth_request_fails, a_passive_life_survives_any_failed_request, 0,
                        25);
    tcase_add_loop_test(memory_the_nth_request_fails,
                        a_passive_life_survives_when_all_requests_fail_from_the_nth_on, 0, 25);
    tcase_add_loop_test(memory_the_nth_request_fails, an_active_life_survives_any_failed_request, 0,
                        25);
    tcase_add_test(memory_the_nth_request_fails,
                   text_that_found_no_memory_is_taken_when_it_comes_again);
    tcase_add_test(memory_the_nth_request_fails, a_write_without_memory_says_so);
    tcase_add_test(memory_the_nth_request_fails, the_end_of_the_stack_tells_every_user);
    suite_add_tcase(s, memory_the_nth_request_fails);
    return s;
}
