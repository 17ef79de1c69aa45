/*
 * loop/resolver_socket.h: the sockets that c-ares believes to have: UDP endpoints and TCP
 * connections of a stack.
 *
 * Theory. c-ares asks for sockets, and reads and writes them, through five functions; the
 * descriptors are numbers to it, and with such functions set it makes no system call on them (seen
 * in the sources of 1.18.1 and 1.34.5; ares_getaddrinfo() needs ARES_AI_NOSORT for that, else 1.18
 * asks getsockname(2)). Readiness goes the other way: an event of the stack makes c-ares process
 * the descriptor. A datagram is offered while its event lasts, and not kept.
 *
 * Numbers are never used twice, so that after c-ares has been called a number says whether its
 * socket is still there.
 */
#ifndef TLSYN_LOOP_RESOLVER_SOCKET_H
#define TLSYN_LOOP_RESOLVER_SOCKET_H

/* What newer releases offer in place of ares_set_socket_functions() is not in 1.18; they
 * keep this one. */
#define CARES_NO_DEPRECATED
#include <ares.h>

#include <tlsyn/stack.h>

#define RSOCKETS_MAX 32

struct rsocket;

struct rsockets {
    struct tlsyn_stack *stack;
    ares_channel channel;
    void (*progressed)(struct rsockets *); /* c-ares has processed something */
    struct rsocket *socket[RSOCKETS_MAX];
    int next; /* number of the next one */
};

/** Gives the channel its sockets. They go with it: ares_destroy() closes each. */
void rsockets_init(struct rsockets *set, struct tlsyn_stack *stack, ares_channel channel,
                   void (*progressed)(struct rsockets *));

#endif
