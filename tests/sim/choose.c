/*
 * sim/choose.c: the plan that a seed draws: what there may be, how often, and how much of it. What
 * is drawn by later functions leaves as it was what earlier ones drew.
 */
#include <tlsyn/conn.h>
#include <tlsyn/link.h>

#include "sim/plan.h"

static bool once_in(struct random_seeded *r, uint32_t n)
{
    return random_below(&r->base, n) == 0;
}

static int64_t between(struct random_seeded *r, int64_t least, int64_t most)
{
    return least + plan_upto(r, most - least);
}

/* A chance up to `most`, once in n; else 0. */
static int64_t maybe(struct random_seeded *r, uint32_t n, int64_t most)
{
    int64_t chance = plan_upto(r, most);

    return once_in(r, n) ? chance : 0;
}

static void choose_topology(struct plan *p, struct random_seeded *r)
{
    int64_t least;

    p->hosts = once_in(r, 3) ? between(r, 3, PLAN_HOSTS_MAX) : 2;
    p->ip6 = once_in(r, 3);
    least = p->ip6 ? 1280 : 576;
    if (once_in(r, 4))
        p->mtu = between(r, least, 1500);
    if (once_in(r, 30))
        p->mtu = 9000;
    if (once_in(r, 5))
        p->mtu_less = plan_upto(r, p->mtu - least);
    if (once_in(r, 3))
        p->middle_mtu = once_in(r, 2) ? p->mtu : between(r, least, p->mtu);
    p->black_hole = once_in(r, 3);
    if (once_in(r, 5))
        p->gso = 65000;
}

static void choose_path(struct plan *p, struct random_seeded *r)
{
    p->delay = TLSYN_MS(plan_upto(r, once_in(r, 8) ? 300 : 40));
    p->jitter = maybe(r, 2, TLSYN_MS(10));
    if (once_in(r, 3)) {
        p->rate = between(r, once_in(r, 4) ? 50000 : 1000000, 30000000);
        p->queue = between(r, 3000, 100000);
        p->mark = maybe(r, 3, p->queue);
    }
    p->loss = maybe(r, 2, once_in(r, 5) ? 200000 : 40000);
    p->reorder = maybe(r, 3, 150000);
    p->duplicate = maybe(r, 3, 80000);
    p->corrupt = maybe(r, 4, 40000);
}

static void choose_weather(struct plan *p, struct random_seeded *r)
{
    if (!once_in(r, 3))
        return;
    p->phase = TLSYN_MS(between(r, 1, once_in(r, 4) ? 3000 : 200));
    p->phases = between(r, 1, 30);
    p->outage = maybe(r, 2, 400000);
    p->burst = maybe(r, 3, 500000);
    p->detour = maybe(r, 3, 500000);
    p->shuffle = maybe(r, 3, 500000);
    p->echo = maybe(r, 4, 500000);
    p->dirt = maybe(r, 4, 300000);
}

static void choose_schedule(struct plan *p, struct random_seeded *r)
{
    if (once_in(r, 3))
        p->batch = between(r, 1, 32);
    p->lazy = maybe(r, 4, 300000);
    p->lazy_for = TLSYN_MS(plan_upto(r, once_in(r, 3) ? 100 : 3));
    p->jump = maybe(r, 8, 3000);
    p->jump_for = TLSYN_MS(plan_upto(r, 5000));
    p->mixed = once_in(r, 4);
}

static void choose_bounds(struct plan *p, struct random_seeded *r)
{
    if (once_in(r, 12)) {
        p->oom_nth = once_in(r, 2) ? between(r, 1, 200) : 0;
        p->oom = once_in(r, 2) ? plan_upto(r, once_in(r, 3) ? 500000 : 50000) : 0;
        p->oom_for = TLSYN_MS(between(r, 1, 20000));
    }
    if (once_in(r, 8))
        p->ring_bytes = between(r, 32 << 10, 250000);
    if (once_in(r, 8)) {
        p->snd_ring_max = between(r, 10000, 110000);
        p->rcv_ring_max = between(r, 10000, 110000);
    }
    if (once_in(r, 5))
        p->syn_backlog = once_in(r, 2) ? 0 : between(r, 1, 20);
    if (once_in(r, 8))
        p->embedded_per_second = between(r, 0, 3);
    if (once_in(r, 8))
        p->sent_pieces = between(r, 0, 20);
    if (once_in(r, 8))
        p->ooo_ranges = between(r, 1, 8);
    if (once_in(r, 8))
        p->time_wait = between(r, 1, 20);
    if (once_in(r, 3))
        p->msl = TLSYN_MS(between(r, 100, 60000));
}

