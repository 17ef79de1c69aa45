/*
 * sim: whole stacks on a simulated network, by seeds.
 *
 * A seed chooses the path (delay, jitter, rate, loss, reordering, duplication, corruption, per
 * direction), the link's capabilities, the level of the open, whether SYN cookies answer, buffer
 * sizes and the memory for them, how much each side says, and how its users behave: bulk both ways,
 * a half-close, a slow reader, one who aborts. Invariants: bytes in = bytes out; both users learn
 * the end, once; nobody is stuck; memory returns; tcp_check() holds wherever TLSYN_CHECK is on. A
 * seed always gives the same run.
 *
 *     sim [--from N] [--count M] [--verbose]
 */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>

#include "support/bulk.h"
#include "support/world.h"

#define PORT       443
#define LIMIT      TLSYN_SECONDS(4 * 3600)
#define COUNT      800
#define STEPS_MAX  20000000
#define BYTES_MAX  300000
#define RING_SMALL 4096u

struct plan {
    struct world_options world;
    enum tlsyn_level level;
    struct tlsyn_conn_options client, server;
    uint64_t up, down;
    bool early;
    tlsyn_time read_every; /* 0: at once; else a slow reader, so often */
    uint32_t read_limit;
    tlsyn_time abort_at; /* 0: nobody aborts */
    bool client_aborts;
    struct tlsyn_limits limits;
};

struct run {
    const struct plan *plan;
    struct world world;
    struct bulk client, server;
    tlsyn_time began;
};

/* --- what a seed chooses ---------------------------------------------------------------------- */

static bool once_in(struct tlsyn_random *r, uint32_t n)
{
    return random_below(r, n) == 0;
}

static struct tlsyn_impairment choose_path(struct tlsyn_random *r)
{
    struct tlsyn_impairment path = {.delay = TLSYN_MS(random_below(r, 60))};

    if (once_in(r, 2))
        path.jitter = TLSYN_MS(random_below(r, 10));
    if (once_in(r, 2))
        path.loss = random_unit(r) * (once_in(r, 5) ? 0.25 : 0.05);
    if (once_in(r, 3))
        path.reorder = random_unit(r) * 0.2;
    if (once_in(r, 3))
        path.duplicate = random_unit(r) * 0.1;
    if (once_in(r, 4))
        path.corrupt = random_unit(r) * 0.05;
    if (once_in(r, 4)) {
        path.rate = 1000000 + random_below(r, 20000000);
        path.queue_bytes = 3000 + random_below(r, 60000);
    }
    return path;
}

static struct tlsyn_conn_options choose_options(struct tlsyn_random *r)
{
    struct tlsyn_conn_options o = {
        .nagle = once_in(r, 3),
        .no_timestamps = once_in(r, 4),
        .no_sack = once_in(r, 4),
        .no_window_scale = once_in(r, 4),
        .no_delack = once_in(r, 5),
        .user_timeout = LIMIT,
        .syn_timeout = LIMIT,
    };

    if (once_in(r, 3))
        o.snd_ring = RING_SMALL << random_below(r, 5);
    if (once_in(r, 3))
        o.rcv_ring = RING_SMALL << random_below(r, 5);
    if (once_in(r, 5))
        o.mss_max = (uint16_t)(100 + random_below(r, 1300));
    return o;
}

static uint64_t choose_size(struct tlsyn_random *r)
{
    return random_below(r, once_in(r, 3) ? BYTES_MAX : 3000);
}

static void choose_liveliness(struct tlsyn_conn_options *o, struct tlsyn_random *r)
{
    o->cork = once_in(r, 6);
    o->keepalive = once_in(r, 4);
    o->keep_idle = TLSYN_MS(50 + random_below(r, 2000));
    o->keep_interval = TLSYN_MS(10 + random_below(r, 500));
}

/* Drawn last, so that older seeds keep their paths. */
static void choose_more(struct plan *plan, struct tlsyn_random *r)
{
    tlsyn_limits_default(&plan->limits);
    plan->world.limits = &plan->limits;
    choose_liveliness(&plan->client, r);
    choose_liveliness(&plan->server, r);
    if (once_in(r, 4)) /* every open by a SYN cookie */
        plan->limits.syn_backlog = 0;
    if (once_in(r, 6)) /* hardly room for what both have to hold */
        plan->limits.ring_bytes = (32u << 10) + random_below(r, 200000);
    if (once_in(r, 6)) {
        plan->limits.snd_ring_max = 10000 + random_below(r, 100000);
        plan->limits.rcv_ring_max = 10000 + random_below(r, 100000);
    }
}

