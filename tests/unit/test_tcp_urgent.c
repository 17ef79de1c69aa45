/*
 * Urgent text. Read first: RFC 9293 3.8.5, 3.10.7.4, RFC 6093.
 */
#include "support/bulk.h"
#include "support/peer.h"

#define URGENT(...) SEG(TCP_ACK | TCP_URG, __VA_ARGS__)

static uint32_t left(struct tcp_test *t)
{
    struct tlsyn_conn_info info;

    tlsyn_conn_info(t->user.conn, &info);
    return info.rcv_urgent;
}

static uint32_t ours_left(struct tcp_test *t)
{
    struct tlsyn_conn_info info;

    tlsyn_conn_info(t->user.conn, &info);
    return info.snd_urgent;
}

/* How far ahead of itself the segment says that urgent text goes; 0: it does not say so. */
static uint32_t pointer(const struct wire_tcp *segment)
{
    ck_assert_int_eq(!!(segment->flags & TCP_URG), segment->urg != 0);
    return segment->urg;
}

/* --- the peer's ------------------------------------------------------------------------------- */

/* MUST-30, MUST-32, MUST-33, MUST-62 */
START_TEST(the_user_learns_where_urgent_text_ends)
{
    struct tcp_test *t = TCP_TEST(0);
    uint8_t last;

    opens_passively(t);
    t->user.deaf = true;
    peer_sends(t, URGENT(.len = 10, .urg = 4));
    ck_assert_int_eq(t->user.count[USER_URGENT], 1);
    ck_assert_uint_eq(t->user.urgent_before, 0);
    ck_assert_uint_eq(left(t), 4);
    ck_assert(tlsyn_conn_urgent_last(t->user.conn, &last));
    ck_assert_uint_eq(last, bulk_pattern(3));
    user_reads(&t->user, 3);
    ck_assert_uint_eq(left(t), 1);
    user_reads(&t->user, 1);
    ck_assert_uint_eq(left(t), 0);
    ck_assert(!tlsyn_conn_urgent_last(t->user.conn, &last));
    ck_assert_uint_eq(user_reads(&t->user, 100), 6); /* all of it stayed in the stream */
    tcp_test_close(t);
}
END_TEST

/* MUST-32: whenever it advances, and else not */
START_TEST(it_is_told_when_the_pointer_moves_on)
{
    struct tcp_test *t = TCP_TEST(0);

    opens_passively(t);
    t->user.deaf = true;
    peer_sends(t, URGENT(.seq = 1, .len = 10, .urg = 4));
    peer_sends(t, URGENT(.seq = 1, .len = 10, .urg = 4));
    peer_sends(t, URGENT(.seq = 11, .len = 10, .urg = 0));
    peer_sends(t, URGENT(.seq = 21, .urg = 6));
    ck_assert_int_eq(t->user.count[USER_URGENT], 3);
    ck_assert_uint_eq(t->user.urgent_before, 10);
    ck_assert_uint_eq(left(t), 26);
    peer_sends(t, URGENT(.seq = 21, .len = 4, .urg = 2));
    ck_assert_int_eq(t->user.count[USER_URGENT], 3);
    ck_assert_uint_eq(left(t), 26);
    tcp_test_close(t);
}
END_TEST

START_TEST(it_is_told_before_the_text_comes)
{
    struct tcp_test *t = TCP_TEST(0);
    uint8_t last;

    opens_passively(t);
    peer_sends(t, URGENT(.urg = 1000));
    ck_assert_int_eq(t->user.count[USER_URGENT], 1);
    ck_assert_uint_eq(left(t), 1000);
    ck_assert(!tlsyn_conn_urgent_last(t->user.conn, &last));
    peer_sends(t, ACK(.len = 999));
    ck_assert_uint_eq(left(t), 1);
    peer_sends(t, ACK(.len = 1));
    ck_assert_uint_eq(left(t), 0);
    tcp_test_close(t);
}
END_TEST

