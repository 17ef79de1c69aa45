/*
 * Duplicate ACKs, fast retransmit and fast recovery. Read first: RFC 5681 3.2, RFC 6582
 * 3.2, RFC 3042.
 */
#include "support/peer.h"

#define MSS 1460

static struct tlsyn_conn_info info_of(struct tcp_test *t)
{
    struct tlsyn_conn_info info;

    tlsyn_conn_info(t->user.conn, &info);
    return info;
}

/* Ten segments are on their way, and the first one is lost. The windows are NewReno's. */
static struct tcp_test *ten_sent(const struct tcp_test_options *options, size_t bytes)
{
    struct tcp_test_options newreno = *options;

    newreno.conn.controller = "newreno";
    struct tcp_test *t = tcp_test_open(&newreno);

    opens_passively(t);
    user_sends(t, bytes);
    ck_assert_int_eq(ignore_sent(t), 10);
    return t;
}

/* n times "something arrived behind a hole at segment `hole`". */
static void duplicates(struct tcp_test *t, int hole, int n)
{
    for (int i = 0; i < n; i++)
        peer_sends(t, ACK(.ack = 1 + hole * MSS));
}

/* --- what is lost ----------------------------------------------------------------------------- */

/* R5681-7 */
START_TEST(the_third_duplicate_brings_the_lost_segment) /* loop 3 */
{
    /* wherever the number space is cut */
    struct tcp_test *t =
        ten_sent(&(struct tcp_test_options){.choose_iss = _i == 0   ? NULL
                                                          : _i == 1 ? iss_before_wrap
                                                                    : iss_before_half},
                 10 * MSS);

    duplicates(t, 0, 2);
    expect_nothing(t);
    duplicates(t, 0, 1);
    expect(t, ACK(.seq = 1, .len = MSS));
    expect_nothing(t);
    ck_assert_uint_eq(info_of(t).fast_retransmits, 1);
    ck_assert_uint_eq(info_of(t).ssthresh, 5 * MSS);
    ck_assert_uint_eq(info_of(t).cwnd, 8 * MSS); /* ssthresh + 3 */
    tcp_test_close(t);
}
END_TEST

/* RFC 3042 (R5681-8) */
START_TEST(the_first_two_duplicates_let_new_segments_go)
{
    struct tcp_test *t = ten_sent(&(struct tcp_test_options){0}, 20 * MSS);

    duplicates(t, 0, 1);
    expect(t, ACK(.seq = 1 + 10 * MSS, .len = MSS));
    duplicates(t, 0, 1);
    expect(t, ACK(.seq = 1 + 11 * MSS, .len = MSS));
    duplicates(t, 0, 1);
    expect(t, ACK(.seq = 1, .len = MSS));
    expect_nothing(t);
    ck_assert_uint_eq(info_of(t).ssthresh, 5 * MSS); /* they don't count in FlightSize */
    tcp_test_close(t);
}
END_TEST

/* RFC 3042: what the duplicates told of does not make cwnd grow once more. */
START_TEST(what_duplicates_told_of_does_not_count_again) /* loop: without SACK and with */
{
    struct tcp_test *t =
        ten_sent(&(struct tcp_test_options){.peer = {.mss = MSS, .sack_permitted = _i}}, 20 * MSS);
    struct tcp_options block = {.sack_count = 1};

    for (int i = 1; i <= 2; i++) {
        block.sack[0] =
            (struct tcp_sack_block){t->iss + 1 + MSS, t->iss + 1 + MSS + (tcp_seq)i * MSS};
        peer_sends(t, _i ? ACK(.ack = 1, .opt = block) : ACK(.ack = 1));
    }
    ck_assert_int_eq(ignore_sent(t), 2);
    peer_sends(t, ACK(.ack = 1 + 3 * MSS));
    ck_assert_uint_eq(info_of(t).cwnd, 11 * MSS);
    ck_assert_int_eq(ignore_sent(t), 2);
    tcp_test_close(t);
}
END_TEST

START_TEST(more_duplicates_let_new_segments_go)
{
    struct tcp_test *t = ten_sent(&(struct tcp_test_options){0}, 20 * MSS);

    duplicates(t, 0, 3);
    ignore_sent(t);
    duplicates(t, 0, 4); /* cwnd 5 + 7 segments, 12 on their way */
    expect_nothing(t);
    duplicates(t, 0, 1);
    expect(t, ACK(.seq = 1 + 12 * MSS, .len = MSS));
    expect_nothing(t);
    tcp_test_close(t);
}
END_TEST

/* R5681-9 */
START_TEST(the_full_ack_ends_it_at_half_the_window)
{
    struct tcp_test *t = ten_sent(&(struct tcp_test_options){0}, 10 * MSS);

    duplicates(t, 0, 9);
    ignore_sent(t);
    peer_sends(t, ACK(.ack = 1 + 10 * MSS));
    ck_assert_uint_le(info_of(t).cwnd, 5 * MSS);
    user_sends(t, 10 * MSS);
    ck_assert_int_le(ignore_sent(t), 5);
    tcp_test_close(t);
}
END_TEST

