/*
 * Two whole stacks over an impaired path: what goes in comes out, both ends learn the end, and
 * memory returns.
 */
#include <check.h>

#include "support/bulk.h"
#include "support/world.h"

#define PORT 443

struct pair {
    struct world world;
    struct bulk client, server;
    bool done;
};

static void ping_answered(struct tlsyn_ping_handler *handler, const struct tlsyn_addr *from,
                          uint16_t sequence, size_t size, uint8_t ttl, int error)
{
    (void)handler, (void)from, (void)sequence, (void)size, (void)ttl;
    ck_assert_int_eq(error, 0);
}

/* ARP gives up after three lost frames, which is none of TCP's business: let it be done
 * over a good path. */
static void resolve(struct world *w, const struct world_options *options)
{
    struct tlsyn_impairment perfect = {0}, out = options->to_server, in = options->to_client;
    struct tlsyn_ping_handler handler = {ping_answered};
    struct tlsyn_stack *client = w->host[WORLD_CLIENT].stack;
    bool never = false;

    tlsyn_impair_set(w->host[WORLD_CLIENT].link, &perfect, &perfect);
    ck_assert_int_eq(tlsyn_ping(client, &w->host[WORLD_SERVER].addr, 1, 1, 0, &handler), 0);
    world_run(w, TLSYN_MS(10), &never);
    tlsyn_ping_stop(client);
    out.seed = options->seed * 4 + 2;
    in.seed = options->seed * 4 + 3;
    tlsyn_impair_set(w->host[WORLD_CLIENT].link, &out, &in);
}

static void open_pair(struct pair *p, const struct world_options *options, uint64_t up,
                      uint64_t down)
{
    world_open(&p->world, options);
    resolve(&p->world, options);
    bulk_init(&p->client, up, down);
    bulk_init(&p->server, down, up);
}

static void start(struct pair *p, enum tlsyn_level level)
{
    struct tlsyn_listen_options listen = {
        .local = {.port = PORT}, .open = true, .cookies = true, .paper = true};
    struct tlsyn_connect_options connect = {.remote = {p->world.host[WORLD_SERVER].addr, PORT},
                                            .level = level};

    ck_assert_int_eq(
        tlsyn_listener_open(p->world.host[WORLD_SERVER].stack, &listen, &p->server.acceptor, NULL),
        0);
    ck_assert_int_eq(
        tlsyn_conn_open(p->world.host[WORLD_CLIENT].stack, &connect, &p->client.handler, NULL), 0);
}

/* Runs until both users have been told the end; a stuck connection fails. */
static void run_to_end(struct pair *p, tlsyn_time limit)
{
    tlsyn_time until = p->world.now + limit;

    while (!(p->client.finished && p->server.finished) && p->world.now < until)
        ck_assert_msg(world_step(&p->world, until),
                      "nothing will ever happen again: client %s error %d, server %s error %d",
                      p->client.conn ? "open" : "closed", p->client.error,
                      p->server.conn ? "open" : "closed", p->server.error);
    ck_assert_msg(p->client.finished && p->server.finished,
                  "not finished: client %llu/%llu, server %llu/%llu",
                  (unsigned long long)p->client.received, (unsigned long long)p->client.expected,
                  (unsigned long long)p->server.received, (unsigned long long)p->server.expected);
    ck_assert_int_eq(p->client.error, 0);
    ck_assert_int_eq(p->server.error, 0);
    ck_assert_uint_eq(p->client.received, p->client.expected);
    ck_assert_uint_eq(p->server.received, p->server.expected);
    ck_assert_int_eq(p->client.establisheds, 1);
    ck_assert_int_eq(p->server.establisheds, 1);
}

static void transfer(const struct world_options *options, uint64_t up, uint64_t down)
{
    struct pair p;

    open_pair(&p, options, up, down);
    start(&p, TLSYN_LEVEL_NONE);
    run_to_end(&p, TLSYN_SECONDS(3600));
    world_close(&p.world);
}

START_TEST(bytes_arrive_both_ways_over_a_perfect_path)
{
    transfer(&(struct world_options){.seed = 1}, 1 << 20, 3 << 20);
}
END_TEST

