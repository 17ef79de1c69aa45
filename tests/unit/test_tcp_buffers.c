/*
 * Buffers: tuned to the path, bounded together, given back.
 */
#include <errno.h>

#include "support/bulk.h"
#include "support/peer.h"
#include "support/world.h"

#define FIRST (64u << 10)

static struct tlsyn_conn_info info_of(const struct tlsyn_conn *conn)
{
    struct tlsyn_conn_info info;

    tlsyn_conn_info(conn, &info);
    return info;
}

/* --- tuned ------------------------------------------------------------------------------------ */

/* The peer sends `bytes` in a round trip of 10 ms, in segments; ours acknowledges them. */
static void round_of(struct tcp_test *t, uint32_t bytes)
{
    for (uint32_t sent = 0; sent < bytes; sent += 1460) {
        peer_sends(t, ACK(.len = bytes - sent < 1460 ? bytes - sent : 1460));
        ignore_sent(t);
    }
    advance(t, TLSYN_MS(10));
    ignore_sent(t);
}

static struct tcp_test *over_10_ms(uint32_t rcv_ring)
{
    struct tcp_test *t =
        TCP_TEST(.peer = {.mss = 1460, .has_wscale = true}, .conn = {.rcv_ring = rcv_ring});

    peer_sends(t, SYN());
    expect(t, SYNACK());
    advance(t, TLSYN_MS(10));
    peer_sends(t, ACK());
    return t;
}

START_TEST(the_window_stays_ahead_of_slow_start)
{
    struct tcp_test *t = over_10_ms(0);
    uint32_t flight = 14600;

    for (; flight < 8u << 20; flight *= 2) {
        struct tlsyn_conn_info info = info_of(t->user.conn);

        ck_assert_uint_ge(info.rcv_ring, flight);
        ck_assert_uint_le(info.rcv_ring, 2 * flight + FIRST);
        round_of(t, flight);
    }
    ck_assert_uint_eq(t->user.wrong, 0);
    tcp_test_close(t);
}
END_TEST

/* 64 KiB every 20 us: by the round trip alone, a window of 128 KiB would do for ever. */
START_TEST(the_window_bridges_a_nap_on_a_path_of_microseconds)
{
    struct tcp_test *t = TCP_TEST(.peer = {.mss = 1460, .has_wscale = true});

    peer_sends(t, SYN());
    expect(t, SYNACK());
    advance(t, 20);
    peer_sends(t, ACK());
    for (int i = 0; i < 30; i++) {
        for (int k = 0; k < 44; k++)
            peer_sends(t, ACK(.len = 1460));
        ignore_sent(t);
        advance(t, 20);
        ignore_sent(t);
    }
    ck_assert_uint_eq(info_of(t->user.conn).rcv_ring, 1u << 20);
    tcp_test_close(t);
}
END_TEST

START_TEST(who_reads_as_fast_as_it_comes_finds_it_in_the_same_place)
{
    struct tcp_test *t = TCP_TEST(0);
    struct tlsyn_view first, second;

    opens_passively(t);
    t->user.deaf = true;
    peer_sends(t, ACK(.len = 1000));
    ck_assert_uint_eq(tlsyn_conn_peek(t->user.conn, &first), 1000);
    user_reads(&t->user, 1000);
    peer_sends(t, ACK(.len = 1000));
    ck_assert_uint_eq(tlsyn_conn_peek(t->user.conn, &second), 1000);
    ck_assert_ptr_eq(first.part[0].iov_base, second.part[0].iov_base);
    /* Not while something lies behind a hole, whose place is counted from the front. */
    peer_sends(t, ACK(.seq = 2501, .len = 500));
    user_reads(&t->user, 1000);
    peer_sends(t, ACK(.seq = 2001, .len = 500));
    user_reads(&t->user, 1000);
    ck_assert_uint_eq(t->user.read, 3000);
    ck_assert_uint_eq(t->user.wrong, 0);
    ignore_sent(t);
    tcp_test_close(t);
}
END_TEST

START_TEST(the_window_follows_what_is_read_not_what_is_sent)
{
    struct tcp_test *t = over_10_ms(0);

    t->user.deaf = true;
    for (int i = 0; i < 20; i++) {
        round_of(t, 14600);
        user_reads(&t->user, 14600);
        flush(t);
        ignore_sent(t);
    }
    ck_assert_uint_eq(info_of(t->user.conn).rcv_ring, FIRST);
    tcp_test_close(t);
}
END_TEST