static void choose_options(struct plan *p, struct random_seeded *r)
{
    int64_t *const chances[] = {
        &p->nagle,     &p->cork,      &p->no_timestamps, &p->no_sack, &p->no_window_scale,
        &p->no_delack, &p->keepalive, &p->small_ring,    &p->ecn};

    for (size_t i = 0; i < sizeof(chances) / sizeof(*chances); i++)
        *chances[i] = maybe(r, 2, 600000);
    p->small_mss = maybe(r, 4, 600000);
    p->newreno = maybe(r, 4, PLAN_MILLION);
    p->bbr = maybe(r, 4, PLAN_MILLION);
    p->paced = maybe(r, 8, 400000);
}

static void choose_number(struct plan *p, struct random_seeded *r)
{
    p->size = once_in(r, 2) ? 3000 : 20000;
    if (once_in(r, 100)) { /* many, short */
        p->flows = between(r, 200, once_in(r, 3) ? 2000 : 500);
        p->at_once = between(r, 1, 64);
        p->size = 300;
    } else if (once_in(r, 3)) {
        p->flows = between(r, 2, 8);
        p->at_once = between(r, 1, p->flows);
    }
    p->gap = maybe(r, 2, TLSYN_MS(50));
    if (p->flows <= 8) {
        p->big = once_in(r, 3) ? plan_upto(r, PLAN_MILLION) : 0;
        p->big_size = once_in(r, 10) ? 1000000 : 200000;
        if (p->loss > 50000) /* what takes hours tells no more */
            p->big_size = 30000;
    }
}

static void choose_flows(struct plan *p, struct random_seeded *r)
{
    int64_t *const chances[] = {&p->request, &p->half_close, &p->server_first, &p->slow,
                                &p->dribble, &p->release,    &p->change};

    choose_number(p, r);
    p->level = plan_upto(r, 5);
    if (once_in(r, 4))
        p->admit = plan_upto(r, 7);
    p->early = once_in(r, 2) ? PLAN_MILLION : plan_upto(r, PLAN_MILLION);
    for (size_t i = 0; i < sizeof(chances) / sizeof(*chances); i++)
        *chances[i] = maybe(r, 3, 700000);
    p->abort = maybe(r, 8, 800000);
    if (once_in(r, 20)) {
        p->deaf_at = TLSYN_MS(between(r, 1, 500));
        p->deaf_for = TLSYN_MS(between(r, 1, 3000));
    }
}

/* Asymmetric cryptography is slow: a few flows in a few seeds. */
static void choose_tls(struct plan *p, struct random_seeded *r)
{
    if (!once_in(r, 25))
        return;
    p->tls = between(r, 1, 4);
    p->flows = between(r, 1, 3);
    p->at_once = between(r, 1, p->flows);
}

/* Who comes back must have been here, and at the same server. */
static void choose_returning(struct plan *p, struct random_seeded *r)
{
    if (!p->tls || once_in(r, 3))
        return;
    p->returning = between(r, 1, 2);
    p->hosts = 2;
    p->flows = between(r, 3, 8);
    p->gap = TLSYN_MS(between(r, 1, 1000));
}

static void choose_handshake(struct plan *p, struct random_seeded *r)
{
    bool by_id = p->returning == 1 && once_in(r, 2);

    if (!p->tls)
        return;
    p->returning = by_id ? 3 : p->returning;
    p->chains = once_in(r, 2);
    p->retry = once_in(r, 4);
    p->pad = once_in(r, 3);
    p->handshakes = once_in(r, 6) ? between(r, 1, 3) : 0;
}

/* What a proxy of the old kind leaves of a connection: no options but the MSS, its own, and windows
 * that both ends think to have heard of. It sends nothing again: its path must be a good one. */
