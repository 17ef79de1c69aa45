/*
 * Selective acknowledgements, of what arrives and of what came twice. Read first: RFC 2018,
 * RFC 2883.
 */
#include "support/flight.h"

static struct tcp_test *listens(void)
{
    struct tcp_test *t = TCP_TEST(.peer = {.mss = 1460, .sack_permitted = true});

    opens_passively(t);
    return t;
}

/* Text [from, to) arrives, in relative numbers; what is told in the ACK. */
static const struct tcp_options *island(struct tcp_test *t, int64_t from, int64_t to)
{
    ignore_sent(t);
    peer_sends(t, ACK(.seq = from, .len = (size_t)(to - from)));
    advance(t, TLSYN_MS(100));
    return &expect(t, ACK())->options;
}

static void expect_block(const struct tcp_test *t, const struct tcp_options *o, int n, int64_t from,
                         int64_t to)
{
    ck_assert_int_lt(n, o->sack_count);
    ck_assert_int_eq(seq_diff(o->sack[n].left, t->peer_iss), from);
    ck_assert_int_eq(seq_diff(o->sack[n].right, t->peer_iss), to);
}

/* --- RFC 2018 2: the agreement ---------------------------------------------------------------- */

/* (R2018-1) */
START_TEST(sack_is_permitted_in_both_syns_or_not_at_all) /* loop 2 */
{
    struct tcp_test *t = TCP_TEST(.peer = {.mss = 1460, .sack_permitted = _i});

    peer_sends(t, SYN());
    ck_assert(expect(t, SYNACK())->options.sack_permitted == (_i == 1));
    peer_sends(t, ACK());
    peer_sends(t, ACK(.seq = 11, .len = 10));
    const struct wire_tcp *ack = expect(t, ACK(.ack = 1));
    ck_assert_int_eq(ack->options.sack_count, _i);
    ck_assert(!ack->options.sack_permitted);
    tcp_test_close(t);
}
END_TEST

/* (R2018-2) */
START_TEST(an_opener_permits_it_and_goes_by_the_answer) /* loop 2 */
{
    struct tcp_test *t = TCP_TEST(.peer = {.mss = 1460, .sack_permitted = _i});

    ck_assert_int_eq(user_connects(t), 0);
    ck_assert(expect(t, SYN())->options.sack_permitted);
    peer_sends(t, SYNACK());
    expect(t, ACK());
    ck_assert(info_of(t).sack == (_i == 1));
    tcp_test_close(t);
}
END_TEST

/* --- RFC 2018 4: what the receiver tells ------------------------------------------------------ */

/* (R2018-3) */
START_TEST(a_block_has_the_edges_of_what_arrived)
{
    struct tcp_test *t = listens();
    const struct tcp_options *told = island(t, 101, 151);

    ck_assert_int_eq(told->sack_count, 1);
    expect_block(t, told, 0, 101, 151);
    tcp_test_close(t);
}
END_TEST

/* (R2018-5) */
START_TEST(each_block_is_told_again_behind_the_newer_ones)
{
    struct tcp_test *t = listens();
    const struct tcp_options *told;

    island(t, 101, 111);
    told = island(t, 201, 211);
    expect_block(t, told, 0, 201, 211);
    expect_block(t, told, 1, 101, 111);
    told = island(t, 301, 311);
    expect_block(t, told, 0, 301, 311);
    expect_block(t, told, 1, 201, 211);
    expect_block(t, told, 2, 101, 111);
    tcp_test_close(t);
}
END_TEST

/* (R2018-4) */
START_TEST(the_block_that_grows_comes_first)
{
    struct tcp_test *t = listens();
    const struct tcp_options *told;

    island(t, 101, 111);
    island(t, 201, 211);
    told = island(t, 111, 121);
    expect_block(t, told, 0, 101, 121);
    expect_block(t, told, 1, 201, 211);
    ck_assert_int_eq(told->sack_count, 2);
    tcp_test_close(t);
}
END_TEST

