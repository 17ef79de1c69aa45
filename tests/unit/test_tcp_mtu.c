/*
 * The size of segments: by ICMP's word, by black holes, by probing upward. Read first: RFC 4821
 * 7, RFC 5927 7.2.
 */

#include "support/bulk.h"
#include "support/flight.h"
#include "support/peer.h"
#include "support/world.h"

#define FRAGMENTATION_NEEDED 4
#define PORT                 443

static uint16_t pmtu_of(struct tcp_test *t)
{
    struct tlsyn_conn_info info;

    tlsyn_conn_info(t->user.conn, &info);
    return info.pmtu;
}

static uint16_t cached(struct tcp_test *t)
{
    struct tlsyn_addr peer = tlsyn_addr_ip4((const uint8_t[]){10, 0, 0, 2});

    return pmtu_find(&t->tcp->ip->pmtus, &peer);
}

/* --- a peer by script ------------------------------------------------------------------------- */

START_TEST(a_believed_too_big_is_remembered_for_the_next_connection)
{
    struct tcp_test *t = TCP_TEST(0);

    opens_passively(t);
    ck_assert_uint_eq(pmtu_of(t), 1500);
    user_sends(t, 3000);
    ignore_sent(t);
    peer_sends_unreachable(t, FRAGMENTATION_NEEDED, 1040, 1);
    expect(t, ACK(.seq = 1, .len = 1000));
    ck_assert_uint_eq(pmtu_of(t), 1040);
    ck_assert_uint_eq(cached(t), 1040);
    ignore_sent(t);
    tcp_test_close(t);
}
END_TEST

START_TEST(a_new_connection_starts_with_what_is_known)
{
    struct tcp_test *t = TCP_TEST(0);
    struct tlsyn_addr peer = tlsyn_addr_ip4((const uint8_t[]){10, 0, 0, 2});

    ip_learn_mtu(t->tcp->ip, &peer, 1040);
    opens_actively(t);
    ck_assert_uint_eq(pmtu_of(t), 1040);
    user_sends(t, 2000);
    expect(t, ACK(.seq = 1, .len = 1000));
    expect(t, ACK(.seq = 1001, .len = 1000));
    tcp_test_close(t);
}
END_TEST

START_TEST(our_own_mss_is_the_links_whatever_the_path_takes)
{
    struct tcp_test *t = TCP_TEST(0);
    struct tlsyn_addr peer = tlsyn_addr_ip4((const uint8_t[]){10, 0, 0, 2});

    ip_learn_mtu(t->tcp->ip, &peer, 1040);
    user_connects(t);
    ck_assert_uint_eq(expect(t, SYN())->options.mss, 1460);
    tcp_test_close(t);
}
END_TEST

/* RFC 5927 4.1: nobody who does not see the traffic can choose the size of our segments. */
START_TEST(a_too_big_about_nothing_outstanding_teaches_nothing)
{
    struct tcp_test *t = TCP_TEST(0);

    opens_passively(t);
    user_sends(t, 1000);
    ignore_sent(t);
    peer_sends_unreachable(t, FRAGMENTATION_NEEDED, 1040, 1001);
    peer_sends_unreachable(t, FRAGMENTATION_NEEDED, 1040, 0);
    expect_nothing(t);
    ck_assert_uint_eq(pmtu_of(t), 1500);
    ck_assert_uint_eq(cached(t), 0);
    tcp_test_close(t);
}
END_TEST

/* RFC 5927 7.2: what so large a segment has disproved is believed only when the next one
 * does not pass. (R5927-2) */
