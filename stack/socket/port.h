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

bool port_is_held(const struct sock *sock);

/** Gives the port back. */
void port_release(struct sock *sock);

/** A connection has ended: its port goes, if bind(2) did not ask for it. */
void port_end(struct sock *sock);

/** The same of the address, where a socket is without peer again. */
void port_forget_address(struct sock *sock);

#endif
