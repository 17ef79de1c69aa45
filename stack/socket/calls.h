/*
 * socket/calls.h: how every call begins and ends.
 */
#ifndef TLSYN_SOCKET_CALLS_H
#define TLSYN_SOCKET_CALLS_H

#include "socket/sock.h"

/** The socket behind a descriptor, held, with its net's lock; NULL with errno EBADF or ENOTSOCK. */
struct sock *call_enter(int fd);

/** Lets go of both. A count, or -errno, as BSD's calls return it. */
ssize_t call_leave(struct sock *sock, ssize_t result);

#endif