START_TEST(a_too_big_against_the_evidence_waits_for_a_timeout)
{
    struct tcp_test *t = TCP_TEST(0);

    opens_passively(t);
    user_sends(t, 1460);
    expect(t, ACK(.seq = 1, .len = 1460));
    peer_sends(t, ACK(.seq = 1, .ack = 1461)); /* 1500 octets do pass */
    user_sends(t, 1460);
    expect(t, ACK(.seq = 1461, .len = 1460));
    peer_sends_unreachable(t, FRAGMENTATION_NEEDED, 1040, 1461);
    expect_nothing(t);
    ck_assert_uint_eq(pmtu_of(t), 1500);
    if (_i) { /* it was a lie */
        peer_sends(t, ACK(.seq = 1, .ack = 2921));
        advance(t, TLSYN_SECONDS(5));
        ck_assert_uint_eq(pmtu_of(t), 1500);
    } else {                       /* the path has changed */
        advance(t, TLSYN_MS(300)); /* one timeout */
        ck_assert_uint_eq(pmtu_of(t), 1040);
        expect(t, ACK(.seq = 1461, .len = 1000));
    }
    ck_assert_uint_eq(cached(t), _i ? 0 : 1040);
    ignore_sent(t);
    tcp_test_close(t);
}
END_TEST

START_TEST(a_third_timeout_of_a_full_segment_makes_them_smaller)
{
    struct tcp_test *t = TCP_TEST(0);

    opens_passively(t);
    user_sends(t, 2920);
    ignore_sent(t);
    advance(t, TLSYN_MS(300)); /* the first: the network's ordinary loss */
    ck_assert_uint_eq(pmtu_of(t), 1500);
    advance(t, TLSYN_MS(400));
    ck_assert_uint_eq(pmtu_of(t), 1500);
    advance(t, TLSYN_MS(800));
    ck_assert_uint_eq(pmtu_of(t), 1280);
    advance(t, TLSYN_MS(1600));
    ck_assert_uint_eq(pmtu_of(t), 576);
    advance(t, TLSYN_SECONDS(60));
    ck_assert_uint_eq(pmtu_of(t), 576);
    ck_assert_uint_eq(counted(t, TLSYN_COUNT_tcp_mtu_black_hole), 2);
    ck_assert_uint_eq(cached(t), 0); /* nothing is proved yet */
    ignore_sent(t);
    peer_sends(t, ACK(.seq = 1, .ack = 1 + 536));
    ck_assert_uint_eq(cached(t), 576);
    ignore_sent(t);
    tcp_test_close(t);
}
END_TEST

START_TEST(timeouts_of_small_segments_say_nothing_about_size)
{
    struct tcp_test *t = TCP_TEST(0);

    opens_passively(t);
    user_sends(t, 500);
    advance(t, TLSYN_SECONDS(60));
    ck_assert_uint_eq(pmtu_of(t), 1500);
    ck_assert_uint_eq(counted(t, TLSYN_COUNT_tcp_mtu_black_hole), 0);
    ignore_sent(t);
    tcp_test_close(t);
}
END_TEST

/* The path takes 1040 octets, which was found long ago; a probe of 1500 has left, and some segments
 * of 1000 behind it. */
static struct tcp_test *probed(void)
{
    struct tcp_test *t = TCP_TEST(.peer = {.mss = 1460, .sack_permitted = true});
    struct tlsyn_addr peer = tlsyn_addr_ip4((const uint8_t[]){10, 0, 0, 2});

    ip_learn_mtu(t->tcp->ip, &peer, 1040);
    opens_passively(t);
    advance(t, TLSYN_SECONDS(601));
    user_sends(t, 9000);
    expect(t, ACK(.seq = 1, .len = 1460));
    expect(t, ACK(.seq = 1461, .len = 1000));
    ignore_sent(t);
    return t;
}

/* All of it has arrived; what follows leaves in segments of the first one's length. */
static void expect_next(struct tcp_test *t, size_t len)
{
    t->peer_rcv = 9001;
    peer_sends(t, ACK(.ack = 9001));
    ignore_sent(t);
    user_sends(t, 9000);
    expect(t, ACK(.seq = 9001, .len = len));
    ignore_sent(t);
}

