/*
 * State ESTABLISHED: text in order and out of order, acknowledgments that make sense and those that
 * don't. Read first: RFC 9293 3.10.7.4.
 */
#include "support/peer.h"

/* --- text in ---------------------------------------------------------------------------------- */

START_TEST(text_in_order_is_read_and_acknowledged)
{
    struct tcp_test *t = TCP_TEST(0);

    opens_passively(t);
    peer_sends(t, ACK(.seq = 1, .len = 5));
    ck_assert_uint_eq(t->user.read, 5);
    advance(t, TLSYN_MS(500));
    expect(t, ACK(.seq = 1, .ack = 6));
    expect_nothing(t);
    tcp_test_close(t);
}
END_TEST

/* RFC 4861 7.3.1: acknowledgements and text prove that the next hop is there. */
static void talk(struct tcp_test *t, bool peer_talks)
{
    for (int i = 0; i < 30; i++) {
        advance(t, TLSYN_SECONDS(10));
        if (peer_talks)
            peer_sends(t, ACK(.seq = t->peer_nxt, .len = 10));
        else
            user_sends(t, 10);
        peer_takes_all(t);
        peer_sends(t, ACK(.seq = t->peer_nxt));
    }
}

START_TEST(whoever_talks_is_not_asked_where_he_is)
{
    struct tcp_test *t = TCP_TEST(.ip6 = _i);
    unsigned asked;

    opens_passively(t);
    talk(t, false);
    asked = t->questions;
    talk(t, false);
    talk(t, true);
    ck_assert_uint_eq(t->questions, asked);
    advance(t, TLSYN_SECONDS(100));
    user_sends(t, 10);
    advance(t,
            TLSYN_SECONDS(10)); /* after a silence the address is in doubt, and nothing is heard */
    ck_assert_uint_gt(t->questions, asked);
    tcp_test_close(t);
}
END_TEST

/* RFC 9293 3.10.7.4, SHLD-31 */
START_TEST(text_behind_a_hole_waits_for_it)
{
    struct tcp_test *t = TCP_TEST(0);

    opens_actively(t);
    peer_sends(t, ACK(.seq = 101, .len = 100));
    expect(t, ACK(.ack = 1));
    ck_assert_uint_eq(t->user.read, 0);
    peer_sends(t, ACK(.seq = 1, .len = 100));
    ck_assert_uint_eq(t->user.read, 200);
    expect(t, ACK(.ack = 201));
    expect_nothing(t);
    tcp_test_close(t);
}
END_TEST

/* RFC 9293 3.10.7.4, seventh: what comes twice is taken once */
START_TEST(overlapping_text_is_taken_once)
{
    struct tcp_test *t = TCP_TEST(0);

    opens_passively(t);
    peer_sends(t, ACK(.seq = 1, .len = 100));
    peer_sends(t, ACK(.seq = 51, .len = 100)); /* the left half was there */
    ck_assert_uint_eq(t->user.read, 150);
    ignore_sent(t);
    peer_sends(t, ACK(.seq = 251, .len = 50));
    peer_sends(t, ACK(.seq = 201, .len = 150)); /* around what waits */
    peer_sends(t, ACK(.seq = 341, .len = 20));  /* across its end */
    ck_assert_uint_eq(t->user.read, 150);
    peer_sends(t, ACK(.seq = 101, .len = 110)); /* across rcv_nxt and into what waits */
    ck_assert_uint_eq(t->user.read, 360);
    peer_takes_all(t);
    ck_assert_int_eq(seq_diff(t->last.segment.ack, t->peer_iss), 361);
    tcp_test_close(t);
}
END_TEST

/* RFC 5681 4.2: each segment out of order is answered at once, and so is the one that fills the
 * hole R5681-11, MAY-13 */
START_TEST(segments_out_of_order_are_acknowledged_at_once)
{
    struct tcp_test *t = TCP_TEST(0);

    opens_passively(t);
    for (int i = 1; i <= 3; i++) {
        peer_sends(t, ACK(.seq = 1 + i * 10, .len = 10));
        expect(t, ACK(.ack = 1));
    }
    peer_sends(t, ACK(.seq = 1, .len = 10));
    expect(t, ACK(.ack = 41));
    expect_nothing(t);
    tcp_test_close(t);
}
END_TEST

START_TEST(text_beyond_the_window_is_cut_off)
{
    struct tcp_test *t = TCP_TEST(.conn = {.rcv_ring = 2048});

    t->user.deaf = true;
    opens_passively(t);
    peer_sends(t, ACK(.seq = 1, .len = 3000));
    expect(t, ACK(.ack = 2049, .wnd = 0));
    ck_assert_uint_eq(user_reads(&t->user, SIZE_MAX), 2048);
    tcp_test_close(t);
}
END_TEST

