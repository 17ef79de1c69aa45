/*
 * tcp/keepalive.h: is a silent peer still there? RFC 9293 3.8.4; off unless asked for.
 */
#ifndef TLSYN_TCP_KEEPALIVE_H
#define TLSYN_TCP_KEEPALIVE_H

#include "tcp/conn.h"

/** The connection is established, or its settings have changed: TCP_KEEPALIVE runs if it is to. */
void tcp_keepalive_start(struct tlsyn_conn *conn);

/** The peer sent something acceptable. */
static inline void tcp_keepalive_heard(struct tlsyn_conn *conn)
{
    conn->last_heard = conn->tcp->cx->now;
    conn->keep_probes = 0;
}

/** TCP_KEEPALIVE has passed. */
void tcp_keepalive_timeout(struct tlsyn_conn *conn);

#endif