/* RFC 4821 7.6.2: the router knows how long it might have been. */
START_TEST(a_router_that_refuses_a_probe_says_what_to_try_next)
{
    struct tcp_test *t = probed();

    peer_sends_unreachable(t, FRAGMENTATION_NEEDED, 1300, 1);
    ck_assert_uint_eq(counted(t, TLSYN_COUNT_tcp_mtup_fail), 1);
    ck_assert_uint_eq(pmtu_of(t), 1040);
    expect_next(t, 1260);
    peer_sends(t, ACK(.ack = 9001 + 1260));
    ck_assert_uint_eq(pmtu_of(t), 1300);
    ignore_sent(t);
    tcp_test_close(t);
}
END_TEST

START_TEST(where_a_router_says_that_nothing_has_changed_the_search_is_over)
{
    struct tcp_test *t = probed();

    peer_sends_unreachable(t, FRAGMENTATION_NEEDED, 1040, 1);
    ck_assert_uint_eq(counted(t, TLSYN_COUNT_tcp_mtup_fail), 1);
    expect_next(t, 1000);
    ck_assert_uint_eq(pmtu_of(t), 1040);
    tcp_test_close(t);
}
END_TEST

/* RFC 4821 7.6.4: others are missing, too: it was congestion, and the probe has told nothing. */
START_TEST(a_probe_that_is_lost_among_others_tells_nothing)
{
    struct tcp_test *t = probed();

    peer_sends(t, with_block(ACK(.ack = 1), t, 2461, 8461));
    advance(t, TLSYN_MS(100));
    ck_assert_uint_eq(counted(t, TLSYN_COUNT_tcp_mtup_fail), 0);
    ignore_sent(t);
    advance(t, TLSYN_SECONDS(1));
    expect_next(t, 1460); /* the same again */
    tcp_test_close(t);
}
END_TEST

START_TEST(nor_does_one_that_a_timeout_ends)
{
    struct tcp_test *t = probed();

    advance(t, TLSYN_MS(300));
    ck_assert_uint_eq(counted(t, TLSYN_COUNT_tcp_timeouts), 1);
    ck_assert_uint_eq(counted(t, TLSYN_COUNT_tcp_mtup_fail), 0);
    ignore_sent(t);
    expect_next(t, 1000); /* not before another ten minutes */
    tcp_test_close(t);
}
END_TEST

/* --- two hosts and a narrow middle ------------------------------------------------------------ */

struct pair {
    struct world world;
    struct bulk client, server;
};

static void transfer(struct pair *p, const struct world_options *options, uint64_t bytes)
{
    struct tlsyn_listen_options listen = {.local = {.port = PORT}};
    struct tlsyn_connect_options connect = {.remote = {.port = PORT}};

    world_open(&p->world, options);
    bulk_init(&p->client, bytes, 0);
    bulk_init(&p->server, 0, bytes);
    connect.remote.addr = p->world.host[WORLD_SERVER].addr;
    ck_assert_int_eq(
        tlsyn_listener_open(p->world.host[WORLD_SERVER].stack, &listen, &p->server.acceptor, NULL),
        0);
    ck_assert_int_eq(
        tlsyn_conn_open(p->world.host[WORLD_CLIENT].stack, &connect, &p->client.handler, NULL), 0);
}

static uint16_t client_pmtu(const struct pair *p)
{
    struct tlsyn_conn_info info;

    ck_assert_ptr_nonnull(p->client.conn);
    tlsyn_conn_info(p->client.conn, &info);
    return info.pmtu;
}

static uint64_t client_counted(const struct pair *p, enum tlsyn_counter c)
{
    return tlsyn_counter(p->world.host[WORLD_CLIENT].stack, c);
}

/* Until so many bytes have arrived. */
static void run_to(struct pair *p, uint64_t bytes)
{
    tlsyn_time until = p->world.now + TLSYN_SECONDS(3600);

    while (p->server.received < bytes && p->world.now < until)
        world_step(&p->world, until);
    ck_assert_uint_ge(p->server.received, bytes);
}