START_TEST(its_last_byte_is_seen_behind_a_hole)
{
    struct tcp_test *t = TCP_TEST(0);
    uint8_t last = 0;

    opens_passively(t);
    peer_sends(t, URGENT(.seq = 101, .len = 50, .urg = 20));
    ck_assert_uint_eq(left(t), 120);
    ck_assert(tlsyn_conn_urgent_last(t->user.conn, &last));
    ck_assert_uint_eq(last, bulk_pattern(119));
    peer_sends(t, ACK(.seq = 1, .len = 100));
    ck_assert_uint_eq(t->user.read, 150);
    ck_assert_uint_eq(left(t), 0);
    tcp_test_close(t);
}
END_TEST

/* MUST-31: a sequence of urgent data of any length */
START_TEST(urgent_text_may_be_of_any_length)
{
    struct tcp_test *t = TCP_TEST(0);

    opens_passively(t);
    for (int i = 1; i <= 200; i++) {
        peer_sends(t, URGENT(.len = 1400, .urg = 1450));
        ck_assert_int_eq(t->user.count[USER_URGENT], i);
        ck_assert_uint_eq(left(t), 50);
    }
    ck_assert_uint_eq(t->user.read, 200 * 1400);
    tcp_test_close(t);
}
END_TEST

/* MUST-66: the URG field is processed even when the receive window is zero */
START_TEST(a_closed_window_hides_no_urgent_pointer)
{
    struct tcp_test *t = TCP_TEST(.conn = {.rcv_ring = 4096});

    opens_passively(t);
    t->user.deaf = true;
    for (int i = 0; i < 4; i++)
        peer_sends(t, ACK(.len = 1024));
    ignore_sent(t);
    peer_sends(t, URGENT(.seq = 4097, .len = 1, .urg = 1));
    expect(t, ACK(.ack = 4097, .wnd = 0));
    ck_assert_int_eq(t->user.count[USER_URGENT], 1);
    ck_assert_uint_eq(left(t), 4097);
    tcp_test_close(t);
}
END_TEST

/* --- lies ------------------------------------------------------------------------------------- */

START_TEST(a_pointer_that_points_back_is_ignored)
{
    struct tcp_test *t = TCP_TEST(0);

    opens_passively(t);
    peer_sends(t, ACK(.len = 100));
    peer_sends(t, URGENT(.seq = 101, .urg = 0));
    peer_sends(t, URGENT(.seq = 51, .len = 60, .urg = 50)); /* consumed already */
    ck_assert_int_eq(t->user.count[USER_URGENT], 0);
    ck_assert_uint_eq(t->user.read, 110);
    tcp_test_close(t);
}
END_TEST

START_TEST(a_pointer_in_what_is_not_acceptable_is_ignored)
{
    struct tcp_test *t = TCP_TEST(0);

    opens_passively(t);
    peer_sends(t, URGENT(.seq = 10000000, .len = 10, .urg = 10));
    peer_sends(t, URGENT(.seq = -5, .len = 3, .urg = 50));
    peer_sends(t, URGENT(.seq = 1, .ack = 5000, .len = 10, .urg = 10));
    peer_sends(t, SEG(TCP_URG, .seq = 1, .len = 10, .urg = 10));
    peer_sends(t, SEG(TCP_SYN | TCP_URG, .seq = 1, .len = 10, .urg = 10));
    ck_assert_int_eq(t->user.count[USER_URGENT], 0);
    tcp_test_close(t);
}
END_TEST

START_TEST(a_syn_has_nothing_urgent)
{
    struct tcp_test *t = TCP_TEST(.open = true);

    peer_sends(
        t, SEG(TCP_SYN | TCP_URG, .len = 10, .urg = 5, .opt = {.mss = 1460, .has_fastopen = true}));
    expect(t, SYNACK(.ack = 11));
    peer_sends(t, ACK(.seq = 11, .ack = 1));
    expect_state(t, TLSYN_ESTABLISHED);
    ck_assert_int_eq(t->user.count[USER_URGENT], 0);
    tcp_test_close(t);
}
END_TEST

