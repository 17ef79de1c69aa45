/*
 * tcp/pace.h: pacing: what cwnd allows leaves in trains, a millisecond's worth each,
 * instead of at once.
 */
#ifndef TLSYN_TCP_PACE_H
#define TLSYN_TCP_PACE_H

#include "tcp/conn.h"

/** Bytes per second that sending is held to; 0: it is not. */
uint64_t tcp_pacing_rate(const struct tlsyn_conn *conn);

/** How many of `len` bytes may leave now, counted as sent: all of them, a number of whole segments
 * unless it is one (`whole`), or 0: then TCP_PACE runs. */
uint32_t tcp_pace(struct tlsyn_conn *conn, uint32_t len, bool whole);

void tcp_pace_timeout(struct tlsyn_conn *conn);

#endif
