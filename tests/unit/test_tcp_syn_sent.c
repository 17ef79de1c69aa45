/*
 * State SYN-SENT: the active open. Read first: RFC 9293 3.10.7.3, 3.5.
 */
#include <errno.h>

#include "support/peer.h"

/* --- the answer ------------------------------------------------------------------------------- */

START_TEST(a_syn_ack_establishes_and_is_acknowledged_at_once)
{
    struct tcp_test *t = TCP_TEST(0);

    ck_assert_int_eq(user_connects(t), 0);
    ck_assert_int_eq(t->user.count[USER_OPEN], 1);
    const struct wire_tcp *syn = expect(t, SYN(.seq = 0));
    ck_assert_uint_eq(syn->options.mss, 1460);
    ck_assert(syn->options.has_ts && syn->options.has_wscale && syn->options.sack_permitted);
    ck_assert(!syn->options.has_fastopen);
    peer_sends(t, SYNACK());
    expect(t, ACK(.seq = 1, .ack = 1));
    expect_nothing(t);
    ck_assert_int_eq(t->user.count[USER_SYNACK], 1);
    ck_assert_int_eq(t->user.count[USER_ESTABLISHED], 1);
    tcp_test_close(t);
}
END_TEST

/* RFC 9293 3.10.7.3, first */
START_TEST(an_unacceptable_ack_is_reset_and_changes_nothing)
{
    struct tcp_test *t = TCP_TEST(0);

    user_connects(t);
    expect(t, SYN());
    peer_sends(t, SYNACK(.seq = 0, .ack = 0));
    expect(t, RST(.seq = 0));
    peer_sends(t, SYNACK(.seq = 0, .ack = 2));
    expect(t, RST(.seq = 2));
    peer_sends(t, RSTACK(.seq = 0, .ack = 2));
    expect_nothing(t);
    expect_state(t, TLSYN_SYN_SENT);
    t->peer_nxt = 0;
    peer_sends(t, SYNACK());
    expect(t, ACK(.ack = 1));
    expect_state(t, TLSYN_ESTABLISHED);
    tcp_test_close(t);
}
END_TEST

START_TEST(a_reset_with_acceptable_ack_refuses)
{
    struct tcp_test *t = TCP_TEST(0);

    user_connects(t);
    expect(t, SYN());
    peer_sends(t, RSTACK(.seq = 0, .ack = 1));
    expect_nothing(t);
    ck_assert_int_eq(t->user.count[USER_CLOSED], 1);
    ck_assert_int_eq(t->user.error, -ECONNREFUSED);
    expect_no_connection(t);
    tcp_test_close(t);
}
END_TEST

START_TEST(a_reset_without_ack_is_ignored)
{
    struct tcp_test *t = TCP_TEST(0);

    user_connects(t);
    expect(t, SYN());
    peer_sends(t, RST(.seq = 0));
    expect_state(t, TLSYN_SYN_SENT);
    tcp_test_close(t);
}
END_TEST

START_TEST(a_syn_ack_with_text_and_fin_is_taken_whole)
{
    struct tcp_test *t = TCP_TEST(0);

    user_connects(t);
    expect(t, SYN());
    peer_sends(t, SEG(TCP_SYN | TCP_ACK | TCP_FIN, .len = 50));
    expect(t, ACK(.ack = 52));
    ck_assert_uint_eq(t->user.read, 50);
    ck_assert(t->user.ended);
    expect_state(t, TLSYN_CLOSE_WAIT);
    tcp_test_close(t);
}
END_TEST

/* --- nobody answers --------------------------------------------------------------------------- */

/* RFC 9293 3.8.3 (MUST-20, MUST-22, MUST-23), RFC 6298 (5.5) */
START_TEST(the_syn_is_repeated_twice_as_late_each_time_until_given_up)
{
    struct tcp_test *t = TCP_TEST(0);
    tlsyn_time began = t->now, gap = TLSYN_SECONDS(1), before = t->now;

    user_connects(t);
    expect(t, SYN(.seq = 0));
    for (int i = 0; i < 6; i++, gap *= 2) {
        advance(t, before + gap - t->now - 1);
        expect_nothing(t);
        advance(t, TLSYN_MS(1));
        expect(t, SYN(.seq = 0));
        before = t->last.at;
    }
    advance(t, TLSYN_SECONDS(600));
    ignore_sent(t);
    ck_assert_int_eq(t->user.error, -ETIMEDOUT);
    ck_assert_int_eq(t->user.count[USER_CLOSED], 1);
    ck_assert_int_ge(t->now - began, TLSYN_SECONDS(180));
    expect_no_connection(t);
    tcp_test_close(t);
}
END_TEST