/* (R2018-4) */
START_TEST(what_joins_two_blocks_makes_one_that_comes_first)
{
    struct tcp_test *t = listens();
    const struct tcp_options *told;

    island(t, 101, 111);
    island(t, 121, 131);
    island(t, 201, 211);
    told = island(t, 111, 121);
    expect_block(t, told, 0, 101, 131);
    expect_block(t, told, 1, 201, 211);
    ck_assert_int_eq(told->sack_count, 2);
    tcp_test_close(t);
}
END_TEST

/* (R2018-5) */
START_TEST(a_fifth_block_pushes_out_the_one_told_longest_ago)
{
    struct tcp_test *t = listens();
    const struct tcp_options *told = NULL;

    for (int i = 1; i <= 5; i++)
        told = island(t, i * 100, i * 100 + 10);
    ck_assert_int_eq(told->sack_count, 4);
    expect_block(t, told, 0, 500, 510);
    expect_block(t, told, 3, 200, 210);
    tcp_test_close(t);
}
END_TEST

/* (R2018-3) */
START_TEST(an_ack_that_moves_on_still_tells_what_lies_beyond)
{
    struct tcp_test *t = listens();
    const struct tcp_options *told;

    island(t, 101, 111);
    told = island(t, 1, 51);
    ck_assert_int_eq(told->sack_count, 1);
    expect_block(t, told, 0, 101, 111);
    tcp_test_close(t);
}
END_TEST

START_TEST(where_nothing_is_missing_nothing_is_told)
{
    struct tcp_test *t = listens();

    island(t, 51, 101);
    ck_assert_int_eq(island(t, 1, 51)->sack_count, 0);
    ck_assert_uint_eq(t->user.read, 100);
    tcp_test_close(t);
}
END_TEST

/* (R2018-3) */
START_TEST(text_of_ours_tells_it_too)
{
    struct tcp_test *t = listens();

    island(t, 101, 111);
    user_sends(t, 10);
    expect_block(t, &expect(t, ACK(.len = 10))->options, 0, 101, 111);
    tcp_test_close(t);
}
END_TEST

/* --- RFC 2018 3, 5, 8: what the sender makes of it -------------------------------------------- */

static struct tcp_test *ten_sent(void)
{
    struct tcp_test *t = listens();

    ten_leave(t);
    return t;
}

/* 8: the peer may still throw it away (R2018-6) */
START_TEST(what_is_sacked_is_kept_until_it_is_acknowledged)
{
    struct tcp_test *t = ten_sent();

    peer_sacks(t, 0, 1, 10);
    ck_assert_uint_eq(t->user.acked, 0);
    ck_assert_uint_eq(t->user.conn->snd.used, 40 * 1460);
    peer_sends(t, ACK(.ack = 1 + 1460));
    ck_assert_uint_eq(t->user.acked, 1460);
    ignore_sent(t);
    tcp_test_close(t);
}
END_TEST

/* (R2018-10) */
START_TEST(a_block_that_can_not_be_is_ignored) /* loop: block */
{
    static const int64_t block[][2] = {{3000, 3000},   {3000, 1500},       {-5000, -3000},
                                       {14601, 20000}, {1000000, 1001000}, {20000, 1}};
    struct tcp_test *t = ten_sent();
    uint32_t in_flight = info_of(t).in_flight;

    peer_sends(t, with_block(ACK(.ack = 1), t, block[_i][0], block[_i][1]));
    ck_assert_uint_eq(info_of(t).in_flight, in_flight);
    ck_assert_uint_eq(t->user.conn->board.sacked, 0);
    expect_state(t, TLSYN_ESTABLISHED);
    ignore_sent(t);
    tcp_test_close(t);
}
END_TEST

