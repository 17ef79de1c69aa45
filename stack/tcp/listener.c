/*
 * tcp/listener.c: listeners. RFC 9293's state LISTEN is an object of its own here: a connection
 * begins with its SYN.
 */
#include "tcp/listener.h"

#include <errno.h>

#include "tcp/reply.h"
#include "tcp/settings.h"

/* One that listens there, other than `but`; NULL: none. */
static struct tlsyn_listener *at_endpoint(const struct tcp *tcp, const struct tlsyn_endpoint *local,
                                          const struct tlsyn_listener *but)
{
    list_each(it, &tcp->listeners)
    {
        struct tlsyn_listener *listener = container_of(it, struct tlsyn_listener, node);
        const struct tlsyn_endpoint *at = &listener->options.local;

        if (listener != but && at->port == local->port && tlsyn_addr_eq(&at->addr, &local->addr))
            return listener;
    }
    return NULL;
}

/* The first of those that share an endpoint takes its port, and the last one gives it back. */
static int take_port(const struct tcp *tcp, const struct tlsyn_endpoint *local, bool shares)
{
    struct tlsyn_ports *ports = tcp->cx->ports;
    struct tlsyn_endpoint at = *local;

    return ports && !shares ? ports->take(ports, TLSYN_TCP, &at) : 0;
}

/* MUST-41, MUST-42, MUST-43 */
int tcp_listen(struct tcp *tcp, const struct tlsyn_listen_options *options,
               struct tlsyn_acceptor *acceptor, struct tlsyn_listener **out)
{
    const struct tlsyn_endpoint *local = &options->local;

    if (local->port == 0 || settings_check(&options->conn) < 0)
        return -EINVAL;
    if (!tlsyn_addr_unspecified(&local->addr) && !ip_is_ours(tcp->ip, &local->addr))
        return -EADDRNOTAVAIL;
    const struct cc_ops *controller = cc_find(options->conn.controller);
    if (!controller)
        return -EINVAL;
    const struct tlsyn_listener *other = at_endpoint(tcp, local, NULL);
    if (other && !(other->options.shared && options->shared))
        return -EADDRINUSE;
    if (tcp->listener_count >= tcp->cx->limits.listeners)
        return -ENOBUFS;
    if (sources_open(&tcp->sources) < 0)
        return -ENOMEM;
    struct tlsyn_listener *listener = context_alloc(tcp->cx, sizeof(*listener));
    if (!listener)
        return -ENOMEM;
    int error = take_port(tcp, local, other);
    if (error < 0) {
        context_free(tcp->cx, listener);
        return error;
    }
    listener->tcp = tcp;
    listener->options = *options;
    listener->options.conn.controller = controller->name; /* the caller's string need not stay */
    listener->acceptor = acceptor;
    list_append(&tcp->listeners, &listener->node);
    tcp->listener_count++;
    if (out)
        *out = listener;
    return 0;
}

bool tcp_listener_is_full(const struct tlsyn_listener *listener)
{
    if (!listener->paused)
        return false;
    count(listener->tcp->cx, TLSYN_COUNT_tcp_listen_overflows);
    drop(listener->tcp->cx, TLSYN_DROP_tcp_listener_paused);
    return true;
}

void tlsyn_listener_pause(struct tlsyn_listener *listener, bool paused)
{
    listener->paused = paused;
}

int tlsyn_listener_set_options(struct tlsyn_listener *listener,
                               const struct tlsyn_conn_options *options)
{
    if (settings_check(options) < 0)
        return -EINVAL;
    listener->options.conn = *options;
    listener->options.conn.controller = cc_find(options->controller)->name; /* as in tcp_listen() */
    return 0;
}

void tlsyn_listener_cookie_keys(struct tlsyn_listener *listener,
                                const uint8_t (*keys)[TLSYN_COOKIE_KEY], int count)
{
    listener->options.cookie_keys = (uint8_t)count;
    if (count > 0)
        memcpy(listener->options.cookie_key, keys, (size_t)count * TLSYN_COOKIE_KEY);
}

void tlsyn_listener_admit(struct tlsyn_listener *listener, bool open, bool cookies)
{
    listener->options.open = open;
    listener->options.cookies = cookies;
}

void tlsyn_listener_close(struct tlsyn_listener *listener)
{
    struct tcp *tcp = listener->tcp;

    list_each_safe(it, after, &tcp->all)
    {
        struct tlsyn_conn *conn = container_of(it, struct tlsyn_conn, all);

        if (!conn->opening || conn->opening->listener != listener)
            continue;
        conn->opening->listener = NULL;
        if (!conn->handler && conn->state == TLSYN_SYN_RECEIVED) {
            tcp_send_rst(conn);
            tcp_finish(conn, -ECONNABORTED);
        }
    }
    if (tcp->cx->ports && !at_endpoint(tcp, &listener->options.local, listener))
        tcp->cx->ports->give(tcp->cx->ports, TLSYN_TCP, &listener->options.local);
    list_remove(&listener->node);
    tcp->listener_count--;
    context_free(tcp->cx, listener);
}
