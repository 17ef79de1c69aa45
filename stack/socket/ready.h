/*
 * socket/ready.h: the descriptor of a socket, and how it is made to show what poll(2) should see.
 *
 * It is one end of an AF_UNIX stream: the near end is the program's, the far end is ours, and what
 * poll(2) says about the near end follows from what we do to the pair:
 *
 *     IN    one byte lies in the near end's queue           (falls: it is read)
 *     OUT   nothing lies in the far end's queue             (falls: no more fits)
 *     END   the far end was shut down for writing           POLLIN and POLLRDHUP
 *     HUP   the far end was shut down for both              POLLHUP too
 *     ERR   the far end was closed with a byte unread       POLLERR too
 *     PRI   one byte was sent with MSG_OOB                  POLLPRI, and POLLIN as long as it lasts
 *
 * END, HUP and ERR stay, as they do on a TCP socket. A stream socket that was never connected shows
 * OUT and HUP on Linux; so does an AF_UNIX socket without a far end, and it is connected when ours
 * is. Each change costs one system call or two, and nothing while nothing changes.
 */
#ifndef TLSYN_SOCKET_READY_H
#define TLSYN_SOCKET_READY_H

#include <stdbool.h>
#include <sys/types.h>

struct tlsyn_net;

enum ready_level {
    READY_IN = 1 << 0,
    READY_OUT = 1 << 1,
    READY_END = 1 << 2,
    READY_HUP = 1 << 3,
    READY_ERR = 1 << 4,
    READY_PRI = 1 << 5,
};

struct ready {
    int near, far;  /* -1: none */
    unsigned shown; /* enum ready_level, while there is a far end */
    ino_t inode;    /* of the near end: a number can be closed behind our back, and reused */
};

/** No descriptor yet. */
void ready_init(struct ready *ready);

/** Opens the place where near ends get their far end: 0 or -errno. */
int ready_nest_open(struct tlsyn_net *net);
void ready_nest_close(struct tlsyn_net *net);

/** A near end without a far one (shows OUT and HUP); `flags` SOCK_CLOEXEC,
 * SOCK_NONBLOCK. 0, -errno. */
int ready_open_idle(struct ready *ready, int flags);

/** A pair (shows OUT). 0 or -errno. */
int ready_open_pair(struct ready *ready, int flags);

/** Gives an idle near end its far end; one that has had a far end is replaced under its number. */
int ready_connect(struct ready *ready, struct tlsyn_net *net);

/** Back to idle, under the same number. */
int ready_disconnect(struct ready *ready);

/** Shows these levels. `again`: who waits for edges is to see another one for IN, shown or not. */
void ready_show(struct ready *ready, unsigned levels, bool again);

/** The error was taken by the program: POLLERR falls. */
void ready_error_taken(struct ready *ready);

/** Closes both ends; the near one only if its number is not somebody else's by now. */
void ready_close(struct ready *ready);

#endif
