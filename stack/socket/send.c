/*
 * socket/send.c: bytes into a stream socket. Read first: send(2), tcp(7).
 *
 * A byte is copied once, from the program's buffer to the connection's ring, or by the engine that
 * stands between.
 */
#include <errno.h>

#include "socket/stream.h"

static ssize_t push_plain(struct stream *stream, struct cursor *from)
{
    struct tlsyn_view view;
    ssize_t room = tlsyn_conn_reserve(stream->conn, from->left, &view);

    if (room == -ENOMEM) /* the stack's bound: as Linux's sk_stream_wait_memory(), it passes */
        return 0;
    if (room <= 0)
        return room;
    for (int i = 0; i < 2; i++)
        (void)cursor_get(from, view.part[i].iov_base, view.part[i].iov_len);
    tlsyn_conn_commit(stream->conn, (size_t)room);
    return room;
}

static ssize_t push_sealed(struct stream *stream, struct cursor *from)
{
    ssize_t done = 0;
    size_t piece;

    while (from->left > 0) {
        const void *at = cursor_piece(from, &piece);
        ssize_t n = stream->session_ops->write(stream->session, at, piece);

        if (n <= 0)
            return done > 0 || n == -EAGAIN ? done : n;
        cursor_advance(from, (size_t)n);
        done += n;
    }
    return done;
}

ssize_t stream_push(struct sock *sock, struct cursor *from)
{
    if (sock->stream.session)
        return push_sealed(&sock->stream, from);
    return push_plain(&sock->stream, from);
}

/* MSG_MORE is the cork for one call. */
static void cork(struct sock *sock, bool more)
{
    struct tlsyn_conn_options options;

    if (sock->stream.corked == more || !sock->stream.conn)
        return;
    sock->stream.corked = more;
    options_for_conn(sock, &options);
    (void)tlsyn_conn_set_options(sock->stream.conn, &options);
}

/* As Linux's sk_stream_wait_connect(): 0, or why nothing can be sent. */
static int await_connection(struct sock *sock, tlsyn_time deadline)
{
    while (sock->phase == SOCK_OPENING && sock->stream.conn && !sock->stream.established) {
        int result = sock->error ? sock_take_error(sock) : sock_wait(sock, deadline);

        if (result < 0)
            return result;
    }
    if (sock->error)
        return sock_take_error(sock);
    return sock->stream.conn && !(sock->shut & SOCK_SHUT_WR) ? 0 : -EPIPE;
}

/* MSG_FASTOPEN, or the first send after a deferred connect. Without a cookie nothing is taken, and
 * one is asked for; an engine looks by itself what it may take. 0: opened; what is left of `from`
 * is to be sent. */
static int open_by_sending(struct sock *sock, struct cursor *from, const struct tlsyn_endpoint *to,
                           tlsyn_time deadline)
{
    struct cursor none = {0};
    size_t before = from->left;
    bool connected = sock->stream.deferred; /* for all that the program was told */
    bool rides = sock->stream.engine || tlsyn_has_cookie(sock->net->stack, &to->addr);
    int error = stream_open(sock, to, rides ? from : &none);

    if (error == 0 && rides && deadline) /* what follows rides on the ACK of the SYN-ACK */
        (void)stream_push(sock, from);
    if (error == 0)
        error = stream_await(sock, deadline);
    if (error == -EINPROGRESS)
        return from->left < before ? 0 : connected ? -EAGAIN : error;
    return error;
}

static int open_if_asked(struct sock *sock, struct cursor *from, const struct tlsyn_endpoint *to,
                         int flags, tlsyn_time deadline)
{
    if (sock->stream.deferred)
        return open_by_sending(sock, from, &sock->remote, deadline);
    if (!(flags & MSG_FASTOPEN))
        return 0;
    if (sock->phase == SOCK_OPENING)
        return -EALREADY;
    if (sock->phase == SOCK_OPEN && !sock->stream.announced) { /* connect(2) would say so now */
        sock->stream.announced = true;
        return 0;
    }
    if (sock->phase != SOCK_IDLE)
        return -EISCONN;
    return to ? open_by_sending(sock, from, to, deadline) : -EINVAL;
}

static int send_all(struct sock *sock, struct cursor *from, tlsyn_time deadline, bool urgent)
{
    while (from->left > 0) {
        int result = await_connection(sock, deadline);
        ssize_t n = result == 0 ? stream_push(sock, from) : result;

        if (n < 0)
            return (int)n;
        if (n > 0 && urgent)
            tlsyn_conn_urgent(sock->stream.conn);
        if (n > 0)
            continue;
        result = sock_wait(sock, deadline);
        if (result < 0)
            return result;
    }
    return 0;
}

ssize_t stream_send(struct sock *sock, struct cursor *from, const struct sock_sending *how,
                    int flags)
{
    tlsyn_time deadline = sock_deadline(sock, sock->options.snd_timeout, flags);
    size_t asked = from->left;
    int error = 0;

    if (flags & MSG_OOB && sock->stream.engine)
        return -EOPNOTSUPP;
    if (from->faulty && (sock->stream.deferred || flags & MSG_FASTOPEN))
        return -EFAULT;
    error = open_if_asked(sock, from, how->to, flags, deadline);
    if (error < 0)
        return error;
    if (asked > from->left && sock->phase == SOCK_OPENING)
        return (ssize_t)(asked - from->left);
    error = await_connection(sock, deadline);
    if (error == 0 && from->faulty)
        error = -EFAULT;
    if (error == 0)
        cork(sock, flags & MSG_MORE);
    if (error == 0)
        error = send_all(sock, from, deadline, flags & MSG_OOB);
    sock_changed(sock);
    return asked > from->left ? (ssize_t)(asked - from->left) : error;
}
