/*
 * support/flight.h: text on its way to the scripted peer, and what the peer says of it: SACK blocks
 * by segments, and the three bits of ECN as a number.
 */
#ifndef TEST_SUPPORT_FLIGHT_H
#define TEST_SUPPORT_FLIGHT_H

#include "support/peer.h"

#define FLIGHT_RTT TLSYN_MS(50)

/** What tlsyn_conn_info() says of the user's connection. */
struct tlsyn_conn_info info_of(const struct tcp_test *t);

/** A passive open to ESTABLISHED whose round trip takes FLIGHT_RTT; the peer's bits are `ace` in
 * the SYN, and what they have to be in the third segment. */
void opens_with_ace(struct tcp_test *t, unsigned ace);

/** The user writes forty segments, the initial window of ten leaves and is taken into the peer's
 * account, and a round trip passes. */
void ten_leave(struct tcp_test *t);

/** An ACK up to segment `ack` with a block: [from, to) arrived too; segments counted from 0. */
void peer_sacks(struct tcp_test *t, int ack, int from, int to);

/** A segment with this block, of relative numbers of the stack's. */
struct seg with_block(struct seg seg, const struct tcp_test *t, int64_t left, int64_t right);

/** AE, CWR, ECE as a number of three bits (RFC 9768 3.2.2). */
unsigned ace_of(const struct wire_tcp *segment);
struct seg with_ace(struct seg seg, unsigned ace);

#endif
