/*
 * link/framed.h: a TCP segment in an Ethernet frame: found, changed in a copy of the frame, or made
 * anew in its place. For links that meddle with what passes.
 */
#ifndef LINK_FRAMED_H
#define LINK_FRAMED_H

#include "link/frame.h"
#include "wire/tcp.h"

#define FRAMED_KEY 36 /* both addresses of IPv6, and the ports */

struct framed {
    uint8_t *bytes; /* the frame's */
    size_t ip, tcp; /* where the headers begin */
    size_t end;     /* of the datagram */
    struct wire_tcp segment;
};

/** False: the frame, which is in one piece, holds no whole segment, or a damaged one, which is for
 * its receiver to refuse. */
bool framed_parse(const struct tlsyn_frame *frame, struct framed *f);

/** A copy of the frame, parsed; NULL when memory is short. */
struct held_frame *framed_copy(const struct tlsyn_frame *frame, struct framed *f);

/** Writes 32 bits over those at `at`, counted from the TCP header, of a copy. */
void framed_put32(struct framed *f, size_t at, uint32_t value);

/** The copy's datagram ends at `end` now, or has other octets: its length and checksums follow. */
void framed_finish(struct held_frame *held, struct framed *f, size_t end);

/** A frame with a segment of the caller's in the place of the one that `frame` holds, with its
 * ports; `back`: to its sender. NULL: memory is short, or too many IPv6 headers are before it. */
struct held_frame *framed_new(const struct tlsyn_frame *frame, struct wire_tcp *segment, bool back);

/** What tells its connection from others: the addresses and ports, the sender's first, or
 * (`swapped`) the receiver's. */
void framed_key(const struct framed *f, bool swapped, uint8_t key[FRAMED_KEY]);

#endif
