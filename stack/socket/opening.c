/*
 * socket/opening.c: connect, listen, accept. Read first: connect(2), listen(2),
 * accept(2); RFC 7413.
 */
#include <errno.h>
#include <stdlib.h>

#include "socket/address.h"
#include "socket/port.h"
#include "socket/stream.h"

#define SOMAXCONN_LINUX    4096 /* net.core.somaxconn */
#define HANDSHAKE_PATIENCE TLSYN_SECONDS(60)

/* --- active ----------------------------------------------------------------------------------- */

/* What the stack calls otherwise than the kernel. */
static int as_linux_says(int error)
{
    if (error == -EADDRINUSE) /* no local port is left, or the 4-tuple is taken */
        return -EADDRNOTAVAIL;
    return error == -EINVAL ? -ENETUNREACH : error; /* a multicast or broadcast address */
}

/* An engine's handshake that gets no answer. */
static void patience_ends(struct net_timer *timer)
{
    stream_abort(container_of(timer, struct sock, stream.patience), -ETIMEDOUT);
}

static int attach(struct sock *sock, struct tlsyn_handler **handler)
{
    struct stream *stream = &sock->stream;

    *handler = &stream->handler;
    if (!stream->engine)
        return 0;
    stream->session_ops = stream->engine->ops;
    return stream->engine->ops->attach(stream->engine, NULL, stream->server_name, &stream->handler,
                                       &stream->session, handler);
}

static enum tlsyn_level level_of(const struct sock *sock, const struct cursor *early)
{
    if (sock->stream.engine)
        return (enum tlsyn_level)sock->options.level;
    return early || sock->options.fastopen_connect ? TLSYN_LEVEL_FASTOPEN : TLSYN_LEVEL_NONE;
}

static void begin(struct sock *sock, const struct tlsyn_endpoint *to, struct cursor *early)
{
    struct stream *stream = &sock->stream;

    sock->phase = SOCK_OPENING;
    sock->remote = *to;
    sock->shut = 0;
    sock->error = 0;
    stream->early = early;
    stream->established = stream->done = stream->announced = stream->deferred = false;
    free(stream->sentence);
    stream->sentence = NULL;
    stream->patience.fire = patience_ends;
}

static int undo(struct sock *sock, int error)
{
    struct stream *stream = &sock->stream;

    if (stream->session)
        stream->session_ops->abort(stream->session);
    stream->session = NULL;
    stream->conn = NULL;
    stream->early = NULL;
    sock->phase = SOCK_IDLE;
    sock->remote = (struct tlsyn_endpoint){.addr = address_any(sock->domain)};
    return as_linux_says(error);
}

int stream_open(struct sock *sock, const struct tlsyn_endpoint *to, struct cursor *early)
{
    struct tlsyn_connect_options options = {
        .remote = *to,
        .local = sock->local,
        .level = level_of(sock, early),
    };
    struct tlsyn_conn_info info;
    struct tlsyn_handler *handler;
    bool deferred = sock->stream.deferred;
    int error = sock->net->error;

    if (error == 0 && to->port == 0) /* what the kernel's RST for such a SYN comes to */
        error = -ECONNREFUSED;
    if (error < 0)
        return error;
    if (sock->options.ip_options_len > 0)
        (void)tlsyn_source_route_read(sock->options.ip_options,
                                      (size_t)sock->options.ip_options_len, &options.via);
    options_for_conn(sock, &options.conn);
    begin(sock, to, early);
    error = attach(sock, &handler);
    if (error == 0)
        error = tlsyn_conn_open(sock->net->stack, &options, handler, &sock->stream.conn);
    if (error < 0)
        return undo(sock, error);
    sock->stream.early = NULL;
    if (!deferred)
        error = ready_connect(&sock->ready, sock->net);
    if (error < 0) {
        stream_abort(sock, -ECONNABORTED);
        return undo(sock, error);
    }
    tlsyn_conn_info(sock->stream.conn, &info);
    port_note(sock, &info.local);
    if (sock->stream.session)
        net_timer_set(sock->net, &sock->stream.patience, net_now(sock->net) + HANDSHAKE_PATIENCE);
    sock_changed(sock);
    return 0;
}

/* The end of an open that failed: told once, and the socket may be used again. */
static int failed(struct sock *sock)
{
    int error = sock_take_error(sock), shown = ready_disconnect(&sock->ready);

    sock->phase = SOCK_IDLE;
    sock->shut = 0;
    port_forget_address(sock);
    return error ? error : shown < 0 ? shown : -ECONNABORTED;
}

int stream_await(struct sock *sock, tlsyn_time deadline)
{
    while (sock->phase == SOCK_OPENING && sock->stream.conn) {
        int result = sock_wait(sock, deadline);

        if (result < 0)
            return result == -EAGAIN ? -EINPROGRESS : result;
    }
    if (sock->phase == SOCK_OPENING)
        return failed(sock);
    sock->stream.announced = true;
    return 0;
}

/* RFC 7413 4.2.1, Linux's TCP_FASTOPEN_CONNECT: with a cookie at hand the first send opens. Of an
 * engine it does where its bytes may ride; the handshake itself needs no such option. */
static bool may_defer(const struct sock *sock, const struct tlsyn_endpoint *to)
{
    const struct tlsyn_engine *engine = sock->stream.engine;

    if (!sock->options.fastopen_connect)
        return false;
    return engine ? engine->ops->may_be_early(engine)
                  : tlsyn_has_cookie(sock->net->stack, &to->addr);
}

