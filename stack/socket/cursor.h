/*
 * socket/cursor.h: a place in a vector of the program's buffers, on the way through it.
 */
#ifndef TLSYN_SOCKET_CURSOR_H
#define TLSYN_SOCKET_CURSOR_H

#include <sys/socket.h>
#include <time.h>

#include <linux/errqueue.h>

#include <tlsyn/types.h>

struct cursor {
    const struct iovec *part; /* the one we are in */
    size_t offset;            /* in it */
    size_t left;              /* bytes from here to the end */
    bool faulty;              /* a part has no memory: only to be discarded to */
    bool discards;            /* what is put goes nowhere: MSG_TRUNC on a stream */
};

/** What comes with received bytes. */
struct sock_received {
    struct tlsyn_endpoint from; /* a datagram's sender */
    bool has_from;
    struct tlsyn_addr to; /* with has_from: where it was sent to, and how its header was */
    bool to_all;          /* `to` is a broadcast address */
    uint8_t tos, ttl;
    struct timespec when; /* with has_from: it came, by the clock on the wall */
    int flags;            /* MSG_TRUNC, MSG_ERRQUEUE */
    bool has_error;       /* from the error queue: `from` is where the datagram was to go */
    struct sock_extended_err error;
    struct tlsyn_addr offender; /* who says so; unspecified: we ourselves */
};

/** What goes with bytes that are sent. */
struct sock_sending {
    const struct tlsyn_endpoint *to; /* NULL: the peer */
    struct tlsyn_addr from; /* of a datagram; unspecified: as the socket and the route have it */
    int tos, ttl;           /* of a datagram; -1: the socket's */
};

/** At the start. -EMSGSIZE: more parts than the kernel takes; -EINVAL: more bytes. */
int cursor_init(struct cursor *cursor, const struct iovec *parts, size_t count);

/** The piece at the place, at most `left` bytes; NULL at the end. */
void *cursor_piece(struct cursor *cursor, size_t *n);

/** Moves on by n, at most `left`. */
void cursor_advance(struct cursor *cursor, size_t n);

/** Copies as much of n bytes as there is room for into the buffers. Returns how much. */
size_t cursor_put(struct cursor *cursor, const void *bytes, size_t n);

/** Copies n bytes, at most `left`, out of the buffers. Returns how much. */
size_t cursor_get(struct cursor *cursor, void *bytes, size_t n);

#endif
