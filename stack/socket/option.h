/*
 * socket/option.h: getsockopt and setsockopt.
 */
#ifndef TLSYN_SOCKET_OPTION_H
#define TLSYN_SOCKET_OPTION_H

#include "socket/sock.h"

/** Linux's defaults for a socket of this type. */
void options_init(struct sock_options *options, int type);

/** 0 or -errno, in the order in which Linux finds fault. */
int option_set(struct sock *sock, int level, int name, const void *value, socklen_t length);
int option_get(struct sock *sock, int level, int name, void *value, socklen_t *length);

/** TCP_INFO: as much as fits into *length. */
void tcp_info_give(struct sock *sock, void *value, socklen_t *length);

/** Copies `size` bytes, or as many as there is room for, and says how many. */
void option_give(const void *from, size_t size, void *value, socklen_t *length);

#endif
