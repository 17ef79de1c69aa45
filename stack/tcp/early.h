/*
 * tcp/early.h: segments that overtake the SYN-ACK on their way (docs/HANDSHAKE.md).
 *
 * A server whose flight does not fit the SYN-ACK sends the rest right behind it; where the path
 * reorders, some of that arrives first. Without the SYN-ACK its place in the stream is not known.
 * So a few copies are kept, and processed once the SYN-ACK is here.
 */
#ifndef TLSYN_TCP_EARLY_H
#define TLSYN_TCP_EARLY_H

#include "tcp/conn.h"

/** Bounds per connection: an initial window's worth. */
#define EARLY_SEGMENTS_MAX 10
#define EARLY_BYTES_MAX    16384

/** One that waits; its text is the copy behind it. */
struct early_segment {
    struct early_segment *next;
    struct wire_tcp segment;
    uint8_t text[];
};

/** Keeps a copy of a segment with an acceptable ACK field that came in SYN-SENT. Beyond the bounds,
 * or without memory, it is dropped, and comes again. */
void early_keep(struct tlsyn_conn *conn, const struct wire_tcp *segment);

/** The one that came first, to be freed with context_free(); NULL when there are none. */
struct early_segment *early_take(struct tlsyn_conn *conn);

/** Frees them all. */
void early_release(struct tlsyn_conn *conn);

#endif
