/*
 * ip/neigh.h: the neighbour cache: which Ethernet address has the next hop? Read first: RFC 4861
 * 7.3, RFC 826, RFC 1122 2.3.2.
 *
 * The states of RFC 4861 7.3.2, which serve IPv4 as well, with ARP in the place of
 * Neighbor Solicitation:
 *
 *                     first use             3 requests unanswered         after a second
 *        (no entry) -----------> INCOMPLETE -------------------> FAILED ---------------> (no entry)
 *             |                    |    |
 *             |  somebody asked us |    | answer to our request
 *             +--------> STALE <---+    +----> REACHABLE <---------------------+
 *                         ^  |                    |   ^                        | answer, or
 *         another address |  | use                |   | neigh_confirm()        | neigh_confirm()
 *         claimed (any)   |  +--> DELAY ----------|---+                        |
 *                         |          | 5 s        | 30 s                       |
 *                         +----------|------------+                            |
 *                                    +--> PROBE: 3 unicast requests -----------+
 *                                           | unanswered
 *                                           +--> (no entry): the next use asks everybody again
 *
 * REACHABLE becomes STALE when it is used after its time, with no timer of its own (RFC 4861
 * 7.3.3 allows that).
 *
 * Bounds. limits.neighbours entries, limits.neighbour_queue_bytes of frames waiting at each: so
 * many that what a program opens at once finds room before a router's first answer. When the cache
 * is full, whoever has gone unused for longest leaves, from among the entries without an Ethernet
 * address if these hold more than half of the cache, else from those with one: neither a flood of
 * spoofed sources nor a crowd of real peers can take it all. What only asked us something stands
 * first in line to leave, and never pushes out an entry that we have used.
 */
#ifndef TLSYN_IP_NEIGH_H
#define TLSYN_IP_NEIGH_H

#include "core/context.h"
#include "core/siphash.h"
#include "core/table.h"
#include "ip/held.h"
#include "wire/ether.h"

/* RFC 4861 10: between requests; RFC 1122 2.3.2.1: at most one per second */
#define NEIGH_RETRANS_TIMER TLSYN_SECONDS(1)
/* RFC 4861 10: both MAX_MULTICAST_SOLICIT and MAX_UNICAST_SOLICIT */
#define NEIGH_MAX_SOLICIT       3
#define NEIGH_REACHABLE_TIME    TLSYN_SECONDS(30) /* RFC 4861 10: BaseReachableTime */
#define NEIGH_DELAY_FIRST_PROBE TLSYN_SECONDS(5)  /* RFC 4861 10 */
#define NEIGH_FAILED_TIME       TLSYN_SECONDS(1)  /* so long do users get -EHOSTUNREACH at once */

enum neigh_state {
    NEIGH_INCOMPLETE,
    NEIGH_REACHABLE,
    NEIGH_STALE,
    NEIGH_DELAY,
    NEIGH_PROBE,
    NEIGH_FAILED,
};

/** One neighbour; owned by its cache. Any call that may create an entry may free others. */
struct neighbour {
    struct table_node node; /* first */
    struct list age;        /* in cache.resolved or cache.unresolved, the longest unused first */
    struct list waiting;    /* in cache.answered or cache.failed while `queue` waits to be taken */
    struct neigh_cache *cache;
    struct tlsyn_iface *iface;
    struct tlsyn_addr addr;
    struct timer timer;
    struct held_queue queue;
    tlsyn_time confirmed;           /* REACHABLE: since */
    uint8_t hwaddr[ETHER_ADDR_LEN]; /* not in INCOMPLETE and FAILED */
    uint8_t state;                  /* enum neigh_state */
    uint8_t probes;                 /* requests sent in this state */
    bool used;                      /* we have sent to it, or wanted to */
};

struct neigh_cache {
    struct context *cx;
    struct table table; /* by interface and address */
    struct siphash_key key;
    tlsyn_time reachable_time;
    struct list resolved, unresolved;
    uint32_t unresolved_count;
    struct list answered; /* neighbours whose queue is to be sent */
    struct list failed;   /* neighbours whose queue is to be reported */
};

void neigh_init(struct neigh_cache *cache, struct context *cx);
void neigh_release(struct neigh_cache *cache);

/** The entry, or NULL. */
struct neighbour *neigh_find(const struct neigh_cache *cache, const struct tlsyn_iface *iface,
                             const struct tlsyn_addr *addr);

/** The entry for a neighbour that we are about to send to; made, and asked for, if there is none.
 * NULL when the cache is full or memory is short (counted). */
struct neighbour *neigh_resolve(struct neigh_cache *cache, struct tlsyn_iface *iface,
                                const struct tlsyn_addr *addr);

/** True if `hwaddr` may be used. */
static inline bool neigh_is_resolved(const struct neighbour *n)
{
    return n->state != NEIGH_INCOMPLETE && n->state != NEIGH_FAILED;
}

/** Lets a frame wait for the answer; it becomes the cache's. The oldest is dropped when too many
 * wait (RFC 4861 7.2.2). */
void neigh_hold(struct neighbour *n, struct held *h);

/** How an address came to us. */
enum neigh_evidence {
    NEIGH_CLAIMED,  /* said to everybody, or unasked: may change an entry, never make one */
    NEIGH_ASKED_US, /* the sender wants to talk to us (RFC 826): may make an entry */
    NEIGH_ANSWERED, /* said to us, as the answer to a request does */
};

/** Takes what a neighbour says about itself. */
void neigh_learn(struct neigh_cache *cache, struct tlsyn_iface *iface,
                 const struct tlsyn_addr *addr, const uint8_t hwaddr[ETHER_ADDR_LEN],
                 enum neigh_evidence evidence);

/** What a neighbour advertisement says beside the address. */
enum neigh_flags {
    NEIGH_SOLICITED = 1, /* it answers a question */
    NEIGH_OVERRIDE = 2,  /* it may replace an Ethernet address that is known */
};

/** Takes a neighbour advertisement (RFC 4861 7.2.5); `hwaddr` NULL: it has none. */
void neigh_advertised(struct neigh_cache *cache, struct tlsyn_iface *iface,
                      const struct tlsyn_addr *addr, const uint8_t *hwaddr, int flags);

/** RFC 4861 7.3.1: what we sent has arrived there. */
void neigh_confirm(struct neighbour *n);

/** It may not be there any more: what is sent to it next is followed by a probe. */
void neigh_doubt(struct neighbour *n);

/** The next frame whose neighbour has answered, with its Ethernet address filled in; the caller's
 * now. NULL: none. */
struct held *neigh_take_answered(struct neigh_cache *cache);

/** The next frame whose neighbour did not answer; the caller's now. NULL: none. */
struct held *neigh_take_failed(struct neigh_cache *cache);

#endif
