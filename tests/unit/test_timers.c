/*
 * A connection's deadlines on one wheel node.
 */
#include "support/peer.h"
#include "tcp/timers.h"

START_TEST(the_node_stands_at_the_earliest_deadline_or_before)
{
    struct tcp_test *t = TCP_TEST(0);
    struct tlsyn_conn *conn;

    opens_passively(t);
    conn = t->user.conn;
    advance(t, TLSYN_SECONDS(2)); /* what the handshake left fires and finds nothing due */
    ck_assert(!timer_is_set(&conn->timer));
    timers_set(conn, TCP_DELACK, t->now + TLSYN_MS(500));
    timers_set(conn, TCP_LINGER, t->now + TLSYN_MS(300));
    ck_assert_int_eq(conn->timer.deadline, t->now + TLSYN_MS(300));
    timers_clear(conn, TCP_LINGER); /* the node may fire early once */
    ck_assert(!timers_running(conn, TCP_LINGER) && timers_running(conn, TCP_DELACK));
    advance(t, TLSYN_MS(400));
    ck_assert_int_ge(conn->timer.deadline, t->now + TLSYN_MS(100));
    ck_assert_int_lt(conn->timer.deadline, t->now + TLSYN_MS(100) + WHEEL_TICK);
    timers_clear_all(conn);
    ck_assert(!timer_is_set(&conn->timer) && !timers_running(conn, TCP_DELACK));
    tcp_test_close(t);
}
END_TEST

START_TEST(two_that_pass_together_both_fire)
{
    struct tcp_test *t = TCP_TEST(0);

    opens_passively(t);
    peer_sends(t, ACK(.len = 10)); /* the delayed ACK runs */
    user_acts(&t->user, USER_CLOSES);
    t->hold = true;
    timers_set(t->user.conn, TCP_DELACK, t->now + TLSYN_MS(10));
    timers_set(t->user.conn, TCP_LINGER, t->now + TLSYN_MS(10));
    advance(t, TLSYN_MS(11));
    ck_assert_int_eq(t->user.count[USER_CLOSED], 1); /* TCP_LINGER ends it */
    expect_no_connection(t);
    ignore_sent(t);
    tcp_test_close(t);
}
END_TEST

/* Ticks are counted in 32 bits: the count goes round after three days, and 0 is no time at all. */
START_TEST(deadlines_are_met_where_the_count_goes_round)
{
    tlsyn_time round = (INT64_C(1) << 32) * WHEEL_TICK;

    for (int64_t at = -3; at <= 3; at++) {
        struct tcp_test *t = TCP_TEST(0);

        opens_passively(t);
        advance(t, round - t->now - TLSYN_SECONDS(2));
        peer_sends(t, ACK(.len = 10));
        ignore_sent(t);
        timers_set(t->user.conn, TCP_LINGER, round + at * WHEEL_TICK);
        ck_assert_int_eq(timers_when(t->user.conn, TCP_LINGER), round + (at ? at : 1) * WHEEL_TICK);
        advance(t, round - t->now + (at - 1) * WHEEL_TICK);
        ck_assert_int_eq(t->user.count[USER_CLOSED], 0);
        advance(t, 2 * WHEEL_TICK);
        ck_assert_int_eq(t->user.count[USER_CLOSED], 1);
        ignore_sent(t);
        tcp_test_close(t);
    }
}
END_TEST

START_TEST(an_idle_connection_needs_no_timer)
{
    struct tcp_test *t = TCP_TEST(0);

    opens_passively(t);
    advance(t, TLSYN_SECONDS(1000));
    ck_assert(!timer_is_set(&t->user.conn->timer));
    expect_nothing(t);
    tcp_test_close(t);
}
END_TEST

Suite *timers_suite(void);

Suite *timers_suite(void)
{
    Suite *s = suite_create("timers");
    TCase *all = tcase_create("all");

    tcase_add_test(all, the_node_stands_at_the_earliest_deadline_or_before);
    tcase_add_test(all, two_that_pass_together_both_fire);
    tcase_add_test(all, deadlines_are_met_where_the_count_goes_round);
    tcase_add_test(all, an_idle_connection_needs_no_timer);
    suite_add_tcase(s, all);
    return s;
}
