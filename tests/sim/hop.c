/*
 * sim/hop.c: a link's faults are drawn from a sequence of its own, its weather from the phase.
 */
#include "sim/hop.h"

#include "support/middle.h"
#include "support/must.h"
#include "wire/bytes.h"
#include "wire/checksum.h"
#include "wire/ether.h"

#define ICMP_DELAY TLSYN_MS(1)

void hop_open(struct network *n, int which)
{
    const struct plan *p = n->plan;
    struct hop *hop = &n->hop[which];
    struct random_seeded *r = &hop->random;

    plan_draw(p, DRAW_HOP, (uint64_t)which, r);
    hop->mtu = which >= 2 * PLAN_HOSTS_MAX ? (uint16_t)p->middle_mtu
                                           : n->port[which % PLAN_HOSTS_MAX].link.caps.mtu;
    hop->delay = plan_upto(r, p->delay);
    hop->jitter = plan_upto(r, p->jitter);
    hop->loss = plan_upto(r, p->loss);
    hop->reorder = plan_upto(r, p->reorder);
    hop->duplicate = plan_upto(r, p->duplicate);
    hop->corrupt = plan_upto(r, p->corrupt);
}

struct weather {
    bool outage, burst, shuffle, echo, dirt;
    tlsyn_time detour;
};

static struct weather weather_of(const struct network *n, uint8_t hop)
{
    const struct plan *p = n->plan;
    int64_t phase = (n->now - n->began) / p->phase;
    struct weather weather = {0};
    struct random_seeded r;

    if (n->fair || phase >= p->phases)
        return weather;
    plan_draw(p, DRAW_WEATHER, (uint64_t)phase * NETWORK_HOPS + hop, &r);
    weather.outage = plan_chance(&r, p->outage);
    weather.burst = plan_chance(&r, p->burst);
    weather.detour = plan_upto(&r, 2 * p->delay + TLSYN_MS(20));
    weather.detour = plan_chance(&r, p->detour) ? weather.detour : 0;
    weather.shuffle = plan_chance(&r, p->shuffle);
    weather.echo = plan_chance(&r, p->echo);
    weather.dirt = plan_chance(&r, p->dirt);
    return weather;
}

/* One bit, behind the Ethernet header; a train is lost instead, for nothing can carry the damage
 * through segmentation. */
static bool damage(struct network *n, struct transit *t, struct hop *hop)
{
    struct tlsyn_frame *frame = &t->held->frame;
    size_t bits = (frame->iov[0].iov_len - ETHER_HEADER_LEN) * 8;
    size_t bit = ETHER_HEADER_LEN * 8u + random_below(&hop->random.base, (uint32_t)bits);

    if (t->damaged) /* a second bit could undo what the first did to the checksum */
        return true;
    if (frame->gso_type != TLSYN_GSO_NONE) {
        transit_lose(n, t, "damaged");
        return false;
    }
    frame_finish_checksum(frame);
    frame->flags &= (uint8_t)~TLSYN_FRAME_CSUM_VERIFIED;
    t->held->bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
    t->damaged = true;
    transit_tell(n, t, "dirt");
    return true;
}

/* The queue in front of the link. False: it is full. *at: when the last bit has left. */
static bool pass_queue(const struct network *n, struct hop *hop, struct transit *t, tlsyn_time *at)
{
    const struct plan *p = n->plan;
    size_t len = t->held->frame.iov[0].iov_len;

    if (n->fair || p->rate == 0)
        return true;
    int64_t waiting = (hop->busy_until - *at) * p->rate / 8 / PLAN_MILLION;

    if (hop->busy_until > *at) {
        if (waiting + (int64_t)len > p->queue && waiting > 0)
            return false;
        if (p->mark && waiting >= p->mark && !t->damaged)
            (void)frame_mark_congestion(&t->held->frame);
        *at = hop->busy_until;
    }
    *at += (tlsyn_time)len * 8 * PLAN_MILLION / p->rate;
    hop->busy_until = *at;
    return true;
}

/* Behind the bottleneck: the path, on which frames keep their order unless they shall not. */
static void travel(struct network *n, struct hop *hop, struct transit t, tlsyn_time at,
                   const struct weather *weather)
{
    struct random_seeded *r = &hop->random;
    bool overtakes =
        plan_chance(r, hop->reorder) || (weather->shuffle && random_below(&r->base, 2) == 0);
    bool twice =
        plan_chance(r, hop->duplicate) || (weather->echo && random_below(&r->base, 3) == 0);

    t.due = at + hop->delay + plan_upto(r, hop->jitter) + weather->detour;
    if (overtakes)
        t.due = at + plan_upto(r, hop->delay + hop->jitter);
    else if (t.due < hop->last_due && !weather->shuffle)
        t.due = hop->last_due;
    if (!overtakes)
        hop->last_due = t.due > hop->last_due ? t.due : hop->last_due;
    transit_push(n, t);
    if (!twice)
        return;
    t.held = frame_hold(&t.held->frame);
    must(t.held != NULL);
    transit_tell(n, &t, "twice");
    transit_push(n, t);
}

static bool too_long(struct network *n, const struct hop *hop, struct transit *t)
{
    uint8_t reply[MIDDLE_REPLY_MAX];
    size_t len = t->damaged ? 0 : middle_stops(&t->held->frame, hop->mtu, reply);
    struct tlsyn_frame frame = {.iovcnt = 1, .iov = {{reply, len}}};

    if (len == 0)
        return false;
    if (!n->plan->black_hole) {
        struct transit back = {
            .held = frame_hold(&frame), .due = n->now + ICMP_DELAY, .from = t->to, .to = t->from};

        must(back.held != NULL);
        transit_push(n, back);
    }
    transit_lose(n, t, "too long");
    return true;
}

/* RFC 9768 3.2.2.3 calls it so: what the sender said of ECN is gone. */
static void bleach(const struct transit *t)
{
    uint8_t *ip = t->held->bytes + ETHER_HEADER_LEN;
    struct reader sum = reader_of(ip + 10, 2);
    struct writer out = writer_of(ip + 10, 2);
    uint16_t before = (uint16_t)(ip[0] << 8 | ip[1]), after = before & 0xfffc;

    if (ip[0] >> 4 == 6) {
        ip[1] &= 0xcf;
        return;
    }
    put_u16(&out, checksum_update(get_u16(&sum), before, after));
    ip[1] = (uint8_t)after;
}

void hop_enter(struct network *n, struct transit t)
{
    struct hop *hop = &n->hop[t.path[t.at]];
    struct weather weather = weather_of(n, t.path[t.at]);
    struct random_seeded *r = &hop->random;
    tlsyn_time at = n->now;

    hop->passed++;
    if (n->plan->bleach && !t.damaged)
        bleach(&t);
    if (!n->fair && too_long(n, hop, &t))
        return;
    if (weather.outage || (weather.burst && hop->passed % 2)) {
        transit_lose(n, &t, "weather");
        return;
    }
    if (!pass_queue(n, hop, &t, &at)) {
        transit_lose(n, &t, "full");
        return;
    }
    if (!n->fair && plan_chance(r, hop->loss)) {
        transit_lose(n, &t, "lost");
        return;
    }
    bool dirty = !n->fair &&
                 (plan_chance(r, hop->corrupt) || (weather.dirt && random_below(&r->base, 4) == 0));
    if (dirty && !damage(n, &t, hop))
        return;
    if (!n->fair) {
        travel(n, hop, t, at, &weather);
        return;
    }
    t.due = at;
    transit_push(n, t);
}
