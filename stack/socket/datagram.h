/*
 * socket/datagram.h: what SOCK_DGRAM does, for the calls and among its own files.
 */
#ifndef TLSYN_SOCKET_DATAGRAM_H
#define TLSYN_SOCKET_DATAGRAM_H

#include "socket/sock.h"

/** Gives a socket its local endpoint: bind(2). 0 or -errno. */
int datagram_bind(struct sock *sock, const struct tlsyn_endpoint *local);

/** The same, at a port that is free, for one that has none. 0 or -EAGAIN. */
int datagram_autobind(struct sock *sock);

/** What the endpoint is to do with what goes by this family: an IPv6 socket may have an IPv4
 * peer. */
void datagram_options(const struct sock *sock, bool ip4, struct tlsyn_udp_options *options);

/** Has the endpoint do what the socket's options say. */
void datagram_apply(struct sock *sock);

/** The longest that the peer is sent in one piece: IP_MTU. -ENOTCONN: there is no peer. */
int datagram_mtu(const struct sock *sock);

/** To whom a message of `n` bytes goes, and what Linux finds fault with before it looks at what
 * comes beside the bytes; gives the socket a port. *named false: to the peer. 0 or -errno. */
int datagram_addressee(struct sock *sock, const struct msghdr *message, size_t n, int flags,
                       struct tlsyn_endpoint *to, bool *named);

/** sock_ops.send. */
ssize_t datagram_send(struct sock *sock, struct cursor *from, const struct sock_sending *how,
                      int flags);

#endif
