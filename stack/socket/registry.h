/*
 * socket/registry.h: which socket is behind a descriptor.
 *
 * The calls of BSD name a socket by its descriptor and nothing else, and descriptors are the
 * process's: so this table is too. It is the second admitted exception to "nothing is global"
 * (CONTRIBUTING.md); it knows numbers and sockets, no net, and its lock is held for a look alone.
 */
#ifndef TLSYN_SOCKET_REGISTRY_H
#define TLSYN_SOCKET_REGISTRY_H

#include <stdbool.h>

struct sock;

/** Enters a socket, held once more. 0 or -ENOMEM. *stale: one that was left under this number when
 * the program closed it with close(2), now the caller's to drop; NULL: none. */
int registry_add(int fd, struct sock *sock, struct sock **stale);

/** The socket, held once more; NULL: none. */
struct sock *registry_get(int fd);

/** Takes the socket out, with its hold, if it is that one; false: somebody else did. */
bool registry_remove(int fd, const struct sock *sock);

#endif
