/*
 * Closing: FIN both ways. Read first: RFC 9293 3.6, 3.10.4, 3.10.7.4 "eighth".
 */
#include <errno.h>

#include "support/peer.h"

static struct tcp_test *established(void)
{
    struct tcp_test *t = TCP_TEST(0);

    opens_passively(t);
    return t;
}

/* --- we close first: RFC 9293 3.6 figure 12 --------------------------------------------------- */

START_TEST(a_close_goes_through_fin_wait_to_time_wait)
{
    struct tcp_test *t = established();

    user_acts(&t->user, USER_CLOSES);
    expect_state(t, TLSYN_FIN_WAIT_1);
    flush(t);
    expect(t, FIN(.seq = 1, .ack = 1));
    peer_sends(t, ACK());
    expect_state(t, TLSYN_FIN_WAIT_2);
    expect_nothing(t);
    peer_sends(t, FIN());
    expect(t, ACK(.seq = 2, .ack = 2));
    ck_assert_int_eq(t->user.count[USER_CLOSED], 1);
    ck_assert_int_eq(t->user.error, 0);
    ck_assert_uint_eq(t->tcp->time_wait_count, 1);
    tcp_test_close(t);
}
END_TEST

START_TEST(the_fin_follows_the_last_byte_in_its_segment)
{
    struct tcp_test *t = established();

    user_writes(&t->user, 100);
    user_acts(&t->user, USER_CLOSES);
    flush(t);
    expect(t, FIN(.seq = 1, .len = 100));
    expect_nothing(t);
    tcp_test_close(t);
}
END_TEST

START_TEST(nothing_can_be_written_behind_a_close)
{
    struct tcp_test *t = established();

    user_acts(&t->user, USER_CLOSES);
    ck_assert_int_eq(tlsyn_conn_write(t->user.conn, "x", 1), -EPIPE);
    user_acts(&t->user, USER_CLOSES); /* harmless */
    flush(t);
    expect(t, FIN(.seq = 1));
    expect_nothing(t);
    tcp_test_close(t);
}
END_TEST

START_TEST(receiving_goes_on_after_a_close) /* half-close */
{
    struct tcp_test *t = established();

    user_acts(&t->user, USER_CLOSES);
    flush(t);
    expect(t, FIN());
    peer_sends(t, ACK(.ack = 2, .len = 500));
    peer_sends(t, ACK(.len = 500));
    ck_assert_uint_eq(t->user.read, 1000);
    peer_sends(t, FIN(.len = 10));
    ck_assert_uint_eq(t->user.read, 1010);
    ck_assert_int_eq(t->user.count[USER_CLOSED], 1);
    ck_assert_int_eq(t->user.error, 0);
    tcp_test_close(t);
}
END_TEST

START_TEST(fin_and_its_ack_in_one_segment_lead_straight_to_time_wait)
{
    struct tcp_test *t = established();

    user_acts(&t->user, USER_CLOSES);
    flush(t);
    expect(t, FIN());
    peer_sends(t, FIN());
    expect(t, ACK(.ack = 2));
    ck_assert_uint_eq(t->tcp->time_wait_count, 1);
    tcp_test_close(t);
}
END_TEST

START_TEST(a_lost_fin_is_repeated)
{
    struct tcp_test *t = established();

    user_acts(&t->user, USER_CLOSES);
    flush(t);
    expect(t, FIN(.seq = 1));
    advance(t, TLSYN_SECONDS(2));
    expect(t, FIN(.seq = 1));
    ignore_sent(t);
    peer_sends(t, ACK(.ack = 2));
    expect_state(t, TLSYN_FIN_WAIT_2);
    advance(t, TLSYN_SECONDS(20));
    expect_nothing(t);
    tcp_test_close(t);
}
END_TEST

/* --- the peer closes first -------------------------------------------------------------------- */

START_TEST(the_peers_fin_ends_its_stream_only)
{
    struct tcp_test *t = established();

    peer_sends(t, FIN());
    expect(t, ACK(.ack = 2));
    expect_state(t, TLSYN_CLOSE_WAIT);
    ck_assert(t->user.ended);
    user_sends(t, 50);
    expect(t, ACK(.seq = 1, .len = 50));
    user_acts(&t->user, USER_CLOSES);
    flush(t);
    expect(t, FIN(.seq = 51));
    expect_state(t, TLSYN_LAST_ACK);
    peer_sends(t, ACK());
    ck_assert_int_eq(t->user.count[USER_CLOSED], 1);
    ck_assert_int_eq(t->user.error, 0);
    expect_no_connection(t);
    tcp_test_close(t);
}
END_TEST

START_TEST(the_end_is_told_when_everything_was_read)
{
    struct tcp_test *t = established();

    t->user.deaf = true;
    peer_sends(t, FIN(.len = 100));
    expect(t, ACK(.ack = 102));
    ck_assert(!tlsyn_conn_ended(t->user.conn));
    user_acts(&t->user, USER_CLOSES);
    flush(t);
    expect(t, FIN());
    peer_sends(t, ACK());
    ck_assert_int_eq(t->user.count[USER_CLOSED], 0);
    ck_assert_uint_eq(user_reads(&t->user, 60), 60);
    flush(t);
    ck_assert_int_eq(t->user.count[USER_CLOSED], 0);
    user_reads(&t->user, 60);
    ck_assert(t->user.ended);
    flush(t);
    ck_assert_int_eq(t->user.count[USER_CLOSED], 1);
    ck_assert_int_eq(t->user.error, 0);
    tcp_test_close(t);
}
END_TEST

