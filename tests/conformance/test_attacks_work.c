/*
 * Attacks on work and memory: a peer that talks TCP by the rules, or nearly, and has us hold or do
 * more than we should. What is held is counted by the allocator and the tables, what is done by the
 * segments that leave: never by a clock. docs/TESTING.md has the table of attacks, defences and
 * bounds.
 */
#include <errno.h>

#include "support/holds.h"
#include "support/peer.h"

#define MSS 1460

static uint32_t cwnd_of(const struct tcp_test *t)
{
    struct tlsyn_conn_info info;

    tlsyn_conn_info(t->user.conn, &info);
    return info.cwnd;
}

/* --- SACK panic: CVE-2019-11477, 11478, 11479 ------------------------------------------------- */

/* Blocks of one byte, one byte apart, cut what is on its way into as many pieces as there are
 * bytes. The pieces that are told apart are limits.sent_pieces at most, and what cuts finer than
 * two pieces per segment is passed over. */
START_TEST(sack_blocks_of_one_byte_make_no_more_pieces_than_allowed) /* loop 2 */
{
    struct tlsyn_limits limits = default_limits();

    limits.sent_pieces = 32;
    struct tcp_test *t = TCP_TEST(.limits = limits, .peer = {.mss = _i ? 1460 : 8});
    t->options.peer.sack_permitted = true;
    opens_passively(t);
    user_sends(t, 60000);
    ignore_sent(t);
    size_t before = t->memory.bytes;
    for (tcp_seq at = 3; at + 8 < 3000; at += 8) {
        struct tcp_options opt = {.sack_count = 4};

        for (tcp_seq k = 0; k < 4; k++)
            opt.sack[k] = (struct tcp_sack_block){t->iss + at + 2 * k, t->iss + at + 2 * k + 1};
        peer_sends(t, ACK(.ack = 1, .opt = opt));
        HOLDS(t->user.conn->board.count <= 2 * limits.sent_pieces);
        HOLDS(t->memory.bytes <= before + 64u * 2 * limits.sent_pieces);
    }
    peer_takes_all(t);
    tcp_test_close(t);
}
END_TEST

/* An MSS of a few bytes makes a segment, with headers of forty and a piece to remember, of every
 * few bytes. */
START_TEST(an_mss_of_a_few_bytes_is_not_taken_at_its_word) /* loop: the MSS */
{
    struct tcp_test *t = TCP_TEST(.peer = {.mss = (uint16_t)(1 << _i)});
    int segments;

    opens_passively(t);
    user_sends(t, 800);
    ck_assert_int_gt(t->sent_end, t->sent_first);
    ck_assert_uint_ge(t->sent[t->sent_first].segment.text_len, 88);
    segments = peer_takes_all(t);
    ck_assert_int_le(segments, 1 + 800 / (1 << _i < 88 ? 88 : 1 << _i));
    tcp_test_close(t);
}
END_TEST

/* --- SegmentSmack: CVE-2018-5390 -------------------------------------------------------------- */

START_TEST(a_flood_of_holes_costs_no_more_than_the_ring_and_so_many_ranges) /* loop: order */
{
    struct tlsyn_limits limits = default_limits();
    size_t before, most;

    limits.ooo_ranges = 16;
    struct tcp_test *t = TCP_TEST(.limits = limits, .conn = {.rcv_ring = 65536});
    opens_passively(t);
    before = t->memory.bytes;
    most = before + 65536 + 2 * 16 * sizeof(struct range);
    for (int i = 0; i < 3000; i++) {
        int place = _i == 0 ? i : _i == 1 ? 2999 - i : i * 1009 % 3000;

        peer_sends(t, ACK(.seq = 3 + 4 * place, .ack = 1, .len = 1));
        t->peer_nxt = 1;
        HOLDS(t->user.conn->ooo.count <= limits.ooo_ranges);
        HOLDS(t->memory.bytes <= most);
        HOLDS(ignore_sent(t) <= 1); /* and one answer each (R5681-12) */
    }
    ck_assert_uint_ge(dropped(t, TLSYN_DROP_tcp_ooo_full), 2900);
    peer_sends(t, ACK(.seq = 1, .ack = 1, .len = 12100));
    ck_assert_uint_eq(t->user.read, 12100);
    ck_assert_uint_eq(t->user.conn->ooo.count, 0);
    tcp_test_close(t);
}
END_TEST

