/*
 * RACK and PRR by themselves. Read first: RFC 8985 6 and 7, RFC 9937 6.
 */
#include <check.h>

#include "core/context.h"
#include "support/memory.h"
#include "tcp/prr.h"
#include "tcp/rack.h"

#define SEGMENT 1000

struct bed {
    struct test_memory memory;
    struct board board;
    struct rack rack;
};

/* Ten segments, a millisecond apart: segment i is [1000 i, 1000 (i + 1)), sent at i ms. */
static void ten(struct bed *bed)
{
    test_memory_init(&bed->memory);
    board_init(&bed->board, 100);
    rack_init(&bed->rack, 0);
    for (uint32_t i = 0; i < 10; i++)
        ck_assert_int_eq(board_append(&bed->board, &bed->memory.base, SEGMENT * i,
                                      SEGMENT * (i + 1), TLSYN_MS(i)),
                         0);
}

static void done(struct bed *bed)
{
    board_release(&bed->board, &bed->memory.base);
    ck_assert_uint_eq(bed->memory.blocks, 0);
}

struct to_rack {
    struct board_news news;
    struct rack *rack;
    tlsyn_time now;
};

static void told(struct board_news *news, const struct piece *p)
{
    struct to_rack *to = container_of(news, struct to_rack, news);

    rack_update(to->rack, p, to->now, NULL);
}

static void sacked(struct bed *bed, uint32_t segment, tlsyn_time now)
{
    struct to_rack to = {{told}, &bed->rack, now};
    struct tcp_sack_block block = {SEGMENT * segment, SEGMENT * (segment + 1)};

    board_sack(&bed->board, &bed->memory.base, &block, 100, &to.news);
}

/* R8985-2 */
START_TEST(what_was_sent_before_something_that_arrived_is_lost_a_window_later)
{
    struct bed bed;
    tlsyn_time wait;

    ten(&bed);
    sacked(&bed, 2, TLSYN_MS(22)); /* round trip 20 ms */
    ck_assert(!rack_detect_loss(&bed.rack, &bed.board, TLSYN_MS(5), TLSYN_MS(22), &wait));
    ck_assert_int_eq(wait, TLSYN_MS(26)); /* segment 1: 1 + 20 + 5 */
    ck_assert(rack_detect_loss(&bed.rack, &bed.board, TLSYN_MS(5), TLSYN_MS(25), &wait));
    ck_assert_uint_eq(bed.board.lost, SEGMENT);
    ck_assert(rack_detect_loss(&bed.rack, &bed.board, TLSYN_MS(5), TLSYN_MS(26), &wait));
    ck_assert_uint_eq(bed.board.lost, 2 * SEGMENT);
    ck_assert_int_eq(wait, 0);
    done(&bed);
}
END_TEST

/* RFC 8985 6.2 step 2: RACK.rtt is that of what was delivered last. What comes late says that
 * others may, too. R8985-4 */
START_TEST(the_round_trip_is_that_of_what_arrived_last)
{
    struct bed bed;
    tlsyn_time wait;

    ten(&bed);
    sacked(&bed, 5, TLSYN_MS(25));
    sacked(&bed, 2, TLSYN_MS(42)); /* round trip 40 ms */
    ck_assert(rack_detect_loss(&bed.rack, &bed.board, 0, TLSYN_MS(42), &wait));
    ck_assert_uint_eq(bed.board.lost, 2 * SEGMENT); /* 0 and 1 */
    ck_assert_int_eq(wait, TLSYN_MS(44));           /* 4: sent at 4 ms */
    done(&bed);
}
END_TEST

START_TEST(what_was_sent_later_is_not_lost)
{
    struct bed bed;
    tlsyn_time wait;

    ten(&bed);
    sacked(&bed, 0, TLSYN_MS(20));
    ck_assert(!rack_detect_loss(&bed.rack, &bed.board, 0, TLSYN_SECONDS(5), &wait));
    ck_assert_int_eq(wait, 0);
    done(&bed);
}
END_TEST

