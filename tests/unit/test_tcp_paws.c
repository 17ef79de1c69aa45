/*
 * Timestamps and PAWS. Read first: RFC 7323 3 to 5.
 */
#include "support/peer.h"

static struct tcp_test *stamped(void)
{
    struct tcp_test *t = TCP_TEST(.peer = {.mss = 1460, .has_ts = true});

    opens_passively(t);
    return t;
}

#define TS(value)                                                                                  \
    {                                                                                              \
        .has_ts = true, .tsval = (value)                                                           \
    }

static uint32_t echoed(struct tcp_test *t)
{
    advance(t, TLSYN_MS(50));
    const struct wire_tcp *s = expect(t, ACK());
    ck_assert(s->options.has_ts);
    return s->options.tsecr;
}

/* R7323-TS1 */
START_TEST(timestamps_are_in_every_segment_once_agreed_on)
{
    struct tcp_test *t = TCP_TEST(.peer = {.mss = 1460, .has_ts = true});

    peer_sends(t, SYN(.opt = {.mss = 1460, .has_ts = true, .tsval = 12345}));
    ck_assert_uint_eq(expect(t, SYNACK())->options.tsecr, 12345);
    peer_sends(t, ACK());
    user_sends(t, 10);
    ck_assert(expect(t, ACK(.len = 10))->options.has_ts);
    user_acts(&t->user, USER_CLOSES);
    flush(t);
    ck_assert(expect(t, FIN())->options.has_ts);
    tcp_test_close(t);
}
END_TEST

START_TEST(timestamps_are_in_none_without_the_peers)
{
    struct tcp_test *t = TCP_TEST(0);

    peer_sends(t, SYN());
    ck_assert(!expect(t, SYNACK())->options.has_ts);
    peer_sends(t, ACK());
    user_sends(t, 10);
    ck_assert(!expect(t, ACK(.len = 10))->options.has_ts);
    tcp_test_close(t);
}
END_TEST

/* R7323-TS2, TS3 (R7323-TS3) */
START_TEST(a_segment_without_the_agreed_timestamp_is_dropped_silently)
{
    struct tcp_test *t = stamped();

    peer_sends(t, ACK(.len = 10, .no_options = true));
    expect_nothing(t);
    ck_assert_uint_eq(t->user.read, 0);
    expect_state(t, TLSYN_ESTABLISHED);
    tcp_test_close(t);
}
END_TEST

/* RFC 7323 5.3 R1 (R7323-PAWS1) */
START_TEST(an_older_timestamp_is_acknowledged_and_dropped)
{
    struct tcp_test *t = stamped();

    peer_sends(t, ACK(.seq = 1, .len = 10, .opt = TS(2000000)));
    expect_nothing(t);
    peer_sends(t, ACK(.seq = 11, .len = 10, .opt = TS(1999999)));
    expect(t, ACK(.ack = 11));
    ck_assert_uint_eq(t->user.read, 10);
    ck_assert_uint_eq(counted(t, TLSYN_COUNT_tcp_paws_rejected), 1);
    peer_sends(t, ACK(.seq = 11, .len = 10, .opt = TS(2000000)));
    ck_assert_uint_eq(t->user.read, 20);
    tcp_test_close(t);
}
END_TEST

START_TEST(timestamps_wrap)
{
    struct tcp_test *t = TCP_TEST(.peer = {.mss = 1460, .has_ts = true});

    peer_sends(t, SYN(.opt = {.mss = 1460, .has_ts = true, .tsval = 0xfffffff0}));
    expect(t, SYNACK());
    peer_sends(t, ACK(.opt = TS(0xfffffff5)));
    peer_sends(t, ACK(.len = 10, .opt = TS(5)));
    ck_assert_uint_eq(t->user.read, 10);
    ck_assert_uint_eq(echoed(t), 5);
    tcp_test_close(t);
}
END_TEST

/* RFC 7323 5.5 (R7323-PAWS4) */
START_TEST(after_24_days_of_silence_any_timestamp_will_do)
{
    struct tcp_test *t = stamped();

    peer_sends(t, ACK(.len = 10, .opt = TS(2000000)));
    advance(t, TLSYN_SECONDS(25 * 86400));
    ignore_sent(t);
    peer_sends(t, ACK(.len = 10, .opt = TS(5)));
    ck_assert_uint_eq(t->user.read, 20);
    tcp_test_close(t);
}
END_TEST

/* RFC 7323 4.3: with delayed ACKs the earliest segment's is echoed (R7323-TS6) */
START_TEST(the_first_unacknowledged_segments_timestamp_is_echoed)
{
    struct tcp_test *t = stamped();

    peer_sends(t, ACK(.seq = 1, .len = 10, .opt = TS(2000000)));
    peer_sends(t, ACK(.seq = 11, .len = 10, .opt = TS(2000005)));
    ck_assert_uint_eq(echoed(t), 2000000);
    tcp_test_close(t);
}
END_TEST

/* RFC 7323 4.3: a segment behind a hole does not count (R7323-TS6) */
START_TEST(a_timestamp_behind_a_hole_is_not_echoed)
{
    struct tcp_test *t = stamped();

    peer_sends(t, ACK(.seq = 1, .len = 10, .opt = TS(2000000)));
    ck_assert_uint_eq(echoed(t), 2000000);
    peer_sends(t, ACK(.seq = 101, .len = 10, .opt = TS(2000009)));
    ck_assert_uint_eq(echoed(t), 2000000);
    peer_sends(t, ACK(.seq = 11, .len = 90, .opt = TS(2000020)));
    ck_assert_uint_eq(echoed(t), 2000020);
    tcp_test_close(t);
}
END_TEST

/* RFC 7323 5.4: a millisecond clock; 7.1: not the machine's uptime (R7323-PAWS5, R7323-PAWS6) */
START_TEST(our_clock_counts_milliseconds_from_a_secret_beginning)
{
    struct tcp_test *t = stamped();

    user_sends(t, 1);
    uint32_t first = expect(t, ACK(.len = 1))->options.tsval;
    ck_assert_uint_ne(first, (uint32_t)(t->now / 1000));
    peer_sends(t, ACK());
    advance(t, TLSYN_MS(1234));
    user_sends(t, 1);
    ck_assert_uint_eq(expect(t, ACK(.len = 1))->options.tsval - first, 1234);
    tcp_test_close(t);
}
END_TEST

Suite *tcp_paws_suite(void);

Suite *tcp_paws_suite(void)
{
    Suite *s = suite_create("tcp_paws");
    TCase *all = tcase_create("all");

    tcase_add_test(all, timestamps_are_in_every_segment_once_agreed_on);
    tcase_add_test(all, timestamps_are_in_none_without_the_peers);
    tcase_add_test(all, a_segment_without_the_agreed_timestamp_is_dropped_silently);
    tcase_add_test(all, an_older_timestamp_is_acknowledged_and_dropped);
    tcase_add_test(all, timestamps_wrap);
    tcase_add_test(all, after_24_days_of_silence_any_timestamp_will_do);
    tcase_add_test(all, the_first_unacknowledged_segments_timestamp_is_echoed);
    tcase_add_test(all, a_timestamp_behind_a_hole_is_not_echoed);
    tcase_add_test(all, our_clock_counts_milliseconds_from_a_secret_beginning);
    suite_add_tcase(s, all);
    return s;
}