/* What overtakes a SYN-ACK is kept for it, but not any amount. */
START_TEST(a_flood_before_the_syn_ack_is_kept_to_a_few_segments)
{
    struct tcp_test *t = TCP_TEST(0);
    size_t before;

    ck_assert_int_eq(user_connects(t), 0);
    expect(t, SYN());
    before = t->memory.bytes;
    for (int i = 0; i < 500; i++)
        peer_sends(t, ACK(.seq = 1 + 1000 * i, .ack = 1, .len = 1000));
    ck_assert_uint_le(t->memory.bytes, before + 65536);
    ck_assert_uint_gt(dropped(t, TLSYN_DROP_tcp_ooo_full), 400);
    tcp_test_close(t);
}
END_TEST

/* --- window games ----------------------------------------------------------------------------- */

/* What is on its way goes again when a window that was shut for probing opens: once, not with
 * each change of the window. */
START_TEST(a_window_that_shuts_and_opens_has_nothing_sent_twice) /* loop: with SACK, and without */
{
    struct tcp_test *t = TCP_TEST(.peer = {.mss = MSS, .sack_permitted = _i == 0});
    int sent;

    opens_passively(t);
    user_sends(t, 60000);
    sent = peer_takes_all(t);
    ck_assert_int_eq(sent, 10);
    for (int i = 0; i < 1000; i++)
        peer_sends(t, ACK(.ack = 1, .wnd = i % 2 ? 60000 + i : 0));
    ck_assert_int_le(ignore_sent(t), 3); /* of what limited transmit or a probe of the tail allow */
    peer_sends(t, ACK(.ack = 1, .wnd = 0));
    advance(t, TLSYN_MS(500)); /* the timeout comes, finds the window shut, and probes */
    ignore_sent(t);
    for (int i = 0; i < 1000; i++)
        peer_sends(t, ACK(.ack = 1, .wnd = i % 2 ? 60000 + i : 0));
    ck_assert_int_le(ignore_sent(t), 10);
    tcp_test_close(t);
}
END_TEST

/* A window of one byte at a time makes no segments of one byte. */
START_TEST(a_window_that_opens_by_single_bytes_makes_no_tiny_segments)
{
    struct tcp_test *t = TCP_TEST(.peer_wnd = 8000);

    opens_passively(t);
    user_sends(t, 60000);
    peer_takes_all(t);
    for (int i = 0; i < 1000; i++)
        peer_sends(t, ACK(.wnd = i + 1));
    ck_assert_int_le(ignore_sent(t), 1);
    tcp_test_close(t);
}
END_TEST

/* --- optimistic ACKs -------------------------------------------------------------------------- */

/* R5681-14 */
START_TEST(acks_of_what_was_never_sent_open_no_window)
{
    struct tcp_test *t = TCP_TEST(0);
    uint32_t cwnd;

    opens_passively(t);
    user_sends(t, 100000);
    ck_assert_int_eq(peer_takes_all(t), 10);
    cwnd = cwnd_of(t);
    for (int i = 1; i < 500; i++) {
        peer_sends(t, ACK(.ack = 1 + 10 * MSS + i * MSS));
        HOLDS(cwnd_of(t) == cwnd);
    }
    for (int n = ignore_sent(t); n > 0; n--)
        HOLDS(n <= 100); /* challenges, and no text */
    ck_assert_uint_eq(t->user.acked, 0);
    tcp_test_close(t);
}
END_TEST

/* RFC 3465: bytes count, not ACKs: a segment that is acknowledged byte by byte opens the window
 * by a segment. */
