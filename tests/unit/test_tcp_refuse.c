/*
 * Hooks that refuse: what they wrote leaves, then RST; the handler is told exactly once. Read
 * first: tlsyn/conn.h.
 */
#include <errno.h>

#include "support/peer.h"

#define REQUEST                                                                                    \
    {                                                                                              \
        .mss = 1460, .has_fastopen = true                                                          \
    }

static void expect_refused(struct tcp_test *t, int error)
{
    ck_assert_int_eq(t->user.count[USER_CLOSED], 1);
    ck_assert_int_eq(t->user.error, error);
    ck_assert_int_eq(t->user.count[USER_ESTABLISHED], 0);
    expect_nothing(t);
    expect_no_connection(t);
}

/* --- on_syn ----------------------------------------------------------------------------------- */

START_TEST(an_alert_in_the_syn_ack_then_reset)
{
    struct tcp_test *t = TCP_TEST(.open = true);

    t->user.plan[USER_SYN] = (struct user_plan){.write = 7, .result = -EPROTO};
    peer_sends(t, SYN(.len = 300, .opt = REQUEST));
    expect(t, SYNACK(.seq = 0, .ack = 301, .len = 7));
    expect(t, RSTACK(.seq = 8));
    expect_refused(t, -EPROTO);
    ck_assert_uint_eq(counted(t, TLSYN_COUNT_tcp_fastopen_passive_fail), 1);
    tcp_test_close(t);
}
END_TEST

START_TEST(without_a_word_the_syn_is_reset)
{
    struct tcp_test *t = TCP_TEST(.open = true);

    t->user.plan[USER_SYN].result = -EPROTO;
    peer_sends(t, SYN(.len = 300, .opt = REQUEST));
    expect(t, RSTACK(.ack = 301));
    expect_refused(t, -EPROTO);
    tcp_test_close(t);
}
END_TEST

START_TEST(an_acceptor_without_handler_resets_the_syn)
{
    struct tcp_test *t = TCP_TEST(.open = true);

    t->user.refuses = true;
    peer_sends(t, SYN(.len = 300, .opt = REQUEST));
    expect(t, RSTACK(.ack = 1));
    expect_nothing(t);
    ck_assert_int_eq(t->user.count[USER_CLOSED], 0);
    expect_no_connection(t);
    tcp_test_close(t);
}
END_TEST

START_TEST(an_abort_and_a_refusal_tell_once) /* loop 2 */
{
    struct tcp_test *t = TCP_TEST(.open = true);

    t->user.plan[USER_SYN] = (struct user_plan){.act = USER_ABORTS, .result = _i ? -EPROTO : 0};
    peer_sends(t, SYN(.len = 300, .opt = REQUEST));
    ignore_sent(t);
    expect_refused(t, -ECANCELED);
    tcp_test_close(t);
}
END_TEST

START_TEST(a_release_inside_on_syn_tells_nobody)
{
    struct tcp_test *t = TCP_TEST(.open = true);

    t->user.plan[USER_SYN] = (struct user_plan){.write = 5, .act = USER_RELEASES};
    peer_sends(t, SYN(.len = 300, .opt = REQUEST));
    expect(t, SYNACK(.len = 5));
    peer_sends(t, ACK());
    expect(t, FIN(.seq = 6));
    ck_assert_int_eq(t->user.count[USER_CLOSED] + t->user.count[USER_ESTABLISHED], 0);
    tcp_test_close(t);
}
END_TEST

START_TEST(a_close_inside_on_syn_follows_the_flight)
{
    struct tcp_test *t = TCP_TEST(.open = true);

    t->user.plan[USER_SYN] = (struct user_plan){.write = 5, .act = USER_CLOSES};
    peer_sends(t, SYN(.len = 300, .opt = REQUEST));
    expect(t, SYNACK(.len = 5));
    expect_nothing(t); /* no FIN before the peer is known */
    peer_sends(t, ACK());
    expect(t, FIN(.seq = 6));
    ck_assert_int_eq(t->user.count[USER_ESTABLISHED], 1);
    tcp_test_close(t);
}
END_TEST

