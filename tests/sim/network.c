/*
 * sim/network.c: who is where, and what is on its way: in a heap, by the time when it comes to the
 * end of a link; there it goes into the next one, or up to the host.
 */
#include "sim/network.h"

#include <stdio.h>
#include <stdlib.h>

#include "sim/flood.h"
#include "sim/hop.h"
#include "sim/port.h"
#include "sim/router.h"
#include "support/must.h"
#include "support/print.h"
#include "wire/ether.h"
#include "wire/ip4.h"
#include "wire/ip6.h"

#define MIDDLE_FORTH (2 * PLAN_HOSTS_MAX)
#define MIDDLE_BACK  (2 * PLAN_HOSTS_MAX + 1)

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

void transit_push(struct network *n, struct transit t)
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

void transit_tell(const struct network *n, const struct transit *t, const char *what)
{
    char line[PRINT_LINE_MAX];

    if (!n->verbose)
        return;
    print_frame(t->held->bytes, t->held->frame.iov[0].iov_len, line, sizeof(line));
    printf("%12.6f %d>%d %-10s %s\n", (double)(n->now - n->began) / 1e6, t->from, t->to, what,
           line);
}

void transit_lose(struct network *n, struct transit *t, const char *why)
{
    transit_tell(n, t, why);
    link_free(t->held);
}

/* --- paths ------------------------------------------------------------------------------------ */

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

void network_witness(struct network *n, int host, const struct tlsyn_frame *frame)
{
    if (n->watch)
        n->watch->sent(n->watch, host, frame, n->now);
}

void network_send(struct network *n, int host, struct held_frame *held)
{
    struct tlsyn_frame *f = &held->frame;
    int to;

    f->flags &= TLSYN_FRAME_CSUM_PARTIAL;
    if (f->flags)
        f->flags |= TLSYN_FRAME_CSUM_VERIFIED;
    n->frames++;
    if (router_takes(n, host, f) || (to = host_of_frame(n, f)) < 0) {
        link_free(held);
        return;
    }
    struct transit t = {.held = held, .from = (uint8_t)host, .to = (uint8_t)to};

    transit_tell(n, &t, "sent");
    find_path(n, &t);
    hop_enter(n, t);
}

/* --- all of it -------------------------------------------------------------------------------- */

void network_open(struct network *n, const struct plan *plan, tlsyn_time now)
{
    *n = (struct network){
        .plan = plan, .now = now, .began = now, .fair = true, .flood.next = TLSYN_NEVER};
    for (int i = 0; i < plan->hosts; i++)
        port_open(n, i);
    for (int i = 0; i < NETWORK_HOPS; i++)
        if (i >= 2 * PLAN_HOSTS_MAX || i % PLAN_HOSTS_MAX < plan->hosts)
            hop_open(n, i);
}

void network_begin(struct network *n)
{
    n->fair = false;
    n->began = n->now;
    for (int i = 0; i < n->plan->hosts; i++)
        port_begin(&n->port[i]);
    flood_begin(n);
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
    bool any = flood_step(n);

    while (n->count > 0 && n->transit[0].due <= n->now) {
        struct transit t = pop(n);

        any = true;
        if (++t.at >= t.hops)
            port_arrive(n, &t);
        else
            hop_enter(n, t);
    }
    return any;
}

tlsyn_time network_next(const struct network *n)
{
    tlsyn_time next = n->count > 0 ? n->transit[0].due : TLSYN_NEVER;

    return n->flood.next < next ? n->flood.next : next;
}