/* MUST-60, MUST-61 (SHLD-27) */
START_TEST(the_last_segment_of_what_was_written_is_pushed)
{
    struct tcp_test *t = TCP_TEST(0);

    opens_passively(t);
    user_sends(t, 2000);
    ck_assert(!(expect(t, ACK(.seq = 1, .len = 1460))->flags & TCP_PSH));
    ck_assert(expect(t, ACK(.seq = 1461, .len = 540))->flags & TCP_PSH);
    tcp_test_close(t);
}
END_TEST

/* --- the number space wraps ------------------------------------------------------------------- */

START_TEST(both_streams_cross_the_end_of_the_number_space) /* loop 2 */
{
    struct tcp_test *t = TCP_TEST(.choose_iss = _i ? iss_before_half : iss_before_wrap,
                                  .peer_iss = _i ? 0x7ffffff8 : 0xfffffff8);

    opens_passively(t);
    for (int i = 0; i < 20; i++) {
        peer_sends(t, ACK(.len = 700));
        user_sends(t, 700);
        ck_assert_int_eq(peer_takes_all(t), 1);
    }
    ck_assert_uint_eq(t->user.read, 14000);
    ck_assert_int_eq(t->peer_rcv, 14001);
    peer_sends(t, ACK());
    ck_assert_uint_eq(t->user.acked, 14000);
    peer_sends(t, ACK(.seq = t->peer_nxt + 100, .len = 50));
    expect(t, ACK(.ack = 14001));
    peer_sends(t, FIN(.seq = 14001, .len = 100));
    ck_assert_uint_eq(t->user.read, 14150);
    tcp_test_close(t);
}
END_TEST

/* --- acknowledgments -------------------------------------------------------------------------- */

START_TEST(an_ack_frees_what_it_covers)
{
    struct tcp_test *t = TCP_TEST(0);

    opens_passively(t);
    user_sends(t, 1000);
    expect(t, ACK(.seq = 1, .len = 1000));
    peer_sends(t, ACK(.ack = 401));
    ck_assert_uint_eq(t->user.acked, 400);
    peer_sends(t, ACK(.ack = 301)); /* an old one */
    ck_assert_uint_eq(t->user.acked, 400);
    peer_sends(t, ACK(.ack = 1001));
    ck_assert_uint_eq(t->user.acked, 1000);
    expect_nothing(t);
    tcp_test_close(t);
}
END_TEST

/* MUST-58, MUST-59 */
START_TEST(a_batch_of_segments_is_acknowledged_once)
{
    struct tcp_test *t = TCP_TEST(0);

    opens_passively(t);
    t->hold = true;
    for (int i = 0; i < 6; i++)
        peer_sends(t, ACK(.len = 1460));
    t->hold = false;
    flush(t);
    expect(t, ACK(.ack = 6 * 1460 + 1));
    expect_nothing(t);
    tcp_test_close(t);
}
END_TEST

/* RFC 1122 4.2.3.6: what a keep-alive looks like */
START_TEST(a_keep_alive_probe_is_answered)
{
    struct tcp_test *t = TCP_TEST(0);

    opens_passively(t);
    peer_sends(t, ACK(.seq = 0));
    expect(t, ACK(.seq = 1, .ack = 1));
    peer_sends(t, ACK(.seq = 0, .len = 1));
    expect(t, ACK(.seq = 1, .ack = 1));
    expect_nothing(t);
    tcp_test_close(t);
}
END_TEST

Suite *tcp_established_suite(void);

Suite *tcp_established_suite(void)
{
    Suite *s = suite_create("tcp_established");
    TCase *text_in = tcase_create("text in");
    TCase *the_number_space_wraps = tcase_create("the number space wraps");
    TCase *acknowledgments = tcase_create("acknowledgments");

    tcase_add_test(text_in, text_in_order_is_read_and_acknowledged);
    tcase_add_loop_test(text_in, whoever_talks_is_not_asked_where_he_is, 0, 2);
    tcase_add_test(text_in, text_behind_a_hole_waits_for_it);
    tcase_add_test(text_in, overlapping_text_is_taken_once);
    tcase_add_test(text_in, segments_out_of_order_are_acknowledged_at_once);
    tcase_add_test(text_in, text_beyond_the_window_is_cut_off);
    tcase_add_test(text_in, the_last_segment_of_what_was_written_is_pushed);
    suite_add_tcase(s, text_in);
    tcase_add_loop_test(the_number_space_wraps, both_streams_cross_the_end_of_the_number_space, 0,
                        2);
    suite_add_tcase(s, the_number_space_wraps);
    tcase_add_test(acknowledgments, an_ack_frees_what_it_covers);
    tcase_add_test(acknowledgments, a_batch_of_segments_is_acknowledged_once);
    tcase_add_test(acknowledgments, a_keep_alive_probe_is_answered);
    suite_add_tcase(s, acknowledgments);
    return s;
}