START_TEST(what_comes_behind_a_refusal_is_not_heard)
{
    struct tcp_test *t = TCP_TEST(.open = true);

    t->user.plan[USER_SYN] = (struct user_plan){.write = 7, .result = -EPROTO};
    t->hold = true; /* the RST has not left yet */
    peer_sends(t, SYN(.len = 300, .opt = REQUEST));
    peer_sends(t, ACK(.seq = 301, .ack = 1, .len = 10));
    t->hold = false;
    flush(t);
    expect(t, SYNACK(.len = 7));
    expect(t, RSTACK());
    expect_refused(t, -EPROTO);
    tcp_test_close(t);
}
END_TEST

/* --- on_synack -------------------------------------------------------------------------------- */

START_TEST(an_alert_in_the_ack_then_reset)
{
    struct tcp_test *t = TCP_TEST(.level = TLSYN_LEVEL_OPEN);

    t->user.plan[USER_OPEN].write = 100;
    t->user.plan[USER_SYNACK] = (struct user_plan){.write = 7, .result = -EBADMSG};
    user_connects(t);
    expect(t, SYN(.len = 100));
    peer_sends(t, SYNACK(.ack = 101, .len = 200));
    expect(t, ACK(.seq = 101, .ack = 201, .len = 7));
    expect(t, RSTACK(.seq = 108));
    expect_refused(t, -EBADMSG);
    tcp_test_close(t);
}
END_TEST

START_TEST(a_reset_follows_a_refusal_without_a_word)
{
    struct tcp_test *t = TCP_TEST(0);

    t->user.plan[USER_SYNACK].result = -EBADMSG;
    user_connects(t);
    expect(t, SYN());
    peer_sends(t, SYNACK());
    expect(t, ACK());
    expect(t, RSTACK(.seq = 1, .ack = 1));
    expect_refused(t, -EBADMSG);
    tcp_test_close(t);
}
END_TEST

START_TEST(an_abort_inside_on_synack_tells_once) /* loop 2 */
{
    struct tcp_test *t = TCP_TEST(0);

    t->user.plan[USER_SYNACK] = (struct user_plan){.act = USER_ABORTS, .result = _i ? -EPROTO : 0};
    user_connects(t);
    expect(t, SYN());
    peer_sends(t, SYNACK());
    ignore_sent(t);
    expect_refused(t, -ECANCELED);
    tcp_test_close(t);
}
END_TEST

Suite *tcp_refuse_suite(void);

Suite *tcp_refuse_suite(void)
{
    Suite *s = suite_create("tcp_refuse");
    TCase *on_syn = tcase_create("on_syn");
    TCase *on_synack = tcase_create("on_synack");

    tcase_add_test(on_syn, an_alert_in_the_syn_ack_then_reset);
    tcase_add_test(on_syn, without_a_word_the_syn_is_reset);
    tcase_add_test(on_syn, an_acceptor_without_handler_resets_the_syn);
    tcase_add_loop_test(on_syn, an_abort_and_a_refusal_tell_once, 0, 2);
    tcase_add_test(on_syn, a_release_inside_on_syn_tells_nobody);
    tcase_add_test(on_syn, a_close_inside_on_syn_follows_the_flight);
    tcase_add_test(on_syn, what_comes_behind_a_refusal_is_not_heard);
    suite_add_tcase(s, on_syn);
    tcase_add_test(on_synack, an_alert_in_the_ack_then_reset);
    tcase_add_test(on_synack, a_reset_follows_a_refusal_without_a_word);
    tcase_add_loop_test(on_synack, an_abort_inside_on_synack_tells_once, 0, 2);
    suite_add_tcase(s, on_synack);
    return s;
}