/* RFC 6298 (5.7): the round trip was not measured (R6298-11) */
START_TEST(after_a_lost_syn_text_is_repeated_after_three_seconds)
{
    struct tcp_test *t = TCP_TEST(0);

    user_connects(t);
    advance(t, TLSYN_MS(1500));
    expect(t, SYN());
    expect(t, SYN());
    peer_sends(t, SYNACK());
    expect(t, ACK());
    user_sends(t, 10);
    expect(t, ACK(.seq = 1, .len = 10));
    advance(t, TLSYN_MS(2990));
    expect_nothing(t);
    advance(t, TLSYN_MS(20));
    expect(t, ACK(.seq = 1, .len = 10));
    tcp_test_close(t);
}
END_TEST

/* --- both open at once: RFC 9293 3.5 figure 7 (MUST-10) --------------------------------------- */

START_TEST(crossing_syns_open_one_connection)
{
    struct tcp_test *t = TCP_TEST(0);

    user_connects(t);
    expect(t, SYN(.seq = 0));
    peer_sends(t, SYN());
    expect(t, SYNACK(.seq = 0, .ack = 1));
    expect_state(t, TLSYN_SYN_RECEIVED);
    peer_sends(t, SYNACK(.seq = 0, .ack = 1));
    expect_state(t, TLSYN_ESTABLISHED);
    ck_assert_int_eq(t->user.count[USER_ESTABLISHED], 1);
    peer_sends(t, ACK(.seq = 1, .len = 20));
    ck_assert_uint_eq(t->user.read, 20);
    tcp_test_close(t);
}
END_TEST

/* RFC 7323 2.2: the window of a SYN-ACK is never scaled */
START_TEST(the_window_of_a_crossing_syn_ack_is_not_scaled)
{
    struct tcp_test *t = TCP_TEST(.peer = {.mss = 1460, .has_wscale = true, .wscale = 7});
    struct tlsyn_conn_info info;

    user_connects(t);
    expect(t, SYN());
    peer_sends(t, SYN());
    expect(t, SYNACK());
    peer_sends(t, SYNACK(.seq = 0, .ack = 1, .wnd = 12800));
    tlsyn_conn_info(t->user.conn, &info);
    ck_assert_uint_eq(info.snd_wnd, 12800);
    tcp_test_close(t);
}
END_TEST

START_TEST(a_plain_ack_completes_it_too)
{
    struct tcp_test *t = TCP_TEST(0);

    user_connects(t);
    expect(t, SYN());
    peer_sends(t, SYN());
    expect(t, SYNACK());
    peer_sends(t, ACK(.seq = 1, .ack = 1));
    expect_state(t, TLSYN_ESTABLISHED);
    tcp_test_close(t);
}
END_TEST

/* R5961-5 */
START_TEST(a_reset_of_it_refuses) /* MUST-11: it was an active open */
{
    struct tcp_test *t = TCP_TEST(0);

    user_connects(t);
    expect(t, SYN());
    peer_sends(t, SYN());
    expect(t, SYNACK());
    peer_sends(t, RST(.seq = 1));
    ck_assert_int_eq(t->user.error, -ECONNREFUSED);
    expect_no_connection(t);
    tcp_test_close(t);
}
END_TEST

/* --- text that overtakes the SYN-ACK ---------------------------------------------------------- */

