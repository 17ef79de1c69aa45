/*
 * Losses that were none: Eifel, D-SACK, F-RTO. Read first: RFC 3522, RFC 4015, RFC 5682, RFC 3708.
 */
#include "support/peer.h"

#define MSS   1448
#define AT(n) (1 + (n)*MSS) /* the relative number of segment n */

static struct tlsyn_conn_info info_of(struct tcp_test *t)
{
    struct tlsyn_conn_info info;

    tlsyn_conn_info(t->user.conn, &info);
    return info;
}

struct flight {
    bool ts, sack;
    int segments; /* written; ten of them leave */
};

/* Ten segments are on their way, over a round trip of 100 ms that has nearly passed; what they echo
 * goes to *original. */
static struct tcp_test *ten_sent(const struct flight *f, uint32_t *original)
{
    struct tcp_test *t =
        TCP_TEST(.peer = {.mss = f->ts ? 1460 : 1448, .sack_permitted = f->sack, .has_ts = f->ts});

    peer_sends(t, SYN());
    expect(t, SYNACK());
    advance(t, TLSYN_MS(100));
    peer_sends(t, ACK());
    user_sends(t, (size_t)f->segments * MSS);
    *original = expect(t, ACK(.seq = AT(0), .len = MSS))->options.tsval;
    ck_assert_int_eq(ignore_sent(t), 9);
    advance(t, TLSYN_MS(100));
    return t;
}

/* An ACK up to segment `ack`; segments [from, to) too, unless to is 0. `echo`: 0: what the
 * peer saw last. */
static void acks(struct tcp_test *t, int ack, int from, int to, uint32_t echo)
{
    struct tcp_options opt = {.sack_count = to ? 1 : 0};

    opt.sack[0].left = t->iss + (tcp_seq)AT(from);
    opt.sack[0].right = t->iss + (tcp_seq)AT(to);
    if (echo) {
        opt.has_ts = true;
        opt.tsval = (uint32_t)(t->now / 1000);
        opt.tsecr = echo;
    }
    peer_sends(t, ACK(.ack = AT(ack), .opt = opt));
}

/* --- timeouts --------------------------------------------------------------------------------- */

START_TEST(an_old_echo_undoes_a_timeout) /* RFC 3522, RFC 4015; loop 2: with SACK, and without */
{
    uint32_t original;
    struct tcp_test *t =
        ten_sent(&(struct flight){.ts = true, .sack = _i, .segments = 10}, &original);
    uint32_t cwnd = info_of(t).cwnd;

    advance(t, TLSYN_SECONDS(1));
    ck_assert_int_ge(ignore_sent(t), 1);
    ck_assert_uint_ge(info_of(t).timeouts, 1);
    ck_assert_uint_lt(info_of(t).cwnd, cwnd);
    acks(t, 4, 0, 0, original);
    ck_assert_uint_ge(info_of(t).cwnd, cwnd);
    ck_assert_uint_gt(info_of(t).ssthresh, 10 * MSS);
    ck_assert_int_ge(info_of(t).srtt,
                     TLSYN_MS(1000)); /* the delay has risen to what the ACK shows */
    ck_assert_uint_eq(counted(t, TLSYN_COUNT_tcp_loss_undo), 1);
    ck_assert_uint_eq(info_of(t).undos, 1);
    ck_assert_uint_eq(counted(t, TLSYN_COUNT_tcp_spurious_rtos), 0);
    ignore_sent(t);
    acks(t, 10, 0, 0, original);
    advance(t, TLSYN_SECONDS(5));
    expect_nothing(t);
    tcp_test_close(t);
}
END_TEST

