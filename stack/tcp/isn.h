/*
 * tcp/isn.h: initial sequence numbers (RFC 6528) and timestamp offsets (RFC 7323 7.1), both
 * by keyed hash.
 */
#ifndef TLSYN_TCP_ISN_H
#define TLSYN_TCP_ISN_H

#include <tlsyn/types.h>

#include "core/siphash.h"
#include "wire/seq.h"

#define ISN_TICK 4 /* us: RFC 9293 3.4.1 */

/** ISN = M + F(local, remote, secret): M ticks every 4 us, F is SipHash under a key of this
 * stack's. */
tcp_seq isn_choose(const struct siphash_key *key, const struct tlsyn_endpoint *local,
                   const struct tlsyn_endpoint *remote, tlsyn_time now);

/** What is added to a connection's timestamp clock, so that it tells nothing of our uptime. */
uint32_t isn_ts_offset(const struct siphash_key *key, const struct tlsyn_endpoint *local,
                       const struct tlsyn_endpoint *remote);

/** Keyed hash of a 4-tuple, for the demultiplexing table; `salt` separates its uses. */
uint64_t isn_hash(const struct siphash_key *key, const struct tlsyn_endpoint *local,
                  const struct tlsyn_endpoint *remote, uint8_t salt);

#endif