static void suit_a_proxy(struct plan *p)
{
    int64_t *const off[] = {
        &p->mtu_less, &p->middle_mtu,   &p->rate,       &p->loss,      &p->reorder, &p->duplicate,
        &p->corrupt,  &p->phases,       &p->oom_nth,    &p->oom,       &p->oom_for, &p->ring_bytes,
        &p->deaf_at,  &p->rcv_ring_max, &p->small_ring, &p->small_mss, &p->change};

    for (size_t i = 0; i < sizeof(off) / sizeof(*off); i++)
        *off[i] = 0;
    p->mtu = 1500;
    p->syn_backlog = -1;
    p->flows = p->flows < 40 ? p->flows : 40; /* a box knows so many and some */
    p->at_once = p->at_once < p->flows ? p->at_once : p->flows;
}

static void choose_box(struct plan *p, struct random_seeded *r)
{
    static const int64_t boxes[] = {
        TLSYN_MIDDLEBOX_STRIP_TEXT,
        TLSYN_MIDDLEBOX_STRIP_OPTION,
        TLSYN_MIDDLEBOX_DROP_SYN,
        TLSYN_MIDDLEBOX_RESET_SYN,
        TLSYN_MIDDLEBOX_DROP_ANSWER,
        TLSYN_MIDDLEBOX_PROXY,
        TLSYN_MIDDLEBOX_STRIP_TEXT | TLSYN_MIDDLEBOX_STRIP_OPTION,
        TLSYN_MIDDLEBOX_STRIP_OPTION | TLSYN_MIDDLEBOX_DROP_ANSWER,
    };

    p->bleach = once_in(r, 12);
    p->ecn_classic = maybe(r, 4, PLAN_MILLION);
    if (!once_in(r, 12))
        return;
    p->box = boxes[random_below(&r->base, sizeof(boxes) / sizeof(*boxes))];
    if (p->box == TLSYN_MIDDLEBOX_PROXY)
        suit_a_proxy(p);
    if (p->box & TLSYN_MIDDLEBOX_STRIP_OPTION && !p->tls)
        p->admit &= 3; /* without its option a SYN may look like one of PAPER's */
    if (p->box == TLSYN_MIDDLEBOX_RESET_SYN && p->level >= TLSYN_LEVEL_FASTOPEN)
        p->level = TLSYN_LEVEL_OPEN; /* with a cookie, a reset is believed */
}

static void choose_flood(struct plan *p, struct random_seeded *r)
{
    if (!once_in(r, 25) || p->box & TLSYN_MIDDLEBOX_PROXY)
        return;
    p->flood = between(r, 10, once_in(r, 2) ? 3000 : 300);
    p->flood_for = TLSYN_MS(between(r, 10, 2000));
}

/* Who meets it must hear of it once, and remember it for the rest of the run. A box knows so many
 * connections, and keeps those that are over. */
static void choose_swallowing(struct plan *p, struct random_seeded *r)
{
    static const int64_t others[] = {0, TLSYN_MIDDLEBOX_STRIP_TEXT, TLSYN_MIDDLEBOX_STRIP_OPTION,
                                     TLSYN_MIDDLEBOX_DROP_ANSWER};

    if (p->box || !once_in(r, p->tls ? 4 : 20))
        return;
    p->box = TLSYN_MIDDLEBOX_SWALLOW | others[random_below(&r->base, 4)];
    p->remember = TLSYN_SECONDS(24 * 3600);
    p->flows = p->flows < 20 ? p->flows : 20;
    p->at_once = p->at_once < p->flows ? p->at_once : p->flows;
    if (p->box & TLSYN_MIDDLEBOX_STRIP_OPTION && !p->tls)
        p->admit &= 3; /* as above */
}

/* Callbacks that fail. */
static void choose_refusing(struct plan *p, struct random_seeded *r)
{
    p->refuse = maybe(r, 16, 700000);
}

void plan_choose(struct plan *plan, uint64_t seed)
{
    struct random_seeded r;

    plan_off(plan);
    random_seed(&r, seed);
    plan->seed = (int64_t)seed;
    choose_topology(plan, &r);
    choose_path(plan, &r);
    choose_weather(plan, &r);
    choose_schedule(plan, &r);
    choose_bounds(plan, &r);
    choose_options(plan, &r);
    choose_flows(plan, &r);
    choose_tls(plan, &r);
    plan->remember = maybe(&r, 2, TLSYN_SECONDS(5));
    choose_returning(plan, &r);
    choose_handshake(plan, &r);
    choose_box(plan, &r);
    choose_flood(plan, &r);
    choose_swallowing(plan, &r);
    choose_refusing(plan, &r);
}
