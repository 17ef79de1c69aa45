/*
 * Blind attacks on a connection: resets, SYNs, text; and the bound on what answers them. Read
 * first: RFC 5961.
 */
#include <errno.h>

#include "support/flight.h"

static struct tcp_test *established(void)
{
    struct tcp_test *t = TCP_TEST(.peer_wnd = 1000, .conn = {.rcv_ring = 32768});

    opens_passively(t);
    return t;
}

/* --- 3: resets -------------------------------------------------------------------------------- */

/* 3.2 (R5961-1) */
START_TEST(a_reset_anywhere_else_in_the_window_is_challenged) /* loop: where */
{
    struct tcp_test *t = established();
    const int64_t last = info_of(t).rcv_wnd - 1;
    const int64_t at[] = {1, 2, 100, last - 1, last};

    peer_sends(t, RST(.seq = 1 + at[_i]));
    expect(t, ACK(.seq = 1, .ack = 1));
    expect_state(t, TLSYN_ESTABLISHED);
    ck_assert_uint_eq(counted(t, TLSYN_COUNT_tcp_challenge_acks), 1);
    tcp_test_close(t);
}
END_TEST

/* 3.2 (R5961-1) */
START_TEST(a_reset_outside_of_the_window_is_not_answered) /* loop: where */
{
    struct tcp_test *t = established();
    const int64_t edge = info_of(t).rcv_wnd;
    const int64_t at[] = {-1, -1000, edge, edge + 1, 1 << 30};

    peer_sends(t, RST(.seq = 1 + at[_i]));
    expect_nothing(t);
    expect_state(t, TLSYN_ESTABLISHED);
    tcp_test_close(t);
}
END_TEST

/* 3.2: who is really gone answers the challenge with the exact number */
START_TEST(a_peer_that_lost_its_connection_is_rid_of_ours_a_round_trip_later)
{
    struct tcp_test *t = established();

    peer_sends(t, RST(.seq = 500));
    const struct wire_tcp *challenge = expect(t, ACK());
    peer_sends(t, RST(.seq = seq_diff(challenge->ack, t->peer_iss)));
    expect_no_connection(t);
    ck_assert_int_eq(t->user.error, -ECONNRESET);
    tcp_test_close(t);
}
END_TEST

/* 3.2 says nothing of the ACK field of a reset in a synchronized state */
START_TEST(a_reset_with_the_exact_number_needs_no_good_ack)
{
    struct tcp_test *t = established();

    peer_sends(t, RSTACK(.seq = 1, .ack = 1 << 30));
    expect_no_connection(t);
    tcp_test_close(t);
}
END_TEST

/* What was delivered counts, what lies behind a hole does not move the exact number */
START_TEST(the_exact_number_is_the_next_one_in_order)
{
    struct tcp_test *t = established();

    peer_sends(t, ACK(.seq = 101, .len = 100)); /* a hole of a hundred */
    ignore_sent(t);
    peer_sends(t, RST(.seq = 201));
    expect(t, ACK(.ack = 1));
    expect_state(t, TLSYN_ESTABLISHED);
    peer_sends(t, ACK(.seq = 1, .len = 100));
    ignore_sent(t);
    peer_sends(t, RST(.seq = 201));
    expect_no_connection(t);
    tcp_test_close(t);
}
END_TEST

/* --- 4: SYNs ---------------------------------------------------------------------------------- */

/* 4.2 (R5961-2) */
START_TEST(a_syn_is_challenged_wherever_it_lies) /* loop: where */
{
    static const int64_t at[] = {-100000, 0, 1, 2, 500, 1 << 20, 1 << 30};
    struct tcp_test *t = established();

    peer_sends(t, SYN(.seq = at[_i]));
    expect(t, ACK(.seq = 1, .ack = 1));
    expect_state(t, TLSYN_ESTABLISHED);
    tcp_test_close(t);
}
END_TEST

/* 4.2: who rebooted answers with a reset, and may begin anew */
START_TEST(a_peer_that_began_anew_gets_its_connection_after_the_challenge)
{
    struct tcp_test *t = established();

    peer_sends(t, SYN(.seq = 100000));
    const struct wire_tcp *challenge = expect(t, ACK());
    peer_sends(t, RST(.seq = seq_diff(challenge->ack, t->peer_iss)));
    expect_no_connection(t);
    t->peer_iss += 100000;
    t->peer_nxt = t->peer_rcv = 0;
    user_init(&t->user);
    opens_passively(t);
    tcp_test_close(t);
}
END_TEST

/* 4.2: its text is not looked at */
START_TEST(text_of_a_syn_in_the_window_is_not_taken)
{
    struct tcp_test *t = established();

    peer_sends(t, SYN(.seq = 0, .text = "not asked for"));
    expect(t, ACK(.ack = 1));
    ck_assert_uint_eq(t->user.read, 0);
    tcp_test_close(t);
}
END_TEST

/* --- 5: text ---------------------------------------------------------------------------------- */

/* 5.2: SND.UNA - MAX.SND.WND =< SEG.ACK =< SND.NXT, and nothing below our SYN (R5961-3) */
START_TEST(text_needs_an_ack_of_what_we_may_have_sent) /* loop: where */
{
    static const struct {
        int64_t ack;
        bool good;
    } row[] = {{2001, true}, {2002, false}, {1501, true},   {501, true},
               {500, false}, {1, false},    {-1000, false}, {1 << 30, false}};
    struct tcp_test *t = established();

    for (int i = 0; i < 2; i++) { /* 1500 octets are acknowledged, 500 on their way */
        user_sends(t, i ? 1000 : 500);
        peer_takes_all(t);
        peer_sends(t, ACK());
    }
    user_sends(t, 500);
    ignore_sent(t);
    peer_sends(t, ACK(.len = 10, .ack = row[_i].ack));
    ck_assert_uint_eq(t->user.read, row[_i].good ? 10 : 0);
    if (!row[_i].good)
        expect(t, ACK(.ack = 1));
    ignore_sent(t);
    tcp_test_close(t);
}
END_TEST

