/*
 * socket/receive.c: bytes out of a stream socket. Read first: recv(2), tcp(7).
 *
 * A byte is copied once, between the program's buffer and the connection's ring, or by the engine
 * that stands between. `kept` is the exception: what a peek took out of an engine, and what a
 * connection left when it was reset.
 */
#include <errno.h>
#include <stdlib.h>

#include "socket/stream.h"

#define RECORD_MAX 16384

/* --- what is there ---------------------------------------------------------------------------- */

static size_t kept(const struct stream *stream)
{
    return stream->kept_to - stream->kept_from;
}

static size_t arrived(const struct stream *stream)
{
    struct tlsyn_conn_glance glance;

    if (stream->session)
        return stream->session_ops->pending(stream->session);
    if (!stream->conn)
        return 0;
    tlsyn_conn_glance(stream->conn, &glance);
    return glance.rcv_queued;
}

size_t stream_readable(struct sock *sock)
{
    return kept(&sock->stream) + arrived(&sock->stream);
}

static void forget_kept(struct stream *stream, size_t n)
{
    stream->kept_from += n;
    stream->kept_urgent -= n < stream->kept_urgent ? n : stream->kept_urgent;
    if (kept(stream) > 0)
        return;
    free(stream->kept);
    stream->kept = NULL;
    stream->kept_from = stream->kept_to = 0;
}

/* Room for n bytes behind those kept. */
static uint8_t *extend_kept(struct stream *stream, size_t n)
{
    uint8_t *longer = realloc(stream->kept, stream->kept_to + n);

    if (!longer)
        return NULL;
    stream->kept = longer;
    return longer + stream->kept_to;
}

void stream_keep_rest(struct sock *sock)
{
    struct stream *stream = &sock->stream;
    struct tlsyn_view view;
    struct tlsyn_conn_glance glance;
    size_t n = stream->conn && !stream->session ? tlsyn_conn_peek(stream->conn, &view) : 0;
    uint8_t *at = n ? extend_kept(stream, n) : NULL;

    if (!at)
        return;
    tlsyn_conn_glance(stream->conn, &glance);
    stream->kept_urgent = glance.rcv_urgent;
    memcpy(at, view.part[0].iov_base, view.part[0].iov_len);
    if (view.part[1].iov_len)
        memcpy(at + view.part[0].iov_len, view.part[1].iov_base, view.part[1].iov_len);
    stream->kept_to += n;
}

/* --- in --------------------------------------------------------------------------------------- */

static size_t take_kept(struct stream *stream, struct cursor *into, size_t skip, bool peek)
{
    size_t n = kept(stream);

    if (skip >= n)
        return 0;
    n = cursor_put(into, stream->kept + stream->kept_from + skip, n - skip);
    if (!peek)
        forget_kept(stream, n);
    return n;
}

static size_t take_plain(struct stream *stream, struct cursor *into, size_t skip, bool peek)
{
    struct tlsyn_view view;
    size_t n = 0;

    if (tlsyn_conn_peek(stream->conn, &view) == 0)
        return 0;
    for (int i = 0; i < 2 && view.part[i].iov_len; i++) {
        size_t over = skip < view.part[i].iov_len ? skip : view.part[i].iov_len;

        skip -= over;
        n += cursor_put(into, (uint8_t *)view.part[i].iov_base + over, view.part[i].iov_len - over);
    }
    if (!peek && n > 0)
        tlsyn_conn_consume(stream->conn, n);
    return n;
}

/* What an engine says besides a count ends the stream, in order or not. */
static void note_result(struct sock *sock, ssize_t result)
{
    struct stream *stream = &sock->stream;

    if (result == 0) {
        stream->done = true;
        sock->shut |= SOCK_SHUT_RD;
    } else if (result < 0 && result != -EAGAIN && sock->error == 0 && !stream->done) {
        stream->done = true;
        sock->shut |= SOCK_SHUT_RD;
        sock_fail(sock, (int)result);
    }
}

static size_t take_opened(struct sock *sock, struct cursor *into)
{
    struct stream *stream = &sock->stream;
    size_t done = 0, piece;
    uint8_t bin[1024];

    while (into->left > 0 && stream->session) {
        uint8_t *at = bin;
        ssize_t n;

        if (into->discards)
            piece = into->left < sizeof(bin) ? into->left : sizeof(bin);
        else
            at = cursor_piece(into, &piece);
        n = stream->session_ops->read(stream->session, at, piece);
        if (n <= 0) {
            note_result(sock, n);
            break;
        }
        cursor_advance(into, (size_t)n);
        done += (size_t)n;
    }
    return done;
}