/* 5: only what is missing goes again */
START_TEST(holes_are_filled_and_nothing_else_is_sent_twice)
{
    struct tcp_test *t = ten_sent();
    struct seg told = ACK(.ack = 1);

    told = with_block(told, t, 1 + 6 * 1460, 1 + 10 * 1460);
    told = with_block(told, t, 1 + 1460, 1 + 4 * 1460);
    for (int i = 0; i < 4; i++) {
        peer_sends(t, told);
        advance(t, TLSYN_MS(20));
    }
    int again = 0;
    while (t->sent_first < t->sent_end) {
        tcp_seq at = t->sent[t->sent_first].segment.seq - t->iss;
        if (at < 1 + 10 * 1460) {
            ck_assert(at == 1 || at == 1 + 4 * 1460 || at == 1 + 5 * 1460);
            again++;
        }
        expect(t, ACK(.len = 1460));
    }
    ck_assert_int_eq(again, 3);
    tcp_test_close(t);
}
END_TEST

/* 8: what was sacked and then is not any more goes again behind a timeout (R2018-8) */
START_TEST(behind_a_timeout_the_left_edge_goes_again_though_it_was_sacked)
{
    struct tcp_test *t = ten_sent();

    peer_sacks(t, 0, 1, 10);
    peer_sends(t, ACK(.ack = 1 + 1460)); /* the hole is filled, and all behind it thrown away */
    ignore_sent(t);
    for (int i = 0; i < 400 && t->sent_first == t->sent_end; i++)
        advance(t, TLSYN_MS(10));
    expect(t, ACK(.seq = 1 + 1460, .len = 1460));
    ignore_sent(t);
    tcp_test_close(t);
}
END_TEST

/* --- RFC 2883 4: what came twice -------------------------------------------------------------- */

/* 4.1 (R2018-9) */
START_TEST(a_duplicate_below_the_ack_is_told_by_the_first_block)
{
    struct tcp_test *t = listens();
    const struct tcp_options *told;

    island(t, 1, 101);
    told = island(t, 51, 101);
    ck_assert_int_eq(told->sack_count, 1);
    expect_block(t, told, 0, 51, 101);
    tcp_test_close(t);
}
END_TEST

/* 4.1: only what came twice of it (R2018-9) */
START_TEST(of_text_that_is_new_in_part_the_old_part_is_told)
{
    struct tcp_test *t = listens();
    const struct tcp_options *told;

    island(t, 1, 101);
    told = island(t, 51, 151);
    expect_block(t, told, 0, 51, 101);
    ck_assert_uint_eq(t->user.read, 150);
    tcp_test_close(t);
}
END_TEST

/* 4.2 (R2018-9) */
START_TEST(a_duplicate_of_an_island_is_told_in_front_of_the_island)
{
    struct tcp_test *t = listens();
    const struct tcp_options *told;

    island(t, 101, 201);
    told = island(t, 121, 141);
    ck_assert_int_eq(told->sack_count, 2);
    expect_block(t, told, 0, 121, 141);
    expect_block(t, told, 1, 101, 201);
    tcp_test_close(t);
}
END_TEST

/* 4 (3), 4.3: new text around it, below it or above it (R2018-9) */
START_TEST(a_segment_that_repeats_an_island_in_part_has_that_part_told)
{
    struct tcp_test *t = listens();
    const struct tcp_options *told;

    island(t, 101, 201);
    told = island(t, 151, 251);
    ck_assert_int_eq(told->sack_count, 2);
    expect_block(t, told, 0, 151, 201);
    expect_block(t, told, 1, 101, 251);
    island(t, 301, 401);
    told = island(t, 1, 291);
    ck_assert_int_eq(told->sack_count, 2);
    expect_block(t, told, 0, 101, 251);
    expect_block(t, told, 1, 301, 401);
    told = island(t, 291, 501);
    ck_assert_int_eq(told->sack_count, 1);
    expect_block(t, told, 0, 301, 401);
    ck_assert_uint_eq(t->user.read, 500);
    tcp_test_close(t);
}
END_TEST