static void finish(struct pair *p)
{
    world_run(&p->world, TLSYN_SECONDS(3600), &p->client.finished);
    ck_assert_int_eq(p->client.error, 0);
    ck_assert_uint_eq(p->server.received, p->server.expected);
    world_close(&p->world);
}

static const struct world_options path = {
    .seed = 7,
    .to_server = {.delay = TLSYN_MS(10), .rate = 20000000, .queue_bytes = 100000},
    .to_client = {.delay = TLSYN_MS(10)},
};

START_TEST(a_router_that_tells_costs_a_round_trip)
{
    struct world_options options = path;
    struct pair p;

    options.middle_mtu = 1300;
    if (_i)
        options.caps = (struct tlsyn_link_caps){.gso_max = 65000, .csum = true};
    transfer(&p, &options, 2000000);
    run_to(&p, 200000);
    ck_assert_uint_eq(client_pmtu(&p), 1300);
    ck_assert_uint_eq(client_counted(&p, TLSYN_COUNT_tcp_timeouts), 0);
    ck_assert_uint_le(p.world.too_long, 10); /* the first window */
    finish(&p);
}
END_TEST

START_TEST(a_black_hole_is_found_and_its_edge_too)
{
    struct world_options options = path;
    struct pair p;

    options.middle_mtu = 1400;
    options.black_hole = true;
    if (_i)
        options.caps = (struct tlsyn_link_caps){.gso_max = 65000, .csum = true};
    transfer(&p, &options, 8000000);
    run_to(&p, 4000000);
    ck_assert_uint_eq(client_counted(&p, TLSYN_COUNT_tcp_mtu_black_hole), 1);
    ck_assert_uint_gt(client_counted(&p, TLSYN_COUNT_tcp_mtup_success), 0);
    ck_assert_uint_gt(client_counted(&p, TLSYN_COUNT_tcp_mtup_fail), 0);
    ck_assert_uint_le(client_pmtu(&p), 1400);
    ck_assert_uint_gt(client_pmtu(&p), 1400 - 16);
    finish(&p);
}
END_TEST

/* RFC 4821 7.4: a probe that is lost is no congestion. */
START_TEST(a_lost_probe_costs_no_window)
{
    struct world_options options = path;
    struct tlsyn_conn_info before, after;
    struct pair p;

    options.middle_mtu = 1400;
    options.to_server.rate = 0;
    options.black_hole = true;
    transfer(&p, &options, 20000000);
    while (client_counted(&p, TLSYN_COUNT_tcp_mtup_fail) == 0) {
        tlsyn_conn_info(p.client.conn, &before);
        ck_assert(world_step(&p.world, p.world.now + TLSYN_SECONDS(10)));
    }
    tlsyn_conn_info(p.client.conn, &after);
    ck_assert_uint_ge(after.cwnd, before.cwnd);
    ck_assert_uint_eq(after.fast_retransmits, 0);
    run_to(&p, 10000000);
    tlsyn_conn_info(p.client.conn, &after);
    ck_assert_uint_eq(after.fast_retransmits, 0);
    ck_assert_uint_eq(after.timeouts, 3);
    finish(&p);
}
END_TEST

/* Simulator seed 592: cut to the size of a train it was neither a probe nor segments, and never
 * left. */
START_TEST(a_probe_is_not_cut_by_the_pace)
{
    struct world_options options = path;
    struct pair p;

    options.middle_mtu = 1400;
    options.black_hole = true;
    transfer(&p, &options, 2000000);
    struct tlsyn_conn_options pace;
    tlsyn_conn_get_options(p.client.conn, &pace);
    pace.pacing_rate_max = 100000;
    tlsyn_conn_set_options(p.client.conn, &pace);
    run_to(&p, 1500000);
    ck_assert_uint_gt(client_counted(&p, TLSYN_COUNT_tcp_mtup_fail), 0);
    ck_assert_uint_eq(tlsyn_drops(p.world.host[WORLD_CLIENT].stack, TLSYN_DROP_ip_too_long), 0);
    finish(&p);
}
END_TEST

