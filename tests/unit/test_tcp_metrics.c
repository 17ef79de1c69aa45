/*
 * What connections learn from those before them. Read first: RFC 9040.
 */
#include "support/peer.h"

/* The next connection to the same peer, with nothing outstanding. */
static void another_port(struct tcp_test *t, uint16_t port)
{
    another_peer(t, port);
    ignore_sent(t);
}

/* A connection whose handshake took `rtt`, and whose end the peer acknowledged. */
static void life(struct tcp_test *t, tlsyn_time rtt)
{
    peer_sends(t, SYN());
    expect(t, SYNACK());
    advance(t, rtt);
    peer_sends(t, ACK());
    peer_sends(t, FIN());
    user_acts(&t->user, USER_CLOSES);
    flush(t);
    advance(t, rtt);
    peer_takes_all(t);
    peer_sends(t, ACK());
    ck_assert_int_eq(t->user.error, 0);
    ignore_sent(t);
}

static struct tlsyn_conn_info opened(struct tcp_test *t, tlsyn_time rtt)
{
    struct tlsyn_conn_info info;

    peer_sends(t, SYN());
    expect(t, SYNACK());
    advance(t, rtt);
    peer_sends(t, ACK());
    tlsyn_conn_info(t->user.conn, &info);
    return info;
}

START_TEST(the_timeout_begins_as_the_last_connection_would_have_it)
{
    struct tcp_test *t = TCP_TEST(0);

    life(t, TLSYN_MS(300));
    another_port(t, 6000);
    struct tlsyn_conn_info info = opened(t, TLSYN_MS(10));
    ck_assert_int_ge(info.srtt, TLSYN_MS(9)); /* its own */
    ck_assert_int_le(info.srtt, TLSYN_MS(12));
    ck_assert_int_ge(info.rto, TLSYN_MS(890));
    ck_assert_int_le(info.rto, TLSYN_MS(920));
    user_writes(&t->user, 10); /* until it has measured more */
    flush(t);
    expect(t, ACK(.len = 10));
    advance(t, TLSYN_MS(10));
    peer_sends(t, ACK(.ack = 11));
    tlsyn_conn_info(t->user.conn, &info);
    ck_assert_int_le(info.rto, TLSYN_MS(250));
    tcp_test_close(t);
}
END_TEST

START_TEST(a_faster_past_makes_nobody_impatient)
{
    struct tcp_test *t = TCP_TEST(0);

    life(t, TLSYN_MS(10));
    another_port(t, 6000);
    ck_assert_int_ge(opened(t, TLSYN_MS(300)).rto, TLSYN_MS(890));
    tcp_test_close(t);
}
END_TEST

START_TEST(measurements_are_forgotten)
{
    struct tcp_test *t = TCP_TEST(0);

    life(t, TLSYN_MS(300));
    advance(t, TLSYN_SECONDS(601));
    another_port(t, 6000);
    ck_assert_int_le(opened(t, TLSYN_MS(10)).rto, TLSYN_MS(250));
    tcp_test_close(t);
}
END_TEST

START_TEST(who_wants_no_memory_has_none)
{
    struct tlsyn_limits limits = default_limits();

    limits.metrics_age = 0;
    struct tcp_test *t = TCP_TEST(.limits = limits);
    life(t, TLSYN_MS(300));
    another_port(t, 6000);
    ck_assert_int_le(opened(t, TLSYN_MS(10)).rto, TLSYN_MS(250));
    tcp_test_close(t);
}
END_TEST

static void loses_a_segment(struct tcp_test *t)
{
    user_sends(t, 14600);
    ignore_sent(t);
    for (int i = 1; i < 10; i++)
        peer_sends(t, ACK(.ack = 1));
    ignore_sent(t);
    t->peer_rcv = 14601;
    peer_sends(t, ACK(.ack = 14601));
}

START_TEST(ssthresh_is_kept_where_it_is_asked_for) /* loop 2 */
{
    struct tlsyn_limits limits = default_limits();
    struct tlsyn_conn_info info;

    limits.metrics_ssthresh = _i;
    struct tcp_test *t = TCP_TEST(.limits = limits);
    opens_passively(t);
    loses_a_segment(t);
    tlsyn_conn_info(t->user.conn, &info);
    uint32_t ssthresh = info.ssthresh;
    ck_assert_uint_lt(ssthresh, 20000);
    user_acts(&t->user, USER_ABORTS);
    flush(t);
    another_port(t, 6000);
    info = opened(t, TLSYN_MS(10));
    ck_assert_uint_eq(info.ssthresh, _i ? ssthresh : UINT32_MAX);
    ck_assert_uint_ge(info.cwnd, 10 * 1460); /* not below the initial window */
    tcp_test_close(t);
}
END_TEST

START_TEST(what_ended_in_timeouts_measured_nothing)
{
    struct tcp_test *t = TCP_TEST(0);

    life(t, TLSYN_MS(300));
    another_port(t, 6000);
    opened(t, TLSYN_MS(300));
    user_sends(t, 10);
    advance(t, TLSYN_SECONDS(400));
    ck_assert_ptr_null(t->user.conn);
    another_port(t, 6001);
    ck_assert_int_le(opened(t, TLSYN_MS(10)).rto, TLSYN_MS(250));
    tcp_test_close(t);
}
END_TEST

/* docs/HANDSHAKE.md: a SYN whose text is dropped costs a second at first, and three round trips of
 * those that are known. */
START_TEST(a_syn_with_text_is_sent_again_after_three_round_trips)
{
    struct tcp_test *t = TCP_TEST(.level = TLSYN_LEVEL_OPEN);

    t->user.plan[USER_OPEN].write = 200;
    life(t, TLSYN_MS(100));
    ck_assert_int_eq(user_connects(t), 0);
    expect(t, SYN(.len = 200));
    advance(t, TLSYN_MS(290));
    expect_nothing(t);
    advance(t, TLSYN_MS(20));
    expect(t, SYN(.len = 0));
    tcp_test_close(t);
}
END_TEST

START_TEST(a_plain_syn_waits_its_second)
{
    struct tcp_test *t = TCP_TEST(0);

    life(t, TLSYN_MS(100));
    ck_assert_int_eq(user_connects(t), 0);
    expect(t, SYN());
    advance(t, TLSYN_MS(990)); /* RFC 6298 (2.1) */
    expect_nothing(t);
    advance(t, TLSYN_MS(20));
    expect(t, SYN());
    tcp_test_close(t);
}
END_TEST

Suite *tcp_metrics_suite(void);

Suite *tcp_metrics_suite(void)
{
    Suite *s = suite_create("tcp_metrics");
    TCase *all = tcase_create("all");

    tcase_add_test(all, the_timeout_begins_as_the_last_connection_would_have_it);
    tcase_add_test(all, a_faster_past_makes_nobody_impatient);
    tcase_add_test(all, measurements_are_forgotten);
    tcase_add_test(all, who_wants_no_memory_has_none);
    tcase_add_loop_test(all, ssthresh_is_kept_where_it_is_asked_for, 0, 2);
    tcase_add_test(all, what_ended_in_timeouts_measured_nothing);
    tcase_add_test(all, a_syn_with_text_is_sent_again_after_three_round_trips);
    tcase_add_test(all, a_plain_syn_waits_its_second);
    suite_add_tcase(s, all);
    return s;
}
