/*
 * Frames of several segments count as the segments that they are.
 */
#include "support/peer.h"

#define MSS 1460

static struct tlsyn_conn_info info_of(const struct tcp_test *t)
{
    struct tlsyn_conn_info info;

    tlsyn_conn_info(t->user.conn, &info);
    return info;
}

START_TEST(counters_count_segments_that_arrive)
{
    struct tcp_test *t = TCP_TEST(.ip6 = _i == 1);

    opens_passively(t);
    uint32_t before = info_of(t).segs_in;
    uint64_t all = counted(t, TLSYN_COUNT_tcp_in_segs);
    t->coalesced = 1000;
    peer_sends(t, ACK(.len = 3001));
    ck_assert_uint_eq(info_of(t).segs_in, before + 4);
    ck_assert_uint_eq(counted(t, TLSYN_COUNT_tcp_in_segs), all + 4);
    peer_sends(t, ACK(.len = 1000)); /* one may carry a size, too */
    ck_assert_uint_eq(info_of(t).segs_in, before + 5);
    ignore_sent(t);
    tcp_test_close(t);
}
END_TEST

START_TEST(counters_count_segments_that_leave)
{
    struct tcp_test *t = TCP_TEST(.caps = {.mtu = 1500, .gso_max = 65000, .csum = true});

    opens_passively(t);
    uint32_t before = info_of(t).segs_out;
    uint64_t all = counted(t, TLSYN_COUNT_tcp_out_segs);
    user_sends(t, 4 * MSS + 1);
    ck_assert_int_eq(ignore_sent(t), 1);
    ck_assert_uint_eq(info_of(t).segs_out, before + 5);
    ck_assert_uint_eq(counted(t, TLSYN_COUNT_tcp_out_segs), all + 5);
    tcp_test_close(t);
}
END_TEST

START_TEST(two_full_segments_in_one_frame_are_acknowledged_at_once)
{
    struct tcp_test *t = TCP_TEST(0);

    opens_passively(t);
    for (int i = 0; i < 20; i++) { /* the peer's slow start is over */
        peer_sends(t, ACK(.len = MSS));
        advance(t, TLSYN_MS(100));
    }
    ignore_sent(t);
    t->coalesced = MSS;
    peer_sends(t, ACK(.len = 2 * MSS));
    expect(t, ACK(.ack = 1 + 22 * MSS));
    expect_nothing(t);
    tcp_test_close(t);
}
END_TEST

/* RFC 5681 3.2: without SACK the sender counts them. */
START_TEST(each_segment_out_of_order_has_its_duplicate_ack)
{
    struct tcp_test *t = TCP_TEST(0);

    opens_passively(t);
    t->coalesced = MSS;
    peer_sends(t, ACK(.seq = 1 + MSS, .len = 3 * MSS));
    for (int i = 0; i < 3; i++)
        expect(t, ACK(.ack = 1));
    ck_assert_int_le(ignore_sent(t), 1);
    peer_sends(t, ACK(.seq = 1, .len = MSS));
    expect(t, ACK(.ack = 1 + 4 * MSS));
    tcp_test_close(t);
}
END_TEST

/* RFC 5681 3.1: by what is acknowledged, not by the number of acknowledgements. */
START_TEST(one_ack_of_many_segments_opens_the_window_by_all_of_them)
{
    struct tcp_test *t = TCP_TEST(.caps = {.mtu = 1500, .gso_max = 65000, .csum = true});

    opens_passively(t);
    uint32_t before = info_of(t).cwnd;
    user_sends(t, before);
    advance(t, TLSYN_MS(5));
    ck_assert_int_gt(peer_takes_all(t), 0);
    peer_sends(t, ACK());
    ck_assert_uint_eq(info_of(t).cwnd, 2 * before);
    tcp_test_close(t);
}
END_TEST

Suite *tcp_coalesced_suite(void);

Suite *tcp_coalesced_suite(void)
{
    Suite *suite = suite_create("tcp_coalesced");
    TCase *tests = tcase_create("tcp_coalesced");

    tcase_add_loop_test(tests, counters_count_segments_that_arrive, 0, 2);
    tcase_add_test(tests, counters_count_segments_that_leave);
    tcase_add_test(tests, two_full_segments_in_one_frame_are_acknowledged_at_once);
    tcase_add_test(tests, each_segment_out_of_order_has_its_duplicate_ack);
    tcase_add_test(tests, one_ack_of_many_segments_opens_the_window_by_all_of_them);
    suite_add_tcase(suite, tests);
    return suite;
}
