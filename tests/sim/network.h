/*
 * sim/network.h: hosts' ports, routers and links under one clock.
 *
 *     host 0 --up--> [router] ----------------- middle --------------> [router] --down--> host 1
 *     host 2 --up-->    |      (if there is one: even to odd)             |     --down--> host 3
 *                       +----------------- down --> host 2 (even to even)
 *
 * Every arrow is a link of its own: queue, rate, delay, MTU, faults, and its own weather, which
 * changes with the phases of the plan. Routers answer for themselves when a host looks for its
 * neighbour (ARP, neighbour discovery), and say so by ICMP when something is too long, unless the
 * plan wants black holes.
 */
#ifndef TEST_SIM_NETWORK_H
#define TEST_SIM_NETWORK_H

#include <tlsyn/link.h>

#include "core/list.h"
#include "sim/plan.h"

#define NETWORK_HOPS (2 * PLAN_HOSTS_MAX + 2)

/** Sees each frame that a host sends, before anything happens to it. */
struct network_watch {
    void (*sent)(struct network_watch *, int host, const struct tlsyn_frame *, tlsyn_time now);
};

struct held_frame;

struct hop {
    struct random_seeded random;
    tlsyn_time delay, jitter, busy_until, last_due;
    int64_t loss, reorder, duplicate, corrupt;
    uint16_t mtu;
    uint64_t passed;
};

struct port {
    struct tlsyn_link link, wire;
    struct tlsyn_link *box; /* a middlebox over `wire`, or that itself */
    bool answered;          /* the box may have something to say */
    struct network *network;
    struct list arrived, lent; /* held_frame */
    int waiting;
    int host;
};

struct network {
    const struct plan *plan;
    tlsyn_time now, began; /* `began`: of the weather */
    bool fair;             /* a perfect network: until the weather begins */
    bool verbose;
    struct network_watch *watch; /* or NULL */
    struct port port[PLAN_HOSTS_MAX];
    struct hop hop[NETWORK_HOPS];
    struct transit *transit; /* a heap, by time */
    size_t count, room;
    uint64_t numbered, frames;
    struct {
        struct random_seeded random;
        tlsyn_time next; /* or TLSYN_NEVER */
    } flood;
};

void network_open(struct network *n, const struct plan *plan, tlsyn_time now);
void network_close(struct network *n);

/** From now on links are what the plan says. */
void network_begin(struct network *n);

struct tlsyn_addr network_address(const struct plan *plan, int host);
struct tlsyn_addr network_gateway(const struct plan *plan, int host);
int network_prefix(const struct plan *plan);

/** The host that has the address; -1: none. */
int network_host_of(const struct plan *plan, const struct tlsyn_addr *addr);

/** Moves what is due at n->now; true if anything was. */
bool network_step(struct network *n);

/** When something is due next, or TLSYN_NEVER. */
tlsyn_time network_next(const struct network *n);

static inline bool network_has_arrived(const struct network *n, int host)
{
    return n->port[host].waiting > 0 || n->port[host].answered;
}

/** For the network's own files: the witness sees it. */
void network_witness(struct network *n, int host, const struct tlsyn_frame *frame);

/** The same: a frame of a host's, which is the network's from now on. */
void network_send(struct network *n, int host, struct held_frame *held);

/** The same: a frame that a router sends to a host. */
void network_deliver(struct network *n, int host, const struct tlsyn_frame *frame);

#endif
