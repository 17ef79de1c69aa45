/*
 * socket/port.h: which local port belongs to which socket: bind(2)'s rules.
 */
#ifndef TLSYN_SOCKET_PORT_H
#define TLSYN_SOCKET_PORT_H

#include "socket/sock.h"

/** Gives the socket this local endpoint; port 0: one that nobody has. -EADDRINUSE. */
int port_take(struct sock *sock, const struct tlsyn_endpoint *local);

/** Whether another socket stands in the way of listening. */
bool port_is_contested(const struct sock *sock);

/** Notes an endpoint that TCP has chosen, or that came with a connection. */
void port_note(struct sock *sock, const struct tlsyn_endpoint *local);

void port_release(struct sock *sock);

#endif
