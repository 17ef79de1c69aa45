/*
 * socket/stream.c: SOCK_STREAM: what is shown of it, its ends, and the table of what it does.
 */
#include "socket/stream.h"

#include <errno.h>

#include "socket/address.h"

static void stream_init(struct sock *sock)
{
    struct stream *stream = &sock->stream;

    stream->handler.events = &stream_events;
    list_init(&stream->patience.node);
    list_init(&stream->queue);
    list_init(&stream->embryos);
    list_init(&stream->sibling);
}

/* --- what poll(2) shows: Linux's tcp_poll() --------------------------------------------------- */

/* Linux's sk_stream_is_writeable(): a third of the buffer is free, and TCP_NOTSENT_LOWAT agrees. */
static bool is_writable(const struct sock *sock)
{
    struct tlsyn_conn_glance glance;
    uint32_t room;

    tlsyn_conn_glance(sock->stream.conn, &glance);
    if (sock->options.notsent_lowat && glance.snd_unsent >= (uint32_t)sock->options.notsent_lowat)
        return false;
    room = glance.snd_ring > glance.snd_queued ? glance.snd_ring - glance.snd_queued : 0;
    return room > 0 && room >= glance.snd_queued / 2;
}

/* The byte at the mark, which a receive would pass by, does not count. */
static size_t low_water(const struct sock *sock)
{
    return (size_t)sock->options.rcv_lowat +
           (stream_at_mark(sock) && !sock->options.oob_inline ? 1 : 0);
}

static unsigned connected_levels(struct sock *sock)
{
    const struct stream *stream = &sock->stream;
    unsigned levels = 0;

    if (stream_readable(sock) >= low_water(sock))
        levels |= READY_IN;
    if (stream_shows_urgent(sock))
        levels |= READY_PRI;
    if (sock->shut & SOCK_SHUT_RD)
        levels |= READY_IN | READY_END;
    if (sock->shut & SOCK_SHUT_WR || (stream->conn && is_writable(sock)))
        levels |= READY_OUT;
    if (sock->shut == SOCK_SHUT_BOTH || !stream->conn)
        levels |= READY_HUP;
    if (sock->error)
        levels |= READY_ERR;
    return levels;
}

static unsigned stream_levels(struct sock *sock, bool *again)
{
    struct stream *stream = &sock->stream;
    unsigned levels;

    /* As Linux: new text is an edge of its own, whether what came before was read or not. */
    *again = stream->arrived && sock->nonblock;
    stream->arrived = false;
    switch (sock->phase) {
    case SOCK_IDLE:
        return READY_OUT | READY_HUP;
    case SOCK_LISTENING:
        return stream->queued ? READY_IN : 0;
    case SOCK_OPENING:
        if (stream->deferred)
            return READY_OUT;
        levels = stream->conn ? 0 : connected_levels(sock);
        break;
    default:
        levels = connected_levels(sock);
        break;
    }
    *again = *again && levels & READY_IN;
    return levels;
}

/* --- ends ------------------------------------------------------------------------------------- */

static int shut_connection(struct sock *sock, unsigned bits)
{
    struct stream *stream = &sock->stream;
    bool ends = bits & SOCK_SHUT_WR && !(sock->shut & SOCK_SHUT_WR);

    sock->shut |= bits;
    sock_changed(sock);
    if (!ends)
        return 0;
    if (stream->session)
        stream->session_ops->close(stream->session);
    else
        tlsyn_conn_close(stream->conn);
    return 0;
}

static int stream_shutdown(struct sock *sock, int how)
{
    unsigned bits = (unsigned)how + 1; /* SHUT_RD 0, SHUT_WR 1, SHUT_RDWR 2 */

    if (sock->phase == SOCK_LISTENING)
        return bits & SOCK_SHUT_RD ? stream_disconnect(sock) : 0;
    if (!sock->stream.conn) {
        sock->shut |= bits;
        sock_changed(sock);
        return -ENOTCONN;
    }
    if (sock->phase == SOCK_OPENING)
        return stream_disconnect(sock);
    sock->stream.announced = true; /* Linux has connect(2) say nothing more, then */
    return shut_connection(sock, bits);
}

/* All that was sent is acknowledged, our FIN too. */
static bool is_delivered(const struct sock *sock)
{
    struct tlsyn_conn_glance glance;

    if (!sock->stream.conn)
        return true;
    tlsyn_conn_glance(sock->stream.conn, &glance);
    return glance.state == TLSYN_FIN_WAIT_2 || glance.state == TLSYN_TIME_WAIT;
}

/* SO_LINGER with a time: close(2) waits, whatever O_NONBLOCK says. */
static void linger(struct sock *sock)
{
    tlsyn_time deadline = net_now(sock->net) + TLSYN_SECONDS(sock->options.linger_seconds);
    int result = 0;

    (void)shut_connection(sock, SOCK_SHUT_WR);
    while (result == 0 && !is_delivered(sock))
        result = net_wait(sock->net, &sock->waiters, deadline);
}

static void let_go(struct sock *sock)
{
    struct stream *stream = &sock->stream;

    if (stream->session)
        stream->session_ops->release(stream->session);
    else if (stream->conn)
        tlsyn_conn_release(stream->conn);
    stream->session = NULL;
    stream->conn = NULL;
}

/* RFC 9293 3.6.1: what was not read makes it a reset; tlsyn_conn_release() sees to the
 * connection's. */
static void stream_close(struct sock *sock)
{
    struct stream *stream = &sock->stream;
    bool reset = sock->options.linger_on && sock->options.linger_seconds == 0;

    if (sock->phase == SOCK_LISTENING)
        stream_unlisten(sock);
    if (stream->conn && (reset || stream->kept_to > stream->kept_from))
        stream_abort(sock, -ECONNABORTED);
    else if (stream->conn && sock->options.linger_on && sock->phase == SOCK_OPEN)
        linger(sock);
    let_go(sock);
    net_timer_clear(&stream->patience);
    if (stream->engine)
        stream->engine->ops->drop(stream->engine);
    stream->engine = NULL;
}

/* --- the rest --------------------------------------------------------------------------------- */

static int stream_fionread(struct sock *sock)
{
    size_t readable = stream_readable(sock), before = stream_before_mark(sock, 0);

    if (sock->phase == SOCK_LISTENING)
        return -EINVAL;
    return (int)(before < readable && !sock->options.oob_inline ? before : readable);
}

static void stream_apply(struct sock *sock)
{
    struct tlsyn_conn_options options;

    options_for_conn(sock, &options);
    if (sock->stream.listener)
        (void)tlsyn_listener_set_options(sock->stream.listener, &options);
    if (!sock->stream.conn)
        return;
    (void)tlsyn_conn_set_options(sock->stream.conn, &options);
    sock_changed(sock);
}

const struct sock_ops stream_ops = {
    .init = stream_init,
    .connect = stream_connect,
    .disconnect = stream_disconnect,
    .listen = stream_listen,
    .accept = stream_accept,
    .send = stream_send,
    .recv = stream_recv,
    .shutdown = stream_shutdown,
    .close = stream_close,
    .readable = stream_fionread,
    .levels = stream_levels,
    .apply = stream_apply,
};
