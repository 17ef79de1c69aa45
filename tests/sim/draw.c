/*
 * sim/draw.c: each flow from a sequence of its own.
 */
#include "sim/draw.h"

#define PATIENCE  TLSYN_SECONDS(4 * 3600) /* nobody gives up before the simulator does */
#define SWALLOWED TLSYN_SECONDS(600) /* but for those who can't know that nothing gets through */
/* ... and a server that may send nothing more, whose client has given up, and whose RST was lost */
#define HALF_OPEN  TLSYN_SECONDS(3600)
#define RING_SMALL 4096u

void draw_options(const struct plan *p, struct random_seeded *r, struct tlsyn_conn_options *o)
{
    bool newreno = plan_chance(r, p->newreno), bbr = plan_chance(r, p->bbr);
    tlsyn_time patience = plan_swallows(p) ? SWALLOWED : PATIENCE;

    *o = (struct tlsyn_conn_options){
        .nagle = plan_chance(r, p->nagle),
        .cork = plan_chance(r, p->cork),
        .no_timestamps = plan_chance(r, p->no_timestamps),
        .no_sack = plan_chance(r, p->no_sack),
        .no_window_scale = plan_chance(r, p->no_window_scale),
        .no_delack = plan_chance(r, p->no_delack),
        .ecn = plan_chance(r, p->ecn),
        .keepalive = plan_chance(r, p->keepalive) || plan_is_rough(p) || plan_gives_cookies(p),
        .keep_idle = TLSYN_MS(50) + plan_upto(r, TLSYN_SECONDS(2)),
        .keep_interval = TLSYN_MS(10) + plan_upto(r, TLSYN_MS(500)),
        .user_timeout = patience,
        .syn_timeout = p->remember && patience > HALF_OPEN ? HALF_OPEN : patience,
        .controller = newreno ? "newreno"
                      : bbr   ? "bbr"
                              : NULL,
    };
    if (plan_chance(r, p->small_ring))
        o->snd_ring = RING_SMALL << random_below(&r->base, 5);
    if (plan_chance(r, p->small_ring))
        o->rcv_ring = RING_SMALL << random_below(&r->base, 5);
    if (plan_chance(r, p->small_mss))
        o->mss_max = (uint16_t)(100 + random_below(&r->base, 1300));
    if (plan_chance(r, p->paced))
        o->pacing_rate_max = 20000 + random_below(&r->base, 2000000);
    o->ecn_classic = p->ecn_classic && plan_chance(r, p->ecn_classic);
}

static void draw_script(const struct plan *p, struct random_seeded *r, struct script *s)
{
    int64_t size = plan_chance(r, p->big) ? p->big_size : p->size;
    bool request = plan_chance(r, p->request), half = plan_chance(r, p->half_close);
    bool first = plan_chance(r, p->server_first);

    s->up = (uint64_t)plan_upto(r, size);
    s->down = (uint64_t)plan_upto(r, size);
    s->rounds = 1 + random_below(&r->base, 8);
    s->salt = random_below(&r->base, 100000);
    s->manner = request ? MANNER_REQUEST
                : half  ? MANNER_HALF_CLOSE
                : first ? MANNER_SERVER_FIRST
                        : MANNER_BOTH;
    if (s->manner == MANNER_REQUEST) { /* rounds are equal, and none is empty */
        s->up = (s->up / s->rounds + 1) * s->rounds;
        s->down = (s->down / s->rounds + 1) * s->rounds;
    }
}

static void draw_talker(const struct plan *p, struct random_seeded *r, struct talker *t)
{
    t->early = plan_chance(r, p->early);
    t->releases = plan_chance(r, p->release);
    uint32_t limit = 500 + random_below(&r->base, 20000);
    t->read_limit = plan_chance(r, p->slow) ? limit : 0;
    limit = 1 + random_below(&r->base, 4000);
    t->write_limit = plan_chance(r, p->dribble) ? limit : 0;
    tlsyn_time every = TLSYN_MS(1) + plan_upto(r, TLSYN_MS(100));
    t->read_every = t->read_limit || t->write_limit ? every : 0;
    /* What takes a thousand ticks tells no more than what takes a hundred. */
    if (t->write_limit && talker_says(t) / t->write_limit > 200)
        t->write_limit = (uint32_t)(talker_says(t) / 200);
}

void draw_flow(const struct plan *p, int number, const tlsyn_time *now, struct flow *flow)
{
    struct random_seeded r;

    talker_init(&flow->client, &flow->script, now, false);
    talker_init(&flow->server, &flow->script, now, true);
    plan_draw(p, DRAW_FLOW, (uint64_t)number, &r);
    flow->from = (int)plan_upto(&r, p->hosts - 1);
    flow->to = (flow->from + 1 + (int)plan_upto(&r, p->hosts - 2)) % (int)p->hosts;
    flow->opens_at = *now + plan_upto(&r, p->gap * number);
    flow->level =
        p->level < 5 ? (enum tlsyn_level)p->level : (enum tlsyn_level)random_below(&r.base, 5);
    if (flow->level == TLSYN_LEVEL_PAPER && plan_swallows(p)) /* which remembers no failure */
        flow->level = TLSYN_LEVEL_OPEN;
    tlsyn_time abort_after = plan_upto(&r, TLSYN_SECONDS(1));
    flow->aborts = plan_chance(&r, p->abort);
    flow->abort_at = flow->aborts ? abort_after : TLSYN_NEVER;
    flow->client_aborts = random_below(&r.base, 2);
    tlsyn_time change_after = plan_upto(&r, TLSYN_MS(300));
    flow->change_at = plan_chance(&r, p->change) ? change_after : TLSYN_NEVER;
    draw_script(p, &r, &flow->script);
    draw_talker(p, &r, &flow->client);
    draw_talker(p, &r, &flow->server);
    if (flow->level == TLSYN_LEVEL_PAPER) /* only TLS can tell its padding from the stream */
        flow->client.early = flow->server.early = false;
    draw_options(p, &r, &flow->client_options);
    draw_options(p, &r, &flow->later);
    if (plan_chance(&r, p->refuse))
        flow->refusal = (enum refusal)(1 + random_below(&r.base, REFUSALS - 1));
    flow->client.refusal = flow->server.refusal = flow->refusal;
}
