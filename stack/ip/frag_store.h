/*
 * ip/frag_store.h: the datagrams that are being put together: found by their key, in the order they
 * began, within their bounds. For frag.c, which knows what is in them; the theory is in frag.h.
 */
#ifndef TLSYN_IP_FRAG_STORE_H
#define TLSYN_IP_FRAG_STORE_H

#include "ip/frag.h"
#include "ip/ip.h"

struct frag_source;

/** A copy of one fragment. */
struct frag_piece {
    uint16_t from, to; /* octets of the datagram's payload */
    uint16_t skip;     /* headers before them, in the first one */
    uint8_t *memory;
};

/** Owned by its struct frags; its pieces, and their memory, are its own. */
struct frag_datagram {
    struct table_node node;
    struct list age; /* frags->oldest */
    struct list of_source;
    struct timer timer;
    struct frags *frags;
    struct frag_source *source;
    struct tlsyn_addr src, dst;
    uint32_t id;
    uint8_t protocol; /* IPv6: 0 */
    uint8_t ecn;      /* a bit for each codepoint seen */
    bool broadcast;
    bool dead;
    uint16_t count, room;
    struct frag_piece *piece; /* sorted, disjoint */
    uint32_t end;             /* octets of payload; 0: the last fragment has not come */
    uint32_t arrived;         /* octets in all pieces */
    size_t bytes;             /* of memory */
    struct ip_datagram
        first; /* the fragment at offset 0; its header points into piece[0]; NULL: not come */
};

static inline struct context *frag_context(const struct frags *frags)
{
    return frags->ip->cx;
}

static inline bool frag_is_ip4(const struct frag_datagram *d)
{
    return tlsyn_addr_is_ip4(&d->src);
}

/** Counts one of two, by the family. */
static inline void frag_count(const struct frag_datagram *d, enum tlsyn_counter ip4,
                              enum tlsyn_counter ip6)
{
    count(frag_context(d->frags), frag_is_ip4(d) ? ip4 : ip6);
}

/** The datagram that the fragment belongs to, perhaps a new one; NULL: there is no room, or no
 * memory (counted). */
struct frag_datagram *frag_datagram_of(struct frags *frags, const struct fragment *f);

/** Evicts the oldest datagrams until so many more datagrams and bytes of this source fit. False:
 * they would only fit if `keep` went too. Each datagram is evicted once, so in all this costs no
 * more than their arrival did. */
bool frag_make_room(struct frags *frags, const struct tlsyn_addr *src,
                    const struct frag_datagram *keep, uint32_t datagrams, size_t bytes);

/** The datagram holds so much more memory. */
void frag_charge(struct frag_datagram *d, size_t bytes);

/** Counts a datagram that can't be completed any more, and why. */
void frag_fail(struct frag_datagram *d, enum tlsyn_drop reason);

/** The same; its pieces go, and what still comes of it is thrown away (RFC 5722). */
void frag_kill(struct frag_datagram *d, enum tlsyn_drop reason);

/** The datagram goes because others need its memory. */
void frag_evict(struct frag_datagram *d);

void frag_datagram_free(struct frag_datagram *d);

#endif