START_TEST(a_lost_retransmission_is_found_by_what_was_sent_after_it)
{
    struct bed bed;
    tlsyn_time wait;

    ten(&bed);
    sacked(&bed, 5, TLSYN_MS(25));
    ck_assert(rack_detect_loss(&bed.rack, &bed.board, 0, TLSYN_MS(25), &wait));
    ck_assert_uint_eq(bed.board.lost, 5 * SEGMENT);
    for (uint32_t i = 0; i < 5; i++)
        board_resent(&bed.board, &bed.memory.base, SEGMENT * i, SEGMENT * (i + 1),
                     TLSYN_MS(25 + i));
    ck_assert_uint_eq(bed.board.lost, 0);
    rack_min_rtt(&bed.rack, TLSYN_MS(20), TLSYN_MS(25));
    sacked(&bed, 1, TLSYN_MS(46)); /* the retransmission of segment 0 was before */
    ck_assert(rack_detect_loss(&bed.rack, &bed.board, 0, TLSYN_MS(46), &wait));
    ck_assert(board_at(&bed.board, 0)->flags & PIECE_LOST);
    done(&bed);
}
END_TEST

/* RFC 8985 6.2 step 2 (R8985-4) */
START_TEST(the_late_original_says_nothing_about_its_retransmission)
{
    struct bed bed;
    uint32_t echo = 25;
    const struct piece early = {.to = 1000, .at = TLSYN_MS(50), .flags = PIECE_RESENT};

    ten(&bed);
    rack_min_rtt(&bed.rack, TLSYN_MS(20), TLSYN_MS(20));
    rack_update(&bed.rack, &early, TLSYN_MS(60), NULL); /* too early */
    ck_assert_int_eq(bed.rack.rtt, 0);
    rack_update(&bed.rack, &early, TLSYN_MS(75), &echo); /* an older timestamp */
    ck_assert_int_eq(bed.rack.rtt, 0);
    ck_assert_int_eq(rack_update(&bed.rack, &early, TLSYN_MS(75), NULL), 0); /* no sample: Karn */
    ck_assert_int_eq(bed.rack.rtt, TLSYN_MS(25));
    done(&bed);
}
END_TEST

/* R8985-5, R8985-6 */
START_TEST(reordering_is_given_time_only_once_it_was_seen)
{
    struct rack r;
    const struct piece second = {.from = 1000, .to = 2000}, first = {.to = 1000};

    rack_init(&r, 0);
    rack_min_rtt(&r, TLSYN_MS(40), 0);
    ck_assert_int_eq(rack_reo_wnd(&r, TLSYN_MS(50), true), 0);
    ck_assert_int_eq(rack_reo_wnd(&r, TLSYN_MS(50), false), TLSYN_MS(10));
    rack_update(&r, &second, TLSYN_MS(40), NULL);
    rack_update(&r, &first, TLSYN_MS(40), NULL);
    ck_assert_int_eq(rack_reo_wnd(&r, TLSYN_MS(50), true), TLSYN_MS(10));
}
END_TEST

/* RFC 8985 6.2 step 4 (R8985-7) */
START_TEST(a_dsack_widens_the_window_once_a_round_trip_for_sixteen_recoveries)
{
    struct rack r;

    rack_init(&r, 0);
    rack_min_rtt(&r, TLSYN_MS(40), 0);
    rack_adapt(&r, 100, 200, true, false);
    rack_adapt(&r, 150, 300, true, false);
    ck_assert_int_eq(rack_reo_wnd(&r, TLSYN_MS(100), true),
                     TLSYN_MS(50)); /* quarters of srtt now */
    rack_adapt(&r, 200, 300, true, false);
    ck_assert_int_eq(rack_reo_wnd(&r, TLSYN_MS(100), true), TLSYN_MS(75));
    for (int i = 0; i < 16; i++) {
        ck_assert_int_eq(rack_reo_wnd(&r, TLSYN_MS(100), true), TLSYN_MS(75));
        rack_adapt(&r, 400, 500, false, true);
    }
    ck_assert_int_eq(rack_reo_wnd(&r, TLSYN_MS(100), true), TLSYN_MS(10));
    for (tcp_seq i = 5; i < 400; i++)
        rack_adapt(&r, 100 * i, 100 * i + 100, true, false);
    ck_assert_int_eq(rack_reo_wnd(&r, TLSYN_MS(100), true), TLSYN_MS(100)); /* srtt at most */
}
END_TEST

/* RFC 8985 6.3 (R8985-9) */
START_TEST(a_timeout_takes_what_is_a_round_trip_old)
{
    struct bed bed;

    ten(&bed);
    sacked(&bed, 1, TLSYN_MS(4)); /* round trip 3 ms */
    rack_timeout(&bed.rack, &bed.board, 0, TLSYN_MS(10));
    ck_assert_uint_eq(bed.board.lost, 7 * SEGMENT); /* 0 and 2 to 7 */
    done(&bed);
}
END_TEST

