/*
 * sim/run.c: the clock, whose turn it is, and what must hold at every step and at the end.
 */
#include "sim/run.h"

#include <stdio.h>
#include <stdlib.h>

#include "sim/flow.h"
#include "sim/witness.h"
#include "support/must.h"
#include "tcp/conn.h"

#define START      TLSYN_SECONDS(1000)
#define LIMIT      TLSYN_SECONDS(4 * 3600)
#define SPINS_MAX  20000   /* turns without a frame, a microsecond apart */
#define BUSY_MAX   2000000 /* turns at one time */
#define FRAMES_MAX 5000000
#define PACE       64 /* counts are checked after so many turns */

struct run {
    const struct plan *plan;
    struct network network;
    struct witness witness;
    struct host host[PLAN_HOSTS_MAX];
    struct tcp *tcp[PLAN_HOSTS_MAX]; /* NULL: no connection was seen yet */
    struct host_trace {
        struct tlsyn_trace base;
        int host;
    } trace[PLAN_HOSTS_MAX];
    struct flows flows;
    uint64_t turns, spins, busy;
    tlsyn_time began;
    struct outcome *outcome;
};

static void fail(struct run *run, const char *wrong)
{
    if (run->outcome->failed)
        return;
    run->outcome->failed = true;
    snprintf(run->outcome->wrong, sizeof(run->outcome->wrong), "%s", wrong);
}

/* --- what must hold --------------------------------------------------------------------------- */

struct look {
    struct tlsyn_visitor visitor;
    struct tcp *tcp;
    int conns;
};

static bool on_conn(struct tlsyn_visitor *visitor, const struct tlsyn_conn *conn)
{
    struct look *look = container_of(visitor, struct look, visitor);

    look->tcp = conn->tcp;
    look->conns++;
    return true;
}

static bool print_conn(struct tlsyn_visitor *visitor, const struct tlsyn_conn *conn)
{
    (void)visitor;
    printf(
        "  %u>%u %s, una %u nxt %u wnd %u, rcv %u, send ring %u/%u, receive ring %u/%u of %llu\n",
        conn->local.port, conn->remote.port, tlsyn_state_name(conn->state), conn->snd_una,
        conn->snd_nxt, conn->snd_wnd, conn->rcv_nxt, conn->snd.used,
        conn->snd.memory ? conn->snd.size : 0, conn->rcv.used,
        conn->rcv.memory ? conn->rcv.size : 0, (unsigned long long)conn->tcp->ring_bytes);
    return true;
}

static void print_conns(struct run *run)
{
    struct tlsyn_visitor visitor = {.on_conn = print_conn};

    for (int i = 0; i < run->plan->hosts; i++) {
        printf("host %d:\n", i);
        tlsyn_stack_walk(run->host[i].stack, &visitor);
    }
}

static int connections(struct run *run, int host)
{
    struct look look = {.visitor = {.on_conn = on_conn}};

    tlsyn_stack_walk(run->host[host].stack, &look.visitor);
    if (look.tcp)
        run->tcp[host] = look.tcp;
    return look.conns;
}

/* All connections have gone: so has what they held. */
static void check_empty(struct run *run)
{
    for (int i = 0; i < run->plan->hosts; i++) {
        const struct tcp *tcp = run->tcp[i];

        if (!tcp)
            continue;
        tlsyn_stack_timers(run->host[i].stack, run->network.now); /* the last ones are reaped */
        tlsyn_stack_output(run->host[i].stack, run->network.now);
        if (tcp->ring_bytes || tcp->half_open || tcp->embedded || tcp->time_wait_count ||
            !list_empty(&tcp->all) || !list_empty(&tcp->ready))
            fail(run, "connections have gone and left something");
    }
}

static void check_counts(struct run *run)
{
    for (int i = 0; i < run->plan->hosts; i++) {
        if (run->tcp[i])
            tcp_check_all(run->tcp[i]);
        else
            connections(run, i);
    }
}

/* --- time ------------------------------------------------------------------------------------- */

static bool turn(struct run *run)
{
    int hosts = (int)run->plan->hosts, first = (int)(run->turns % (uint64_t)hosts);
    bool any = network_step(&run->network);

    run->turns++;
    any = flows_step(&run->flows) || any;
    for (int i = 0; i < hosts; i++)
        any = host_turn(&run->host[(first + i) % hosts]) || any;
    if (run->turns % PACE == 0)
        check_counts(run);
    return any;
}

static tlsyn_time next_of(const struct run *run)
{
    tlsyn_time next = network_next(&run->network), flows = flows_next(&run->flows);

    next = flows < next ? flows : next;
    for (int i = 0; i < run->plan->hosts; i++) {
        tlsyn_time host = host_next(&run->host[i]);

        next = host < next ? host : next;
    }
    return next;
}