START_TEST(overtaking_segments_wait_for_the_syn_ack)
{
    struct tcp_test *t = TCP_TEST(0);

    user_connects(t);
    expect(t, SYN());
    peer_sends(t, ACK(.seq = 101, .ack = 1, .len = 100));
    peer_sends(t, ACK(.seq = 201, .ack = 1, .len = 50));
    expect_nothing(t);
    peer_sends(t, SYNACK(.seq = 0, .len = 100));
    expect(t, ACK(.ack = 251));
    ck_assert_uint_eq(t->user.read, 250);
    expect_nothing(t);
    tcp_test_close(t);
}
END_TEST

START_TEST(overtaking_segments_must_acknowledge_our_syn)
{
    struct tcp_test *t = TCP_TEST(0);

    user_connects(t);
    expect(t, SYN());
    peer_sends(t, ACK(.seq = 1, .ack = 5, .len = 100));
    expect(t, RST(.seq = 5));
    peer_sends(t, SEG(0, .seq = 1, .len = 100));
    t->peer_nxt = 0;
    peer_sends(t, SYNACK());
    expect(t, ACK(.ack = 1));
    ck_assert_uint_eq(t->user.read, 0);
    tcp_test_close(t);
}
END_TEST

START_TEST(only_so_many_segments_wait)
{
    struct tcp_test *t = TCP_TEST(0);
    size_t before;

    user_connects(t);
    expect(t, SYN());
    before = t->memory.blocks;
    for (int i = 0; i < 50; i++)
        peer_sends(t, ACK(.seq = 1 + i * 10, .ack = 1, .len = 10));
    ck_assert_uint_le(t->memory.blocks - before, 10);
    ck_assert_uint_ge(dropped(t, TLSYN_DROP_tcp_ooo_full), 40);
    peer_sends(t, ACK(.seq = 1, .ack = 1, .len = 10)); /* the same once more */
    t->peer_nxt = 0;
    peer_sends(t, SYNACK());
    ck_assert_uint_eq(t->user.read, 100);
    tcp_test_close(t);
}
END_TEST

START_TEST(waiting_segments_are_given_back_when_the_open_fails)
{
    struct tcp_test *t = TCP_TEST(0);

    user_connects(t);
    expect(t, SYN());
    peer_sends(t, ACK(.seq = 1, .ack = 1, .len = 1000));
    peer_sends(t, RSTACK(.seq = 0, .ack = 1));
    ck_assert_int_eq(t->user.error, -ECONNREFUSED);
    tcp_test_close(t); /* fails if memory is out */
}
END_TEST

/* --- the call --------------------------------------------------------------------------------- */

/* RFC 9293 3.9.1.1 (MUST-46) */
START_TEST(an_open_to_no_single_host_is_refused)
{
    static const uint8_t wrong[][4] = {{0, 0, 0, 0}, {224, 0, 0, 1}, {255, 255, 255, 255}};
    struct tcp_test *t = TCP_TEST(0);

    for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++) {
        struct tlsyn_connect_options connect = {.remote = {tlsyn_addr_ip4(wrong[i]), 80}};
        ck_assert_int_eq(tlsyn_conn_open(t->stack, &connect, &t->user.handler, NULL), -EINVAL);
    }
    ck_assert_int_eq(t->user.count[USER_OPEN], 0);
    tcp_test_close(t);
}
END_TEST

START_TEST(an_open_is_refused_by_its_own_hook)
{
    struct tcp_test *t = TCP_TEST(0);

    t->user.plan[USER_OPEN].result = -EPROTO;
    ck_assert_int_eq(user_connects(t), -EPROTO);
    ck_assert_int_eq(t->user.count[USER_CLOSED], 0);
    expect_nothing(t);
    expect_no_connection(t);
    tcp_test_close(t);
}
END_TEST

START_TEST(an_abort_inside_on_open_is_told_by_the_call_alone)
{
    struct tcp_test *t = TCP_TEST(0);

    t->user.plan[USER_OPEN].act = USER_ABORTS;
    ck_assert_int_eq(user_connects(t), -ECANCELED);
    ck_assert_int_eq(t->user.count[USER_CLOSED], 0);
    expect_nothing(t);
    expect_no_connection(t);
    tcp_test_close(t);
}
END_TEST

