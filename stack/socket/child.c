/*
 * socket/child.c: the sockets of connections that a listening socket has and the program has not.
 *
 *     accepted by TCP -> embryo --(established, with an engine; first text, if deferred)--> queue
 *                                                                     -> accepted by the program
 *
 * An embryo waits for bytes of its peer, so there is a bound to their number (the oldest goes) and
 * to their patience. RFC 4987's reasons hold for them as for half-open connections.
 */
#include <errno.h>

#include "socket/port.h"
#include "socket/stream.h"

#define EMBRYOS_MAX        1024
#define HANDSHAKE_PATIENCE TLSYN_SECONDS(60)

bool child_is_waiting(const struct sock *sock)
{
    return sock->stream.parent != NULL;
}

/* As in Linux one connection more than the backlog says is queued; then the listener is paused, and
 * further SYNs are not answered. */
static void mind_backlog(struct sock *parent)
{
    if (parent->stream.listener)
        tlsyn_listener_pause(parent->stream.listener,
                             parent->stream.queued > parent->stream.backlog);
}

void child_leave(struct sock *child)
{
    struct sock *parent = child->stream.parent;

    list_remove(&child->stream.sibling);
    net_timer_clear(&child->stream.patience);
    if (child->stream.queued)
        parent->stream.queued--;
    else
        parent->stream.waiting--;
    mind_backlog(parent);
    child->stream.queued = 0;
    child->stream.parent = NULL;
}

void child_is_ready(struct sock *child)
{
    struct sock *parent = child->stream.parent;

    if (child->stream.queued)
        return;
    child_leave(child);
    child->stream.parent = parent;
    child->stream.queued = 1;
    list_append(&parent->stream.queue, &child->stream.sibling);
    parent->stream.queued++;
    mind_backlog(parent);
    parent->stream.arrived = true;
    sock_changed(parent);
}

void child_discard(struct sock *child)
{
    child_leave(child);
    stream_abort(child, -ECONNABORTED);
    sock_unlist(child);
    list_remove(&child->changed);
    sock_drop(child);
}

/* A deferred accept ends as on Linux, with the program getting what there is: nothing yet. */
static void patience_ends(struct net_timer *timer)
{
    struct sock *child = container_of(timer, struct sock, stream.patience);

    if (child->stream.established)
        child_is_ready(child);
    else
        child_discard(child);
}

static int attach(struct sock *child, struct tlsyn_conn *conn, struct tlsyn_handler **handler)
{
    struct tlsyn_engine *engine = child->stream.parent->stream.engine;

    *handler = &child->stream.handler;
    if (!engine)
        return 0;
    child->stream.session_ops = engine->ops;
    return engine->ops->attach(engine, conn, NULL, &child->stream.handler, &child->stream.session,
                               handler);
}

static struct sock *new_child(struct sock *parent, struct tlsyn_conn *conn)
{
    struct sock *child = sock_new(parent->net, parent->domain, parent->type);
    struct tlsyn_conn_info info;

    if (!child)
        return NULL;
    tlsyn_conn_info(conn, &info);
    child->options = parent->options;
    child->bound_addr = parent->bound_addr;
    child->phase = SOCK_OPEN;
    child->remote = info.remote;
    child->stream.conn = conn;
    child->stream.announced = true;
    child->stream.patience.fire = patience_ends;
    child->stream.parent = parent;
    port_note(child, &info.local);
    return child;
}

static void limit_embryos(struct sock *parent)
{
    if (parent->stream.waiting < EMBRYOS_MAX)
        return;
    child_discard(container_of(list_first(&parent->stream.embryos), struct sock, stream.sibling));
}

static struct tlsyn_handler *on_accept(struct tlsyn_acceptor *acceptor, struct tlsyn_conn *conn)
{
    struct sock *parent = container_of(acceptor, struct sock, stream.acceptor);
    struct sock *child = new_child(parent, conn);
    struct tlsyn_handler *handler;
    tlsyn_time patience =
        parent->stream.engine ? HANDSHAKE_PATIENCE : TLSYN_SECONDS(parent->options.defer_accept);

    if (!child)
        return NULL;
    if (attach(child, conn, &handler) < 0) {
        port_release(child);
        sock_drop(child);
        return NULL;
    }
    limit_embryos(parent);
    list_append(&parent->stream.embryos, &child->stream.sibling);
    parent->stream.waiting++;
    if (patience)
        net_timer_set(child->net, &child->stream.patience, net_now(child->net) + patience);
    return handler;
}

void child_acceptor(struct sock *parent)
{
    parent->stream.acceptor.accept = on_accept;
}
