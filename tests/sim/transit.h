/*
 * sim/transit.h: a frame on its way, for the network's own files: network.c keeps those in flight,
 * hop.c lets one through a link, port.c hands it to its host.
 */
#ifndef TEST_SIM_TRANSIT_H
#define TEST_SIM_TRANSIT_H

#include "link/frame.h"
#include "sim/network.h"

#define PATH_MAX_HOPS 3

struct transit {
    tlsyn_time due; /* at the end of the link where it is */
    uint64_t number;
    struct held_frame *held;
    uint8_t from, to;
    uint8_t path[PATH_MAX_HOPS], hops, at;
    bool damaged;
};

/** It is on its way until t.due. */
void transit_push(struct network *n, struct transit t);

/** A line about it, where lines are wanted. */
void transit_tell(const struct network *n, const struct transit *t, const char *what);

/** It goes no further. */
void transit_lose(struct network *n, struct transit *t, const char *why);

#endif
