/*
 * socket/peer.h: whom a call is about: what Linux makes of the address that connect(2) and
 * sendto(2) are given, which depends on the socket.
 */
#ifndef TLSYN_SOCKET_PEER_H
#define TLSYN_SOCKET_PEER_H

#include "socket/sock.h"

/** 0, -EFAULT, -EINVAL or -EAFNOSUPPORT. AF_UNSPEC is the caller's to look for. */
int peer_to_connect(const struct sock *sock, const struct sockaddr *address, socklen_t length,
                    struct tlsyn_endpoint *to);

/** The same of a datagram, or of a Fast Open; -ENETUNREACH too. *named false: AF_UNSPEC stands for
 * no address. */
int peer_to_send(const struct sock *sock, const struct sockaddr *address, socklen_t length,
                 struct tlsyn_endpoint *to, bool *named);

#endif