static int defer(struct sock *sock, const struct tlsyn_endpoint *to)
{
    int error = ready_connect(&sock->ready, sock->net);

    if (error < 0)
        return error;
    begin(sock, to, NULL);
    sock->stream.deferred = true;
    sock_changed(sock);
    return 0;
}

static int connect_again(struct sock *sock)
{
    if (sock->stream.deferred)
        return -EISCONN;
    if (sock->stream.conn && (sock->nonblock || sock->options.snd_timeout < 0))
        return -EALREADY;
    int error = stream_await(sock, sock_deadline(sock, sock->options.snd_timeout, 0));
    return error == -EINPROGRESS ? -EALREADY : error;
}

int stream_connect(struct sock *sock, const struct tlsyn_endpoint *to)
{
    int error;

    switch (sock->phase) {
    case SOCK_OPENING:
        return connect_again(sock);
    case SOCK_OPEN:
        if (sock->stream.announced)
            return -EISCONN;
        if (!sock->stream.conn)
            return failed(sock);
        sock->stream.announced = true;
        return 0;
    case SOCK_LISTENING:
        return -EISCONN;
    case SOCK_IDLE:
        break;
    }
    if (may_defer(sock, to))
        return defer(sock, to);
    error = stream_open(sock, to, NULL);
    if (error == 0)
        error = stream_await(sock, sock_deadline(sock, sock->options.snd_timeout, 0));
    return error;
}

int stream_disconnect(struct sock *sock)
{
    if (sock->phase == SOCK_IDLE)
        return 0;
    if (sock->phase == SOCK_LISTENING) {
        stream_unlisten(sock);
        port_end(sock);
    }
    stream_abort(sock, -ECONNABORTED);
    sock->phase = SOCK_IDLE;
    sock->shut = 0;
    sock->error = 0;
    sock->stream.deferred = false;
    sock->stream.kept_from = sock->stream.kept_to = 0;
    sock->remote = (struct tlsyn_endpoint){.addr = address_any(sock->domain)};
    port_forget_address(sock);
    return ready_disconnect(&sock->ready);
}

/* --- passive ---------------------------------------------------------------------------------- */

static unsigned clip_backlog(int backlog)
{
    return backlog < 0 || backlog > SOMAXCONN_LINUX ? SOMAXCONN_LINUX : (unsigned)backlog;
}

static int start_listening(struct sock *sock)
{
    bool embedded = sock->options.fastopen > 0;
    struct tlsyn_listen_options options = {
        .local = sock->local,
        .only_ip6 = sock->options.v6only,
        .shared = sock->options.reuse_port,
        .open = sock->stream.engine != NULL,
        .cookies = embedded || sock->stream.engine,
        .cookie_keys = (uint8_t)sock->options.cookie_keys,
    };
    int error;

    memcpy(options.cookie_key, sock->options.cookie_key, sizeof(options.cookie_key));

    options_for_conn(sock, &options.conn);
    child_acceptor(sock);
    error = tlsyn_listener_open(sock->net->stack, &options, &sock->stream.acceptor,
                                &sock->stream.listener);
    if (error < 0)
        return error;
    error = ready_connect(&sock->ready, sock->net);
    if (error < 0) {
        tlsyn_listener_close(sock->stream.listener);
        sock->stream.listener = NULL;
    }
    return error;
}

int stream_listen(struct sock *sock, int backlog)
{
    int error = 0;

    if (sock->phase == SOCK_OPENING || sock->phase == SOCK_OPEN)
        return -EINVAL;
    sock->stream.backlog = clip_backlog(backlog);
    if (sock->phase == SOCK_LISTENING) {
        tlsyn_listener_pause(sock->stream.listener, sock->stream.queued > sock->stream.backlog);
        return 0;
    }
    if (sock->local.port == 0)
        error = port_take(sock, &sock->local);
    else if (port_is_contested(sock))
        error = -EADDRINUSE;
    if (error == 0)
        error = start_listening(sock);
    if (error < 0)
        return error;
    sock->phase = SOCK_LISTENING;
    sock_changed(sock);
    return 0;
}

static void discard_all(struct list *children)
{
    struct list *first;

    while ((first = list_first(children)))
        child_discard(container_of(first, struct sock, stream.sibling));
}

void stream_unlisten(struct sock *sock)
{
    tlsyn_listener_close(sock->stream.listener);
    sock->stream.listener = NULL; /* before the children go, who look at it */
    discard_all(&sock->stream.queue);
    discard_all(&sock->stream.embryos);
    sock->phase = SOCK_IDLE;
}

int stream_accept(struct sock *sock, struct sock **child)
{
    tlsyn_time deadline = sock_deadline(sock, sock->options.rcv_timeout, 0);
    struct list *first;

    if (sock->phase != SOCK_LISTENING)
        return -EINVAL;
    while (!(first = list_first(&sock->stream.queue))) {
        int result = sock_wait(sock, deadline);

        if (result == 0 && sock->phase != SOCK_LISTENING)
            result = -EINVAL;
        if (result < 0)
            return result;
    }
    *child = container_of(first, struct sock, stream.sibling);
    child_leave(*child);
    sock_changed(sock);
    return 0;
}