/* --- PRR -------------------------------------------------------------------------------------- */

START_TEST(half_of_what_arrives_leaves_and_the_first_at_once)
{
    struct prr prr;
    uint32_t flight = 20 * SEGMENT, sent = 0;

    prr_begin(&prr, flight, 0);
    for (int i = 0; i < 20; i++) {
        struct prr_ack ack = {SEGMENT, flight -= SEGMENT, 10 * SEGMENT, SEGMENT, false};
        uint32_t cwnd = prr_on_ack(&prr, &ack);

        if (cwnd >= flight + SEGMENT) {
            ck_assert_uint_eq(cwnd, flight + SEGMENT);
            prr_on_sent(&prr, SEGMENT);
            flight += SEGMENT;
            sent++;
        } else {
            ck_assert_int_ne(i, 0);
        }
    }
    ck_assert_uint_eq(flight, 10 * SEGMENT);
    ck_assert_uint_eq(sent, 10);
}
END_TEST

START_TEST(below_ssthresh_good_news_lets_one_more_go)
{
    struct prr prr;

    prr_begin(&prr, 20 * SEGMENT, 0);
    prr_on_sent(&prr, SEGMENT);
    struct prr_ack ack = {SEGMENT, 4 * SEGMENT, 10 * SEGMENT, SEGMENT, true};
    ck_assert_uint_eq(prr_on_ack(&prr, &ack), 6 * SEGMENT);
    prr_on_sent(&prr, 2 * SEGMENT);
    ack.safe = false; /* conservation only */
    ck_assert_uint_eq(prr_on_ack(&prr, &ack), 5 * SEGMENT);
    ack.in_flight = 10 * SEGMENT; /* never above it */
    ck_assert_uint_eq(prr_on_ack(&prr, &ack), 10 * SEGMENT);
}
END_TEST

/* Nothing leaves in between: what each of them allows is not lost to the next. */
START_TEST(a_batch_of_acks_allows_what_they_would_one_by_one)
{
    struct prr one, batch;
    uint32_t flight = 2 * SEGMENT, sent = 0, cwnd = 0;

    prr_begin(&one, 20 * SEGMENT, 0);
    prr_on_sent(&one, 20 * SEGMENT);
    batch = one;
    for (int i = 0; i < 2; i++) {
        struct prr_ack ack = {SEGMENT, flight -= SEGMENT, 10 * SEGMENT, SEGMENT, true};

        cwnd = prr_on_ack(&batch, &ack);
        ack.in_flight += sent;
        uint32_t allowed = prr_on_ack(&one, &ack) - ack.in_flight;
        prr_on_sent(&one, allowed);
        sent += allowed;
    }
    ck_assert_uint_eq(sent, 4 * SEGMENT);
    ck_assert_uint_eq(cwnd, sent);
    prr_on_sent(&batch, cwnd);
    ck_assert_uint_eq(batch.due, 0);
}
END_TEST

Suite *rack_suite(void);

Suite *rack_suite(void)
{
    Suite *s = suite_create("rack");
    TCase *rack = tcase_create("rack"), *prr = tcase_create("prr");

    tcase_add_test(rack, what_was_sent_before_something_that_arrived_is_lost_a_window_later);
    tcase_add_test(rack, the_round_trip_is_that_of_what_arrived_last);
    tcase_add_test(rack, what_was_sent_later_is_not_lost);
    tcase_add_test(rack, a_lost_retransmission_is_found_by_what_was_sent_after_it);
    tcase_add_test(rack, the_late_original_says_nothing_about_its_retransmission);
    tcase_add_test(rack, reordering_is_given_time_only_once_it_was_seen);
    tcase_add_test(rack, a_dsack_widens_the_window_once_a_round_trip_for_sixteen_recoveries);
    tcase_add_test(rack, a_timeout_takes_what_is_a_round_trip_old);
    suite_add_tcase(s, rack);
    tcase_add_test(prr, half_of_what_arrives_leaves_and_the_first_at_once);
    tcase_add_test(prr, below_ssthresh_good_news_lets_one_more_go);
    tcase_add_test(prr, a_batch_of_acks_allows_what_they_would_one_by_one);
    suite_add_tcase(s, prr);
    return s;
}
