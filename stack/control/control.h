/*
 * control/control.h: the socket at which a running command tells `tlsyn ss` about itself.
 *
 * Whoever connects gets one snapshot (snapshot.h) and the end of the stream; nothing is read from
 * him. He must be the same user, or root. It is served from the command's own loop, never waits,
 * and holds CONTROL_CLIENTS answers at a time: who comes when all are taken pushes the one out that
 * has taken his time the longest.
 *
 * The socket's name is "NAMESPACE-PID", and "NAMESPACE-PID-N" of further stacks of a process, since
 * numbers of processes are told apart within their namespace only. It appears when the socket
 * listens already, so that a socket that refuses connections is one whose process is gone.
 */
#ifndef TLSYN_CONTROL_CONTROL_H
#define TLSYN_CONTROL_CONTROL_H

#include <tlsyn/control.h>

#define CONTROL_CLIENTS 2

struct control_client {
    struct tlsyn_loop_watch watch;
    struct tlsyn_control *control;
    int fd; /* -1: free */
    char *text;
    size_t size, sent;
};

struct tlsyn_control {
    struct tlsyn_loop_watch watch;
    struct tlsyn_loop *loop; /* NULL: not open */
    struct tlsyn_stack *stack;
    struct tlsyn_control_about about;    /* its strings are ours */
    char *command, *interface;           /* owned */
    struct tlsyn_control_source *source; /* or NULL */
    int dir, listener;
    char name[48];
    struct control_client client[CONTROL_CLIENTS];
    unsigned int next; /* the client whose place is given away next */
};

#endif
