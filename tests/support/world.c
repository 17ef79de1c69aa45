/*
 * support/world.c: two hosts and a path.
 */
#include "support/world.h"

#include "support/middle.h"
#include "support/must.h"

#define BATCH      32
#define PIPE_DEPTH 4096

static void open_host(struct world *w, int which, const struct world_options *options)
{
    struct world_host *host = &w->host[which];

    random_seed(&host->random, options->seed * 2 + (uint64_t)which);
    test_memory_init(&host->memory);
    host->addr = tlsyn_addr_ip4((const uint8_t[]){10, 0, 0, (uint8_t)(which + 1)});
    if (options->ip6)
        host->addr = (struct tlsyn_addr){{0xfd, 0x77, [15] = (uint8_t)(which + 1)}};
    host->stack = tlsyn_stack_new(&(struct tlsyn_stack_options){
        .limits = options->limits,
        .alloc = &host->memory.base,
        .random = &host->random.base,
        .trace = options->trace[which],
        .now = w->now,
    });
    must(host->stack != NULL);
    must(tlsyn_iface_add(host->stack, host->link, &host->iface) == 0);
    tlsyn_iface_dad(host->iface, 0); /* nobody else is there */
    must(tlsyn_iface_address(host->iface, &host->addr, options->ip6 ? 64 : 24) == 0);
}

void world_open(struct world *w, const struct world_options *options)
{
    struct tlsyn_link_caps caps = options->caps;
    struct tlsyn_impairment out = options->to_server, in = options->to_client;
    struct tlsyn_link *ends[2];

    *w = (struct world){.now = TLSYN_SECONDS(1000),
                        .middle_mtu = options->middle_mtu,
                        .black_hole = options->black_hole};
    if (caps.mtu == 0)
        caps.mtu = 1500;
    must(tlsyn_pipe_open(&caps, PIPE_DEPTH, ends) == 0);
    out.seed = options->seed * 4 + 2;
    in.seed = options->seed * 4 + 3;
    must(tlsyn_middlebox_wrap(ends[0], &w->middlebox) == 0);
    must(tlsyn_impair_wrap(w->middlebox, &out, &in, &w->host[WORLD_CLIENT].link) == 0);
    w->host[WORLD_SERVER].link = ends[1];
    for (int i = 0; i < WORLD_HOSTS; i++)
        open_host(w, i, options);
}

void world_close(struct world *w)
{
    for (int i = 0; i < WORLD_HOSTS; i++) {
        tlsyn_stack_free(w->host[i].stack);
        must(w->host[i].memory.blocks == 0);
    }
    tlsyn_link_close(w->host[WORLD_CLIENT].link);
    tlsyn_link_close(w->host[WORLD_SERVER].link);
}

/* True if the frame that `which` is about to get comes through the middle. */
static bool passes_middle(struct world *w, int which, const struct tlsyn_frame *frame)
{
    struct world_host *sender = &w->host[!which];
    uint8_t reply[MIDDLE_REPLY_MAX];
    size_t len = w->middle_mtu ? middle_stops(frame, w->middle_mtu, reply) : 0;
    struct tlsyn_frame back = {.iovcnt = 1, .iov = {{reply, len}}};

    if (len == 0)
        return true;
    w->too_long++;
    if (!w->black_hole)
        tlsyn_stack_input(sender->stack, sender->iface, &back, w->now);
    return false;
}

/* True if the host did anything. */
static bool turn(struct world *w, int which)
{
    struct world_host *host = &w->host[which];
    struct tlsyn_frame frame[BATCH];
    int got = tlsyn_link_receive(host->link, frame, BATCH, w->now);

    must(got >= 0);
    for (int i = 0; i < got; i++) {
        if (!passes_middle(w, which, &frame[i]))
            continue;
        if (w->watch)
            w->watch(w, which, &frame[i]);
        tlsyn_stack_input(host->stack, host->iface, &frame[i], w->now);
    }
    tlsyn_stack_timers(host->stack, w->now);
    return tlsyn_stack_output(host->stack, w->now) > 0 || got > 0;
}

static tlsyn_time next_event(const struct world *w)
{
    tlsyn_time next = TLSYN_NEVER;

    for (int i = 0; i < WORLD_HOSTS; i++) {
        tlsyn_time timer = tlsyn_stack_next_timeout(w->host[i].stack);
        tlsyn_time link = tlsyn_link_next_timeout(w->host[i].link);

        next = timer < next ? timer : next;
        next = link < next ? link : next;
    }
    return next;
}

bool world_step(struct world *w, tlsyn_time until)
{
    bool busy = turn(w, WORLD_CLIENT);

    busy = turn(w, WORLD_SERVER) || busy;
    if (busy)
        return true;
    tlsyn_time next = next_event(w);
    if (next == TLSYN_NEVER || next > until) {
        w->now = until > w->now ? until : w->now;
        return next != TLSYN_NEVER;
    }
    w->now = next > w->now ? next : w->now + 1;
    return true;
}

bool world_run(struct world *w, tlsyn_time duration, const bool *done)
{
    tlsyn_time until = w->now + duration;

    while (!*done && w->now < until)
        if (!world_step(w, until))
            break;
    return *done;
}
