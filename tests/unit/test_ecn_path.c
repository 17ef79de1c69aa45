/*
 * ECN end to end under a virtual clock: whole stacks, 20 Mbit/s, 20 ms, and a bottleneck that
 * marks. Read first: RFC 3168 5 and 6.1, RFC 9768 3.
 */
#include <check.h>

#include "support/bulk.h"
#include "support/world.h"

#define RATE  20000000u /* bits per second */
#define QUEUE 1000000u  /* bytes: ten times what the path holds */
#define BYTES (10u << 20)

struct way {
    const char *controller;
    bool ip6, ecn;
    bool uploads; /* the client, whose SYN asks, sends; else the server */
};

struct lane {
    struct world w;
    struct bulk client, server;
};

static struct lane *opened(const struct way *way, const struct tlsyn_impairment *bottleneck)
{
    static struct lane l;
    struct tlsyn_impairment plain = {.delay = TLSYN_MS(10)};
    struct tlsyn_listen_options listen = {.local = {.port = 443},
                                          .conn = {.controller = way->controller}};
    struct tlsyn_connect_options connect = {
        .conn = {.controller = way->controller, .ecn = way->ecn}};

    l = (struct lane){.w = {0}};
    world_open(&l.w, &(struct world_options){.seed = 7,
                                             .ip6 = way->ip6,
                                             .to_server = way->uploads ? *bottleneck : plain,
                                             .to_client = way->uploads ? plain : *bottleneck});
    connect.remote = (struct tlsyn_endpoint){l.w.host[WORLD_SERVER].addr, 443};
    bulk_init(&l.client, way->uploads ? BYTES : 0, way->uploads ? 0 : BYTES);
    bulk_init(&l.server, way->uploads ? 0 : BYTES, way->uploads ? BYTES : 0);
    l.client.keep_open = l.server.keep_open = true;
    ck_assert_int_eq(
        tlsyn_listener_open(l.w.host[WORLD_SERVER].stack, &listen, &l.server.acceptor, NULL), 0);
    ck_assert_int_eq(
        tlsyn_conn_open(l.w.host[WORLD_CLIENT].stack, &connect, &l.client.handler, NULL), 0);
    return &l;
}

static void closed(struct lane *l)
{
    tlsyn_conn_abort(l->client.conn, 0);
    tlsyn_conn_abort(l->server.conn, 0);
    world_close(&l->w);
}

/* Until everything has arrived; what the sender then knows. */
static struct tlsyn_conn_info transferred(struct lane *l, const struct way *way)
{
    const struct bulk *to = way->uploads ? &l->server : &l->client;
    struct tlsyn_conn_info info;

    for (int i = 0; i < 600 && to->received < BYTES; i++) {
        bool never = false;

        world_run(&l->w, TLSYN_MS(100), &never);
    }
    ck_assert_uint_eq(to->received, BYTES); /* each byte as it must be: bulk looks at them */
    tlsyn_conn_info(way->uploads ? l->client.conn : l->server.conn, &info);
    return info;
}

static uint32_t marked_there(const struct lane *l, const struct way *way)
{
    struct tlsyn_conn_info info;

    tlsyn_conn_info(way->uploads ? l->server.conn : l->client.conn, &info);
    return info.marked;
}

static const struct way ways[] = {
    {"cubic", false, true, false},  {"cubic", true, true, true}, {"newreno", false, true, true},
    {"newreno", true, true, false}, {"bbr", false, true, false},
};
#define WAYS (int)(sizeof(ways) / sizeof(ways[0]))

START_TEST(marks_by_chance_reduce_and_nothing_is_sent_again) /* loop: ways */
{
    const struct tlsyn_impairment marking = {.delay = TLSYN_MS(10), .mark = 0.02};
    const struct way *way = &ways[_i];
    struct lane *l = opened(way, &marking);
    struct tlsyn_conn_info info = transferred(l, way);

    ck_assert_int_eq(info.ecn, TLSYN_ECN_ACCURATE);
    ck_assert_uint_gt(marked_there(l, way), BYTES / 1460 / 100);
    ck_assert_uint_eq(info.delivered_marked, marked_there(l, way));
    ck_assert_uint_eq(info.retransmits, 0);
    if (way->controller[0] != 'b')
        ck_assert_uint_lt(info.ssthresh, BYTES); /* it has been reduced */
    closed(l);
}
END_TEST

/* The longest that the queue made the path, us, after the first second. */
static tlsyn_time longest_rtt(struct lane *l, const struct way *way)
{
    tlsyn_time longest = 0;
    bool never = false;

    world_run(&l->w, TLSYN_SECONDS(1), &never);
    for (int i = 0; i < 30; i++) {
        struct tlsyn_conn_info info;

        world_run(&l->w, TLSYN_MS(100), &never);
        tlsyn_conn_info(way->uploads ? l->client.conn : l->server.conn, &info);
        longest = info.srtt > longest ? info.srtt : longest;
    }
    return longest;
}

START_TEST(a_bottleneck_that_marks_stays_short) /* loop: the first four ways */
{
    const struct tlsyn_impairment marking = {
        .delay = TLSYN_MS(10), .rate = RATE, .queue_bytes = QUEUE, .mark_queue = 20000};
    struct way way = ways[_i];
    struct lane *l = opened(&way, &marking);
    tlsyn_time with = longest_rtt(l, &way);
    struct tlsyn_conn_info info = transferred(l, &way);
    tlsyn_time took = l->w.now;

    ck_assert_uint_gt(info.delivered_marked, 0);
    ck_assert_uint_eq(info.retransmits, 0);
    closed(l);
    way.ecn = false;
    l = opened(&way, &marking);
    tlsyn_time without = longest_rtt(l, &way);
    info = transferred(l, &way);
    ck_assert_uint_eq(info.delivered_marked, 0);
    ck_assert_int_lt(with, TLSYN_MS(40)); /* 20, and 8 in the queue when it begins to mark */
    ck_assert_int_gt(without, TLSYN_MS(50));
    ck_assert_msg(took - TLSYN_SECONDS(1000) < (l->w.now - TLSYN_SECONDS(1000)) * 3 / 2,
                  "a short queue is not an empty link");
    closed(l);
}
END_TEST

Suite *ecn_path_suite(void);

Suite *ecn_path_suite(void)
{
    Suite *s = suite_create("ecn_path");
    TCase *all = tcase_create("all");

    tcase_set_timeout(all, 120);
    tcase_add_loop_test(all, marks_by_chance_reduce_and_nothing_is_sent_again, 0, WAYS);
    tcase_add_loop_test(all, a_bottleneck_that_marks_stays_short, 0, 4);
    suite_add_tcase(s, all);
    return s;
}