START_TEST(a_size_of_the_users_is_not_tuned)
{
    struct tcp_test *t = over_10_ms(40000);

    for (int i = 0; i < 20; i++)
        round_of(t, 40000);
    ck_assert_uint_eq(info_of(t->user.conn).rcv_ring, 40000);
    tcp_test_close(t);
}
END_TEST

START_TEST(the_send_buffer_follows_cwnd)
{
    struct tcp_test *t = TCP_TEST(.peer = {.mss = 1460, .has_wscale = true, .wscale = 10});

    opens_passively(t);
    ck_assert_uint_eq(user_writes(&t->user, 10u << 20), FIRST);
    for (int i = 0; i < 6; i++) {
        flush(t);
        advance(t, TLSYN_MS(10));
        peer_takes_all(t);
        peer_sends(t, ACK());
        user_writes(&t->user, 10u << 20);
        struct tlsyn_conn_info info = info_of(t->user.conn);
        ck_assert_uint_ge(info.snd_ring, info.cwnd);
        ck_assert_uint_le(info.snd_ring, 2 * info.cwnd + FIRST);
    }
    ck_assert_uint_ge(info_of(t->user.conn).snd_ring, 200000);
    tcp_test_close(t);
}
END_TEST

/* 1 Gbit/s over 100 ms is a flight of 12.5 MB: with windows of 64 KiB this would take 45 s. */
START_TEST(a_long_fat_path_is_filled)
{
    static struct world w;
    struct tlsyn_impairment path = {
        .delay = TLSYN_MS(50), .rate = 1000000000, .queue_bytes = 16u << 20};
    struct bulk client, server;

    world_open(&w, &(struct world_options){.seed = 1, .to_server = path, .to_client = path});
    bulk_init(&client, 0, 30u << 20);
    bulk_init(&server, 30u << 20, 0);
    ck_assert_int_eq(tlsyn_listener_open(w.host[WORLD_SERVER].stack,
                                         &(struct tlsyn_listen_options){.local = {.port = 443}},
                                         &server.acceptor, NULL),
                     0);
    ck_assert_int_eq(
        tlsyn_conn_open(w.host[WORLD_CLIENT].stack,
                        &(struct tlsyn_connect_options){.remote = {w.host[WORLD_SERVER].addr, 443}},
                        &client.handler, NULL),
        0);
    ck_assert(world_run(&w, TLSYN_SECONDS(4), &client.ended));
    ck_assert_uint_eq(client.received, 30u << 20);
    world_close(&w);
}
END_TEST

/* 1 Gbit/s over 2 ms is a flight of 250 kB; all else waits in front of the path, in a
 * queue without end. */
START_TEST(what_only_stands_in_a_queue_earns_no_buffer)
{
    static struct world w;
    struct tlsyn_impairment path = {
        .delay = TLSYN_MS(1), .rate = 1000000000, .queue_bytes = 256u << 20};
    const struct tlsyn_conn_options plain = {.controller = "newreno"};
    struct tlsyn_conn_info info;
    struct bulk client, server;

    world_open(&w, &(struct world_options){.seed = 1, .to_server = path, .to_client = path});
    bulk_init(&client, 0, 100u << 20);
    bulk_init(&server, 100u << 20, 0);
    ck_assert_int_eq(
        tlsyn_listener_open(w.host[WORLD_SERVER].stack,
                            &(struct tlsyn_listen_options){.local = {.port = 443}, .conn = plain},
                            &server.acceptor, NULL),
        0);
    ck_assert_int_eq(
        tlsyn_conn_open(w.host[WORLD_CLIENT].stack,
                        &(struct tlsyn_connect_options){.remote = {w.host[WORLD_SERVER].addr, 443},
                                                        .conn = {.rcv_ring = 8u << 20}},
                        &client.handler, NULL),
        0);
    ck_assert(!world_run(&w, TLSYN_MS(600), &client.ended));
    info = info_of(server.conn);
    ck_assert_uint_gt(client.received, 50u << 20); /* the path was full all the time */
    ck_assert_uint_gt(info.cwnd, 2u << 20);
    ck_assert_uint_le(info.snd_ring, 2u << 20);
    world_close(&w);
}
END_TEST