/* RFC 6582 3.2 step 3 (R6582-1) */
START_TEST(a_partial_ack_brings_the_next_hole)
{
    struct tcp_test *t = ten_sent(&(struct tcp_test_options){0}, 10 * MSS);

    duplicates(t, 0, 5); /* segments 0, 3 and 6 are lost */
    expect(t, ACK(.seq = 1, .len = MSS));
    peer_sends(t, ACK(.ack = 1 + 3 * MSS));
    expect(t, ACK(.seq = 1 + 3 * MSS, .len = MSS));
    peer_sends(t, ACK(.ack = 1 + 6 * MSS));
    expect(t, ACK(.seq = 1 + 6 * MSS, .len = MSS));
    expect_nothing(t);
    peer_sends(t, ACK(.ack = 1 + 10 * MSS));
    expect_nothing(t);
    ck_assert_uint_eq(info_of(t).fast_retransmits, 1);
    tcp_test_close(t);
}
END_TEST

/* RFC 6582 3.2 step 1, 4: duplicates of what a timeout sent again (R6582-2) */
START_TEST(no_fast_retransmit_below_the_point_of_the_last_loss)
{
    struct tcp_test *t = ten_sent(&(struct tcp_test_options){0}, 10 * MSS);

    advance(t, TLSYN_MS(1010));
    expect(t, ACK(.seq = 1, .len = MSS));
    peer_sends(t, ACK(.ack = 1 + MSS));
    ignore_sent(t);
    duplicates(t, 1, 5);
    ck_assert_uint_eq(info_of(t).fast_retransmits, 0);
    tcp_test_close(t);
}
END_TEST

/* --- what is no duplicate: RFC 5681 2 --------------------------------------------------------- */

/* R5681-13 */
START_TEST(an_ack_with_text_is_none)
{
    struct tcp_test *t = ten_sent(&(struct tcp_test_options){0}, 10 * MSS);

    for (int i = 0; i < 5; i++)
        peer_sends(t, ACK(.ack = 1, .len = 10));
    advance(t, TLSYN_MS(100));
    ck_assert_uint_eq(info_of(t).fast_retransmits, 0);
    tcp_test_close(t);
}
END_TEST

/* R5681-13 */
START_TEST(a_window_update_is_none)
{
    struct tcp_test *t = ten_sent(&(struct tcp_test_options){0}, 10 * MSS);

    for (int i = 0; i < 5; i++)
        peer_sends(t, ACK(.ack = 1, .wnd = 60000 + i));
    expect_nothing(t);
    ck_assert_uint_eq(info_of(t).fast_retransmits, 0);
    tcp_test_close(t);
}
END_TEST

/* R5681-13 */
START_TEST(an_ack_while_nothing_is_on_its_way_is_none)
{
    struct tcp_test *t = TCP_TEST(0);

    opens_passively(t);
    for (int i = 0; i < 5; i++)
        peer_sends(t, ACK());
    user_sends(t, 100);
    expect(t, ACK(.len = 100));
    expect_nothing(t);
    tcp_test_close(t);
}
END_TEST

Suite *tcp_fast_retransmit_suite(void);

Suite *tcp_fast_retransmit_suite(void)
{
    Suite *s = suite_create("tcp_fast_retransmit");
    TCase *what_is_lost = tcase_create("what is lost");
    TCase *what_is_no_duplicate_RFC_5681_2 = tcase_create("what is no duplicate: RFC 5681 2");

    tcase_add_loop_test(what_is_lost, the_third_duplicate_brings_the_lost_segment, 0, 3);
    tcase_add_test(what_is_lost, the_first_two_duplicates_let_new_segments_go);
    tcase_add_loop_test(what_is_lost, what_duplicates_told_of_does_not_count_again, 0, 2);
    tcase_add_test(what_is_lost, more_duplicates_let_new_segments_go);
    tcase_add_test(what_is_lost, the_full_ack_ends_it_at_half_the_window);
    tcase_add_test(what_is_lost, a_partial_ack_brings_the_next_hole);
    tcase_add_test(what_is_lost, no_fast_retransmit_below_the_point_of_the_last_loss);
    suite_add_tcase(s, what_is_lost);
    tcase_add_test(what_is_no_duplicate_RFC_5681_2, an_ack_with_text_is_none);
    tcase_add_test(what_is_no_duplicate_RFC_5681_2, a_window_update_is_none);
    tcase_add_test(what_is_no_duplicate_RFC_5681_2, an_ack_while_nothing_is_on_its_way_is_none);
    suite_add_tcase(s, what_is_no_duplicate_RFC_5681_2);
    return s;
}
