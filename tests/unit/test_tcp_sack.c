/*
 * SACK blocks that we send. Read first: RFC 2018 2 to 4.
 */
#include "support/peer.h"

static struct tcp_test *with_sack(bool timestamps)
{
    struct tcp_test *t =
        TCP_TEST(.peer = {.mss = 1460, .sack_permitted = true, .has_ts = timestamps});

    opens_passively(t);
    return t;
}

/* Ten bytes at relative number `seq` arrive; the ACK has these blocks, as "left right" pairs,
 * 0 at their end. */
static void arrives(struct tcp_test *t, int64_t seq, const int64_t *blocks)
{
    peer_sends(t, ACK(.seq = seq, .len = 10));
    const struct wire_tcp *ack = expect(t, ACK());
    int n = 0;

    for (; blocks[2 * n]; n++) {
        ck_assert_int_lt(n, ack->options.sack_count);
        ck_assert_int_eq(seq_diff(ack->options.sack[n].left, t->peer_iss), blocks[2 * n]);
        ck_assert_int_eq(seq_diff(ack->options.sack[n].right, t->peer_iss), blocks[2 * n + 1]);
    }
    ck_assert_int_eq(ack->options.sack_count, n);
}

#define BLOCKS(...) ((const int64_t[]){__VA_ARGS__, 0})

/* R2018-4 */
START_TEST(the_block_that_arrived_last_comes_first)
{
    struct tcp_test *t = with_sack(false);

    arrives(t, 101, BLOCKS(101, 111));
    arrives(t, 301, BLOCKS(301, 311, 101, 111));
    arrives(t, 201, BLOCKS(201, 211, 301, 311, 101, 111));
    arrives(t, 311, BLOCKS(301, 321, 201, 211, 101, 111));
    tcp_test_close(t);
}
END_TEST

/* R2018-5 */
START_TEST(four_blocks_fit_three_beside_timestamps)
{
    struct tcp_test *t = with_sack(false);

    for (int i = 0; i < 5; i++) {
        peer_sends(t, ACK(.seq = 101 + 100 * i, .len = 10));
        ignore_sent(t);
    }
    arrives(t, 601, BLOCKS(601, 611, 501, 511, 401, 411, 301, 311));
    tcp_test_close(t);
    t = with_sack(true);
    for (int i = 0; i < 5; i++) {
        peer_sends(t, ACK(.seq = 101 + 100 * i, .len = 10));
        ignore_sent(t);
    }
    arrives(t, 601, BLOCKS(601, 611, 501, 511, 401, 411));
    tcp_test_close(t);
}
END_TEST

START_TEST(blocks_that_touch_become_one)
{
    struct tcp_test *t = with_sack(false);

    arrives(t, 21, BLOCKS(21, 31));
    arrives(t, 41, BLOCKS(41, 51, 21, 31));
    arrives(t, 31, BLOCKS(21, 51));
    tcp_test_close(t);
}
END_TEST

START_TEST(no_block_below_what_is_acknowledged)
{
    struct tcp_test *t = with_sack(false);

    arrives(t, 11, BLOCKS(11, 21));
    arrives(t, 41, BLOCKS(41, 51, 11, 21));
    arrives(t, 1, BLOCKS(41, 51));
    tcp_test_close(t);
}
END_TEST

/* R2018-2 */
START_TEST(no_blocks_without_the_peers_permission)
{
    struct tcp_test *t = TCP_TEST(0);

    opens_passively(t);
    peer_sends(t, ACK(.seq = 101, .len = 10));
    ck_assert_int_eq(expect(t, ACK())->options.sack_count, 0);
    tcp_test_close(t);
}
END_TEST

/* RFC 6691: they come out of the segment (R2018-3) */
START_TEST(text_beside_blocks_leaves_room_for_them)
{
    struct tcp_test *t = with_sack(false);

    arrives(t, 101, BLOCKS(101, 111));
    user_sends(t, 3000);
    const struct wire_tcp *first = expect(t, ACK(.len = 1448));
    ck_assert_int_eq(first->options.sack_count, 1);
    ck_assert_uint_le(t->last.ip_len, 1500);
    tcp_test_close(t);
}
END_TEST

/* Simulator seed 4264: its segments counted on the room of blocks that had been reported already,
 * and were too long for the link. */
