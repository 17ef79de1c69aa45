/*
 * Controllers on a bottleneck, end to end under a virtual clock: whole stacks, 20 Mbit/s, 20 ms, a
 * queue of one bandwidth-delay product unless said otherwise. What they use of it, what they leave
 * each other, and what BBR makes of its model.
 */
#include <check.h>

#include "support/bulk.h"
#include "support/world.h"

#define RATE  20000000u /* bits per second */
#define DELAY TLSYN_MS(10)
#define BDP   50000u /* bytes */
#define FLOWS 2

/* Of 1514 bytes, 1448 are text. */
#define SHARE(bytes, seconds) ((double)(bytes)*8 / (seconds) / (RATE * (1448.0 / 1514.0)))

struct lane {
    struct world w;
    struct bulk client[FLOWS], server[FLOWS];
    int flows;
};

static struct lane *opened(const char *const *controllers, int flows, uint32_t queue, double loss)
{
    static struct lane l;
    struct tlsyn_impairment there = {.delay = DELAY, .queue_bytes = 1 << 20};
    struct tlsyn_impairment back = {
        .delay = DELAY, .rate = RATE, .queue_bytes = queue, .loss = loss};

    l = (struct lane){.flows = flows};
    world_open(&l.w, &(struct world_options){.seed = 7, .to_server = there, .to_client = back});
    for (int i = 0; i < flows; i++) {
        struct tlsyn_listen_options listen = {.local = {.port = (uint16_t)(443 + i)},
                                              .conn = {.controller = controllers[i]}};
        struct tlsyn_connect_options connect = {
            .remote = {l.w.host[WORLD_SERVER].addr, (uint16_t)(443 + i)}};

        bulk_init(&l.client[i], 0, 1u << 30);
        bulk_init(&l.server[i], 1u << 30, 0);
        ck_assert_int_eq(
            tlsyn_listener_open(l.w.host[WORLD_SERVER].stack, &listen, &l.server[i].acceptor, NULL),
            0);
        ck_assert_int_eq(
            tlsyn_conn_open(l.w.host[WORLD_CLIENT].stack, &connect, &l.client[i].handler, NULL), 0);
    }
    return &l;
}

static void closed(struct lane *l)
{
    for (int i = 0; i < l->flows; i++) {
        tlsyn_conn_abort(l->client[i].conn, 0);
        tlsyn_conn_abort(l->server[i].conn, 0);
    }
    world_close(&l->w);
}

static void runs(struct lane *l, tlsyn_time time)
{
    bool never = false;

    world_run(&l->w, time, &never);
}

static struct tlsyn_conn_info sender(const struct lane *l)
{
    struct tlsyn_conn_info info;

    tlsyn_conn_info(l->server[0].conn, &info);
    return info;
}

static const char *const alone[] = {"cubic", "newreno", "bbr"};

START_TEST(a_flow_alone_fills_the_pipe) /* loop: the controllers */
{
    struct lane *l = opened(&alone[_i], 1, BDP, 0);

    runs(l, TLSYN_SECONDS(2));
    uint64_t before = l->client[0].received;
    runs(l, TLSYN_SECONDS(8));
    double share = SHARE(l->client[0].received - before, 8.0);
    ck_assert_str_eq(sender(l).controller, alone[_i]);
    ck_assert_msg(share > 0.9, "%s: %g", alone[_i], share);
    closed(l);
}
END_TEST

static const struct pair {
    const char *who[2];
    double least; /* of the pipe, for each */
} pairs[] = {{{"cubic", "cubic"}, 0.3}, {{"cubic", "newreno"}, 0.25}, {{"bbr", "bbr"}, 0.3}};

START_TEST(two_flows_leave_each_other_room) /* loop */
{
    const struct pair *p = &pairs[_i];
    struct lane *l = opened(p->who, 2, BDP, 0);
    uint64_t before[2];
    double share[2];

    runs(l, TLSYN_SECONDS(6));
    for (int i = 0; i < 2; i++)
        before[i] = l->client[i].received;
    runs(l, TLSYN_SECONDS(12));
    for (int i = 0; i < 2; i++)
        share[i] = SHARE(l->client[i].received - before[i], 12.0);
    ck_assert_msg(share[0] > p->least && share[1] > p->least && share[0] + share[1] > 0.9,
                  "%s %g, %s %g", p->who[0], share[0], p->who[1], share[1]);
    closed(l);
}
END_TEST

START_TEST(bbr_learns_the_path)
{
    struct lane *l = opened(&alone[2], 1, 4 * BDP, 0);
    uint32_t least = UINT32_MAX, most = 0;

    runs(l, TLSYN_SECONDS(3));
    for (int i = 0; i < 700; i++) {
        runs(l, TLSYN_MS(10));
        struct tlsyn_conn_info info = sender(l);

        least = info.cwnd < least ? info.cwnd : least;
        most = info.cwnd > most ? info.cwnd : most;
        ck_assert_uint_le(info.pacing_rate, RATE / 8 * 3 / 2);
        ck_assert_uint_ge(info.delivery_rate, RATE / 8 / 4);
    }
    ck_assert_int_lt(sender(l).srtt, TLSYN_MS(45)); /* of a queue of 80 ms */
    ck_assert_uint_le(least, BDP * 6 / 10);         /* ProbeRTT */
    ck_assert_uint_le(most, BDP * 3);
    closed(l);
}
END_TEST

START_TEST(bbr_bears_one_per_cent_of_loss)
{
    struct lane *l = opened(&alone[2], 1, BDP, 0.01);

    runs(l, TLSYN_SECONDS(2));
    uint64_t before = l->client[0].received;
    runs(l, TLSYN_SECONDS(8));
    double share = SHARE(l->client[0].received - before, 8.0);
    ck_assert_msg(share > 0.8, "%g", share);
    closed(l);
}
END_TEST

START_TEST(a_controller_may_be_changed_under_way)
{
    struct lane *l = opened(&alone[0], 1, BDP, 0);
    struct tlsyn_conn_options options;

    runs(l, TLSYN_SECONDS(2));
    for (int i = 0; i < 3; i++) {
        tlsyn_conn_get_options(l->server[0].conn, &options);
        options.controller = alone[2 - i];
        ck_assert_int_eq(tlsyn_conn_set_options(l->server[0].conn, &options), 0);
        ck_assert_str_eq(sender(l).controller, alone[2 - i]);
        uint64_t before = l->client[0].received;
        runs(l, TLSYN_SECONDS(4));
        ck_assert_double_gt(SHARE(l->client[0].received - before, 4.0), 0.8);
    }
    options.controller = "vegas";
    ck_assert_int_lt(tlsyn_conn_set_options(l->server[0].conn, &options), 0);
    closed(l);
}
END_TEST

Suite *cc_bottleneck_suite(void);

Suite *cc_bottleneck_suite(void)
{
    Suite *s = suite_create("cc_bottleneck");
    TCase *all = tcase_create("all");

    tcase_set_timeout(all, 120);
    tcase_add_loop_test(all, a_flow_alone_fills_the_pipe, 0, 3);
    tcase_add_loop_test(all, two_flows_leave_each_other_room, 0, 3);
    tcase_add_test(all, bbr_learns_the_path);
    tcase_add_test(all, bbr_bears_one_per_cent_of_loss);
    tcase_add_test(all, a_controller_may_be_changed_under_way);
    suite_add_tcase(s, all);
    return s;
}