/* An outage looks like a black hole; the first probe puts that right. */
START_TEST(an_outage_is_no_lasting_harm)
{
    struct world_options options = path;
    struct pair p;

    transfer(&p, &options, 8000000);
    run_to(&p, 500000);
    p.world.middle_mtu = 60;
    p.world.black_hole = true;
    for (tlsyn_time until = p.world.now + TLSYN_SECONDS(3); p.world.now < until;)
        world_step(&p.world, until);
    ck_assert_uint_lt(client_pmtu(&p), 1500);
    p.world.middle_mtu = 0;
    run_to(&p, 4000000);
    ck_assert_uint_eq(client_pmtu(&p), 1500);
    finish(&p);
}
END_TEST

/* RFC 8201 4: ten minutes later the path may be wider. */
START_TEST(a_path_that_widens_is_noticed)
{
    struct world_options options = path;
    struct pair p;

    options.middle_mtu = 1300;
    options.to_server.rate = 200000;
    options.to_server.queue_bytes = 20000;
    transfer(&p, &options, 18000000);
    run_to(&p, 100000);
    ck_assert_uint_eq(client_pmtu(&p), 1300);
    p.world.middle_mtu = 0;
    tlsyn_time began = p.world.now;
    while (p.world.now < began + TLSYN_SECONDS(590))
        world_step(&p.world, began + TLSYN_SECONDS(590));
    ck_assert_uint_eq(client_pmtu(&p), 1300);
    while (p.world.now < began + TLSYN_SECONDS(620))
        world_step(&p.world, began + TLSYN_SECONDS(620));
    ck_assert_uint_eq(client_pmtu(&p), 1500);
    finish(&p);
}
END_TEST

Suite *tcp_mtu_suite(void);

Suite *tcp_mtu_suite(void)
{
    Suite *s = suite_create("tcp_mtu");
    TCase *script = tcase_create("script"), *world = tcase_create("world");

    tcase_add_test(script, a_believed_too_big_is_remembered_for_the_next_connection);
    tcase_add_test(script, a_new_connection_starts_with_what_is_known);
    tcase_add_test(script, our_own_mss_is_the_links_whatever_the_path_takes);
    tcase_add_test(script, a_too_big_about_nothing_outstanding_teaches_nothing);
    tcase_add_loop_test(script, a_too_big_against_the_evidence_waits_for_a_timeout, 0, 2);
    tcase_add_test(script, a_third_timeout_of_a_full_segment_makes_them_smaller);
    tcase_add_test(script, timeouts_of_small_segments_say_nothing_about_size);
    tcase_add_test(script, a_router_that_refuses_a_probe_says_what_to_try_next);
    tcase_add_test(script, where_a_router_says_that_nothing_has_changed_the_search_is_over);
    tcase_add_test(script, a_probe_that_is_lost_among_others_tells_nothing);
    tcase_add_test(script, nor_does_one_that_a_timeout_ends);
    suite_add_tcase(s, script);
    tcase_set_timeout(world, 60);
    tcase_add_loop_test(world, a_router_that_tells_costs_a_round_trip, 0, 2);
    tcase_add_loop_test(world, a_black_hole_is_found_and_its_edge_too, 0, 2);
    tcase_add_test(world, a_lost_probe_costs_no_window);
    tcase_add_test(world, a_probe_is_not_cut_by_the_pace);
    tcase_add_test(world, an_outage_is_no_lasting_harm);
    tcase_add_test(world, a_path_that_widens_is_noticed);
    suite_add_tcase(s, world);
    return s;
}
