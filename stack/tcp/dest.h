/*
 * tcp/dest.h: what we remember of a peer between connections: its Fast Open cookie and MSS
 * (RFC 7413 4.1.3), and what was measured of the path (tcp/metrics.h).
 *
 * Bounded by limits.destinations; the entry used longest ago makes room.
 */
#ifndef TLSYN_TCP_DEST_H
#define TLSYN_TCP_DEST_H

#include <tlsyn/destination.h>

#include "core/context.h"
#include "core/siphash.h"
#include "core/table.h"
#include "wire/tcp_options.h"

struct dest {
    struct table_node node;
    struct list lru;
    struct tlsyn_addr addr;
    uint16_t mss; /* the peer's MSS option; 0: not known */
    uint8_t cookie_len;
    uint8_t cookie[TCP_COOKIE_MAX];
    bool reordering;
    uint32_t ssthresh;       /* 0: slow start never ended */
    tlsyn_time srtt, rttvar; /* srtt 0: not known */
    tlsyn_time measured;     /* when, with reordering and ssthresh */
    /* Of embedding (tcp/embed.h): in a row, the last one's kind, and until when it is off */
    uint8_t failures;
    enum tlsyn_embedding failed_by;
    tlsyn_time off_until;
    bool learnt; /* here, and not by tlsyn_destination_add() */
};

struct dests {
    struct context *cx;
    struct siphash_key key;
    struct table table;
    struct list lru; /* used longest ago first */
};

void dests_init(struct dests *d, struct context *cx);
void dests_release(struct dests *d);

/** NULL: nothing is known. Valid until the next dests_ call. */
struct dest *dests_find(struct dests *d, const struct tlsyn_addr *addr);

/** The same, and it does not count as a use. */
const struct dest *dests_look(const struct dests *d, const struct tlsyn_addr *addr);

/** The entry, made if there is none; NULL when memory is short. Something is about to be learnt. */
struct dest *dests_learn(struct dests *d, const struct tlsyn_addr *addr);

/** tlsyn_destination_walk(), tlsyn_destination_add() */
void dests_walk(const struct dests *d, struct tlsyn_destination_visitor *visitor);
int dests_add(struct dests *d, const struct tlsyn_destination *known);

#endif
