/*
 * tcp/demux.h: from a segment's addresses and ports to its connection or listener; the choice
 * of local ports.
 */
#ifndef TLSYN_TCP_DEMUX_H
#define TLSYN_TCP_DEMUX_H

#include "tcp/conn.h"

/** 0, -EADDRINUSE (the 4-tuple is taken), -ENOBUFS (limits.connections), -ENOMEM. */
int demux_add(struct tcp *tcp, struct tlsyn_conn *conn);

/** Harmless if it is not in the table. */
void demux_remove(struct tcp *tcp, struct tlsyn_conn *conn);

/** NULL: no such connection. */
struct tlsyn_conn *demux_find(const struct tcp *tcp, const struct tlsyn_endpoint *local,
                              const struct tlsyn_endpoint *remote);

/** The listener for a local endpoint: one with this address before one with any. Which one of
 * several that share the endpoint follows from a hash of both ends; without `remote` (NULL) it is
 * any of them. NULL: there is none. */
struct tlsyn_listener *demux_listener(const struct tcp *tcp, const struct tlsyn_endpoint *local,
                                      const struct tlsyn_endpoint *remote);

/** A free ephemeral port for a connection to `remote`, chosen at random (RFC 6056 3.3.1);
 * 0: none is free. */
uint16_t demux_choose_port(const struct tcp *tcp, const struct tlsyn_endpoint *local,
                           const struct tlsyn_endpoint *remote);

#endif