static void choose(struct plan *plan, uint64_t seed)
{
    struct random_seeded seeded;
    struct tlsyn_random *r = &seeded.base;

    random_seed(&seeded, seed);
    *plan = (struct plan){.world = {.seed = seed}};
    plan->world.to_server = choose_path(r);
    plan->world.to_client = choose_path(r);
    plan->world.caps.mtu = (uint16_t)(once_in(r, 4) ? 600 + random_below(r, 900) : 1500);
    if (once_in(r, 4)) {
        plan->world.caps.gso_max = 65000;
        plan->world.caps.csum = true;
    }
    plan->world.ip6 = once_in(r, 3);
    if (plan->world.ip6 && plan->world.caps.mtu < 1280)
        plan->world.caps.mtu = (uint16_t)(plan->world.caps.mtu + 680);
    if (once_in(r, 4)) { /* a path that is narrower somewhere, and may not say so */
        uint16_t least = plan->world.ip6 ? 1280 : 576;

        plan->world.middle_mtu =
            (uint16_t)(least + random_below(r, plan->world.caps.mtu - least + 1u));
        plan->world.black_hole = once_in(r, 2);
    }
    plan->level = random_below(r, 4);
    plan->client = choose_options(r);
    plan->server = choose_options(r);
    plan->early = plan->level != TLSYN_LEVEL_NONE && plan->level != TLSYN_LEVEL_PAPER;
    plan->up = choose_size(r);
    plan->down = choose_size(r);
    if (once_in(r, 4)) {
        plan->read_every = TLSYN_MS(1 + random_below(r, 100));
        plan->read_limit = 500 + random_below(r, 20000);
    }
    if (once_in(r, 8)) {
        plan->abort_at = 1 + TLSYN_MS(random_below(r, 1000));
        plan->client_aborts = once_in(r, 2);
    }
    choose_more(plan, r);
}

/* --- one run ---------------------------------------------------------------------------------- */

static void ping_answered(struct tlsyn_ping_handler *handler, const struct tlsyn_addr *from,
                          uint16_t sequence, size_t size, uint8_t ttl, int error)
{
    (void)handler, (void)from, (void)sequence, (void)size, (void)ttl, (void)error;
}

/* ARP gives up after three lost frames, which is none of TCP's business: it is done over
 * a perfect path. */
static void resolve(struct run *run)
{
    const struct world_options *o = &run->plan->world;
    struct tlsyn_impairment perfect = {0}, out = o->to_server, in = o->to_client;
    struct tlsyn_ping_handler handler = {ping_answered};
    struct world *w = &run->world;
    bool never = false;

    tlsyn_impair_set(w->host[WORLD_CLIENT].link, &perfect, &perfect);
    tlsyn_ping(w->host[WORLD_CLIENT].stack, &w->host[WORLD_SERVER].addr, 1, 1, 0, &handler);
    world_run(w, TLSYN_MS(10), &never);
    tlsyn_ping_stop(w->host[WORLD_CLIENT].stack);
    out.seed = o->seed * 4 + 2;
    in.seed = o->seed * 4 + 3;
    tlsyn_impair_set(w->host[WORLD_CLIENT].link, &out, &in);
}

static int begin(struct run *run)
{
    const struct plan *plan = run->plan;
    struct tlsyn_listen_options listen = {.local = {.port = PORT},
                                          .open = true,
                                          .cookies = true,
                                          .paper = true,
                                          .conn = plan->server};
    struct tlsyn_connect_options connect = {.remote = {run->world.host[WORLD_SERVER].addr, PORT},
                                            .level = plan->level,
                                            .conn = plan->client};

    bulk_init(&run->client, plan->up, plan->down);
    bulk_init(&run->server, plan->down, plan->up);
    run->client.early = run->server.early = plan->early;
    run->client.read_limit = run->server.read_limit = plan->read_limit;
    int error = tlsyn_listener_open(run->world.host[WORLD_SERVER].stack, &listen,
                                    &run->server.acceptor, NULL);
    if (error == 0)
        error = tlsyn_conn_open(run->world.host[WORLD_CLIENT].stack, &connect, &run->client.handler,
                                NULL);
    return error;
}

static bool over(const struct run *run)
{
    bool unheard =
        run->server.conn == NULL && run->server.establisheds == 0; /* gone before it came */

    return run->client.finished && (run->server.finished || (run->plan->abort_at && unheard));
}

