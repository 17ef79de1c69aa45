/*
 * support/world.h: a network in memory under a virtual clock: two hosts, each a whole stack, joined
 * by a path that impairs.
 *
 *     client 10.0.0.1, or fd77::1 -- impair (both directions) -- middlebox -- pipe
 *         -- server 10.0.0.2
 *
 * world_step() moves the clock to the next moment at which something can happen, and lets
 * everything happen.
 */
#ifndef TEST_SUPPORT_WORLD_H
#define TEST_SUPPORT_WORLD_H

#include <tlsyn/conn.h>

#include "core/random.h"
#include "support/memory.h"

enum { WORLD_CLIENT, WORLD_SERVER, WORLD_HOSTS };

struct world_host {
    struct tlsyn_stack *stack;
    struct tlsyn_iface *iface;
    struct tlsyn_link *link;
    struct tlsyn_addr addr;
    struct random_seeded random;
    struct test_memory memory;
};

struct world {
    tlsyn_time now;
    struct world_host host[WORLD_HOSTS];
    void (*watch)(struct world *, int host,
                  const struct tlsyn_frame *); /* sees what a host is about to get; or NULL */
    void *watch_data;
    uint16_t middle_mtu; /* may change on the way */
    bool black_hole;
    uint64_t too_long;            /* datagrams that did not pass the middle */
    struct tlsyn_link *middlebox; /* in front of the server; it has no rules yet */
};

struct world_options {
    uint64_t seed;
    struct tlsyn_impairment to_server, to_client; /* their seeds are derived from `seed` */
    struct tlsyn_link_caps caps;                  /* mtu 0: 1500 */
    const struct tlsyn_limits *limits;            /* NULL: the defaults */
    struct tlsyn_trace *trace[WORLD_HOSTS];
    bool ip6; /* the hosts talk IPv6; `caps.mtu` is 1280 at least */
    /* A router in the middle whose links take no more octets than this; 0: there is none.
     * IPv6 demands 1280. */
    uint16_t middle_mtu;
    bool black_hole; /* and what is longer disappears without a word */
};

void world_open(struct world *w, const struct world_options *options);

/** Closes both hosts and aborts if one of them kept memory. */
void world_close(struct world *w);

/** Lets everything happen that is due, then moves the clock to what is next, at most to `until`.
 * False: nothing will ever happen again. */
bool world_step(struct world *w, tlsyn_time until);

/** Steps until `*done`, `duration` has passed or nothing is left to happen; *done. */
bool world_run(struct world *w, tlsyn_time duration, const bool *done);

#endif