START_TEST(a_segment_that_is_acknowledged_by_bytes_counts_once) /* loop: the controllers */
{
    static const char *const controller[] = {"cubic", "newreno", "bbr"};
    struct tcp_test *t = TCP_TEST(.conn = {.controller = controller[_i]},
                                  .peer = {.mss = MSS, .sack_permitted = true});
    uint32_t cwnd;

    opens_passively(t);
    user_sends(t, 1000000);
    ck_assert_int_eq(peer_takes_all(t), 10);
    cwnd = cwnd_of(t);
    for (int i = 1; i <= MSS; i++)
        peer_sends(t, ACK(.ack = 1 + i));
    ck_assert_uint_le(cwnd_of(t), cwnd + MSS);
    ck_assert_int_le(ignore_sent(t), 3);
    tcp_test_close(t);
}
END_TEST

/* --- timestamps that run backwards ------------------------------------------------------------ */

/* Each is a duplicate of long ago: it changes nothing, and is answered within
 * limits.challenge_per_second. */
START_TEST(timestamps_that_run_backwards_change_nothing)
{
    struct tcp_test *t = TCP_TEST(.peer = {.mss = MSS, .has_ts = true});
    uint32_t newest;

    opens_passively(t);
    peer_sends(t, ACK(.text = "new"));
    ignore_sent(t);
    newest = t->user.conn->ts_recent;
    for (uint32_t i = 1; i <= 1000; i++)
        peer_sends(t, ACK(.text = "old", .opt = {.has_ts = true, .tsval = newest - i, .tsecr = 1}));
    ck_assert_uint_eq(t->user.conn->ts_recent, newest);
    ck_assert_uint_eq(t->user.read, 3);
    ck_assert_int_le(ignore_sent(t), (int)default_limits().challenge_per_second);
    ck_assert_uint_eq(counted(t, TLSYN_COUNT_tcp_paws_rejected), 1000);
    t->user.wrong = 0; /* text that is no pattern */
    tcp_test_close(t);
}
END_TEST

/* --- Sockstress: windows that stay shut ------------------------------------------------------- */

/* The SYN-ACK to this peer, among what others get. */
static bool synack_came(struct tcp_test *t)
{
    bool came = false;

    for (int i = t->sent_first; i < t->sent_end; i++) {
        if (t->sent[i].to != t->peer_port || !(t->sent[i].segment.flags & TCP_SYN))
            continue;
        t->iss = t->sent[i].segment.seq;
        came = true;
    }
    ignore_sent(t);
    return came;
}

/* A peer that asks, and takes nothing of the answer. */
static void shut_peer(struct tcp_test *t, uint16_t port)
{
    another_peer(t, port);
    peer_sends(t, SYN(.wnd = 0));
    if (synack_came(t)) {
        t->peer_rcv = 1;
        peer_sends(t, ACK(.wnd = 0));
    }
}

static struct tcp_test *besieged(const struct tlsyn_limits *limits, uint16_t peers)
{
    struct tcp_test *t = TCP_TEST(.limits = *limits);

    t->user.plan[USER_ESTABLISHED].write = 60000;
    for (uint16_t i = 0; i < peers; i++)
        shut_peer(t, (uint16_t)(10000 + i));
    ignore_sent(t);
    return t;
}

/* R6429-1 */
START_TEST(peers_that_take_nothing_give_way_where_memory_is_missing)
{
    struct tlsyn_limits limits = default_limits();

    limits.ring_bytes = 1u << 20; /* three quarters are sixteen rings of 60000 bytes, rounded */
    struct tcp_test *t = besieged(&limits, 40);
    uint64_t held = t->tcp->ring_bytes;
    ck_assert_uint_le(held, limits.ring_bytes);

    advance(t, limits.shut_time - TLSYN_SECONDS(2));
    shut_peer(t, 20000);
    ck_assert_uint_eq(counted(t, TLSYN_COUNT_tcp_abort_on_memory), 0); /* they have their time */
    advance(t, TLSYN_SECONDS(4));
    shut_peer(t, 20001); /* finds no room, and one gives way */
    flush(t);
    ck_assert_uint_ge(counted(t, TLSYN_COUNT_tcp_abort_on_memory), 1);
    ck_assert_int_eq(t->user.error, -ENOMEM);
    ignore_sent(t);
    tcp_test_close(t);
}
END_TEST