START_TEST(the_echo_of_the_retransmission_undoes_nothing) /* loop 2 */
{
    uint32_t original;
    struct tcp_test *t =
        ten_sent(&(struct flight){.ts = true, .sack = _i, .segments = 10}, &original);

    advance(t, TLSYN_SECONDS(1));
    ignore_sent(t);
    uint32_t ssthresh = info_of(t).ssthresh;
    acks(t, 10, 0, 0, original + 1000);
    ck_assert_uint_eq(info_of(t).ssthresh, ssthresh);
    ck_assert_uint_eq(counted(t, TLSYN_COUNT_tcp_loss_undo), 0);
    tcp_test_close(t);
}
END_TEST

/* Ten segments were sent, the timer has expired once, and the first went again. */
static struct tcp_test *timed_out(bool sack, int segments)
{
    uint32_t original;
    struct tcp_test *t = ten_sent(&(struct flight){.sack = sack, .segments = segments}, &original);

    for (int i = 0; i < 100 && info_of(t).timeouts == 0; i++) {
        ignore_sent(t); /* the tail loss probe */
        advance(t, TLSYN_MS(10));
    }
    expect(t, ACK(.seq = AT(0), .len = MSS));
    expect_nothing(t);
    return t;
}

START_TEST(what_went_once_and_is_acknowledged_proves_the_timeout_spurious) /* RFC 5682; loop 2 */
{
    struct tcp_test *t = timed_out(_i, 20);

    acks(t, 1, 0, 0, 0);                            /* step 2 b: new text, nothing again */
    expect(t, ACK(.seq = AT(10 + _i), .len = MSS)); /* behind a tail loss probe's, with SACK */
    expect(t, ACK(.seq = AT(11 + _i), .len = MSS));
    expect_nothing(t);
    uint32_t again = info_of(t).retransmits;
    acks(t, 3, 0, 0, 0); /* step 3 b */
    ck_assert_uint_eq(counted(t, TLSYN_COUNT_tcp_spurious_rtos), 1);
    ck_assert_uint_eq(counted(t, TLSYN_COUNT_tcp_loss_undo), 1);
    ck_assert_uint_ge(info_of(t).cwnd, 10 * MSS);
    ck_assert_uint_eq(info_of(t).retransmits, again); /* and nothing goes again */
    tcp_test_close(t);
}
END_TEST

START_TEST(only_new_text_arrives_so_the_rest_was_lost) /* RFC 5682 step 3 a; loop 2 */
{
    struct tcp_test *t = timed_out(_i, 20);

    acks(t, 1, 0, 0, 0);
    ck_assert_int_eq(ignore_sent(t), 2);
    if (_i)
        acks(t, 1, 11, 12, 0);
    else
        peer_sends(t, ACK(.ack = AT(1)));
    expect(t, ACK(.seq = AT(1), .len = MSS));
    ignore_sent(t);
    acks(t, 12, 0, 0, 0);
    ck_assert_uint_eq(counted(t, TLSYN_COUNT_tcp_loss_undo), 0);
    ck_assert_uint_lt(info_of(t).ssthresh, 10 * MSS);
    tcp_test_close(t);
}
END_TEST

START_TEST(an_ack_of_everything_may_stand_for_lost_acks) /* RFC 5682 step 2 a */
{
    struct tcp_test *t = timed_out(true, 10);

    acks(t, 10, 0, 0, 0);
    ck_assert_uint_eq(counted(t, TLSYN_COUNT_tcp_loss_undo), 0);
    tcp_test_close(t);
}
END_TEST

/* Nothing new to send: what is taken for lost goes, and no stall. */
START_TEST(without_new_text_the_repair_goes_on)
{
    struct tcp_test *t = timed_out(true, 10);

    acks(t, 1, 0, 0, 0);
    expect(t, ACK(.seq = AT(1), .len = MSS));
    tcp_test_close(t);
}
END_TEST

/* --- fast recovery ---------------------------------------------------------------------------- */