/* RFC 9293 3.10.7.4, sixth: in CLOSE-WAIT "this should not occur" */
START_TEST(urgent_text_ends_with_the_stream)
{
    struct tcp_test *t = TCP_TEST(0);

    opens_passively(t);
    t->user.deaf = true;
    peer_sends(t, SEG(TCP_ACK | TCP_URG | TCP_FIN, .len = 10, .urg = 65535));
    ck_assert_int_eq(t->user.count[USER_URGENT], 1);
    ck_assert_uint_eq(left(t), 10);
    user_reads(&t->user, 10);
    ck_assert_uint_eq(left(t), 0);
    ck_assert(t->user.ended);
    peer_sends(t, URGENT(.seq = 12, .urg = 60000));
    ck_assert_int_eq(t->user.count[USER_URGENT], 1);
    tcp_test_close(t);
}
END_TEST

START_TEST(a_pointer_as_far_as_can_be_holds_up_nothing) /* loop 2 */
{
    struct tcp_test *t = TCP_TEST(.peer_iss = _i ? 0x7ffffff8 : 0xfffffff8);

    opens_passively(t);
    for (int i = 0; i < 300; i++)
        peer_sends(t, URGENT(.len = 1000, .urg = 65535));
    ck_assert_uint_eq(t->user.read, 300000);
    ck_assert_uint_eq(left(t), 64535);
    for (int i = 0; i < 65; i++)
        peer_sends(t, ACK(.len = 1000));
    ck_assert_uint_eq(left(t), 0);
    tcp_test_close(t);
}
END_TEST

START_TEST(who_is_told_may_end_it) /* loop USER_RELEASES + 1 */
{
    struct tcp_test *t = TCP_TEST(0);

    opens_passively(t);
    t->user.plan[USER_URGENT].act = (enum user_act)_i;
    peer_sends(t, URGENT(.len = 10, .urg = 5));
    ck_assert_int_eq(t->user.count[USER_URGENT], 1);
    peer_sends(t, URGENT(.len = 10, .urg = 10));
    if (_i == USER_ABORTS)
        expect(t, RSTACK(.seq = 1));
    tcp_test_close(t);
}
END_TEST

/* --- ours ------------------------------------------------------------------------------------- */

/* MUST-62: the octet that follows the urgent text (MUST-30) */
START_TEST(our_pointer_points_behind_what_was_committed)
{
    struct tcp_test *t = TCP_TEST(0);

    opens_passively(t);
    user_writes(&t->user, 10);
    tlsyn_conn_urgent(t->user.conn);
    ck_assert_uint_eq(ours_left(t), 10);
    flush(t);
    ck_assert_uint_eq(pointer(expect(t, ACK(.seq = 1, .len = 10))), 10);
    user_sends(t, 10);
    ck_assert_uint_eq(pointer(expect(t, ACK(.seq = 11, .len = 10))), 0);
    advance(t, TLSYN_SECONDS(2)); /* and in what goes again */
    ck_assert_uint_eq(pointer(expect(t, ACK(.seq = 1, .len = 20))), 10);
    ignore_sent(t);
    peer_sends(t, ACK(.ack = 21));
    ck_assert_uint_eq(ours_left(t), 0);
    user_sends(t, 5);
    ck_assert_uint_eq(pointer(expect(t, ACK(.seq = 21, .len = 5))), 0);
    tcp_test_close(t);
}
END_TEST

START_TEST(every_segment_counts_from_its_own_number)
{
    struct tcp_test *t = TCP_TEST(.caps = {.mtu = 1500, .gso_max = 65000, .csum = true});

    opens_passively(t);
    user_writes(&t->user, 3000);
    tlsyn_conn_urgent(t->user.conn);
    flush(t);
    ck_assert_uint_eq(pointer(expect(t, ACK(.seq = 1, .len = 1460))), 3000);
    ck_assert_uint_eq(pointer(expect(t, ACK(.seq = 1461, .len = 1460))), 1540);
    ck_assert_uint_eq(pointer(expect(t, ACK(.seq = 2921, .len = 80))), 80);
    tcp_test_close(t);
}
END_TEST

