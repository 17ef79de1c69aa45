/*
 * tcp/sources.h: how many handshakes each source has begun lately and not completed. Read first:
 * RFC 4987 2 and 3, RFC 7413 5.1; docs/HANDSHAKE.md.
 *
 * A source is an IPv4 address or an IPv6 /64; the /56 around the latter, usually one customer's,
 * may begin four times as much. Sources share a fixed array of buckets by a keyed hash. So memory
 * is bounded, and nobody can aim at the bucket of somebody else; two sources that meet in one by
 * chance share what it allows. A source that exceeds its share loses a shortcut, never the
 * connection.
 *
 * What is taken is forgotten when its period ends, and given back when the third segment of the
 * handshake shows that somebody is there. So an honest source may begin as much as it completes.
 */
#ifndef TLSYN_TCP_SOURCES_H
#define TLSYN_TCP_SOURCES_H

#include "core/context.h"
#include "core/siphash.h"

enum source_share {
    SOURCE_SYNS,   /* connections half open: limits.syns_per_source */
    SOURCE_EMBEDS, /* engines that took a SYN's payload on a cookie: limits.embedded_per_source */
    SOURCE_SHARES
};

#define SOURCE_PERIOD TLSYN_SECONDS(3)

struct source_bucket {
    uint32_t period; /* in which `taken` was taken */
    uint16_t taken[SOURCE_SHARES];
};

struct sources {
    struct context *cx;
    struct siphash_key key;
    struct source_bucket *bucket; /* limits.sources of them; NULL: nobody is counted */
};

void sources_init(struct sources *s, struct context *cx);
void sources_release(struct sources *s);

/** Before the first listener. 0 or -ENOMEM; harmless if they are there. */
int sources_open(struct sources *s);

/** False, and nothing is taken, if the source has used up its share. */
bool sources_take(struct sources *s, const struct tlsyn_addr *addr, enum source_share share);

void sources_give_back(struct sources *s, const struct tlsyn_addr *addr, enum source_share share);

#endif