/* --- memory ----------------------------------------------------------------------------------- */

START_TEST(empty_buffers_are_given_back_after_a_second)
{
    struct tcp_test *t = TCP_TEST(0);

    opens_passively(t);
    advance(t, TLSYN_SECONDS(2));
    size_t blocks = t->memory.blocks;
    for (int i = 0; i < 3; i++) {
        peer_sends(t, ACK(.len = 100));
        user_sends(t, 100);
        peer_takes_all(t);
        peer_sends(t, ACK());
        ck_assert_uint_eq(t->memory.blocks, blocks + 2);
        advance(t, TLSYN_MS(900));
        ck_assert_uint_eq(t->memory.blocks, blocks + 2); /* may be needed again */
        advance(t, TLSYN_MS(1200));
        ck_assert_uint_eq(t->memory.blocks, blocks);
        ck_assert_uint_eq(t->tcp->ring_bytes, 0);
        ck_assert(!timer_is_set(&t->user.conn->timer));
        ignore_sent(t);
    }
    tcp_test_close(t);
}
END_TEST

/* Simulator seed 2509: keep-alives broke the second of silence, and others could have nothing, for
 * ever. */
START_TEST(where_others_need_them_empty_buffers_go_without_silence)
{
    struct tlsyn_limits limits = default_limits();

    limits.ring_bytes = 46 << 10; /* a second ring would touch the last quarter */
    struct tcp_test *t = TCP_TEST(.limits = limits);

    opens_passively(t);
    user_sends(t, 100);
    peer_takes_all(t);
    for (int i = 0; i < 30; i++) {
        peer_sends(t, ACK());
        advance(t, TLSYN_MS(100));
    }
    ck_assert_uint_eq(t->tcp->ring_bytes, 0);
    ignore_sent(t);
    tcp_test_close(t);
}
END_TEST

/* Simulator seed 4389: nobody gave the stack another turn, and who waited for the memory waited
 * for ever. */
START_TEST(what_a_dead_connection_held_is_reason_for_another_turn)
{
    struct tcp_test *t = TCP_TEST(0);

    opens_passively(t);
    t->user.deaf = true;
    peer_sends(t, ACK(.len = 100));
    t->hold = true;
    peer_sends(t, RST(.seq = 101));
    ck_assert_uint_gt(t->tcp->ring_bytes, 0);
    ck_assert_int_le(tlsyn_stack_next_timeout(t->stack), t->now);
    tlsyn_stack_output(t->stack, t->now);
    ck_assert_uint_eq(t->tcp->ring_bytes, 0);
    ck_assert_int_gt(tlsyn_stack_next_timeout(t->stack), t->now);
    ignore_sent(t);
    tcp_test_close(t);
}
END_TEST

START_TEST(what_was_drained_is_filled_from_its_beginning)
{
    struct tcp_test *t = TCP_TEST(0);

    opens_passively(t);
    const struct tlsyn_conn *conn = t->user.conn;
    for (int i = 0; i < 3; i++) {
        peer_sends(t, ACK(.len = 100 + (uint32_t)i));
        user_writes(&t->user, 100);
        ck_assert_uint_eq(conn->rcv.front, 0);
        ck_assert_uint_eq(conn->snd.front, 0);
        flush(t);
        peer_takes_all(t);
        peer_sends(t, ACK());
        ignore_sent(t);
    }
    /* Not while text lies behind a hole. */
    peer_sends(t, ACK(.seq = 304 + 50, .len = 50));
    peer_sends(t, ACK(.seq = 304, .len = 40));
    ck_assert_uint_eq(conn->rcv.used, 0);
    ck_assert_uint_eq(conn->rcv.front, 40);
    tcp_test_close(t);
}
END_TEST

START_TEST(what_is_not_read_or_acknowledged_is_kept)
{
    struct tcp_test *t = TCP_TEST(0);

    t->user.deaf = true;
    opens_passively(t);
    peer_sends(t, ACK(.len = 100));
    user_sends(t, 100);
    advance(t, TLSYN_SECONDS(5));
    ignore_sent(t);
    ck_assert_uint_eq(t->tcp->ring_bytes, 2 * 16384);
    ck_assert_uint_eq(user_reads(&t->user, 100), 100);
    ck_assert_uint_eq(t->user.wrong, 0);
    tcp_test_close(t);
}
END_TEST