START_TEST(a_close_inside_on_open_ends_our_stream_behind_what_was_written)
{
    struct tcp_test *t = TCP_TEST(0);

    t->user.plan[USER_OPEN] = (struct user_plan){.write = 30, .act = USER_CLOSES};
    ck_assert_int_eq(user_connects(t), 0);
    expect(t, SYN());
    peer_sends(t, SYNACK());
    expect(t, FIN(.seq = 1, .len = 30));
    expect_state(t, TLSYN_FIN_WAIT_1);
    tcp_test_close(t);
}
END_TEST

/* RFC 9293 3.10.4 */
START_TEST(a_close_before_the_answer_ends_it_without_a_word)
{
    struct tcp_test *t = TCP_TEST(0);

    user_connects(t);
    expect(t, SYN());
    user_acts(&t->user, USER_CLOSES);
    flush(t);
    expect_nothing(t);
    ck_assert_int_eq(t->user.count[USER_CLOSED], 1);
    ck_assert_int_eq(t->user.error, 0);
    tcp_test_close(t);
}
END_TEST

Suite *tcp_syn_sent_suite(void);

Suite *tcp_syn_sent_suite(void)
{
    Suite *s = suite_create("tcp_syn_sent");
    TCase *the_answer = tcase_create("the answer");
    TCase *nobody_answers = tcase_create("nobody answers");
    TCase *both_open_at_once_RFC_9293_3_5_figure_7_MUST_10 =
        tcase_create("both open at once: RFC 9293 3.5 figure 7 (MUST-10)");
    TCase *text_that_overtakes_the_SYN_ACK = tcase_create("text that overtakes the SYN-ACK");
    TCase *the_call = tcase_create("the call");

    tcase_add_test(the_answer, a_syn_ack_establishes_and_is_acknowledged_at_once);
    tcase_add_test(the_answer, an_unacceptable_ack_is_reset_and_changes_nothing);
    tcase_add_test(the_answer, a_reset_with_acceptable_ack_refuses);
    tcase_add_test(the_answer, a_reset_without_ack_is_ignored);
    tcase_add_test(the_answer, a_syn_ack_with_text_and_fin_is_taken_whole);
    suite_add_tcase(s, the_answer);
    tcase_add_test(nobody_answers, the_syn_is_repeated_twice_as_late_each_time_until_given_up);
    tcase_add_test(nobody_answers, after_a_lost_syn_text_is_repeated_after_three_seconds);
    suite_add_tcase(s, nobody_answers);
    tcase_add_test(both_open_at_once_RFC_9293_3_5_figure_7_MUST_10,
                   crossing_syns_open_one_connection);
    tcase_add_test(both_open_at_once_RFC_9293_3_5_figure_7_MUST_10,
                   the_window_of_a_crossing_syn_ack_is_not_scaled);
    tcase_add_test(both_open_at_once_RFC_9293_3_5_figure_7_MUST_10, a_plain_ack_completes_it_too);
    tcase_add_test(both_open_at_once_RFC_9293_3_5_figure_7_MUST_10, a_reset_of_it_refuses);
    suite_add_tcase(s, both_open_at_once_RFC_9293_3_5_figure_7_MUST_10);
    tcase_add_test(text_that_overtakes_the_SYN_ACK, overtaking_segments_wait_for_the_syn_ack);
    tcase_add_test(text_that_overtakes_the_SYN_ACK, overtaking_segments_must_acknowledge_our_syn);
    tcase_add_test(text_that_overtakes_the_SYN_ACK, only_so_many_segments_wait);
    tcase_add_test(text_that_overtakes_the_SYN_ACK,
                   waiting_segments_are_given_back_when_the_open_fails);
    suite_add_tcase(s, text_that_overtakes_the_SYN_ACK);
    tcase_add_test(the_call, an_open_to_no_single_host_is_refused);
    tcase_add_test(the_call, an_open_is_refused_by_its_own_hook);
    tcase_add_test(the_call, an_abort_inside_on_open_is_told_by_the_call_alone);
    tcase_add_test(the_call, a_close_inside_on_open_ends_our_stream_behind_what_was_written);
    tcase_add_test(the_call, a_close_before_the_answer_ends_it_without_a_word);
    suite_add_tcase(s, the_call);
    return s;
}
