/*
 * sim/host.h: a stack on a port of the network, and when it is its turn.
 */
#ifndef TEST_SIM_HOST_H
#define TEST_SIM_HOST_H

#include <tlsyn/conn.h>

#include "sim/network.h"
#include "support/memory.h"

struct host {
    const struct plan *plan;
    struct network *network;
    int number;
    struct tlsyn_stack *stack;
    struct tlsyn_iface *iface;
    struct test_memory memory;
    struct random_seeded random, whims, luck;
    tlsyn_time sleeps_until;
    bool whimsical; /* the scheduler's choices are the plan's */
};

/** `trace`: or NULL. */
void host_open(struct host *h, const struct plan *plan, struct network *n, int number,
               struct tlsyn_trace *trace);

/** From now on the scheduler's choices are the plan's, and requests for memory fail as it says. */
void host_begin(struct host *h);

/** No request for memory fails any more. */
void host_ease(struct host *h);

/** The stack goes. */
void host_close(struct host *h);

/** Its turn, if it is one: true if it did anything. */
bool host_turn(struct host *h);

/** When it has something to do next, or TLSYN_NEVER. */
tlsyn_time host_next(const struct host *h);

#endif
