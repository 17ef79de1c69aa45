/*
 * The scoreboard and the reading of SACK blocks. Read first: RFC 2018 3 and 8, RFC 2883
 * 4, RFC 6675 3.
 */
#include <check.h>

#include "core/random.h"
#include "support/memory.h"
#include "tcp/sack.h"

#define BASE 0xffffff00u /* the number space ends within */

static struct test_memory memory;

static void board_of(struct board *b, uint32_t len)
{
    test_memory_init(&memory);
    board_init(b, 64);
    ck_assert_int_eq(board_append(b, &memory.base, BASE, BASE + len, 1), 0);
}

static uint32_t sack(struct board *b, uint32_t from, uint32_t to)
{
    struct tcp_sack_block block = {BASE + from, BASE + to};

    return board_sack(b, &memory.base, &block, 64, NULL);
}

static void done(struct board *b)
{
    board_release(b, &memory.base);
    ck_assert_uint_eq(memory.blocks, 0);
}

START_TEST(what_leaves_together_is_one_piece)
{
    struct board b;

    board_of(&b, 1000);
    board_append(&b, &memory.base, BASE + 1000, BASE + 2000, 1);
    ck_assert_uint_eq(b.count, 1);
    board_append(&b, &memory.base, BASE + 2000, BASE + 3000, 2);
    ck_assert_uint_eq(b.count, 2);
    done(&b);
}
END_TEST

/* R6675-1 */
START_TEST(a_block_cuts_and_counts_once)
{
    struct board b;

    board_of(&b, 3000);
    ck_assert_uint_eq(sack(&b, 1000, 2000), 1000);
    ck_assert_uint_eq(sack(&b, 1000, 2000), 0);
    ck_assert_uint_eq(sack(&b, 1500, 2500), 500);
    ck_assert_uint_eq(b.count, 3);
    ck_assert_uint_eq(b.sacked, 1500);
    ck_assert_uint_eq(board_ack(&b, &memory.base, BASE + 1500, NULL), 1000);
    ck_assert_uint_eq(b.sacked, 1000);
    ck_assert_uint_eq(board_ack(&b, &memory.base, BASE + 3000, NULL), 500);
    ck_assert_uint_eq(memory.blocks, 1); /* for what is sent next */
    board_idle(&b, &memory.base);
    ck_assert_uint_eq(memory.blocks, 0);
}
END_TEST

START_TEST(what_is_lost_is_found_in_order_and_forgotten_when_it_arrives_or_is_resent)
{
    struct board b;
    uint32_t len;

    board_of(&b, 4000);
    sack(&b, 1000, 2000);
    board_lose(&b, board_at(&b, 0));
    board_lose(&b, board_at(&b, 2));
    ck_assert_uint_eq(board_first_lost(&b, &len)->from, BASE);
    ck_assert_uint_eq(len, 1000);
    board_resent(&b, &memory.base, BASE, BASE + 1000, 5);
    ck_assert_uint_eq(board_first_lost(&b, &len)->from, BASE + 2000);
    ck_assert_uint_eq(len, 2000);
    sack(&b, 2500, 3000);
    ck_assert_uint_eq(b.lost, 1500);
    ck_assert_uint_eq(board_first_lost(&b, &len)->from, BASE + 2000);
    ck_assert_uint_eq(len, 500);
    done(&b);
}
END_TEST

/* RFC 2018 8 */
START_TEST(a_peer_may_throw_away_what_it_had_reported)
{
    struct board b;

    board_of(&b, 3000);
    sack(&b, 1000, 2000);
    board_renege(&b);
    ck_assert_uint_eq(b.sacked, 0);
    ck_assert_uint_eq(sack(&b, 1000, 2000), 1000);
    done(&b);
}
END_TEST

START_TEST(tiny_blocks_make_no_more_than_so_many_pieces)
{
    struct board b;

    board_of(&b, 10000);
    for (uint32_t i = 1; i < 9000; i += 2)
        sack(&b, i, i + 1);
    ck_assert_uint_le(b.count, 64);
    uint32_t before = b.sacked;
    ck_assert_uint_gt(before, 0);
    ck_assert_uint_eq(sack(&b, 0, 10000), 10000 - before); /* what cuts nothing always counts */
    ck_assert_uint_eq(b.count, 1);
    done(&b);
}
END_TEST

START_TEST(without_memory_nothing_changes)
{
    struct board b;

    board_of(&b, 10000);
    test_memory_fail_all(&memory, true);
    for (uint32_t i = 1; i < 9000; i += 2)
        sack(&b, i, i + 1);
    ck_assert_uint_le(b.count, 16);
    ck_assert_uint_eq(b.sacked + board_ack(&b, &memory.base, BASE + 10000, NULL), 10000);
    done(&b);
}
END_TEST

/* --- what the peer says ----------------------------------------------------------------------- */

static struct sack_view read_blocks(int n, const struct tcp_sack_block *blocks)
{
    struct tcp_options o = {.sack_count = (uint8_t)n};
    struct sack_view view;

