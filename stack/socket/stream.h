/*
 * socket/stream.h: what the files of SOCK_STREAM share.
 */
#ifndef TLSYN_SOCKET_STREAM_H
#define TLSYN_SOCKET_STREAM_H

#include "socket/sock.h"

/* opening.c */

int stream_connect(struct sock *sock, const struct tlsyn_endpoint *to);
int stream_disconnect(struct sock *sock);
int stream_listen(struct sock *sock, int backlog);
int stream_accept(struct sock *sock, struct sock **child);

/** Sends the SYN, with what `early` holds as a Fast Open's text or an engine's hello, and does not
 * wait. NULL: nothing. */
int stream_open(struct sock *sock, const struct tlsyn_endpoint *to, struct cursor *early);

/** Waits for the end of an open. 0, the error that ended it, -EINPROGRESS at the
 * deadline, -EINTR. */
int stream_await(struct sock *sock, tlsyn_time deadline);

/** Ends listening: what was not accepted is reset. */
void stream_unlisten(struct sock *sock);

/* events.c */

/** Of a socket's connection. */
extern const struct tlsyn_conn_events stream_events;

/* end.c */

/** The connection is over; `error` is told once. */
void stream_ended(struct sock *sock, int error);

/** Ends the connection at once, with its session. The socket is as after on_closed. */
void stream_abort(struct sock *sock, int error);

/* child.c */

/** The acceptor of a listening socket. */
void child_acceptor(struct sock *parent);

/** It may be accepted now. */
void child_is_ready(struct sock *child);

/** Whether it waits to be accepted, or to become ready for that. */
bool child_is_waiting(const struct sock *sock);

/** Out of its parent's lists. */
void child_leave(struct sock *child);

/** Reset and freed. */
void child_discard(struct sock *child);

/* receive.c */

ssize_t stream_recv(struct sock *sock, struct cursor *into, struct sock_received *about, int flags);

/** Bytes that could be read now; an end that could be read counts as none. */
size_t stream_readable(struct sock *sock);

/** Keeps what was not read, before the connection goes. */
void stream_keep_rest(struct sock *sock);

/* send.c */

ssize_t stream_send(struct sock *sock, struct cursor *from, const struct sock_sending *how,
                    int flags);

/** Writes what there is room for. The count, or -errno. */
ssize_t stream_push(struct sock *sock, struct cursor *from);

/* urgent.c */

/** The peer's urgent text goes further than before; see tlsyn_conn_events. */
void stream_urgent_arrives(struct sock *sock, size_t before);

/** Bytes that may be read before the mark, from `skip` bytes past the front on; SIZE_MAX: no mark
 * is ahead. */
size_t stream_before_mark(const struct sock *sock, size_t skip);

/** SIOCATMARK: the next byte is the one at the mark. */
bool stream_at_mark(const struct sock *sock);

/** POLLPRI: the byte at the mark has arrived, and was not taken. */
bool stream_shows_urgent(const struct sock *sock);

/** recv(2) with MSG_OOB. */
ssize_t stream_recv_urgent(struct sock *sock, struct cursor *into, struct sock_received *about,
                           int flags);

/* option_conn.c */

/** The connection's options as those of the socket ask for. */
void options_for_conn(const struct sock *sock, struct tlsyn_conn_options *options);

#endif
