/*
 * tcp/listener.h: passive OPEN (RFC 9293 3.10.1) and its end.
 */
#ifndef TLSYN_TCP_LISTENER_H
#define TLSYN_TCP_LISTENER_H

#include "tcp/conn.h"

/** tlsyn_listener_open(). */
int tcp_listen(struct tcp *tcp, const struct tlsyn_listen_options *options,
               struct tlsyn_acceptor *acceptor, struct tlsyn_listener **listener);

/** Whether it is paused; then the caller drops the segment that would have opened a connection, and
 * this counts it. */
bool tcp_listener_is_full(const struct tlsyn_listener *listener);

#endif
