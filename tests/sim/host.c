/*
 * sim/host.c: one host: its bounds by the plan, and the four calls in whatever order and however
 * late the scheduler likes.
 */
#include "sim/host.h"

#include "support/must.h"

static void set_bound(uint32_t *bound, int64_t value)
{
    if (value >= 0)
        *bound = (uint32_t)value;
}

static void limits_of(const struct plan *p, struct tlsyn_limits *limits)
{
    tlsyn_limits_default(limits);
    if (p->ring_bytes)
        limits->ring_bytes = (uint64_t)p->ring_bytes;
    if (p->snd_ring_max)
        limits->snd_ring_max = (uint32_t)p->snd_ring_max;
    if (p->rcv_ring_max)
        limits->rcv_ring_max = (uint32_t)p->rcv_ring_max;
    set_bound(&limits->syn_backlog, p->syn_backlog);
    set_bound(&limits->embedded_per_second, p->embedded_per_second);
    set_bound(&limits->sent_pieces, p->sent_pieces);
    set_bound(&limits->ooo_ranges, p->ooo_ranges);
    set_bound(&limits->time_wait, p->time_wait);
    limits->msl = p->msl;
    limits->embed_off_min = p->remember;
}

void host_open(struct host *h, const struct plan *plan, struct network *n, int number,
               struct tlsyn_trace *trace)
{
    struct tlsyn_addr address = network_address(plan, number);
    struct tlsyn_addr gateway = network_gateway(plan, number), any = {{0}};
    struct tlsyn_limits limits;

    *h = (struct host){.plan = plan, .network = n, .number = number};
    limits_of(plan, &limits);
    plan_draw(plan, DRAW_STACK, (uint64_t)number * 2, &h->random);
    plan_draw(plan, DRAW_STACK, (uint64_t)number * 2 + 1, &h->whims);
    test_memory_init(&h->memory);
    if (!plan->ip6)
        any = tlsyn_addr_ip4((const uint8_t[4]){0});
    h->stack = tlsyn_stack_new(&(struct tlsyn_stack_options){.limits = &limits,
                                                             .alloc = &h->memory.base,
                                                             .random = &h->random.base,
                                                             .trace = trace,
                                                             .now = n->now});
    must(h->stack != NULL);
    must(tlsyn_iface_add(h->stack, &n->port[number].link, &h->iface) == 0);
    tlsyn_iface_dad(h->iface, 0);
    must(tlsyn_iface_address(h->iface, &address, network_prefix(plan)) == 0);
    must(tlsyn_route_add(h->stack, &any, 0, &gateway) == 0);
}

void host_begin(struct host *h)
{
    h->whimsical = true;
    plan_draw(h->plan, DRAW_MEMORY, (uint64_t)h->number, &h->luck);
    if (h->plan->oom_nth)
        test_memory_fail(&h->memory, (uint64_t)h->plan->oom_nth);
    h->memory.random = &h->luck.base;
    h->memory.fail_chance = (uint32_t)h->plan->oom;
}

void host_ease(struct host *h)
{
    test_memory_fail_all(&h->memory, false);
    h->memory.fail_chance = 0;
}

void host_close(struct host *h)
{
    tlsyn_stack_free(h->stack);
}

static bool input(struct host *h)
{
    struct tlsyn_frame frame[TLSYN_LINK_BATCH];
    struct network *n = h->network;
    int most = h->whimsical ? (int)h->plan->batch : TLSYN_LINK_BATCH;
    int got = tlsyn_link_receive(&n->port[h->number].link, frame, most, n->now);

    for (int i = 0; i < got; i++)
        tlsyn_stack_input(h->stack, h->iface, &frame[i], n->now);
    return got > 0;
}

static bool output(struct host *h)
{
    return tlsyn_stack_output(h->stack, h->network->now) > 0;
}

/* The three calls, in the order of the loop or in another one. */
static bool serve(struct host *h, uint32_t order)
{
    bool any = false;

    if (order == 1)
        any = output(h);
    if (order == 2)
        tlsyn_stack_timers(h->stack, h->network->now);
    any = input(h) || any;
    if (order != 2)
        tlsyn_stack_timers(h->stack, h->network->now);
    if (order != 1)
        any = output(h) || any;
    return any;
}

/* Until when it does nothing now. */
static void rest(struct host *h)
{
    const struct plan *p = h->plan;
    struct random_seeded *r = &h->whims;

    if (p->lazy && plan_chance(r, p->lazy))
        h->sleeps_until = h->network->now + plan_upto(r, p->lazy_for);
    if (p->jump && plan_chance(r, p->jump))
        h->sleeps_until = h->network->now + plan_upto(r, p->jump_for);
}

static bool is_due(const struct host *h)
{
    return network_has_arrived(h->network, h->number) ||
           tlsyn_stack_next_timeout(h->stack) <= h->network->now;
}

bool host_turn(struct host *h)
{
    uint32_t order = 0;

    if (h->sleeps_until > h->network->now || !is_due(h))
        return false;
    if (h->whimsical && h->plan->mixed)
        order = random_below(&h->whims.base, 3);
    bool any = serve(h, order);
    if (h->whimsical)
        rest(h);
    return any;
}

tlsyn_time host_next(const struct host *h)
{
    tlsyn_time next = tlsyn_stack_next_timeout(h->stack);

    if (network_has_arrived(h->network, h->number))
        next = h->network->now;
    return next > h->sleeps_until ? next : h->sleeps_until;
}