START_TEST(memory_follows_what_is_held_not_the_window)
{
    struct tcp_test *t = over_10_ms(1u << 20);

    t->user.deaf = true;
    round_of(t, 10000);
    ck_assert_uint_eq(t->tcp->ring_bytes, 16384);
    round_of(t, 10000);
    ck_assert_uint_eq(t->tcp->ring_bytes, 32768);
    peer_sends(t, ACK(.seq = 500001, .len = 100)); /* out of order, far ahead */
    ck_assert_uint_eq(t->tcp->ring_bytes, 1u << 19);
    ck_assert_uint_eq(user_reads(&t->user, 20000), 20000);
    ck_assert_uint_eq(t->user.wrong, 0);
    ignore_sent(t);
    tcp_test_close(t);
}
END_TEST

START_TEST(all_buffers_together_keep_to_the_limit)
{
    struct tlsyn_limits limits = default_limits();

    limits.ring_bytes = 48 << 10;
    struct tcp_test *t = TCP_TEST(.limits = limits, .peer_wnd = 100);

    t->user.deaf = true;
    opens_passively(t);
    ck_assert_uint_eq(user_writes(&t->user, 60000), 32768); /* what memory there is, is used */
    peer_sends(t, ACK(.seq = 1, .len = 1000));
    peer_sends(t, ACK(.seq = 30001, .len = 1000)); /* no room for this */
    ck_assert_uint_eq(t->tcp->ring_bytes, 48u << 10);
    ck_assert_uint_ge(dropped(t, TLSYN_DROP_no_memory), 1);
    ck_assert_uint_ge(counted(t, TLSYN_COUNT_tcp_memory_pressures), 2);
    ck_assert_uint_eq(user_reads(&t->user, 1000), 1000);
    ck_assert_uint_eq(t->tcp->ring_bytes, 32u << 10); /* under pressure at once */
    ignore_sent(t);
    tcp_test_close(t);
}
END_TEST

/* Simulator seed 668: no ACK would ever tell it to try again. */
START_TEST(who_has_nothing_on_its_way_gets_a_first_piece)
{
    struct tlsyn_limits limits = default_limits();

    limits.ring_bytes = 48 << 10;
    struct tcp_test *t = TCP_TEST(.limits = limits);

    t->user.deaf = true;
    opens_passively(t);
    for (int i = 0; i < 14; i++)
        peer_sends(t, ACK(.len = 1460));
    ck_assert_uint_eq(t->tcp->ring_bytes, 32u << 10);
    ck_assert_uint_eq(user_writes(&t->user, 1000), 1000);
    flush(t);
    ignore_sent(t);
    tcp_test_close(t);
}
END_TEST

/* Simulator seeds 50158 and 83270: nor would one tell whom even that was refused. */
START_TEST(whom_memory_is_refused_hears_when_to_try_again)
{
    struct tcp_test *t = TCP_TEST(.limits = {0});

    opens_passively(t);
    test_memory_fail_all(&t->memory, true);
    ck_assert_uint_eq(user_writes(&t->user, 1000), 0);
    t->user.plan[USER_ACKED].write = 1000;
    for (int i = 1; i <= 3; i++) { /* as often as need be */
        advance(t, TLSYN_MS(150));
        ck_assert_int_ge(t->user.count[USER_ACKED], i);
        expect_nothing(t);
    }
    test_memory_fail_all(&t->memory, false);
    advance(t, TLSYN_MS(150));
    t->user.plan[USER_ACKED].write = 0;
    expect(t, ACK(.seq = 1, .len = 1000));
    peer_sends(t, ACK(.ack = 1001));
    int told = t->user.count[USER_ACKED];
    advance(t, TLSYN_SECONDS(3));
    ck_assert_int_eq(t->user.count[USER_ACKED], told);
    ck_assert_uint_eq(t->user.acked, 1000);
    tcp_test_close(t);
}
END_TEST

/* Simulator seeds 20688, 20894, 21708: send buffers filled a small bound, and neither end could
 * take a byte. */