/* A peek into an engine: what it has now is kept. */
static void keep_opened(struct sock *sock)
{
    struct stream *stream = &sock->stream;
    uint8_t *at = stream->session && kept(stream) < RECORD_MAX && arrived(stream)
                      ? extend_kept(stream, RECORD_MAX)
                      : NULL;
    ssize_t n = at ? stream->session_ops->read(stream->session, at, RECORD_MAX) : -EAGAIN;

    if (n > 0)
        stream->kept_to += (size_t)n;
    else
        note_result(sock, n);
}

/* Whatever can be had now, `skip` bytes past the front. */
static size_t take_all(struct sock *sock, struct cursor *into, size_t skip, bool peek)
{
    struct stream *stream = &sock->stream;
    size_t n;

    if (peek && skip == kept(stream))
        keep_opened(sock);
    n = take_kept(stream, into, skip, peek);
    if (stream->session)
        return peek ? n : n + take_opened(sock, into);
    if (stream->conn) /* then nothing is kept: that is for when it is gone */
        n += take_plain(stream, into, peek ? skip : 0, peek);
    return n;
}

/* The byte at the mark is not for a receive that begins with it. */
static void pass_mark(struct sock *sock)
{
    if (sock->stream.conn)
        tlsyn_conn_consume(sock->stream.conn, 1);
    else
        forget_kept(&sock->stream, 1);
}

/* How far a receive has come. */
struct progress {
    size_t done;
    size_t passed; /* while peeking: the byte at the mark was */
    bool peek;
};

/* As take_all(), but not across the mark. True: the receive ends here. */
static bool take(struct sock *sock, struct cursor *into, struct progress *p)
{
    size_t skip = p->peek ? p->done + p->passed : 0, left = into->left, n;
    size_t room = stream_before_mark(sock, skip);

    if (room == 0 && p->done > 0)
        return true;
    if (room == 0 && !sock->options.oob_inline && stream_readable(sock) > skip) {
        if (!p->peek)
            pass_mark(sock);
        p->passed = p->peek;
        skip += p->passed;
    }
    if (room > 0 && room < left)
        into->left = room;
    left -= into->left;
    n = take_all(sock, into, skip, p->peek);
    into->left += left;
    p->done += n;
    return n > 0 && n == room;
}

/* Why a receive that has got nothing comes back, as Linux's tcp_recvmsg() asks in this order: 1: it
 * does not; else 0 (the end) or -errno. */
static int why_none(struct sock *sock)
{
    if (sock->stream.done && !sock->error)
        return 0;
    if (sock->error)
        return sock_take_error(sock);
    if (sock->shut & SOCK_SHUT_RD)
        return 0;
    if (!sock->stream.conn && !sock->stream.deferred)
        return -ENOTCONN;
    return 1;
}

static bool is_over(const struct sock *sock)
{
    return sock->error || sock->stream.done || sock->shut & SOCK_SHUT_RD || !sock->stream.conn;
}

static size_t enough(const struct sock *sock, size_t n, int flags)
{
    size_t low = (size_t)sock->options.rcv_lowat;

    if (flags & MSG_WAITALL)
        low = n;
    low = low < n ? low : n;
    return low ? low : 1;
}

ssize_t stream_recv(struct sock *sock, struct cursor *into, struct sock_received *about, int flags)
{
    size_t asked = into->left, target = enough(sock, asked, flags);
    tlsyn_time deadline = sock_deadline(sock, sock->options.rcv_timeout, flags);
    struct progress p = {.peek = flags & MSG_PEEK};
    int result;

    if (flags & MSG_ERRQUEUE) /* nothing ever waits there */
        return -EAGAIN;
    if (sock->phase == SOCK_LISTENING)
        return -ENOTCONN;
    if (flags & MSG_OOB)
        return stream_recv_urgent(sock, into, about, flags);
    into->discards = flags & MSG_TRUNC;
    sock_changed(sock);
    for (;;) {
        bool ends = take(sock, into, &p);

        if (ends || p.done >= target || (asked == 0 && stream_readable(sock)))
            return (ssize_t)p.done;
        if (p.done > 0 && is_over(sock))
            return (ssize_t)p.done;
        result = p.done > 0 ? 1 : why_none(sock);
        if (result <= 0)
            return result;
        result = sock_wait(sock, deadline);
        if (result < 0)
            return p.done > 0 ? (ssize_t)p.done : result;
    }
}