START_TEST(bytes_arrive_over_a_path_that_loses_and_reorders)
{
    struct tlsyn_impairment bad = {.delay = TLSYN_MS(5),
                                   .jitter = TLSYN_MS(1),
                                   .loss = 0.02,
                                   .reorder = 0.02,
                                   .duplicate = 0.01,
                                   .corrupt = 0.01};

    transfer(&(struct world_options){.seed = (uint64_t)_i, .to_server = bad, .to_client = bad},
             500000, 700000);
}
END_TEST

START_TEST(bytes_arrive_when_every_fifth_frame_is_lost)
{
    struct tlsyn_impairment bad = {.delay = TLSYN_MS(2), .loss = 0.2};

    transfer(
        &(struct world_options){.seed = 100 + (uint64_t)_i, .to_server = bad, .to_client = bad},
        60000, 60000);
}
END_TEST

START_TEST(super_frames_are_cut_by_a_link_that_can)
{
    transfer(&(struct world_options){.seed = 7, .caps = {.gso_max = 65000, .csum = true}}, 4 << 20,
             4 << 20);
}
END_TEST

START_TEST(waiting_for_arp_is_no_round_trip_of_the_path)
{
    const struct world_options options = {
        .seed = 21, .to_server = {.delay = TLSYN_MS(10)}, .to_client = {.delay = TLSYN_MS(10)}};
    struct tlsyn_conn_info info = {0};
    struct pair p;

    world_open(&p.world, &options);
    bulk_init(&p.client, 20000, 20000);
    bulk_init(&p.server, 20000, 20000);
    start(&p, TLSYN_LEVEL_NONE);
    /* 20 ms until the neighbour has answered, then round trips of 20 ms */
    while (info.srtt == 0) {
        world_step(&p.world, p.world.now + TLSYN_SECONDS(1));
        tlsyn_conn_info(p.client.conn, &info);
    }
    ck_assert_int_ge(info.srtt, TLSYN_MS(20));
    ck_assert_int_lt(info.srtt, TLSYN_MS(25));
    run_to_end(&p, TLSYN_SECONDS(60));
    world_close(&p.world);
}
END_TEST

/* --- the embedded handshake ------------------------------------------------------------------- */

static void embedded(enum tlsyn_level level, uint64_t seed)
{
    struct pair p;
    struct tlsyn_impairment path = {.delay = TLSYN_MS(10)};

    open_pair(&p, &(struct world_options){.seed = seed, .to_server = path, .to_client = path}, 300,
              400);
    p.client.early = p.server.early = true;
    start(&p, level);
    run_to_end(&p, TLSYN_SECONDS(10));
    ck_assert_int_eq(p.client.opens, 1);
    ck_assert_int_eq(p.client.synacks, 1);
    ck_assert_int_eq(p.server.syns, level == TLSYN_LEVEL_NONE ? 0 : 1);
    uint64_t acked =
        tlsyn_counter(p.world.host[WORLD_CLIENT].stack, TLSYN_COUNT_tcp_syn_data_acked);
    ck_assert_uint_eq(acked, level == TLSYN_LEVEL_NONE ? 0 : 1);
    world_close(&p.world);
}

START_TEST(payload_rides_in_syn_and_syn_ack)
{
    embedded(TLSYN_LEVEL_OPEN, 11);
    embedded(TLSYN_LEVEL_COOKIE, 12);
}
END_TEST

START_TEST(payload_waits_for_the_handshake_at_level_none)
{
    embedded(TLSYN_LEVEL_NONE, 13);
}
END_TEST

Suite *stream_suite(void);

Suite *stream_suite(void)
{
    Suite *s = suite_create("stream");
    TCase *plain = tcase_create("plain");
    TCase *hooks = tcase_create("embedded");

    tcase_set_timeout(plain, 120);
    tcase_add_test(plain, bytes_arrive_both_ways_over_a_perfect_path);
    tcase_add_loop_test(plain, bytes_arrive_over_a_path_that_loses_and_reorders, 0, 40);
    tcase_add_loop_test(plain, bytes_arrive_when_every_fifth_frame_is_lost, 0, 20);
    tcase_add_test(plain, waiting_for_arp_is_no_round_trip_of_the_path);
    tcase_add_test(plain, super_frames_are_cut_by_a_link_that_can);
    suite_add_tcase(s, plain);
    tcase_add_test(hooks, payload_rides_in_syn_and_syn_ack);
    tcase_add_test(hooks, payload_waits_for_the_handshake_at_level_none);
    suite_add_tcase(s, hooks);
    return s;
}