START_TEST(an_old_echo_undoes_a_fast_retransmit)
{
    uint32_t original;
    struct tcp_test *t =
        ten_sent(&(struct flight){.ts = true, .sack = true, .segments = 10}, &original);

    acks(t, 0, 1, 4, original);
    expect(t, ACK(.seq = AT(0), .len = MSS));
    ck_assert_uint_eq(info_of(t).ssthresh, 7 * MSS);
    advance(t, TLSYN_MS(5));
    if (_i == 0) {
        acks(t, 10, 0, 0, original);
        ck_assert_uint_eq(counted(t, TLSYN_COUNT_tcp_full_undo), 1);
    } else {
        acks(t, 4, 0, 0, original);
        ck_assert_uint_eq(counted(t, TLSYN_COUNT_tcp_partial_undo), 1);
    }
    ck_assert_uint_ge(info_of(t).cwnd, 10 * MSS);
    ck_assert_uint_gt(info_of(t).ssthresh, 10 * MSS);
    expect_nothing(t);
    tcp_test_close(t);
}
END_TEST

/* It was proved too narrow, whether a D-SACK follows or not: the next hole is waited for a quarter
 * of a round trip longer. And such a recovery is none of the sixteen after which it narrows. */
START_TEST(a_recovery_undone_widens_the_reordering_window)
{
    uint32_t original;
    struct tcp_test *t =
        ten_sent(&(struct flight){.ts = true, .sack = true, .segments = 10}, &original);

    for (int i = 0, at = 0; i < 3; i++, at += 10) {
        acks(t, at, at + 1, at + 10, original);
        advance(t, TLSYN_MS(i == 0 ? 0 : 25 * (i + 1) - 5));
        ck_assert_int_eq(ignore_sent(t), i == 0);
        advance(t, TLSYN_MS(10));
        ck_assert_int_eq(ignore_sent(t), i > 0);
        acks(t, at + 10, 0, 0, original);
        ck_assert_uint_eq(info_of(t).undos, (unsigned)i + 1);
        ck_assert_uint_eq(t->user.conn->rack.reo_wnd_persist, 16);
        user_sends(t, 10 * MSS);
        original = expect(t, ACK(.len = MSS))->options.tsval;
        advance(t, TLSYN_MS(20));
        ck_assert_int_eq(ignore_sent(t), 9);
        advance(t, TLSYN_MS(80));
    }
    tcp_test_close(t);
}
END_TEST

/* The late original of one hole says nothing about another. */
START_TEST(another_hole_whose_retransmission_is_under_way_is_waited_for)
{
    uint32_t original;
    struct tcp_test *t =
        ten_sent(&(struct flight){.ts = true, .sack = true, .segments = 10}, &original);
    struct tcp_options opt = {.sack_count = 2};

    opt.sack[0].left = t->iss + AT(4);
    opt.sack[0].right = t->iss + AT(10);
    opt.sack[1].left = t->iss + AT(1);
    opt.sack[1].right = t->iss + AT(3);
    peer_sends(t, ACK(.ack = AT(0), .opt = opt));
    ck_assert_int_eq(ignore_sent(t), 2);
    advance(t, TLSYN_MS(5));
    acks(t, 3, 4, 10, original);
    ck_assert_uint_eq(counted(t, TLSYN_COUNT_tcp_partial_undo), 0);
    acks(t, 10, 0, 0, original + 100);
    ck_assert_uint_eq(counted(t, TLSYN_COUNT_tcp_full_undo), 0);
    ck_assert_uint_eq(info_of(t).cwnd, 7 * MSS);
    tcp_test_close(t);
}
END_TEST