START_TEST(peers_that_take_nothing_give_way_where_places_are_missing)
{
    struct tlsyn_limits limits = default_limits();

    limits.connections = 8;
    struct tcp_test *t = besieged(&limits, 8);
    advance(t, limits.shut_time + TLSYN_SECONDS(1));
    ignore_sent(t);
    another_peer(t, 20000);
    peer_sends(t, SYN()); /* no place yet; the segment comes again */
    expect(t, RSTACK());
    expect_nothing(t);
    peer_sends(t, SYN(.seq = 0));
    expect(t, SYNACK(.ack = 1));
    tcp_test_close(t);
}
END_TEST

/* RFC 9293 3.8.6.1: without need nobody is ended; and who takes something now and then is no
 * such peer. */
START_TEST(a_peer_that_takes_a_byte_now_and_then_stays)
{
    struct tlsyn_limits limits = default_limits();

    limits.connections = 2;
    struct tcp_test *t = TCP_TEST(.limits = limits);
    t->user.plan[USER_ESTABLISHED].write = 30000;
    opens_passively(t);
    flush(t);
    for (int minute = 0; minute < 10; minute++) {
        peer_takes_all(t);
        peer_sends(t, ACK(.wnd = 0));
        advance(t, TLSYN_SECONDS(50));
        ck_assert_int_ge(peer_takes_all(t), 1); /* probes, of a byte each */
        peer_sends(t, ACK(.wnd = 1));
    }
    ck_assert_int_eq(t->user.count[USER_CLOSED], 0);
    ck_assert_uint_eq(t->tcp->demux.count, 1);
    tcp_test_close(t);
}
END_TEST

Suite *attacks_work_suite(void);

Suite *attacks_work_suite(void)
{
    Suite *s = suite_create("attacks_work");
    TCase *lost = tcase_create("SACK"), *holes = tcase_create("holes"),
          *windows = tcase_create("windows"), *acks = tcase_create("optimistic ACKs"),
          *shut = tcase_create("Sockstress");

    tcase_add_loop_test(lost, sack_blocks_of_one_byte_make_no_more_pieces_than_allowed, 0, 2);
    tcase_add_loop_test(lost, an_mss_of_a_few_bytes_is_not_taken_at_its_word, 0, 10);
    suite_add_tcase(s, lost);
    tcase_set_timeout(holes, 60);
    tcase_add_loop_test(holes, a_flood_of_holes_costs_no_more_than_the_ring_and_so_many_ranges, 0,
                        3);
    tcase_add_test(holes, a_flood_before_the_syn_ack_is_kept_to_a_few_segments);
    suite_add_tcase(s, holes);
    tcase_set_timeout(windows, 60);
    tcase_add_loop_test(windows, a_window_that_shuts_and_opens_has_nothing_sent_twice, 0, 2);
    tcase_add_test(windows, a_window_that_opens_by_single_bytes_makes_no_tiny_segments);
    suite_add_tcase(s, windows);
    tcase_set_timeout(acks, 60);
    tcase_add_test(acks, acks_of_what_was_never_sent_open_no_window);
    tcase_add_loop_test(acks, a_segment_that_is_acknowledged_by_bytes_counts_once, 0, 3);
    tcase_add_test(acks, timestamps_that_run_backwards_change_nothing);
    suite_add_tcase(s, acks);
    tcase_set_timeout(shut, 60);
    tcase_add_test(shut, peers_that_take_nothing_give_way_where_memory_is_missing);
    tcase_add_test(shut, peers_that_take_nothing_give_way_where_places_are_missing);
    tcase_add_test(shut, a_peer_that_takes_a_byte_now_and_then_stays);
    suite_add_tcase(s, shut);
    return s;
}
