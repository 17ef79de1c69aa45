/*
 * sim/witness.h: sees every segment as it leaves its host, and knows what no segment of ours may
 * be, whatever the network did before: rules of RFC 9293, 7323 and 2018 between what the two ends
 * of a connection have said. It knows nothing of the stack but its frames.
 */
#ifndef TEST_SIM_WITNESS_H
#define TEST_SIM_WITNESS_H

#include "sim/network.h"

struct witness {
    struct network_watch watch;
    const struct plan *plan;
    /* Frames are lost before they are seen: their own host has no memory for them, or a proxy that
     * is opening does not let them pass. */
    bool loses;
    struct pair *pair; /* a table with open addresses */
    size_t count, room;
    uint64_t segments;
    char wrong[200]; /* the first rule that was broken; "": none */
};

void witness_open(struct witness *w, const struct plan *plan);
void witness_close(struct witness *w);

#endif