/* False: nothing will ever happen again, or something is wrong. */
static bool step(struct run *run)
{
    tlsyn_time *now = &run->network.now;

    if (turn(run)) {
        run->spins = 0;
        if (++run->busy > BUSY_MAX)
            fail(run, "no end of it at one time");
    } else {
        tlsyn_time next = next_of(run);

        run->busy = 0;
        if (next == TLSYN_NEVER)
            return false;
        run->spins = next > *now ? 0 : run->spins + 1;
        *now = next > *now ? next : *now + 1;
        if (run->spins > SPINS_MAX)
            fail(run, "turns without end, and nothing is done");
    }
    if (run->plan->oom_for && *now >= run->began + run->plan->oom_for)
        for (int i = 0; i < run->plan->hosts; i++)
            host_ease(&run->host[i]);
    if (run->network.frames > FRAMES_MAX)
        fail(run, "frames without end");
    if (run->witness.wrong[0])
        fail(run, run->witness.wrong);
    if (run->flows.wrong)
        fail(run, run->flows.wrong);
    return !run->outcome->failed;
}

/* Until all flows are over. */
static void play(struct run *run)
{
    while (!flows_are_over(&run->flows)) {
        bool more = step(run);

        more = flows_step(&run->flows) || more; /* the last one may have ended just now */
        if (run->outcome->failed)
            return;
        if (!more || run->network.now > run->began + LIMIT) {
            fail(run, more ? "stuck" : "stuck, and nothing to wait for");
            return;
        }
    }
}

static bool all_gone(struct run *run)
{
    bool gone = true;

    for (int i = 0; i < run->plan->hosts; i++)
        gone = connections(run, i) == 0 && gone;
    return gone;
}

/* Until the last connection has gone. */
static void settle(struct run *run)
{
    tlsyn_time began = run->network.now;

    flows_deafen(&run->flows);
    while (!run->outcome->failed && !all_gone(run)) {
        bool more = step(run);

        if ((!more && !all_gone(run)) || run->network.now > began + LIMIT)
            fail(run, "a connection that nobody has any more stays");
    }
    if (!run->outcome->failed)
        check_empty(run);
}

/* --- the stage -------------------------------------------------------------------------------- */

static void print_event(struct tlsyn_trace *trace, const struct tlsyn_trace_record *record)
{
    char text[512];

    if (tlsyn_trace_json(record, text, sizeof(text)) > 0)
        printf("host %d %s\n", container_of(trace, struct host_trace, base)->host, text);
}

static void answered(struct tlsyn_ping_handler *handler, const struct tlsyn_addr *from,
                     uint16_t sequence, size_t size, uint8_t ttl, int error)
{
    (void)handler, (void)from, (void)sequence, (void)size, (void)ttl, (void)error;
}

/* Every host knows its router: what waits for that otherwise may be dropped, which is none of
 * TCP's business. */
static void introduce(struct run *run)
{
    struct tlsyn_ping_handler handler = {answered};

    for (int i = 0; i < run->plan->hosts; i++) {
        struct tlsyn_addr other = network_address(run->plan, i ? 0 : 1);

        tlsyn_ping(run->host[i].stack, &other, 1, 1, 0, &handler);
    }
    for (bool any = true; any;) {
        any = network_step(&run->network);
        for (int i = 0; i < run->plan->hosts; i++)
            any = host_turn(&run->host[i]) || any;
    }
    for (int i = 0; i < run->plan->hosts; i++)
        tlsyn_ping_stop(run->host[i].stack);
}

static void open_all(struct run *run, enum telling telling)
{
    const uint64_t dull =
        1ull << TLSYN_TRACE_link_rx | 1ull << TLSYN_TRACE_link_tx | 1ull << TLSYN_TRACE_ip_rx;
    const struct plan *p = run->plan;

    network_open(&run->network, p, START);
    witness_open(&run->witness, p);
    run->network.watch = &run->witness.watch;
    for (int i = 0; i < p->hosts; i++) {
        run->trace[i] = (struct host_trace){.base = {print_event, ~dull}, .host = i};
        host_open(&run->host[i], p, &run->network, i,
                  telling == TELL_ALL ? &run->trace[i].base : NULL);
    }
    introduce(run);
    flows_begin(&run->flows, p, run->host, &run->network.now);
    run->began = run->network.now;
    run->flows.verbose = telling != TELL_NOTHING;
    run->network.verbose = telling == TELL_ALL;
    network_begin(&run->network);
    for (int i = 0; i < p->hosts; i++)
        host_begin(&run->host[i]);
}

static void close_all(struct run *run)
{
    for (int i = 0; i < run->plan->hosts; i++)
        host_close(&run->host[i]);
    flows_end(&run->flows);
    for (int i = 0; i < run->plan->hosts; i++)
        if (run->host[i].memory.blocks != 0)
            fail(run, "memory did not come back");
    witness_close(&run->witness);
    network_close(&run->network);
}

void run_play(const struct plan *plan, enum telling telling, struct outcome *outcome)
{
    struct run *run = calloc(1, sizeof(*run));

    must(run != NULL);
    *outcome = (struct outcome){0};
    run->plan = plan;
    run->outcome = outcome;
    open_all(run, telling);
    play(run);
    if (!outcome->failed)
        settle(run);
    outcome->frames = run->network.frames;
    outcome->turns = run->turns;
    outcome->lasted = run->network.now - run->began;
    if (telling != TELL_NOTHING && outcome->failed)
        print_conns(run);
    if (telling != TELL_NOTHING && outcome->failed)
        flows_tell(&run->flows);
    if (telling != TELL_NOTHING && outcome->failed && run->flows.wrong)
        printf("flow %d: %s\n", run->flows.wrong_flow, run->flows.wrong);
    close_all(run);
    free(run);
}
