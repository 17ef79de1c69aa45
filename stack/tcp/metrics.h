/*
 * tcp/metrics.h: what one connection learns of a path, for the next one to the same peer
 * (RFC 9040).
 */
#ifndef TLSYN_TCP_METRICS_H
#define TLSYN_TCP_METRICS_H

#include "tcp/conn.h"

/** The SYN is about to leave, with text in it: how long to wait for a sign that it was taken
 * (docs/HANDSHAKE.md). */
void metrics_time_syn(struct tlsyn_conn *conn);

/** The connection is established, its MSS and first round trip known. */
void metrics_use(struct tlsyn_conn *conn);

/** It has ended, in order or not; its state is still what it was. Once. */
void metrics_keep(struct tlsyn_conn *conn);

#endif