/* 4: "reported at most once" (R2018-9) */
START_TEST(a_duplicate_is_told_once)
{
    struct tcp_test *t = listens();

    island(t, 1, 101);
    island(t, 1, 101);
    ck_assert_int_eq(island(t, 101, 111)->sack_count, 0);
    tcp_test_close(t);
}
END_TEST

/* 4: without SACK there is nothing to tell it by */
START_TEST(without_sack_a_duplicate_is_acknowledged_alone)
{
    struct tcp_test *t = TCP_TEST(0);

    opens_passively(t);
    island(t, 1, 101);
    ck_assert_int_eq(island(t, 1, 101)->sack_count, 0);
    tcp_test_close(t);
}
END_TEST

/* 5: a sender learns of its own duplicate, and takes it for no loss */
START_TEST(a_report_of_a_duplicate_is_no_sign_of_loss)
{
    struct tcp_test *t = ten_sent();

    peer_sends(t, ACK(.ack = 1 + 5 * 1460));
    ignore_sent(t);
    uint32_t cwnd = info_of(t).cwnd;
    for (int i = 0; i < 4; i++)
        peer_sends(t, with_block(ACK(.ack = 1 + 5 * 1460), t, 1, 1 + 1460));
    ck_assert_uint_eq(info_of(t).fast_retransmits, 0);
    ck_assert_uint_ge(info_of(t).cwnd, cwnd);
    ignore_sent(t);
    tcp_test_close(t);
}
END_TEST

static void add_receiver(Suite *suite)
{
    TCase *agree = tcase_create("agreement"), *receiver = tcase_create("receiver");

    tcase_add_loop_test(agree, sack_is_permitted_in_both_syns_or_not_at_all, 0, 2);
    tcase_add_loop_test(agree, an_opener_permits_it_and_goes_by_the_answer, 0, 2);
    suite_add_tcase(suite, agree);
    tcase_add_test(receiver, a_block_has_the_edges_of_what_arrived);
    tcase_add_test(receiver, each_block_is_told_again_behind_the_newer_ones);
    tcase_add_test(receiver, the_block_that_grows_comes_first);
    tcase_add_test(receiver, what_joins_two_blocks_makes_one_that_comes_first);
    tcase_add_test(receiver, a_fifth_block_pushes_out_the_one_told_longest_ago);
    tcase_add_test(receiver, an_ack_that_moves_on_still_tells_what_lies_beyond);
    tcase_add_test(receiver, where_nothing_is_missing_nothing_is_told);
    tcase_add_test(receiver, text_of_ours_tells_it_too);
    suite_add_tcase(suite, receiver);
}

Suite *rfc2018_suite(void);
Suite *rfc2018_suite(void)
{
    Suite *suite = suite_create("rfc2018");
    TCase *sender = tcase_create("sender"), *twice = tcase_create("duplicates");

    add_receiver(suite);
    tcase_add_test(sender, what_is_sacked_is_kept_until_it_is_acknowledged);
    tcase_add_loop_test(sender, a_block_that_can_not_be_is_ignored, 0, 6);
    tcase_add_test(sender, holes_are_filled_and_nothing_else_is_sent_twice);
    tcase_add_test(sender, behind_a_timeout_the_left_edge_goes_again_though_it_was_sacked);
    suite_add_tcase(suite, sender);
    tcase_add_test(twice, a_duplicate_below_the_ack_is_told_by_the_first_block);
    tcase_add_test(twice, of_text_that_is_new_in_part_the_old_part_is_told);
    tcase_add_test(twice, a_duplicate_of_an_island_is_told_in_front_of_the_island);
    tcase_add_test(twice, a_segment_that_repeats_an_island_in_part_has_that_part_told);
    tcase_add_test(twice, a_duplicate_is_told_once);
    tcase_add_test(twice, without_sack_a_duplicate_is_acknowledged_alone);
    tcase_add_test(twice, a_report_of_a_duplicate_is_no_sign_of_loss);
    suite_add_tcase(suite, twice);
    return suite;
}