/* --- both close: RFC 9293 3.6 figure 13 ------------------------------------------------------- */

START_TEST(crossing_fins_close_both)
{
    struct tcp_test *t = established();

    user_acts(&t->user, USER_CLOSES);
    flush(t);
    expect(t, FIN(.seq = 1));
    peer_sends(t, FIN(.ack = 1));
    expect(t, ACK(.seq = 2, .ack = 2));
    expect_state(t, TLSYN_CLOSING);
    peer_sends(t, ACK(.ack = 2));
    ck_assert_uint_eq(t->tcp->time_wait_count, 1);
    ck_assert_int_eq(t->user.error, 0);
    tcp_test_close(t);
}
END_TEST

/* --- FINs out of order ------------------------------------------------------------------------ */

START_TEST(a_fin_waits_for_the_text_in_front_of_it)
{
    struct tcp_test *t = established();

    peer_sends(t, FIN(.seq = 101));
    expect(t, ACK(.ack = 1)); /* at once: something is missing */
    expect_state(t, TLSYN_ESTABLISHED);
    peer_sends(t, ACK(.seq = 1, .len = 100));
    expect(t, ACK(.ack = 102));
    ck_assert_uint_eq(t->user.read, 100);
    expect_state(t, TLSYN_CLOSE_WAIT);
    tcp_test_close(t);
}
END_TEST

START_TEST(a_fin_with_text_behind_a_hole_waits_too)
{
    struct tcp_test *t = established();

    peer_sends(t, FIN(.seq = 101, .len = 50));
    expect(t, ACK(.ack = 1));
    peer_sends(t, ACK(.seq = 51, .len = 50));
    expect(t, ACK(.ack = 1));
    peer_sends(t, ACK(.seq = 1, .len = 50));
    expect(t, ACK(.ack = 152));
    ck_assert_uint_eq(t->user.read, 150);
    ck_assert(t->user.ended);
    tcp_test_close(t);
}
END_TEST

START_TEST(a_repeated_fin_is_acknowledged_again_and_told_once)
{
    struct tcp_test *t = established();

    peer_sends(t, FIN(.seq = 1, .len = 10));
    expect(t, ACK(.ack = 12));
    int told = t->user.count[USER_DATA];
    peer_sends(t, FIN(.seq = 1, .len = 10));
    expect(t, ACK(.ack = 12));
    peer_sends(t, FIN(.seq = 11));
    expect(t, ACK(.ack = 12));
    ck_assert_int_eq(t->user.count[USER_DATA], told);
    expect_state(t, TLSYN_CLOSE_WAIT);
    tcp_test_close(t);
}
END_TEST

/* --- the user leaves -------------------------------------------------------------------------- */

START_TEST(what_was_written_is_delivered_after_a_release)
{
    struct tcp_test *t = established();

    user_writes(&t->user, 200);
    user_acts(&t->user, USER_RELEASES);
    flush(t);
    expect(t, FIN(.seq = 1, .len = 200));
    peer_sends(t, ACK());
    peer_sends(t, FIN());
    expect(t, ACK());
    ck_assert_int_eq(t->user.count[USER_CLOSED], 0);
    tcp_test_close(t);
}
END_TEST

/* RFC 9293 3.6.1 (SHLD-3), RFC 2525 2.17 (MAY-1) */
START_TEST(text_for_a_user_who_left_is_reset)
{
    struct tcp_test *t = established();

    user_acts(&t->user, USER_RELEASES);
    flush(t);
    expect(t, FIN());
    peer_sends(t, ACK(.len = 10, .ack = 1)); /* it has not seen our FIN: by this number it goes */
    expect(t, RST(.seq = 1));
    expect_no_connection(t);
    ck_assert_uint_eq(counted(t, TLSYN_COUNT_tcp_abort_on_data), 1);
    tcp_test_close(t);
}
END_TEST

/* SHLD-3 */
START_TEST(a_release_with_unread_text_resets)
{
    struct tcp_test *t = established();

    t->user.deaf = true;
    peer_sends(t, ACK(.len = 10));
    user_acts(&t->user, USER_RELEASES);
    flush(t);
    expect(t, RSTACK());
    expect_no_connection(t);
    tcp_test_close(t);
}
END_TEST

START_TEST(an_abandoned_fin_wait_2_ends_by_itself)
{
    struct tcp_test *t = established();

    user_acts(&t->user, USER_RELEASES);
    flush(t);
    expect(t, FIN());
    peer_sends(t, ACK());
    advance(t, TLSYN_SECONDS(61));
    expect_nothing(t);
    expect_no_connection(t);
    tcp_test_close(t);
}
END_TEST

/* --- inside events ---------------------------------------------------------------------------- */

