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

/** An option that is one int; NULL: there is none of this name. */
struct option_int;
const struct option_int *option_int_find(const struct sock *sock, int level, int name);
int option_int_set(struct sock *sock, const struct option_int *option, const void *value,
                   socklen_t length);
int option_int_get(struct sock *sock, const struct option_int *option, void *value,
                   socklen_t *length);

/** Any other. */
struct option_bytes {
    int level, name;
    bool stream_only;
    bool any_length; /* else what is set is as long as an int, at least */
    int (*set)(struct sock *, const void *value, socklen_t length); /* NULL: cannot be set */
    int (*get)(struct sock *, void *value, socklen_t *length);
};

const struct option_bytes *option_bytes_find(const struct sock *sock, int level, int name);

/** TCP_INFO: as much as fits into *length. 0. */
int tcp_info_give(struct sock *sock, void *value, socklen_t *length);

/** Copies `size` bytes, or as many as there is room for, and says how many. */
void option_give(const void *from, size_t size, void *value, socklen_t *length);

#endif
