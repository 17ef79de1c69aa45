/*
 * The tail loss probe. Read first: RFC 8985 7.
 */
#include "support/peer.h"

#define MSS   1460
#define AT(n) (1 + (n)*MSS)

static struct tlsyn_conn_info info_of(struct tcp_test *t)
{
    struct tlsyn_conn_info info;

    tlsyn_conn_info(t->user.conn, &info);
    return info;
}

/* A round trip of 40 ms; n segments have left. */
static struct tcp_test *sent(int n, bool sack, int32_t wnd)
{
    struct tcp_test *t =
        TCP_TEST(.peer = {.mss = 1460, .sack_permitted = sack}, .peer_wnd = (uint16_t)wnd);

    peer_sends(t, SYN());
    expect(t, SYNACK());
    advance(t, TLSYN_MS(40));
    peer_sends(t, ACK());
    user_sends(t, (size_t)n * MSS);
    ignore_sent(t);
    return t;
}

static void reports(struct tcp_test *t, int ack, int from)
{
    struct tcp_options opt = {.sack_count = 1};

    opt.sack[0].left = t->iss + (tcp_seq)AT(from);
    opt.sack[0].right = t->iss + (tcp_seq)AT(from + 1);
    peer_sends(t, ACK(.ack = AT(ack), .opt = opt));
}

/* R8985-10 */
START_TEST(a_lost_tail_is_repaired_without_timeout)
{
    struct tcp_test *t = sent(5, true, 0);

    advance(t, TLSYN_MS(79));
    expect_nothing(t);
    advance(t, TLSYN_MS(3)); /* twice the round trip */
    expect(t, ACK(.seq = AT(4), .len = MSS));
    expect_nothing(t);
    ck_assert_uint_eq(counted(t, TLSYN_COUNT_tcp_loss_probes), 1);
    advance(t, TLSYN_MS(40));
    reports(t, 2, 4);         /* 2 and 3 were lost */
    advance(t, TLSYN_MS(12)); /* a quarter of a round trip: they might be late */
    expect(t, ACK(.seq = AT(2), .len = MSS));
    ignore_sent(t);
    advance(t, TLSYN_MS(40));
    peer_sends(t, ACK(.ack = AT(5)));
    ck_assert_uint_eq(t->user.acked, 5 * MSS);
    ck_assert_uint_eq(info_of(t).timeouts, 0);
    advance(t, TLSYN_SECONDS(5));
    ck_assert_uint_eq(info_of(t).timeouts, 0);
    tcp_test_close(t);
}
END_TEST

/* R8985-11 */
START_TEST(for_a_single_segment_a_delayed_ack_is_waited_for)
{
    struct tcp_test *t = sent(1, true, 0);

    advance(t, TLSYN_MS(115));
    expect_nothing(t);
    advance(t, TLSYN_MS(10)); /* 2 * 40 + 40 */
    expect(t, ACK(.seq = AT(0), .len = MSS));
    tcp_test_close(t);
}
END_TEST

/* R8985-12 */
START_TEST(new_text_probes_better)
{
    struct tcp_test *t = sent(12, true, 0); /* ten left, cwnd holds two back */

    advance(t, TLSYN_MS(82));
    expect(t, ACK(.seq = AT(10), .len = MSS));
    expect_nothing(t);
    tcp_test_close(t);
}
END_TEST

START_TEST(a_full_window_gets_the_last_segment_again)
{
    struct tcp_test *t = sent(12, true, 4 * MSS);

    advance(t, TLSYN_MS(82));
    expect(t, ACK(.seq = AT(3), .len = MSS));
    expect_nothing(t);
    tcp_test_close(t);
}
END_TEST