/* 5.2 (R5961-3) */
START_TEST(a_fin_with_a_guessed_ack_ends_nothing) /* loop 2 */
{
    struct tcp_test *t = established();

    peer_sends(t, FIN(.ack = _i ? 1000 : -70000));
    expect_state(t, TLSYN_ESTABLISHED);
    expect(t, ACK(.ack = 1));
    tcp_test_close(t);
}
END_TEST

/* 5.2 (R5961-3) */
START_TEST(a_window_in_a_segment_with_a_guessed_ack_is_not_taken)
{
    struct tcp_test *t = established();

    peer_sends(t, ACK(.ack = 5000, .wnd = 0));
    ck_assert_uint_eq(info_of(t).snd_wnd, 1000);
    ignore_sent(t);
    tcp_test_close(t);
}
END_TEST

/* --- 7: the throttle -------------------------------------------------------------------------- */

static int challenged(struct tcp_test *t, int times)
{
    for (int i = 0; i < times; i++)
        peer_sends(t, SYN(.seq = 100));
    return ignore_sent(t);
}

/* (R5961-4) */
START_TEST(challenges_are_answered_so_many_times_and_then_not)
{
    struct tcp_test *t = established();

    ck_assert_int_eq(challenged(t, 1000), (int)default_limits().challenge_per_second);
    ck_assert_int_eq(challenged(t, 100), 0);
    tcp_test_close(t);
}
END_TEST

/* (R5961-4) */
START_TEST(time_brings_challenges_back)
{
    struct tcp_test *t = established();
    int first = challenged(t, 1000);

    advance(t, TLSYN_SECONDS(10));
    int later = challenged(t, 1000);
    ck_assert_int_gt(later, 0);
    ck_assert_int_le(later, first + 1);
    tcp_test_close(t);
}
END_TEST

/* ... and so are copies of the SYN while the connection opens (R5961-4) */
START_TEST(copies_of_a_syn_are_answered_so_many_times)
{
    struct tcp_test *t = TCP_TEST(0);

    for (int i = 0; i < 1000; i++)
        peer_sends(t, SYN(.seq = 0));
    ck_assert_int_eq(ignore_sent(t), 1 + (int)default_limits().challenge_per_second);
    ck_assert_int_eq(t->user.count[USER_ACCEPT], 0);
    tcp_test_close(t);
}
END_TEST

/* All three parts draw from one account (R5961-4) */
START_TEST(resets_syns_and_acks_share_the_account)
{
    struct tcp_test *t = established();

    challenged(t, 1000);
    peer_sends(t, RST(.seq = 100));
    peer_sends(t, ACK(.ack = 5000));
    expect_nothing(t);
    tcp_test_close(t);
}
END_TEST

/* 7: the connection itself is not held up */
START_TEST(text_is_acknowledged_though_the_account_is_empty)
{
    struct tcp_test *t = established();

    challenged(t, 1000);
    peer_sends(t, ACK(.seq = 1, .ack = 1, .len = 10));
    advance(t, TLSYN_MS(100));
    expect(t, ACK(.ack = 11));
    tcp_test_close(t);
}
END_TEST

Suite *rfc5961_suite(void);
Suite *rfc5961_suite(void)
{
    Suite *suite = suite_create("rfc5961");
    TCase *rst = tcase_create("resets"), *syn = tcase_create("syns"), *text = tcase_create("text"),
          *throttle = tcase_create("throttle");

    tcase_add_loop_test(rst, a_reset_anywhere_else_in_the_window_is_challenged, 0, 5);
    tcase_add_loop_test(rst, a_reset_outside_of_the_window_is_not_answered, 0, 5);
    tcase_add_test(rst, a_peer_that_lost_its_connection_is_rid_of_ours_a_round_trip_later);
    tcase_add_test(rst, a_reset_with_the_exact_number_needs_no_good_ack);
    tcase_add_test(rst, the_exact_number_is_the_next_one_in_order);
    suite_add_tcase(suite, rst);
    tcase_add_loop_test(syn, a_syn_is_challenged_wherever_it_lies, 0, 7);
    tcase_add_test(syn, a_peer_that_began_anew_gets_its_connection_after_the_challenge);
    tcase_add_test(syn, text_of_a_syn_in_the_window_is_not_taken);
    suite_add_tcase(suite, syn);
    tcase_add_loop_test(text, text_needs_an_ack_of_what_we_may_have_sent, 0, 8);
    tcase_add_loop_test(text, a_fin_with_a_guessed_ack_ends_nothing, 0, 2);
    tcase_add_test(text, a_window_in_a_segment_with_a_guessed_ack_is_not_taken);
    suite_add_tcase(suite, text);
    tcase_add_test(throttle, challenges_are_answered_so_many_times_and_then_not);
    tcase_add_test(throttle, copies_of_a_syn_are_answered_so_many_times);
    tcase_add_test(throttle, time_brings_challenges_back);
    tcase_add_test(throttle, resets_syns_and_acks_share_the_account);
    tcase_add_test(throttle, text_is_acknowledged_though_the_account_is_empty);
    suite_add_tcase(suite, throttle);
    return suite;
}