START_TEST(dsacks_for_all_that_went_again_undo_it)
{
    uint32_t original;
    struct tcp_test *t = ten_sent(&(struct flight){.sack = true, .segments = 10}, &original);
    struct tcp_options opt = {.sack_count = 2};

    opt.sack[0].left = t->iss + AT(4);
    opt.sack[0].right = t->iss + AT(10);
    opt.sack[1].left = t->iss + AT(1);
    opt.sack[1].right = t->iss + AT(3);
    peer_sends(t, ACK(.ack = AT(0), .opt = opt));
    ck_assert_int_eq(ignore_sent(t), 2);
    acks(t, 10, 0, 0, 0);
    ck_assert_uint_eq(info_of(t).cwnd, 7 * MSS);
    acks(t, 10, 0, 1, 0);
    ck_assert_uint_eq(counted(t, TLSYN_COUNT_tcp_dsack_undo), 0);
    ck_assert_uint_eq(info_of(t).cwnd, 7 * MSS);
    acks(t, 10, 3, 4, 0);
    ck_assert_uint_eq(counted(t, TLSYN_COUNT_tcp_dsack_undo), 1);
    ck_assert_uint_eq(info_of(t).cwnd, 10 * MSS);
    acks(t, 10, 3, 4, 0);
    ck_assert_uint_eq(counted(t, TLSYN_COUNT_tcp_dsack_undo), 1);
    tcp_test_close(t);
}
END_TEST

/* A timeout inside recovery is no second sign of congestion. */
START_TEST(a_lost_retransmission_that_times_out_halves_nothing_again)
{
    uint32_t original;
    struct tcp_test *t = ten_sent(&(struct flight){.sack = true, .segments = 10}, &original);

    acks(t, 0, 1, 10, 0);
    expect(t, ACK(.seq = AT(0), .len = MSS));
    ck_assert_uint_eq(info_of(t).ssthresh, 7 * MSS);
    advance(t, TLSYN_MS(600));
    ck_assert_uint_ge(info_of(t).timeouts, 1);
    ck_assert_uint_eq(info_of(t).ssthresh, 7 * MSS);
    tcp_test_close(t);
}
END_TEST

/* --- reordered ACKs --------------------------------------------------------------------------- */

START_TEST(the_blocks_of_an_overtaken_ack_count)
{
    uint32_t original;
    struct tcp_test *t = ten_sent(&(struct flight){.sack = true, .segments = 10}, &original);

    acks(t, 3, 0, 0, 0);
    acks(t, 2, 4, 8, 0); /* was sent before the hole at 2 closed */
    expect(t, ACK(.seq = AT(3), .len = MSS));
    expect_nothing(t);
    ck_assert_uint_eq(info_of(t).fast_retransmits, 1);
    tcp_test_close(t);
}
END_TEST

Suite *tcp_undo_suite(void);
Suite *tcp_undo_suite(void)
{
    Suite *suite = suite_create("tcp_undo");
    TCase *timeout = tcase_create("timeout"), *fast = tcase_create("fast recovery");

    tcase_add_loop_test(timeout, an_old_echo_undoes_a_timeout, 0, 2);
    tcase_add_loop_test(timeout, the_echo_of_the_retransmission_undoes_nothing, 0, 2);
    tcase_add_loop_test(timeout, what_went_once_and_is_acknowledged_proves_the_timeout_spurious, 0,
                        2);
    tcase_add_loop_test(timeout, only_new_text_arrives_so_the_rest_was_lost, 0, 2);
    tcase_add_test(timeout, an_ack_of_everything_may_stand_for_lost_acks);
    tcase_add_test(timeout, without_new_text_the_repair_goes_on);
    suite_add_tcase(suite, timeout);
    tcase_add_loop_test(fast, an_old_echo_undoes_a_fast_retransmit, 0, 2);
    tcase_add_test(fast, a_recovery_undone_widens_the_reordering_window);
    tcase_add_test(fast, another_hole_whose_retransmission_is_under_way_is_waited_for);
    tcase_add_test(fast, dsacks_for_all_that_went_again_undo_it);
    tcase_add_test(fast, a_lost_retransmission_that_times_out_halves_nothing_again);
    tcase_add_test(fast, the_blocks_of_an_overtaken_ack_count);
    suite_add_tcase(suite, fast);
    return suite;
}