/* R8985-12 */
START_TEST(one_probe_leaves_and_then_the_timer_expires)
{
    struct tcp_test *t = sent(5, true, 0);

    advance(t, TLSYN_MS(82));
    ck_assert_int_eq(ignore_sent(t), 1);
    advance(t, TLSYN_MS(190));
    expect_nothing(t);
    advance(t, TLSYN_MS(60)); /* the timer was started anew by the probe */
    expect(t, ACK(.seq = AT(0), .len = MSS));
    ck_assert_uint_eq(info_of(t).timeouts, 1);
    tcp_test_close(t);
}
END_TEST

/* RFC 8985 7.4.2 (R8985-13) */
START_TEST(a_loss_that_the_probe_repaired_counts_as_one)
{
    struct tcp_test *t = sent(5, true, 0);

    advance(t, TLSYN_MS(82));
    ck_assert_int_eq(ignore_sent(t), 1);
    peer_sends(t, ACK(.ack = AT(5)));
    user_sends(t, MSS);
    expect(t, ACK(.len = MSS));
    tcp_test_close(t);
    t = sent(12, true, 4 * MSS);
    advance(t, TLSYN_MS(82));
    ck_assert_int_eq(ignore_sent(t), 1);
    advance(t, TLSYN_MS(1));
    peer_sends(t, ACK(.ack = AT(4)));
    ck_assert_int_eq(ignore_sent(t), 4);
    peer_sends(t, ACK(.ack = AT(8))); /* no duplicate was reported: the original was lost */
    ck_assert_uint_eq(counted(t, TLSYN_COUNT_tcp_loss_probe_recovery), 1);
    ck_assert_uint_lt(info_of(t).ssthresh, 10 * MSS);
    tcp_test_close(t);
}
END_TEST

/* R8985-13 */
START_TEST(a_probe_that_was_not_needed_does_not)
{
    struct tcp_test *t = sent(12, true, 4 * MSS);

    advance(t, TLSYN_MS(82));
    ck_assert_int_eq(ignore_sent(t), 1);
    peer_sends(t, ACK(.ack = AT(4)));
    reports(t, 4, 3);
    peer_sends(t, ACK(.ack = AT(8)));
    ck_assert_uint_eq(counted(t, TLSYN_COUNT_tcp_loss_probe_recovery), 0);
    ck_assert_uint_ge(info_of(t).cwnd, 10 * MSS);
    tcp_test_close(t);
}
END_TEST

START_TEST(a_fin_is_probed_with_its_segment)
{
    struct tcp_test *t = sent(2, true, 0);

    peer_sends(t, ACK(.ack = AT(2)));
    user_writes(&t->user, 100);
    tlsyn_conn_close(t->user.conn);
    flush(t);
    expect(t, FIN(.seq = AT(2), .len = 100));
    advance(t, TLSYN_MS(190));
    expect(t, FIN(.seq = AT(2), .len = 100));
    ck_assert_uint_eq(info_of(t).timeouts, 0);
    tcp_test_close(t);
}
END_TEST

/* R8985-1 */
START_TEST(no_probe_without_sack)
{
    struct tcp_test *t = sent(5, false, 0);

    advance(t, TLSYN_MS(150));
    expect_nothing(t);
    tcp_test_close(t);
}
END_TEST

Suite *tcp_tlp_suite(void);

Suite *tcp_tlp_suite(void)
{
    Suite *s = suite_create("tcp_tlp");
    TCase *all = tcase_create("all");

    tcase_add_test(all, a_lost_tail_is_repaired_without_timeout);
    tcase_add_test(all, for_a_single_segment_a_delayed_ack_is_waited_for);
    tcase_add_test(all, new_text_probes_better);
    tcase_add_test(all, a_full_window_gets_the_last_segment_again);
    tcase_add_test(all, one_probe_leaves_and_then_the_timer_expires);
    tcase_add_test(all, a_loss_that_the_probe_repaired_counts_as_one);
    tcase_add_test(all, a_probe_that_was_not_needed_does_not);
    tcase_add_test(all, a_fin_is_probed_with_its_segment);
    tcase_add_test(all, no_probe_without_sack);
    suite_add_tcase(s, all);
    return s;
}
