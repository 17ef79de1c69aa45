/*
 * ip/split.h: a datagram that is longer than its path takes leaves in fragments. Read first:
 * RFC 791 3.2, RFC 8200 4.5, RFC 7739 5.3.
 *
 * It waits in one piece, for its neighbour or for output, and is cut when it leaves: so whoever
 * reports that it could not be sent, or counts what waits, sees one datagram. TCP never comes here:
 * it keeps its segments short (tcp/mtu.h).
 *
 * Identifications. Each of a few counters serves the flows (source, destination, protocol) that
 * hash to it, from an offset that is the flow's own and secret: numbers don't come again soon, and
 * nobody else can tell what the next one is.
 */
#ifndef TLSYN_IP_SPLIT_H
#define TLSYN_IP_SPLIT_H

#include "core/siphash.h"
#include "ip/held.h"

#define SPLIT_COUNTERS 16

struct split {
    struct siphash_key key;
    uint32_t used[SPLIT_COUNTERS];
};

void split_init(struct split *split, struct context *cx);

/** The identification of a datagram that is cut, or that others may cut. */
uint32_t split_number(struct split *split, const struct tlsyn_addr *src,
                      const struct tlsyn_addr *dst, uint8_t protocol);

/** Cuts the datagram of a frame into fragments of at most `whole->mtu` octets, and puts their
 * frames into `fragments`, which is empty; the whole stays the caller's. Their number, or -ENOMEM:
 * then the queue is empty still. */
int split_frame(struct split *split, struct context *cx, const struct held *whole,
                struct held_queue *fragments);

#endif
