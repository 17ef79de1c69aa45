/*
 * sim/network.c: ports and links. A frame on its way is in the heap, at the time when it comes to
 * the end of a link; there it goes into the next one, or up to the host.
 */
#include "sim/network.h"

#include <stdio.h>
#include <stdlib.h>

#include "link/frame.h"
#include "sim/router.h"
#include "support/middle.h"
#include "support/must.h"
#include "wire/bytes.h"
#include "wire/ether.h"
#include "wire/ip4.h"
#include "wire/ip6.h"
#include "wire/print.h"

#define PATH_MAX_HOPS 3
#define PORT_DEPTH    4096
#define MIDDLE_FORTH  (2 * PLAN_HOSTS_MAX)
#define MIDDLE_BACK   (2 * PLAN_HOSTS_MAX + 1)
#define ICMP_DELAY    TLSYN_MS(1)

struct transit {
    tlsyn_time due;
    uint64_t number;
    struct held_frame *held;
    uint8_t from, to;
    uint8_t path[PATH_MAX_HOPS], hops, at;
    bool damaged;
};

/* --- addresses -------------------------------------------------------------------------------- */

static struct tlsyn_addr address(const struct plan *plan, int host, uint8_t last)
{
    if (plan->ip6)
        return (struct tlsyn_addr){{0xfd, 0x77, [7] = (uint8_t)host, [15] = last}};
    return tlsyn_addr_ip4((const uint8_t[]){10, 0, (uint8_t)host, last});
}

struct tlsyn_addr network_address(const struct plan *plan, int host)
{
    return address(plan, host, 2);
}

struct tlsyn_addr network_gateway(const struct plan *plan, int host)
{
    return address(plan, host, 1);
}

int network_prefix(const struct plan *plan)
{
    return plan->ip6 ? 64 : 24;
}

int network_host_of(const struct plan *plan, const struct tlsyn_addr *addr)
{
    for (int i = 0; i < plan->hosts; i++) {
        struct tlsyn_addr theirs = network_address(plan, i);

        if (tlsyn_addr_eq(addr, &theirs))
            return i;
    }
    return -1;
}

/* --- the heap --------------------------------------------------------------------------------- */

static bool before(const struct transit *a, const struct transit *b)
{
    return a->due != b->due ? a->due < b->due : a->number < b->number;
}

static void push(struct network *n, struct transit t)
{
    size_t i = n->count++;

    if (n->count > n->room) {
        n->room = n->room ? 2 * n->room : 64;
        n->transit = realloc(n->transit, n->room * sizeof(*n->transit));
        must(n->transit != NULL);
    }
    t.number = n->numbered++;
    for (; i > 0 && before(&t, &n->transit[(i - 1) / 2]); i = (i - 1) / 2)
        n->transit[i] = n->transit[(i - 1) / 2];
    n->transit[i] = t;
}

static struct transit pop(struct network *n)
{
    struct transit first = n->transit[0], last = n->transit[--n->count];
    size_t i = 0;

    for (size_t child = 1; child < n->count; child = 2 * i + 1) {
        if (child + 1 < n->count && before(&n->transit[child + 1], &n->transit[child]))
            child++;
        if (!before(&n->transit[child], &last))
            break;
        n->transit[i] = n->transit[child];
        i = child;
    }
    n->transit[i] = last;
    return first;
}

/* --- one link --------------------------------------------------------------------------------- */

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

static void tell(const struct network *n, const struct transit *t, const char *what)
{
    char line[PRINT_LINE_MAX];

    if (!n->verbose)
        return;
    print_frame(t->held->bytes, t->held->frame.iov[0].iov_len, line, sizeof(line));
    printf("%12.6f %d>%d %-10s %s\n", (double)(n->now - n->began) / 1e6, t->from, t->to, what,
           line);
}

static void lose(struct network *n, struct transit *t, const char *why)
{
    tell(n, t, why);
    link_free(t->held);
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
        lose(n, t, "damaged");
        return false;
    }
    frame_finish_checksum(frame);
    frame->flags &= (uint8_t)~TLSYN_FRAME_CSUM_VERIFIED;
    t->held->bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
    t->damaged = true;
    tell(n, t, "dirt");
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
    push(n, t);
    if (!twice)
        return;
    t.held = frame_hold(&t.held->frame);
    must(t.held != NULL);
    tell(n, &t, "twice");
    push(n, t);
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
        push(n, back);
    }
    lose(n, t, "too long");
    return true;
}

