/*
 * socket/peer.h: whom a call is about: what Linux makes of the address that connect(2) and
 * sendto(2) are given, which depends on the socket.
 */
#ifndef TLSYN_SOCKET_PEER_H
#define TLSYN_SOCKET_PEER_H

#include "socket/sock.h"

/** To whom a socket connects, with connect(2) or by Fast Open. 0, -EFAULT, -EINVAL, -EAFNOSUPPORT
 * or -ENETUNREACH. AF_UNSPEC is the caller's to look for. */
int peer_to_connect(const struct sock *sock, const struct sockaddr *address, socklen_t length,
                    struct tlsyn_endpoint *to);

/** BSD's way of saying "here", the unspecified address, becomes the one that the socket is bound
 * to, or the loopback's. */
void peer_at_home(const struct sock *sock, struct tlsyn_endpoint *to);

/** An IPv6 socket for datagrams takes IPv4's addresses as they are: is this one? */
bool peer_is_plain_ip4(const struct sock *sock, const struct sockaddr *address, socklen_t length);

#endif
