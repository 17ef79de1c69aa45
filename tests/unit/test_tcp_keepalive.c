/*
 * Keep-alive. Read first: RFC 9293 3.8.4.
 */
#include <errno.h>

#include "support/peer.h"

static const struct tlsyn_conn_options lively = {.keepalive = true,
                                                 .keep_idle = TLSYN_SECONDS(100),
                                                 .keep_interval = TLSYN_SECONDS(10),
                                                 .keep_count = 3};

/* MUST-24 (MUST-25, MAY-5) */
START_TEST(nobody_is_probed_unless_asked_for)
{
    struct tcp_test *t = TCP_TEST(0);

    opens_passively(t);
    advance(t, TLSYN_SECONDS(100000));
    expect_nothing(t);
    tcp_test_close(t);
}
END_TEST

/* MUST-25 (MUST-28) (SHLD-12) */
START_TEST(without_figures_the_first_probe_comes_after_two_hours)
{
    struct tcp_test *t = TCP_TEST(.conn = {.keepalive = true});

    opens_passively(t);
    advance(t, TLSYN_SECONDS(7199));
    expect_nothing(t);
    advance(t, TLSYN_SECONDS(2));
    expect(t, ACK(.seq = 0, .ack = 1));
    advance(t, TLSYN_SECONDS(73));
    expect_nothing(t);
    advance(t, TLSYN_SECONDS(2));
    expect(t, ACK(.seq = 0, .ack = 1));
    tcp_test_close(t);
}
END_TEST

/* MUST-26: not one lost probe ends it (MUST-27) */
START_TEST(an_answer_starts_the_silence_anew)
{
    struct tcp_test *t = TCP_TEST(.conn = lively);
    struct tlsyn_conn_info info;

    opens_passively(t);
    for (int i = 0; i < 20; i++) {
        advance(t, TLSYN_SECONDS(101));
        expect(t, ACK(.seq = 0));
        advance(t, TLSYN_SECONDS(11));
        expect(t, ACK(.seq = 0));
        tlsyn_conn_info(t->user.conn, &info);
        ck_assert_uint_eq(info.keepalive_probes, 2);
        peer_sends(t, ACK());
        expect_nothing(t);
        tlsyn_conn_info(t->user.conn, &info);
        ck_assert_uint_eq(info.keepalive_probes, 0);
        ck_assert_int_eq(info.last_heard, t->now);
    }
    expect_state(t, TLSYN_ESTABLISHED);
    ck_assert_uint_eq(counted(t, TLSYN_COUNT_tcp_keepalive), 40);
    tcp_test_close(t);
}
END_TEST

/* MUST-29 */
START_TEST(so_many_probes_without_answer_end_it)
{
    struct tcp_test *t = TCP_TEST(.conn = lively);

    opens_passively(t);
    advance(t, TLSYN_SECONDS(101));
    expect(t, ACK(.seq = 0));
    advance(t, TLSYN_SECONDS(10));
    expect(t, ACK(.seq = 0));
    advance(t, TLSYN_SECONDS(10));
    expect(t, ACK(.seq = 0));
    expect_state(t, TLSYN_ESTABLISHED);
    advance(t, TLSYN_SECONDS(10));
    expect(t, RSTACK(.seq = 1));
    ck_assert_int_eq(t->user.error, -ETIMEDOUT);
    expect_no_connection(t);
    tcp_test_close(t);
}
END_TEST

START_TEST(a_user_timeout_takes_the_place_of_the_count)
{
    struct tlsyn_conn_options options = lively;

    options.user_timeout = TLSYN_SECONDS(145);
    struct tcp_test *t = TCP_TEST(.conn = options);

    opens_passively(t);
    advance(t, TLSYN_SECONDS(149)); /* five probes, more than the count */
    ck_assert_int_eq(ignore_sent(t), 5);
    expect_state(t, TLSYN_ESTABLISHED);
    advance(t, TLSYN_SECONDS(2));
    expect(t, RSTACK());
    ck_assert_int_eq(t->user.error, -ETIMEDOUT);
    tcp_test_close(t);
}
END_TEST

START_TEST(a_short_user_timeout_still_gives_one_probe)
{
    struct tlsyn_conn_options options = lively;

    options.user_timeout = TLSYN_SECONDS(1);
    struct tcp_test *t = TCP_TEST(.conn = options);

    opens_passively(t);
    advance(t, TLSYN_SECONDS(101));
    expect(t, ACK(.seq = 0));
    expect_state(t, TLSYN_ESTABLISHED);
    advance(t, TLSYN_SECONDS(10));
    expect(t, RSTACK());
    tcp_test_close(t);
}
END_TEST

/* MUST-26 */
START_TEST(what_is_outstanding_is_not_probed_for)
{
    struct tcp_test *t = TCP_TEST(.conn = lively);

    opens_passively(t);
    user_sends(t, 10);
    expect(t, ACK(.len = 10));
    for (int i = 0; i < 150; i++) {
        advance(t, TLSYN_SECONDS(1));
        while (t->sent_first != t->sent_end)
            expect(t, ACK(.seq = 1, .len = 10)); /* retransmissions alone */
    }
    ck_assert_uint_eq(counted(t, TLSYN_COUNT_tcp_keepalive), 0);
    tcp_test_close(t);
}
END_TEST

/* A stranger's guess is no sign of life. */
START_TEST(what_is_not_acceptable_is_no_answer)
{
    struct tcp_test *t = TCP_TEST(.conn = lively);

    opens_passively(t);
    for (int i = 0; i < 13; i++) {
        advance(t, TLSYN_SECONDS(10));
        if (t->user.conn)
            peer_sends(t, ACK(.seq = 1000000));
    }
    ignore_sent(t);
    ck_assert_int_eq(t->user.error, -ETIMEDOUT);
    tcp_test_close(t);
}
END_TEST

/* MUST-24 */
START_TEST(it_may_be_turned_on_and_off_later)
{
    struct tcp_test *t = TCP_TEST(0);
    struct tlsyn_conn_options options = lively;

    opens_passively(t);
    advance(t, TLSYN_SECONDS(60));
    ck_assert_int_eq(tlsyn_conn_set_options(t->user.conn, &options), 0);
    advance(t, TLSYN_SECONDS(39));
    expect_nothing(t);
    advance(t, TLSYN_SECONDS(2)); /* the silence counts from when it began */
    expect(t, ACK(.seq = 0));
    options.keepalive = false;
    ck_assert_int_eq(tlsyn_conn_set_options(t->user.conn, &options), 0);
    advance(t, TLSYN_SECONDS(10000));
    expect_nothing(t);
    expect_state(t, TLSYN_ESTABLISHED);
    tcp_test_close(t);
}
END_TEST

Suite *tcp_keepalive_suite(void);

Suite *tcp_keepalive_suite(void)
{
    Suite *s = suite_create("tcp_keepalive");
    TCase *all = tcase_create("all");

    tcase_add_test(all, nobody_is_probed_unless_asked_for);
    tcase_add_test(all, without_figures_the_first_probe_comes_after_two_hours);
    tcase_add_test(all, an_answer_starts_the_silence_anew);
    tcase_add_test(all, so_many_probes_without_answer_end_it);
    tcase_add_test(all, a_user_timeout_takes_the_place_of_the_count);
    tcase_add_test(all, a_short_user_timeout_still_gives_one_probe);
    tcase_add_test(all, what_is_outstanding_is_not_probed_for);
    tcase_add_test(all, what_is_not_acceptable_is_no_answer);
    tcase_add_test(all, it_may_be_turned_on_and_off_later);
    suite_add_tcase(s, all);
    return s;
}