struct moment {
    enum user_event event;
    enum user_act act;
};

static const struct moment moments[] = {
    {USER_ESTABLISHED, USER_CLOSES},   {USER_ESTABLISHED, USER_ABORTS},
    {USER_ESTABLISHED, USER_RELEASES}, {USER_DATA, USER_CLOSES},
    {USER_DATA, USER_ABORTS},          {USER_DATA, USER_RELEASES},
    {USER_ACKED, USER_CLOSES},         {USER_ACKED, USER_ABORTS},
    {USER_ACKED, USER_RELEASES},       {USER_SYNACK, USER_CLOSES},
    {USER_SYNACK, USER_ABORTS},        {USER_SYNACK, USER_RELEASES},
};

START_TEST(every_call_may_be_made_inside_every_event) /* loop 12 */
{
    struct tcp_test *t = TCP_TEST(0);
    const struct moment *m = &moments[_i];

    t->user.plan[m->event].act = m->act;
    user_connects(t);
    expect(t, SYN());
    peer_sends(t, SYNACK());
    ignore_sent(t);
    if (t->user.conn) {
        user_sends(t, 10);
        peer_takes_all(t);
        peer_sends(t, ACK());
    }
    if (t->user.conn)
        peer_sends(t, ACK(.len = 10));
    flush(t);
    ck_assert_int_eq(t->user.count[USER_CLOSED], m->act == USER_ABORTS);
    ck_assert_int_eq(t->user.error, m->act == USER_ABORTS ? -ECANCELED : 0);
    if (m->act == USER_ABORTS)
        expect_no_connection(t);
    else
        ck_assert_uint_eq(t->tcp->demux.count, 1);
    tcp_test_close(t);
}
END_TEST

START_TEST(freeing_the_stack_tells_every_user)
{
    struct tcp_test *t = established();

    tlsyn_stack_free(t->stack);
    ck_assert_int_eq(t->user.error, -ECONNABORTED);
    ck_assert_uint_eq(t->memory.blocks, 0);
    t->stack = NULL;
    tcp_test_close(t);
}
END_TEST

Suite *tcp_close_suite(void);

Suite *tcp_close_suite(void)
{
    Suite *s = suite_create("tcp_close");
    TCase *we_close_first_RFC_9293_3_6_figure_12 =
        tcase_create("we close first: RFC 9293 3.6 figure 12");
    TCase *the_peer_closes_first = tcase_create("the peer closes first");
    TCase *both_close_RFC_9293_3_6_figure_13 = tcase_create("both close: RFC 9293 3.6 figure 13");
    TCase *FINs_out_of_order = tcase_create("FINs out of order");
    TCase *the_user_leaves = tcase_create("the user leaves");
    TCase *inside_events = tcase_create("inside events");

    tcase_add_test(we_close_first_RFC_9293_3_6_figure_12,
                   a_close_goes_through_fin_wait_to_time_wait);
    tcase_add_test(we_close_first_RFC_9293_3_6_figure_12,
                   the_fin_follows_the_last_byte_in_its_segment);
    tcase_add_test(we_close_first_RFC_9293_3_6_figure_12, nothing_can_be_written_behind_a_close);
    tcase_add_test(we_close_first_RFC_9293_3_6_figure_12, receiving_goes_on_after_a_close);
    tcase_add_test(we_close_first_RFC_9293_3_6_figure_12,
                   fin_and_its_ack_in_one_segment_lead_straight_to_time_wait);
    tcase_add_test(we_close_first_RFC_9293_3_6_figure_12, a_lost_fin_is_repeated);
    suite_add_tcase(s, we_close_first_RFC_9293_3_6_figure_12);
    tcase_add_test(the_peer_closes_first, the_peers_fin_ends_its_stream_only);
    tcase_add_test(the_peer_closes_first, the_end_is_told_when_everything_was_read);
    suite_add_tcase(s, the_peer_closes_first);
    tcase_add_test(both_close_RFC_9293_3_6_figure_13, crossing_fins_close_both);
    suite_add_tcase(s, both_close_RFC_9293_3_6_figure_13);
    tcase_add_test(FINs_out_of_order, a_fin_waits_for_the_text_in_front_of_it);
    tcase_add_test(FINs_out_of_order, a_fin_with_text_behind_a_hole_waits_too);
    tcase_add_test(FINs_out_of_order, a_repeated_fin_is_acknowledged_again_and_told_once);
    suite_add_tcase(s, FINs_out_of_order);
    tcase_add_test(the_user_leaves, what_was_written_is_delivered_after_a_release);
    tcase_add_test(the_user_leaves, text_for_a_user_who_left_is_reset);
    tcase_add_test(the_user_leaves, a_release_with_unread_text_resets);
    tcase_add_test(the_user_leaves, an_abandoned_fin_wait_2_ends_by_itself);
    suite_add_tcase(s, the_user_leaves);
    tcase_add_loop_test(inside_events, every_call_may_be_made_inside_every_event, 0, 12);
    tcase_add_test(inside_events, freeing_the_stack_tells_every_user);
    suite_add_tcase(s, inside_events);
    return s;
}
