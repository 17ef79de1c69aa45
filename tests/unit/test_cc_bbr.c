/*
 * BBR's states on a path of 20 Mbit/s and 20 ms, under a virtual clock: in which order they follow
 * each other, how long they last, and what is in flight meanwhile. Read first: draft-ietf-ccwg-bbr
 * 5.3.
 */
#include <check.h>

#include "support/bulk.h"
#include "support/world.h"
#include "tcp/cc_bbr.h"
#include "tcp/conn.h"
#include "tcp/recovery.h"

#define RATE   20000000u /* bits per second */
#define DELAY  TLSYN_MS(10)
#define BDP    50000u /* bytes */
#define STATES (BBR_PROBE_RTT + 1)

/* What was seen of a state, all of its visits together. */
struct visits {
    int count;
    tlsyn_time shortest, longest;
    uint32_t most_in_flight, least_in_flight; /* when it ended */
    uint32_t most_cwnd;                       /* when it ended */
};

struct path {
    struct world w;
    struct bulk client, server;
    struct visits seen[STATES];
    bool follows[STATES][STATES]; /* [from][to] */
    enum bbr_state state;
    tlsyn_time since;
};

static void left(struct path *p, uint32_t in_flight, uint32_t cwnd)
{
    struct visits *v = &p->seen[p->state];
    tlsyn_time took = p->w.now - p->since;

    v->shortest = v->count == 0 || took < v->shortest ? took : v->shortest;
    v->longest = took > v->longest ? took : v->longest;
    v->least_in_flight =
        v->count == 0 || in_flight < v->least_in_flight ? in_flight : v->least_in_flight;
    v->most_in_flight = in_flight > v->most_in_flight ? in_flight : v->most_in_flight;
    v->most_cwnd = cwnd > v->most_cwnd ? cwnd : v->most_cwnd;
    v->count++;
}

/* Runs for a while and watches the sender, ACK by ACK. */
static struct path *watched(tlsyn_time time)
{
    static struct path p;
    struct tlsyn_impairment there = {.delay = DELAY};
    struct tlsyn_impairment back = {.delay = DELAY, .rate = RATE, .queue_bytes = 8 * BDP};
    const struct tlsyn_listen_options listen = {.local = {.port = 443},
                                                .conn = {.controller = "bbr"}};

    p = (struct path){.state = BBR_STARTUP};
    world_open(&p.w, &(struct world_options){.seed = 3, .to_server = there, .to_client = back});
    const struct tlsyn_connect_options connect = {.remote = {p.w.host[WORLD_SERVER].addr, 443}};
    bulk_init(&p.client, 0, 1u << 30);
    bulk_init(&p.server, 1u << 30, 0);
    ck_assert_int_eq(
        tlsyn_listener_open(p.w.host[WORLD_SERVER].stack, &listen, &p.server.acceptor, NULL), 0);
    ck_assert_int_eq(
        tlsyn_conn_open(p.w.host[WORLD_CLIENT].stack, &connect, &p.client.handler, NULL), 0);
    p.since = p.w.now;
    for (tlsyn_time until = p.w.now + time; p.w.now < until && world_step(&p.w, until);) {
        const struct tlsyn_conn *sender = p.server.conn;

        if (!sender || sender->cc.ops != &cc_bbr || sender->cc.of.bbr->state == p.state)
            continue;
        left(&p, tcp_pipe(sender), sender->cc.cwnd);
        p.follows[p.state][sender->cc.of.bbr->state] = true;
        p.state = sender->cc.of.bbr->state;
        p.since = p.w.now;
    }
    return &p;
}

static void closed(struct path *p)
{
    tlsyn_conn_abort(p->client.conn, 0);
    tlsyn_conn_abort(p->server.conn, 0);
    world_close(&p->w);
}