static void users_act(struct run *run, tlsyn_time *next_read)
{
    const struct plan *plan = run->plan;
    struct bulk *who = plan->client_aborts ? &run->client : &run->server;

    if (plan->read_every && run->world.now >= *next_read) {
        *next_read = run->world.now + plan->read_every;
        if (run->client.conn)
            bulk_read(&run->client);
        if (run->server.conn)
            bulk_read(&run->server);
    }
    if (plan->abort_at && run->world.now >= run->began + plan->abort_at && who->conn)
        tlsyn_conn_abort(who->conn, -ECANCELED);
}

/* NULL, or what went wrong. */
static const char *outcome(const struct run *run)
{
    const struct plan *plan = run->plan;
    bool aborted = run->client.error == -ECANCELED || run->server.error == -ECANCELED;
    double lossy = plan->world.to_client.loss + plan->world.to_client.corrupt +
                   plan->world.to_server.loss + plan->world.to_server.corrupt +
                   (double)(plan->world.to_client.rate + plan->world.to_server.rate);

    if (!over(run) && aborted && lossy > 0)
        return NULL; /* its RST was lost, and who has nothing to say never asks again */
    if (!over(run))
        return "stuck";
    if (run->client.closes > 1 || run->server.closes > 1)
        return "the end was told twice";
    if (run->plan->abort_at && (run->client.error || run->server.error))
        return NULL; /* it was in time; what arrived was compared as it came */
    if (run->client.error || run->server.error)
        return "an error";
    if (run->client.received != run->plan->down || run->server.received != run->plan->up)
        return "bytes are missing";
    return NULL;
}

static const char *play(struct run *run)
{
    tlsyn_time next_read = 0;

    if (begin(run) < 0)
        return "not opened";
    run->began = run->world.now;
    for (uint64_t steps = 0; !over(run) && steps < STEPS_MAX; steps++) {
        tlsyn_time until = run->began + LIMIT;

        users_act(run, &next_read);
        if (run->plan->read_every && next_read < until)
            until = next_read;
        if (run->plan->abort_at && run->world.now < run->began + run->plan->abort_at &&
            run->began + run->plan->abort_at < until)
            until = run->began + run->plan->abort_at;
        bool more = world_step(&run->world, until);
        if (run->world.now >= run->began + LIMIT || (!more && !run->plan->read_every))
            break;
    }
    return outcome(run);
}

static bool simulate(uint64_t seed, bool verbose)
{
    static struct run run;
    static struct plan plan;

    choose(&plan, seed);
    run = (struct run){.plan = &plan};
    world_open(&run.world, &plan.world);
    resolve(&run);
    const char *wrong = play(&run);
    if (wrong || verbose)
        printf("seed %llu: %s: IPv%d, level %d, up %llu/%llu, down %llu/%llu, client %s %d, server "
               "%s %d, "
               "after %.3f s\n",
               (unsigned long long)seed, wrong ? wrong : "ok", plan.world.ip6 ? 6 : 4,
               (int)plan.level, (unsigned long long)run.server.received,
               (unsigned long long)plan.up, (unsigned long long)run.client.received,
               (unsigned long long)plan.down, run.client.finished ? "finished" : "open",
               run.client.error, run.server.finished ? "finished" : "open", run.server.error,
               (double)(run.world.now - run.began) / 1e6);
    world_close(&run.world);
    return wrong == NULL;
}

int main(int argc, char **argv)
{
    static const struct option options[] = {{"from", required_argument, NULL, 'f'},
                                            {"count", required_argument, NULL, 'c'},
                                            {"verbose", no_argument, NULL, 'v'},
                                            {0}};
    unsigned long long from = 1, count = COUNT, failed = 0;
    bool verbose = false;
    int c;

    while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
        if (c == 'f')
            from = strtoull(optarg, NULL, 0);
        else if (c == 'c')
            count = strtoull(optarg, NULL, 0);
        else if (c == 'v')
            verbose = true;
        else
            return EXIT_FAILURE;
    }
    for (unsigned long long seed = from; seed < from + count; seed++) {
        if (simulate(seed, verbose))
            continue;
        failed++;
        printf("again: %s --from %llu --count 1 --verbose\n", argv[0], seed);
        fflush(stdout);
    }
    printf("sim: %llu of %llu seeds from %llu failed\n", failed, count, from);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