START_TEST(the_segments_of_a_train_leave_room_for_them_too)
{
    struct tcp_test *t = TCP_TEST(.peer = {.mss = 1460, .sack_permitted = true},
                                  .caps = {.mtu = 1500, .gso_max = 65000, .csum = true});

    opens_passively(t);
    peer_sends(t, ACK(.len = 10));
    peer_sends(t, ACK(.seq = 101, .len = 10));
    ignore_sent(t);
    user_writes(&t->user, 5000);
    t->hold = true;
    peer_sends(t, ACK(.seq = 101, .len = 10)); /* once more: that is reported too */
    t->hold = false;
    flush(t);
    const struct wire_tcp *first = expect(t, ACK(.seq = 1, .len = 5000));
    ck_assert_int_eq(first->options.sack_count, 2);
    ck_assert_uint_eq(dropped(t, TLSYN_DROP_ip_too_long), 0);
    ignore_sent(t);
    tcp_test_close(t);
}
END_TEST

/* There is a hole at 1, with ten bytes behind it; then a batch of so many segments comes, of which
 * the first one fills it. */
static void hole_then_batch(struct tcp_test *t, int segments)
{
    peer_sends(t, ACK(.seq = 11, .len = 10));
    ignore_sent(t);
    t->hold = true;
    for (int i = 0; i < segments; i++)
        peer_sends(t, ACK(.seq = i == 0 ? 1 : 11 + 10 * i, .len = 10));
    t->hold = false;
    flush(t);
}

/* One ACK would do. But it may get lost, as what it is for was, and in recovery the sender has
 * nothing else to go by than its timer: R5681-12 allows one for each segment. */
START_TEST(in_recovery_a_batch_has_more_than_one_ack)
{
    struct tcp_test *t = with_sack(false);

    hole_then_batch(t, 5); /* the hole is filled, and text in order follows */
    expect(t, ACK(.ack = 61));
    expect(t, ACK(.ack = 61));
    expect_nothing(t); /* a third duplicate would be a sign of loss, to some */
    t->hold = true;
    for (int i = 0; i < 3; i++) /* loss is not long ago */
        peer_sends(t, ACK(.seq = 61 + 10 * i, .len = 10));
    t->hold = false;
    flush(t);
    expect(t, ACK(.ack = 91));
    expect(t, ACK(.ack = 91));
    expect_nothing(t);
    tcp_test_close(t);
}
END_TEST

START_TEST(one_segment_has_one_ack)
{
    struct tcp_test *t = with_sack(false);

    hole_then_batch(t, 1);
    expect(t, ACK(.ack = 21));
    peer_sends(t, ACK(.seq = 21, .len = 10));
    expect(t, ACK(.ack = 31));
    expect_nothing(t);
    tcp_test_close(t);
}
END_TEST

START_TEST(text_that_answers_is_one_of_them)
{
    struct tcp_test *t = with_sack(false);

    peer_sends(t, ACK(.seq = 11, .len = 10));
    ignore_sent(t);
    user_writes(&t->user, 5);
    peer_sends(t, ACK(.seq = 1, .len = 10));
    expect(t, ACK(.seq = 1, .ack = 21, .len = 5));
    expect_nothing(t);
    tcp_test_close(t);
}
END_TEST

Suite *tcp_sack_suite(void);

Suite *tcp_sack_suite(void)
{
    Suite *s = suite_create("tcp_sack");
    TCase *all = tcase_create("all");

    tcase_add_test(all, the_block_that_arrived_last_comes_first);
    tcase_add_test(all, four_blocks_fit_three_beside_timestamps);
    tcase_add_test(all, blocks_that_touch_become_one);
    tcase_add_test(all, no_block_below_what_is_acknowledged);
    tcase_add_test(all, no_blocks_without_the_peers_permission);
    tcase_add_test(all, text_beside_blocks_leaves_room_for_them);
    tcase_add_test(all, the_segments_of_a_train_leave_room_for_them_too);
    tcase_add_test(all, in_recovery_a_batch_has_more_than_one_ack);
    tcase_add_test(all, one_segment_has_one_ack);
    tcase_add_test(all, text_that_answers_is_one_of_them);
    suite_add_tcase(s, all);
    return s;
}
