/*
 * socket/events.c: a connection's events, as a stream socket hears them.
 *
 * They only note what happened: what a program gets to see of it is shown when the lock is let go.
 */
#include "socket/stream.h"

static struct sock *owner(struct tlsyn_handler *handler)
{
    return container_of(handler, struct sock, stream.handler);
}

/* A Fast Open's text rides in the SYN, as far as there is room, or as far as an engine takes early
 * data: what does not is still the program's to send, as with the kernel. */
static int on_open(struct tlsyn_handler *handler, struct tlsyn_conn *conn)
{
    struct sock *sock = owner(handler);
    struct cursor *early = sock->stream.early;
    struct tlsyn_view view;
    size_t most;
    ssize_t room;

    if (!early || early->left == 0)
        return 0;
    if (sock->stream.session) {
        (void)stream_push(sock, early);
        return 0;
    }
    most = tlsyn_conn_syn_room(conn);
    room = tlsyn_conn_reserve(conn, early->left < most ? early->left : most, &view);
    for (int i = 0; room > 0 && i < 2; i++)
        (void)cursor_get(early, view.part[i].iov_base, view.part[i].iov_len);
    if (room > 0)
        tlsyn_conn_commit(conn, (size_t)room);
    return room < 0 ? (int)room : 0;
}

/* RFC 7413 4.2.2: the text of an admitted SYN is the program's before the handshake is over. */
static int on_syn(struct tlsyn_handler *handler, struct tlsyn_conn *conn)
{
    struct sock *sock = owner(handler);

    (void)conn;
    sock->stream.established = true;
    sock->stream.arrived = true;
    if (child_is_waiting(sock))
        child_is_ready(sock);
    return 0;
}

static void on_established(struct tlsyn_handler *handler, struct tlsyn_conn *conn)
{
    struct sock *sock = owner(handler);

    (void)conn;
    sock->stream.established = true;
    sock->phase = SOCK_OPEN;
    if (child_is_waiting(sock)) {
        if (!sock->options.defer_accept)
            child_is_ready(sock);
        return;
    }
    net_timer_clear(&sock->stream.patience);
    sock_changed(sock);
}

static void on_data(struct tlsyn_handler *handler, struct tlsyn_conn *conn)
{
    struct sock *sock = owner(handler);
    struct tlsyn_conn_glance glance;

    tlsyn_conn_glance(conn, &glance);
    sock->stream.arrived = true;
    if (glance.fin_received) {
        sock->shut |= SOCK_SHUT_RD;
        sock->stream.done = true;
    }
    if (child_is_waiting(sock))
        child_is_ready(sock);
    sock_changed(sock);
}

static void on_acked(struct tlsyn_handler *handler, struct tlsyn_conn *conn, size_t n)
{
    (void)conn;
    (void)n;
    sock_changed(owner(handler));
}

static void on_urgent(struct tlsyn_handler *handler, struct tlsyn_conn *conn, size_t before)
{
    (void)conn;
    stream_urgent_arrives(owner(handler), before);
}

static void on_closed(struct tlsyn_handler *handler, struct tlsyn_conn *conn, int error)
{
    struct sock *sock = owner(handler);

    (void)conn;
    net_timer_clear(&sock->stream.patience);
    stream_keep_rest(sock);
    stream_ended(sock, error);
    if (child_is_waiting(sock) && !sock->stream.established) {
        child_leave(sock);
        sock_unlist(sock);
        list_remove(&sock->changed);
        sock_drop(sock);
    }
}

const struct tlsyn_conn_events stream_events = {
    .on_open = on_open,
    .on_syn = on_syn,
    .on_established = on_established,
    .on_data = on_data,
    .on_acked = on_acked,
    .on_urgent = on_urgent,
    .on_closed = on_closed,
};