static void enter(struct network *n, struct transit t)
{
    struct hop *hop = &n->hop[t.path[t.at]];
    struct weather weather = weather_of(n, t.path[t.at]);
    struct random_seeded *r = &hop->random;
    tlsyn_time at = n->now;

    hop->passed++;
    if (!n->fair && too_long(n, hop, &t))
        return;
    if (weather.outage || (weather.burst && hop->passed % 2)) {
        lose(n, &t, "weather");
        return;
    }
    if (!pass_queue(n, hop, &t, &at)) {
        lose(n, &t, "full");
        return;
    }
    if (!n->fair && plan_chance(r, hop->loss)) {
        lose(n, &t, "lost");
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
    push(n, t);
}

/* --- ports ------------------------------------------------------------------------------------ */

void network_deliver(struct network *n, int host, const struct tlsyn_frame *frame)
{
    struct port *port = &n->port[host];
    struct held_frame *held = frame_hold(frame);

    must(held != NULL);
    held->frame.when = n->now;
    list_append(&port->arrived, &held->node);
    port->waiting++;
}

static void arrive(struct network *n, struct transit *t)
{
    struct port *port = &n->port[t->to];

    if (port->waiting >= PORT_DEPTH) {
        lose(n, t, "full port");
        return;
    }
    tell(n, t, "arrives");
    memcpy(t->held->bytes, port->link.caps.hwaddr, ETHER_ADDR_LEN); /* the last router's affair */
    t->held->frame.when = n->now;
    list_append(&port->arrived, &t->held->node);
    port->waiting++;
}

static struct port *port_of(struct tlsyn_link *link)
{
    return container_of(link, struct port, link);
}

static int port_receive(struct tlsyn_link *link, struct tlsyn_frame *frames, int max,
                        tlsyn_time now)
{
    struct port *port = port_of(link);
    int n = 0;

    (void)now;
    frames_free(&port->lent);
    while (n < max && !list_empty(&port->arrived)) {
        struct list *first = list_first(&port->arrived);

        list_remove(first);
        list_append(&port->lent, first);
        frames[n++] = container_of(first, struct held_frame, node)->frame;
    }
    port->waiting -= n;
    return n;
}

static int host_of_frame(const struct network *n, const struct tlsyn_frame *frame)
{
    struct wire_ether ether;
    struct wire_ip4 ip4;
    struct wire_ip6 ip6;

    if (wire_ether_parse(frame->iov[0].iov_base, frame->iov[0].iov_len, &ether) < 0)
        return -1;
    if (ether.type == ETHER_TYPE_IP6)
        return wire_ip6_parse(ether.payload, ether.payload_len, &ip6) < 0
                   ? -1
                   : network_host_of(n->plan, &ip6.dst);
    return wire_ip4_parse(ether.payload, ether.payload_len, &ip4) < 0
               ? -1
               : network_host_of(n->plan, &ip4.dst);
}

static void find_path(const struct network *n, struct transit *t)
{
    t->path[t->hops++] = t->from;
    if (n->plan->middle_mtu && (t->from ^ t->to) & 1)
        t->path[t->hops++] = t->from & 1 ? MIDDLE_BACK : MIDDLE_FORTH;
    t->path[t->hops++] = (uint8_t)(PLAN_HOSTS_MAX + t->to);
}

static void port_send(struct port *port, const struct tlsyn_frame *frame)
{
    struct network *n = port->network;
    struct held_frame *held = frame_hold(frame);
    struct tlsyn_frame *f;
    int to;

    must(held != NULL);
    f = &held->frame;
    f->flags &= TLSYN_FRAME_CSUM_PARTIAL;
    if (f->flags)
        f->flags |= TLSYN_FRAME_CSUM_VERIFIED;
    n->frames++;
    if (router_takes(n, port->host, f) || (to = host_of_frame(n, f)) < 0) {
        link_free(held);
        return;
    }
    struct transit t = {.held = held, .from = (uint8_t)port->host, .to = (uint8_t)to};

    tell(n, &t, "sent");
    if (n->watch)
        n->watch->sent(n->watch, port->host, f, n->now);
    find_path(n, &t);
    enter(n, t);
}

static int port_transmit(struct tlsyn_link *link, const struct tlsyn_frame *frames, int n,
                         tlsyn_time now)
{
    (void)now;
    for (int i = 0; i < n; i++) {
        must(frame_check(&frames[i], &link->caps) == 0);
        port_send(port_of(link), &frames[i]);
    }
    return n;
}

static int port_fd(struct tlsyn_link *link)
{
    (void)link;
    return -1;
}

static void port_close(struct tlsyn_link *link)
{
    frames_free(&port_of(link)->arrived);
    frames_free(&port_of(link)->lent);
}

static const struct tlsyn_link_ops port_ops = {
    .receive = port_receive,
    .transmit = port_transmit,
    .fd = port_fd,
    .close = port_close,
};

/* --- all of it -------------------------------------------------------------------------------- */

static void open_port(struct network *n, int host)
{
    const struct plan *p = n->plan;
    struct port *port = &n->port[host];
    struct random_seeded r;

    plan_draw(p, DRAW_HOST, (uint64_t)host, &r);
    *port = (struct port){.link = {.ops = &port_ops}, .network = n, .host = host};
    port->link.caps = (struct tlsyn_link_caps){
        .mtu = (uint16_t)(p->mtu - plan_upto(&r, p->mtu_less)),
        .gso_max = (uint32_t)p->gso,
        .csum = p->gso > 0,
        .hwaddr = {2, 0, 0, 0, 0, (uint8_t)(host + 1)},
    };
    list_init(&port->arrived);
    list_init(&port->lent);
}

static void open_hop(struct network *n, int which)
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

void network_open(struct network *n, const struct plan *plan, tlsyn_time now)
{
    *n = (struct network){.plan = plan, .now = now, .began = now, .fair = true};
    for (int i = 0; i < plan->hosts; i++)
        open_port(n, i);
    for (int i = 0; i < NETWORK_HOPS; i++)
        if (i >= 2 * PLAN_HOSTS_MAX || i % PLAN_HOSTS_MAX < plan->hosts)
            open_hop(n, i);
}

void network_begin(struct network *n)
{
    n->fair = false;
    n->began = n->now;
}

void network_close(struct network *n)
{
    while (n->count > 0)
        link_free(pop(n).held);
    free(n->transit);
    for (int i = 0; i < n->plan->hosts; i++)
        tlsyn_link_close(&n->port[i].link);
}

bool network_step(struct network *n)
{
    bool any = false;

    while (n->count > 0 && n->transit[0].due <= n->now) {
        struct transit t = pop(n);

        any = true;
        if (++t.at >= t.hops)
            arrive(n, &t);
        else
            enter(n, t);
    }
    return any;
}

tlsyn_time network_next(const struct network *n)
{
    return n->count > 0 ? n->transit[0].due : TLSYN_NEVER;
}