    memcpy(o.sack, blocks, (size_t)n * sizeof(*blocks));
    sack_read(&o, &(struct sack_bounds){.ack = 10000, .una = 10000, .nxt = 20000, .window = 5000},
              &view);
    return view;
}
#define READ(...)                                                                                  \
    read_blocks(sizeof((struct tcp_sack_block[]){__VA_ARGS__}) / sizeof(struct tcp_sack_block),    \
                (struct tcp_sack_block[]){__VA_ARGS__})

START_TEST(blocks_that_lie_are_left_out)
{
    ck_assert_int_eq(READ({11000, 12000}, {13000, 20000}).count, 2);
    ck_assert_int_eq(READ({12000, 11000}).count, 0);               /* inverted */
    ck_assert_int_eq(READ({12000, 12000}).count, 0);               /* empty */
    ck_assert_int_eq(READ({19000, 20001}).count, 0);               /* never sent */
    ck_assert_int_eq(READ({30000, 31000}).count, 0);               /* neither */
    ck_assert_int_eq(READ({10000, 11000}).count, 0);               /* would be acknowledged */
    ck_assert_int_eq(READ({9000, 11000}).count, 0);                /* partly is */
    ck_assert_int_eq(READ({11000, 12000}, {8000, 9000}).count, 1); /* is, and not the first */
    ck_assert(!READ({11000, 12000}, {8000, 9000}).dsack);
    ck_assert(!READ({2000, 3000}).dsack); /* longer ago than any window */
    ck_assert(!READ({9000, 8000}).dsack);
}
END_TEST

/* RFC 2883 4.1, 4.2 */
START_TEST(the_first_block_may_tell_of_a_duplicate)
{
    struct sack_view view = READ({8000, 9000}, {11000, 12000});

    ck_assert(view.dsack);
    ck_assert_uint_eq(view.twice.right, 9000);
    ck_assert_int_eq(view.count, 1);
    view = READ({12000, 13000}, {11000, 14000});
    ck_assert(view.dsack);
    ck_assert_int_eq(view.count, 1);
    ck_assert_uint_eq(view.block[0].left, 11000);
}
END_TEST

/* Whatever comes, in any order: the pieces cover the flight, and the sums are right. */
START_TEST(any_blocks_leave_it_whole) /* loop 20 */
{
    struct board b;
    struct random_seeded random;
    uint32_t una = 0, nxt = 1000;

    random_seed(&random, (uint64_t)_i);
    board_of(&b, nxt);
    for (int step = 0; step < 3000; step++) {
        uint32_t what = random_below(&random.base, 10), at = nxt - una;
        uint32_t from = una + random_below(&random.base, at),
                 to = from + 1 + random_below(&random.base, nxt - from);

        if (what < 2)
            board_append(&b, &memory.base, BASE + nxt, BASE + nxt + 100, step), nxt += 100;
        else if (what < 6)
            sack(&b, from, to);
        else if (what == 6 && to < nxt)
            board_ack(&b, &memory.base, BASE + to, NULL), una = to;
        else if (what == 7)
            board_resent(&b, &memory.base, BASE + from, BASE + to, step);
        else if (what == 8 && !board_at(&b, b.count / 2)->flags)
            board_lose(&b, board_at(&b, b.count / 2));
        uint32_t end = una, sacked = 0, lost = 0;
        for (uint32_t i = 0; i < b.count; i++) {
            const struct piece *p = board_at(&b, i);

            ck_assert_uint_eq(p->from, BASE + end);
            ck_assert_uint_gt(p->to - p->from, 0);
            end += p->to - p->from;
            sacked += p->flags & PIECE_SACKED ? p->to - p->from : 0;
            lost += p->flags & PIECE_LOST ? p->to - p->from : 0;
        }
        ck_assert_uint_eq(end, nxt);
        ck_assert_uint_eq(sacked, b.sacked);
        ck_assert_uint_eq(lost, b.lost);
    }
    done(&b);
}
END_TEST

Suite *sack_scoreboard_suite(void);

Suite *sack_scoreboard_suite(void)
{
    Suite *s = suite_create("sack_scoreboard");
    TCase *board = tcase_create("board"), *blocks = tcase_create("blocks");

    tcase_add_test(board, what_leaves_together_is_one_piece);
    tcase_add_test(board, a_block_cuts_and_counts_once);
    tcase_add_test(board,
                   what_is_lost_is_found_in_order_and_forgotten_when_it_arrives_or_is_resent);
    tcase_add_test(board, a_peer_may_throw_away_what_it_had_reported);
    tcase_add_test(board, tiny_blocks_make_no_more_than_so_many_pieces);
    tcase_add_test(board, without_memory_nothing_changes);
    tcase_add_loop_test(board, any_blocks_leave_it_whole, 0, 20);
    suite_add_tcase(s, board);
    tcase_add_test(blocks, blocks_that_lie_are_left_out);
    tcase_add_test(blocks, the_first_block_may_tell_of_a_duplicate);
    suite_add_tcase(s, blocks);
    return s;
}
