/*
 * Reopening a pair of endpoints that is in TIME-WAIT. Read first: RFC 6191 2, RFC 9293 3.6.1.
 */
#include "support/flight.h"

/* Both ends were closed, ours first; the old one used timestamps or not. */
static struct tcp_test *waits(bool stamps)
{
    struct tcp_test *t = TCP_TEST(.peer = {.mss = 1460, .has_ts = stamps});

    opens_passively(t);
    peer_sends(t, ACK(.len = 100));
    user_acts(&t->user, USER_CLOSES);
    flush(t);
    peer_takes_all(t);
    peer_sends(t, FIN());
    ignore_sent(t);
    ck_assert_uint_eq(t->tcp->time_wait_count, 1);
    t->user.count[USER_ACCEPT] = 0;
    return t;
}

/* A SYN at this distance from the number that the old incarnation expects next; does it open a new
 * one? Else it is challenged: RFC 9293 3.10.7.4. */
static bool reopened(struct tcp_test *t, int64_t distance, struct tcp_options options)
{
    options.mss = 1460;
    peer_sends(t, SYN(.seq = t->peer_nxt + distance, .no_options = true, .opt = options));
    bool synack = t->sent[t->sent_first].segment.flags & TCP_SYN;
    ck_assert_int_eq(ignore_sent(t), 1);
    ck_assert_uint_eq(t->tcp->time_wait_count, !synack);
    return synack;
}

static struct tcp_options stamp(const struct tcp_test *t, int by)
{
    return (struct tcp_options){.has_ts = true, .tsval = (uint32_t)(t->now / 1000) + (uint32_t)by};
}

/* The previous one used timestamps. (SHLD-4) */
START_TEST(a_newer_timestamp_reopens_whatever_the_number) /* loop: number */
{
    static const int64_t at[] = {-1000000, -1, 0, 1, 1000000};
    struct tcp_test *t = waits(true);

    ck_assert(reopened(t, at[_i], stamp(t, 1)));
    tcp_test_close(t);
}
END_TEST

START_TEST(with_the_same_timestamp_the_number_decides) /* loop: number */
{
    static const int64_t at[] = {-1000000, -1, 0, 1, 1000000};
    struct tcp_test *t = waits(true);

    ck_assert(reopened(t, at[_i], stamp(t, 0)) == (at[_i] > 0));
    tcp_test_close(t);
}
END_TEST

START_TEST(an_older_timestamp_never_reopens) /* loop: number */
{
    static const int64_t at[] = {-1000000, -1, 0, 1, 1000000};
    struct tcp_test *t = waits(true);

    ck_assert(!reopened(t, at[_i], stamp(t, -1)));
    tcp_test_close(t);
}
END_TEST

START_TEST(where_the_new_one_would_have_none_the_number_decides) /* loop: number */
{
    static const int64_t at[] = {-1000000, -1, 0, 1, 1000000};
    struct tcp_test *t = waits(true);

    ck_assert(reopened(t, at[_i], (struct tcp_options){0}) == (at[_i] > 0));
    tcp_test_close(t);
}
END_TEST

/* The previous one did not: what has one can't be of it. (SHLD-4) */
START_TEST(the_first_timestamp_reopens_whatever_the_number) /* loop: number */
{
    static const int64_t at[] = {-1000000, -1, 0, 1, 1000000};
    struct tcp_test *t = waits(false);

    ck_assert(reopened(t, at[_i], stamp(t, -100000)));
    tcp_test_close(t);
}
END_TEST

START_TEST(where_there_never_was_one_the_number_decides) /* loop: number */
{
    static const int64_t at[] = {-1000000, -1, 0, 1, 1000000};
    struct tcp_test *t = waits(false);

    ck_assert(reopened(t, at[_i], (struct tcp_options){0}) == (at[_i] > 0));
    tcp_test_close(t);
}
END_TEST

/* RFC 9293 3.6.1: the new numbers lie above the old ones (R6528-3) */
START_TEST(the_new_incarnation_has_numbers_above_the_old_ones)
{
    struct tcp_test *t = waits(true);
    tcp_seq last = t->iss + (tcp_seq)t->peer_rcv;

    peer_sends(t, SYN(.seq = t->peer_nxt + 1, .no_options = true, .opt = stamp(t, 1)));
    ck_assert(seq_gt(expect(t, SYNACK())->seq, last));
    tcp_test_close(t);
}
END_TEST

/* RFC 9293 3.6.1: only a SYN that opens ends TIME-WAIT */
START_TEST(a_syn_with_something_else_reopens_nothing) /* loop: flag */
{
    static const uint8_t with[] = {TCP_ACK, TCP_FIN, TCP_RST};
    struct tcp_test *t = waits(false);

    peer_sends(t, SEG(TCP_SYN | with[_i], .seq = t->peer_nxt + 1000));
    ck_assert_uint_eq(t->tcp->time_wait_count, 1);
    ck_assert_int_eq(t->user.count[USER_ACCEPT], 0);
    ignore_sent(t);
    tcp_test_close(t);
}
END_TEST

Suite *rfc6191_suite(void);
Suite *rfc6191_suite(void)
{
    Suite *suite = suite_create("rfc6191");
    TCase *tcase = tcase_create("time-wait");

    tcase_add_loop_test(tcase, a_newer_timestamp_reopens_whatever_the_number, 0, 5);
    tcase_add_loop_test(tcase, with_the_same_timestamp_the_number_decides, 0, 5);
    tcase_add_loop_test(tcase, an_older_timestamp_never_reopens, 0, 5);
    tcase_add_loop_test(tcase, where_the_new_one_would_have_none_the_number_decides, 0, 5);
    tcase_add_loop_test(tcase, the_first_timestamp_reopens_whatever_the_number, 0, 5);
    tcase_add_loop_test(tcase, where_there_never_was_one_the_number_decides, 0, 5);
    tcase_add_test(tcase, the_new_incarnation_has_numbers_above_the_old_ones);
    tcase_add_loop_test(tcase, a_syn_with_something_else_reopens_nothing, 0, 3);
    suite_add_tcase(suite, tcase);
    return suite;
}
