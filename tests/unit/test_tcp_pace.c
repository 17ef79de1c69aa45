/*
 * Pacing, by the times at which segments leave (tcp/pace.h), and what becomes of cwnd while
 * it is not used.
 */
#include "support/peer.h"

#define MSS 1460
#define RTT TLSYN_MS(20)

static struct tlsyn_conn_info info_of(struct tcp_test *t)
{
    struct tlsyn_conn_info info;

    tlsyn_conn_info(t->user.conn, &info);
    return info;
}

static struct tcp_test *opened(struct tlsyn_conn_options conn, tlsyn_time rtt)
{
    conn.snd_ring = 1 << 20;
    struct tcp_test *t =
        TCP_TEST(.conn = conn, .peer = {.mss = MSS, .has_wscale = true, .wscale = 8});

    peer_sends(t, SYN());
    expect(t, SYNACK());
    advance(t, rtt);
    peer_sends(t, ACK());
    user_sends(t, 1 << 20);
    return t;
}

/* A round trip passes in steps of 100 us. What leaves meanwhile is not looked at. */
static void round_passes(struct tcp_test *t)
{
    for (int i = 0; i < RTT / 100; i++)
        advance(t, 100);
}

/* Rounds of slow start, each acknowledged by one ACK. */
static struct tcp_test *under_way(struct tlsyn_conn_options conn, int rounds)
{
    struct tcp_test *t = opened(conn, RTT);

    for (int i = 0; i < rounds; i++) {
        round_passes(t);
        peer_takes_all(t);
        peer_sends(t, ACK());
    }
    return t;
}

START_TEST(the_first_flight_is_not_held_back)
{
    struct tcp_test *t = opened((struct tlsyn_conn_options){0}, RTT);

    ck_assert_int_eq(ignore_sent(t), 10);
    tcp_test_close(t);
}
END_TEST

START_TEST(trains_leave_a_millisecond_apart_at_twice_the_window_per_round_trip)
{
    struct tcp_test *t = under_way((struct tlsyn_conn_options){0}, 3);
    struct tlsyn_conn_info info = info_of(t);
    tlsyn_time began = t->now, gap = 0;

    ck_assert_uint_eq(info.cwnd, 80 * MSS);
    ck_assert_uint_eq(info.pacing_rate, 2 * (uint64_t)info.cwnd * 1000000 / (uint64_t)info.srtt);
    round_passes(t);
    ck_assert_int_eq(t->sent_end - t->sent_first, 80);
    for (int i = t->sent_first; i + 1 < t->sent_end; i++) {
        tlsyn_time d = t->sent[i + 1].at - t->sent[i].at;

        ck_assert_int_le(d, 1300);
        gap += d > 0;
    }
    /* Ten leave at once; the seventy others take 70/80 of half a round trip, in trains of eight. */
    ck_assert_int_ge(t->sent[t->sent_first + 9].at, began);
    ck_assert_int_eq(t->sent[t->sent_first + 9].at, began);
    tlsyn_time took = t->sent[t->sent_end - 1].at - began;
    ck_assert_int_ge(took, RTT * 30 / 100);
    ck_assert_int_le(took, RTT * 55 / 100);
    ck_assert_int_ge(gap, 6);
    ck_assert_int_le(gap, 10);
    tcp_test_close(t);
}
END_TEST

START_TEST(who_wants_no_pace_sends_all_at_once)
{
    struct tcp_test *t = under_way((struct tlsyn_conn_options){.no_pacing = true}, 3);

    flush(t);
    ck_assert_int_eq(t->sent_end - t->sent_first, 80);
    ck_assert_uint_eq(info_of(t).pacing_rate, 0);
    tcp_test_close(t);
}
END_TEST

START_TEST(a_paced_window_still_grows)
{
    struct tcp_test *t = under_way((struct tlsyn_conn_options){0}, 5);

    ck_assert_uint_eq(info_of(t).cwnd, 320 * MSS);
    tcp_test_close(t);
}
END_TEST

START_TEST(a_bound_of_the_users_is_kept) /* 1 MB/s: 20000 bytes per round trip */
{
    struct tcp_test *t = under_way((struct tlsyn_conn_options){.pacing_rate_max = 1000000}, 4);
    uint64_t before = info_of(t).bytes_acked;

    ck_assert_uint_eq(info_of(t).pacing_rate, 1000000);
    for (int i = 0; i < 10; i++) {
        round_passes(t);
        peer_takes_all(t);
        peer_sends(t, ACK());
    }
    uint64_t moved = info_of(t).bytes_acked - before;
    ck_assert_uint_ge(moved, 180000);
    ck_assert_uint_le(moved, 206000);
    ck_assert_uint_lt(info_of(t).cwnd, 100 * MSS); /* which it does not fill */
    tcp_test_close(t);
}
END_TEST

START_TEST(short_round_trips_need_no_timer)
{
    struct tcp_test *t = opened((struct tlsyn_conn_options){0}, 500);

    for (int i = 0; i < 4; i++) {
        advance(t, 500);
        peer_takes_all(t);
        peer_sends(t, ACK());
    }
    ck_assert_uint_eq(info_of(t).cwnd, 160 * MSS);
    ck_assert_int_eq(ignore_sent(t), 160);
    tcp_test_close(t);
}
END_TEST

START_TEST(what_an_application_leaves_unused_is_taken_back_by_halves) /* RFC 7661's aim */
{
    struct tcp_test *t = under_way((struct tlsyn_conn_options){0}, 5);

    while (info_of(t).bytes_acked < 1 << 20) {
        round_passes(t);
        peer_takes_all(t);
        peer_sends(t, ACK());
    }
    uint32_t before = info_of(t).cwnd;
    for (int i = 0; i < 40; i++) { /* two segments per round trip */
        user_sends(t, 2 * MSS);
        advance(t, RTT);
        peer_takes_all(t);
        peer_sends(t, ACK());
    }
    ck_assert_uint_lt(info_of(t).cwnd, before / 4);
    ck_assert_uint_ge(info_of(t).cwnd, 10 * MSS);
    ck_assert_uint_ge(info_of(t).ssthresh, before / 4 * 3);
    tcp_test_close(t);
}
END_TEST

Suite *tcp_pace_suite(void);

Suite *tcp_pace_suite(void)
{
    Suite *s = suite_create("tcp_pace");
    TCase *pace = tcase_create("pace"), *unused = tcase_create("unused");

    tcase_add_test(pace, the_first_flight_is_not_held_back);
    tcase_add_test(pace, trains_leave_a_millisecond_apart_at_twice_the_window_per_round_trip);
    tcase_add_test(pace, who_wants_no_pace_sends_all_at_once);
    tcase_add_test(pace, a_paced_window_still_grows);
    tcase_add_test(pace, a_bound_of_the_users_is_kept);
    tcase_add_test(pace, short_round_trips_need_no_timer);
    suite_add_tcase(s, pace);
    tcase_add_test(unused, what_an_application_leaves_unused_is_taken_back_by_halves);
    suite_add_tcase(s, unused);
    return s;
}