START_TEST(urgent_text_does_not_wait) /* loop 2 */
{
    struct tcp_test *t = TCP_TEST(.conn = {.nagle = !_i, .cork = _i});

    opens_passively(t);
    for (int i = 0; i < 2; i++) {
        user_writes(&t->user, 10);
        tlsyn_conn_urgent(t->user.conn);
        flush(t);
        expect(t, ACK(.seq = 1 + 10 * i, .len = 10));
    }
    tcp_test_close(t);
}
END_TEST

/* MUST-31. What 16 bits can't say is said as far as it goes, but not of bytes that have left. */
START_TEST(a_pointer_too_far_ahead_says_that_there_is_one)
{
    struct tcp_test *t = TCP_TEST(.peer = {.mss = 1460, .has_wscale = true, .wscale = 7},
                                  .conn = {.snd_ring = 200000});

    opens_passively(t);
    user_writes(&t->user, 120000);
    tlsyn_conn_urgent(t->user.conn);
    flush(t);
    ck_assert_uint_eq(pointer(expect(t, ACK(.seq = 1, .len = 1460))), UINT16_MAX);
    while (t->peer_rcv < 60000) {
        peer_takes_all(t);
        t->hold = t->peer_rcv >= 60000;
        peer_sends(t, ACK(0));
    }
    t->hold = false;
    ck_assert_uint_gt(ours_left(t), 0);
    int64_t from = t->peer_rcv;
    flush(t);
    ck_assert_uint_eq(pointer(expect(t, ACK(.seq = from, .len = 1460))), (uint64_t)(120001 - from));
    tcp_test_close(t);
}
END_TEST

START_TEST(a_closed_window_is_told_of_by_an_ack)
{
    struct tcp_test *t = TCP_TEST(0);

    opens_passively(t);
    user_sends(t, 10);
    expect(t, ACK(.len = 10));
    peer_sends(t, ACK(.ack = 11, .wnd = 0));
    user_writes(&t->user, 300);
    tlsyn_conn_urgent(t->user.conn);
    flush(t);
    ck_assert_uint_eq(pointer(expect(t, ACK(.seq = 11))), 300);
    expect_nothing(t);
    tcp_test_close(t);
}
END_TEST

Suite *tcp_urgent_suite(void);

Suite *tcp_urgent_suite(void)
{
    Suite *s = suite_create("tcp_urgent");
    TCase *theirs = tcase_create("theirs"), *lies = tcase_create("lies"),
          *ours = tcase_create("ours");

    tcase_add_test(theirs, the_user_learns_where_urgent_text_ends);
    tcase_add_test(theirs, it_is_told_when_the_pointer_moves_on);
    tcase_add_test(theirs, it_is_told_before_the_text_comes);
    tcase_add_test(theirs, its_last_byte_is_seen_behind_a_hole);
    tcase_add_test(theirs, urgent_text_may_be_of_any_length);
    tcase_add_test(theirs, a_closed_window_hides_no_urgent_pointer);
    suite_add_tcase(s, theirs);
    tcase_add_test(lies, a_pointer_that_points_back_is_ignored);
    tcase_add_test(lies, a_pointer_in_what_is_not_acceptable_is_ignored);
    tcase_add_test(lies, a_syn_has_nothing_urgent);
    tcase_add_test(lies, urgent_text_ends_with_the_stream);
    tcase_add_loop_test(lies, a_pointer_as_far_as_can_be_holds_up_nothing, 0, 2);
    tcase_add_loop_test(lies, who_is_told_may_end_it, 0, USER_RELEASES + 1);
    suite_add_tcase(s, lies);
    tcase_add_test(ours, our_pointer_points_behind_what_was_committed);
    tcase_add_test(ours, every_segment_counts_from_its_own_number);
    tcase_add_loop_test(ours, urgent_text_does_not_wait, 0, 2);
    tcase_add_test(ours, a_pointer_too_far_ahead_says_that_there_is_one);
    tcase_add_test(ours, a_closed_window_is_told_of_by_an_ack);
    suite_add_tcase(s, ours);
    return s;
}