START_TEST(states_follow_each_other_as_the_draft_draws_them)
{
    static const bool may[STATES][STATES] = {
        [BBR_STARTUP] = {[BBR_DRAIN] = true},
        /* DOWN may be over with the ACK that it begins with: there is no queue any more. */
        [BBR_DRAIN] = {[BBR_PROBE_BW_DOWN] = true, [BBR_PROBE_BW_CRUISE] = true},
        [BBR_PROBE_BW_DOWN] =
            {[BBR_PROBE_BW_CRUISE] = true, [BBR_PROBE_BW_REFILL] = true, [BBR_PROBE_RTT] = true},
        [BBR_PROBE_BW_CRUISE] = {[BBR_PROBE_BW_REFILL] = true, [BBR_PROBE_RTT] = true},
        [BBR_PROBE_BW_REFILL] = {[BBR_PROBE_BW_UP] = true, [BBR_PROBE_RTT] = true},
        [BBR_PROBE_BW_UP] = {[BBR_PROBE_BW_DOWN] = true, [BBR_PROBE_RTT] = true},
        [BBR_PROBE_RTT] = {[BBR_PROBE_BW_CRUISE] = true},
    };
    struct path *p = watched(TLSYN_SECONDS(12));

    for (int from = 0; from < STATES; from++)
        for (int to = 0; to < STATES; to++)
            ck_assert_msg(!p->follows[from][to] || may[from][to], "%d to %d", from, to);
    for (int state = 0; state < STATES; state++)
        ck_assert_msg(p->seen[state].count > 0, "state %d", state);
    ck_assert_int_eq(p->seen[BBR_STARTUP].count, 1);
    ck_assert_int_eq(p->seen[BBR_DRAIN].count, 1);
    closed(p);
}
END_TEST

START_TEST(startup_fills_the_pipe_and_drain_empties_the_queue)
{
    struct path *p = watched(TLSYN_SECONDS(2));

    /* ten segments to 35 of the pipe, three rounds without growth, and their queue */
    ck_assert_int_lt(p->seen[BBR_STARTUP].longest, TLSYN_MS(500));
    ck_assert_uint_gt(p->seen[BBR_STARTUP].least_in_flight, BDP * 3 / 2);
    ck_assert_uint_le(p->seen[BBR_STARTUP].most_cwnd, BDP * 3);
    ck_assert_uint_le(p->seen[BBR_DRAIN].most_in_flight, BDP * 5 / 4);
    closed(p);
}
END_TEST

START_TEST(probes_of_bandwidth_are_short_and_cruising_is_long)
{
    struct path *p = watched(TLSYN_SECONDS(12));
    const struct visits *up = &p->seen[BBR_PROBE_BW_UP], *cruise = &p->seen[BBR_PROBE_BW_CRUISE];

    ck_assert_int_ge(up->count, 3);
    ck_assert_int_lt(up->longest, TLSYN_MS(500));
    ck_assert_uint_gt(up->most_in_flight, BDP * 11 / 10); /* more than the pipe holds */
    ck_assert_uint_le(up->most_cwnd, BDP * 3);
    ck_assert_int_gt(cruise->longest, TLSYN_MS(300));
    ck_assert_int_lt(p->seen[BBR_PROBE_BW_REFILL].longest, TLSYN_MS(100)); /* a round trip */
    closed(p);
}
END_TEST

START_TEST(the_round_trip_is_probed_every_five_seconds_for_a_fifth_of_one)
{
    struct path *p = watched(TLSYN_SECONDS(12));
    const struct visits *rtt = &p->seen[BBR_PROBE_RTT];

    ck_assert_int_eq(rtt->count, 2);
    ck_assert_int_ge(rtt->shortest, TLSYN_MS(200));
    ck_assert_int_lt(rtt->longest, TLSYN_MS(350));
    ck_assert_uint_le(rtt->most_in_flight, BDP * 6 / 10); /* half, and a segment or two */
    closed(p);
}
END_TEST

Suite *cc_bbr_suite(void);

Suite *cc_bbr_suite(void)
{
    Suite *s = suite_create("cc_bbr");
    TCase *all = tcase_create("states");

    tcase_set_timeout(all, 60);
    tcase_add_test(all, states_follow_each_other_as_the_draft_draws_them);
    tcase_add_test(all, startup_fills_the_pipe_and_drain_empties_the_queue);
    tcase_add_test(all, probes_of_bandwidth_are_short_and_cruising_is_long);
    tcase_add_test(all, the_round_trip_is_probed_every_five_seconds_for_a_fifth_of_one);
    suite_add_tcase(s, all);
    return s;
}