START_TEST(of_a_small_bound_receiving_keeps_a_ring)
{
    struct tlsyn_limits limits = default_limits();

    limits.ring_bytes = 40 << 10;
    struct tcp_test *t = TCP_TEST(.limits = limits, .peer_wnd = 100);

    t->user.deaf = true;
    opens_passively(t);
    ck_assert_uint_eq(user_writes(&t->user, 60000), 16384);
    peer_sends(t, ACK(.seq = 1, .len = 1000));
    ck_assert_uint_eq(user_reads(&t->user, 1000), 1000);
    ignore_sent(t);
    tcp_test_close(t);
}
END_TEST

/* --- frames in hand --------------------------------------------------------------------------- */

static struct tcp_test *the_test;
static struct user other;

static void writes_for_the_other(struct tlsyn_handler *handler, struct tlsyn_conn *conn, int error)
{
    (void)handler;
    (void)conn;
    (void)error;
    the_test->user.conn = NULL;
    user_writes(&other, 40000);
}

/* on_closed of one connection is raised during output, and its user writes much into another, whose
 * text has just been put into a frame: memory that frames refer to does not move. */
START_TEST(a_ring_does_not_move_under_a_frame)
{
    struct tcp_test *t = TCP_TEST(0);
    struct tlsyn_conn_events events = *t->user.handler.events;

    the_test = t;
    events.on_closed = writes_for_the_other;
    t->user.handler.events = &events;
    user_init(&other);
    opens_passively(t);
    peer_sends(t, FIN(.len = 10));
    t->user.deaf = true;
    user_acts(&t->user, USER_CLOSES);
    flush(t);
    ignore_sent(t);

    t->listener->acceptor = &other.acceptor;
    another_peer(t, 7777);
    opens_passively(t);
    user_writes(&other, 10000);
    t->hold = true;
    tlsyn_conn_abort(t->user.conn, -ECANCELED);
    t->hold = false;
    flush(t);
    while (other.acked < other.written) {
        peer_takes_all(t); /* compares with the pattern; ASan knows what was freed */
        peer_sends(t, ACK());
        flush(t);
    }
    ck_assert_uint_gt(other.written, 10000);
    ignore_sent(t);
    tcp_test_close(t);
}
END_TEST

Suite *tcp_buffers_suite(void);

Suite *tcp_buffers_suite(void)
{
    Suite *s = suite_create("tcp_buffers");
    TCase *tuned = tcase_create("tuned");
    TCase *memory = tcase_create("memory");

    tcase_set_timeout(tuned, 60);
    tcase_add_test(tuned, who_reads_as_fast_as_it_comes_finds_it_in_the_same_place);
    tcase_add_test(tuned, the_window_bridges_a_nap_on_a_path_of_microseconds);
    tcase_add_test(tuned, the_window_stays_ahead_of_slow_start);
    tcase_add_test(tuned, the_window_follows_what_is_read_not_what_is_sent);
    tcase_add_test(tuned, a_size_of_the_users_is_not_tuned);
    tcase_add_test(tuned, the_send_buffer_follows_cwnd);
    tcase_add_test(tuned, what_only_stands_in_a_queue_earns_no_buffer);
    tcase_add_test(tuned, a_long_fat_path_is_filled);
    suite_add_tcase(s, tuned);
    tcase_add_test(memory, empty_buffers_are_given_back_after_a_second);
    tcase_add_test(memory, where_others_need_them_empty_buffers_go_without_silence);
    tcase_add_test(memory, what_a_dead_connection_held_is_reason_for_another_turn);
    tcase_add_test(memory, what_was_drained_is_filled_from_its_beginning);
    tcase_add_test(memory, what_is_not_read_or_acknowledged_is_kept);
    tcase_add_test(memory, memory_follows_what_is_held_not_the_window);
    tcase_add_test(memory, all_buffers_together_keep_to_the_limit);
    tcase_add_test(memory, who_has_nothing_on_its_way_gets_a_first_piece);
    tcase_add_test(memory, whom_memory_is_refused_hears_when_to_try_again);
    tcase_add_test(memory, of_a_small_bound_receiving_keeps_a_ring);
    tcase_add_test(memory, a_ring_does_not_move_under_a_frame);
    suite_add_tcase(s, memory);
    return s;
}
