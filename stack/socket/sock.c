/*
 * socket/sock.c: what sockets of every type share. See sock.h.
 */
#include "socket/sock.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>

#include "socket/address.h"
#include "socket/option.h"
#include "socket/port.h"

struct sock *sock_new(struct tlsyn_net *net, int domain, int type)
{
    struct sock *sock = calloc(1, sizeof(*sock));

    if (!sock)
        return NULL;
    sock->net = net;
    sock->domain = domain;
    sock->type = type;
    sock->protocol = type == SOCK_STREAM ? IPPROTO_TCP : IPPROTO_UDP;
    sock->ops = type == SOCK_STREAM ? &stream_ops : &datagram_ops;
    sock->local.addr = sock->remote.addr = address_any(domain);
    atomic_init(&sock->refs, 1);
    ready_init(&sock->ready);
    list_init(&sock->all);
    list_init(&sock->changed);
    list_init(&sock->port);
    options_init(&sock->options, type);
    sock->ops->init(sock);
    return sock;
}

void sock_hold(struct sock *sock)
{
    atomic_fetch_add(&sock->refs, 1);
}

void sock_drop(struct sock *sock)
{
    if (atomic_fetch_sub(&sock->refs, 1) > 1)
        return;
    free(sock->stream.kept);
    free(sock->stream.server_name);
    free(sock->stream.sentence);
    free(sock);
}

void sock_changed(struct sock *sock)
{
    if (!list_linked(&sock->changed))
        list_append(&sock->net->changed, &sock->changed);
}

void sock_settle(struct sock *sock)
{
    bool again = false;
    unsigned levels;

    if (!sock->closed && sock->ready.near >= 0) {
        levels = sock->ops->levels(sock, &again);
        ready_show(&sock->ready, levels, again);
    }
    net_wake(&sock->waiters);
}

int sock_wait(struct sock *sock, tlsyn_time deadline)
{
    int result = net_wait(sock->net, &sock->waiters, deadline);

    return sock->closed ? -EBADF : result;
}

tlsyn_time sock_deadline(const struct sock *sock, tlsyn_time timeout, int flags)
{
    if (sock->nonblock || flags & MSG_DONTWAIT || timeout < 0)
        return 0;
    return timeout ? net_now(sock->net) + timeout : TLSYN_NEVER;
}

int sock_take_error(struct sock *sock)
{
    int error = sock->error;

    if (error) {
        sock->error = 0;
        ready_error_taken(&sock->ready);
        sock_changed(sock);
    }
    return -error;
}

void sock_fail(struct sock *sock, int error)
{
    if (error)
        sock->error = -error;
    sock_changed(sock);
}

void sock_unlist(struct sock *sock)
{
    sock->closed = true;
    list_remove(&sock->all);
    port_release(sock);
}
