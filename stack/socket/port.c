/*
 * socket/port.c: see port.h. Read first: bind(2), socket(7) SO_REUSEADDR; RFC 6056 3.3.
 *
 * Two sockets of a type may share a port if their addresses differ and neither is unspecified, if
 * both asked for SO_REUSEADDR and neither listens, or if both asked for SO_REUSEPORT.
 */
#include "socket/port.h"

#include <errno.h>

#include "socket/address.h"

#define EPHEMERAL_FIRST 32768u /* Linux's ip_local_port_range */
#define EPHEMERAL_LAST  60999u

static struct list *bucket(struct tlsyn_net *net, uint16_t port)
{
    return &net->ports[port % NET_PORT_BUCKETS];
}

/* Both families' addresses, where an IPv6 socket takes IPv4 too. */
static bool same_family(const struct sock *a, const struct tlsyn_addr *at, const struct sock *b)
{
    bool ip4[2] = {tlsyn_addr_is_ip4(at), tlsyn_addr_is_ip4(&b->local.addr)};

    if (a->domain == AF_INET6 && tlsyn_addr_unspecified(at) && !a->options.v6only)
        return true;
    if (b->domain == AF_INET6 && tlsyn_addr_unspecified(&b->local.addr) && !b->options.v6only)
        return true;
    return ip4[0] == ip4[1];
}

static bool overlap(const struct sock *a, const struct tlsyn_endpoint *at, const struct sock *b)
{
    if (a == b || a->type != b->type || at->port != b->local.port)
        return false;
    if (!same_family(a, &at->addr, b))
        return false;
    return tlsyn_addr_unspecified(&at->addr) || tlsyn_addr_unspecified(&b->local.addr) ||
           tlsyn_addr_eq(&at->addr, &b->local.addr);
}

static bool share(const struct sock *a, const struct sock *b)
{
    return a->options.reuse_port && b->options.reuse_port;
}

/* `asked`: the program named the port, and so may share it; a port chosen for it is its own. */
static bool is_free(const struct sock *sock, const struct tlsyn_endpoint *at, bool asked)
{
    list_each(it, bucket(sock->net, at->port))
    {
        const struct sock *other = container_of(it, struct sock, port);
        bool reused =
            sock->options.reuse_addr && other->options.reuse_addr && other->phase != SOCK_LISTENING;

        if (overlap(sock, at, other) && !reused && !(asked && share(sock, other)))
            return false;
    }
    return true;
}

bool port_is_contested(const struct sock *sock)
{
    list_each(it, bucket(sock->net, sock->local.port))
    {
        const struct sock *other = container_of(it, struct sock, port);

        if (other->phase == SOCK_LISTENING && overlap(sock, &sock->local, other) &&
            !share(sock, other))
            return true;
    }
    return false;
}

/* RFC 6056 3.3.1, and then the next that is free. */
static int choose(const struct sock *sock, struct tlsyn_endpoint *at)
{
    struct tlsyn_random *random = tlsyn_stack_random(sock->net->stack);
    const unsigned int range = EPHEMERAL_LAST - EPHEMERAL_FIRST + 1;
    uint16_t start;

    random->fill(random, &start, sizeof(start));
    for (unsigned int i = 0; i < range; i++) {
        at->port = (uint16_t)(EPHEMERAL_FIRST + (start + i) % range);
        if (is_free(sock, at, false))
            return 0;
    }
    return -EADDRINUSE;
}

void port_note(struct sock *sock, const struct tlsyn_endpoint *local)
{
    sock->local = *local;
    list_remove(&sock->port);
    list_append(bucket(sock->net, local->port), &sock->port);
}

int port_take(struct sock *sock, const struct tlsyn_endpoint *local)
{
    struct tlsyn_endpoint at = *local;
    int error = 0;

    if (at.port == 0)
        error = choose(sock, &at);
    else if (!is_free(sock, &at, true))
        error = -EADDRINUSE;
    if (error == 0)
        port_note(sock, &at);
    return error;
}

bool port_is_held(const struct sock *sock)
{
    return list_linked(&sock->port);
}

void port_release(struct sock *sock)
{
    list_remove(&sock->port);
    sock->last_port = sock->local.port ? sock->local.port : sock->last_port;
    sock->local.port = 0;
}

void port_end(struct sock *sock)
{
    if (!sock->bound_port)
        port_release(sock);
}

void port_forget_address(struct sock *sock)
{
    if (!sock->bound_addr)
        sock->local.addr = address_any(sock->domain);
}
