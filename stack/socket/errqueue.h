/*
 * socket/errqueue.h: the error queue of a datagram socket: IP_RECVERR, MSG_ERRQUEUE. Read first:
 * ip(7), ipv6(7), recv(2).
 *
 * Who asked for it gets each error about what he sent, with where that was to go, who says so, and
 * what is quoted of it. The queue shares SO_RCVBUF with the datagrams that wait: what finds no room
 * there is not told in full.
 */
#ifndef TLSYN_SOCKET_ERRQUEUE_H
#define TLSYN_SOCKET_ERRQUEUE_H

#include "socket/sock.h"

/** What Linux makes of an error: a negative errno; *hard: it is told though nobody asked. */
int errqueue_errno(const struct tlsyn_udp_error *told, bool *hard);

/** Whether the socket asked to be told of what goes to this address. */
bool errqueue_wanted(const struct sock *sock, const struct tlsyn_addr *to);

/** Remembers an ICMP message; `error` as errqueue_errno() has it. */
void errqueue_add(struct sock *sock, const struct tlsyn_udp_error *told, int error);

/** Remembers that we did not send a datagram to `to`: it is longer than `mtu` lets it be. */
void errqueue_add_too_long(struct sock *sock, const struct tlsyn_endpoint *to, uint32_t mtu);

/** recv(2) with MSG_ERRQUEUE: the count, or -EAGAIN. It never waits. */
ssize_t errqueue_take(struct sock *sock, struct cursor *into, struct sock_received *about);

void errqueue_clear(struct sock *sock);

#endif
