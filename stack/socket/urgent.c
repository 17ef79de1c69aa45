/*
 * socket/urgent.c: urgent text at the sockets: MSG_OOB, SO_OOBINLINE, SIOCATMARK, SIGURG. Read
 * first: tcp(7), socket(7); tcp/urgent.c.
 *
 * Linux takes the last byte of urgent text for all of it. That byte is the mark: a receive does not
 * go across it, and the next one begins behind it, or with it if it is to be in line. Apart from
 * the stream recv(2) gives it with MSG_OOB, once. What lies in the stream is never moved for that.
 */
#include <errno.h>
#include <signal.h>

#include "socket/stream.h"

/* Bytes from the next one to be read to the mark, which is counted in; 0: no mark. */
static size_t to_mark(const struct stream *stream)
{
    struct tlsyn_conn_glance glance;

    if (stream->session)
        return 0;
    if (!stream->conn)
        return stream->kept_urgent;
    tlsyn_conn_glance(stream->conn, &glance);
    return glance.rcv_urgent;
}

static bool has_byte(const struct stream *stream, uint8_t *byte)
{
    size_t n = to_mark(stream);

    if (n == 0 || stream->conn)
        return n && tlsyn_conn_urgent_last(stream->conn, byte);
    if (stream->kept_to - stream->kept_from < n)
        return false;
    *byte = stream->kept[stream->kept_from + n - 1];
    return true;
}

bool stream_at_mark(const struct sock *sock)
{
    return to_mark(&sock->stream) == 1;
}

bool stream_shows_urgent(const struct sock *sock)
{
    uint8_t byte;

    return !sock->stream.urgent_taken && has_byte(&sock->stream, &byte);
}

size_t stream_before_mark(const struct sock *sock, size_t skip)
{
    size_t n = to_mark(&sock->stream);

    return n > skip ? n - 1 - skip : SIZE_MAX;
}

/* As Linux's tcp_check_urg(): a mark that was reached and not passed goes, and its byte with it. */
void stream_urgent_arrives(struct sock *sock, size_t before)
{
    struct stream *stream = &sock->stream;
    struct tlsyn_view view;

    stream->urgent_taken = false;
    if (before == 1 && !sock->options.oob_inline && tlsyn_conn_peek(stream->conn, &view) > 0)
        tlsyn_conn_consume(stream->conn, 1);
    if (sock->owner)
        (void)kill(sock->owner, SIGURG);
    sock_changed(sock);
}

ssize_t stream_recv_urgent(struct sock *sock, struct cursor *into, struct sock_received *about,
                           int flags)
{
    struct stream *stream = &sock->stream;
    bool over = !stream->conn || sock->shut & SOCK_SHUT_RD;
    uint8_t byte;

    if (sock->options.oob_inline || to_mark(stream) == 0 || stream->urgent_taken)
        return -EINVAL;
    if (!stream->conn && !stream->done)
        return -ENOTCONN;
    if (!has_byte(stream, &byte))
        return over ? 0 : -EAGAIN; /* it never waits */
    stream->urgent_taken = !(flags & MSG_PEEK);
    about->flags |= MSG_OOB;
    sock_changed(sock);
    if (into->left == 0) {
        about->flags |= MSG_TRUNC;
        return 0;
    }
    into->discards = flags & MSG_TRUNC;
    return (ssize_t)cursor_put(into, &byte, 1);
}
