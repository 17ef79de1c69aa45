/*
 * tcp/demux.c: the table of 4-tuples. Its hash is keyed, so that nobody outside can fill one
 * bucket.
 */
#include "tcp/demux.h"

#include <assert.h>
#include <errno.h>

#include "core/random.h"
#include "tcp/isn.h"

#define SALT_DEMUX 0
#define SALT_SHARE 1

/* RFC 6335 6: the dynamic ports. */
#define PORT_FIRST 49152
#define PORT_COUNT 16384

struct tuple {
    const struct tlsyn_endpoint *local, *remote;
};

static bool endpoint_eq(const struct tlsyn_endpoint *a, const struct tlsyn_endpoint *b)
{
    return a->port == b->port && tlsyn_addr_eq(&a->addr, &b->addr);
}

static bool same(const struct table_node *node, const void *key)
{
    const struct tlsyn_conn *conn = (const struct tlsyn_conn *)(const void *)node;
    const struct tuple *tuple = key;

    return endpoint_eq(&conn->local, tuple->local) && endpoint_eq(&conn->remote, tuple->remote);
}
static_assert(offsetof(struct tlsyn_conn, node) == 0, "same() takes a node for its connection");

struct tlsyn_conn *demux_find(const struct tcp *tcp, const struct tlsyn_endpoint *local,
                              const struct tlsyn_endpoint *remote)
{
    const struct tuple tuple = {local, remote};
    struct table_node *node =
        table_find(&tcp->demux, isn_hash(&tcp->key, local, remote, SALT_DEMUX), same, &tuple);

    return node ? container_of(node, struct tlsyn_conn, node) : NULL;
}

int demux_add(struct tcp *tcp, struct tlsyn_conn *conn)
{
    uint64_t hash = isn_hash(&tcp->key, &conn->local, &conn->remote, SALT_DEMUX);

    if (demux_find(tcp, &conn->local, &conn->remote))
        return -EADDRINUSE;
    int error = table_add(&tcp->demux, tcp->cx->alloc, &conn->node, hash);
    conn->in_demux = error == 0;
    return error == -ENOSPC ? -ENOBUFS : error;
}

void demux_remove(struct tcp *tcp, struct tlsyn_conn *conn)
{
    if (conn->in_demux)
        table_remove(&tcp->demux, &conn->node);
    conn->in_demux = false;
}

/* ::ffff:0.0.0.0 stands for IPv4 alone; :: for both, or for IPv6 alone. */
static bool stands_for(const struct tlsyn_listen_options *options, const struct tlsyn_addr *addr)
{
    const struct tlsyn_addr *at = &options->local.addr;

    if (!tlsyn_addr_unspecified(at))
        return false;
    return tlsyn_addr_is_ip4(addr) ? !options->only_ip6 : !tlsyn_addr_is_ip4(at);
}

static bool fits(const struct tlsyn_listener *listener, const struct tlsyn_endpoint *local)
{
    const struct tlsyn_endpoint *at = &listener->options.local;

    return at->port == local->port &&
           (tlsyn_addr_eq(&at->addr, &local->addr) || stands_for(&listener->options, &local->addr));
}

static struct tlsyn_listener *best_fit(const struct tcp *tcp, const struct tlsyn_endpoint *local)
{
    struct tlsyn_listener *any = NULL;

    list_each(it, &tcp->listeners)
    {
        struct tlsyn_listener *listener = container_of(it, struct tlsyn_listener, node);

        if (!fits(listener, local))
            continue;
        if (tlsyn_addr_eq(&listener->options.local.addr, &local->addr))
            return listener;
        any = listener;
    }
    return any;
}

/* Finds the nth listener for `local` at this one's endpoint, itself among them (one that shares
 * "any address" may be for IPv6 alone). Returns how many there are. */
static uint32_t sharers(const struct tcp *tcp, const struct tlsyn_listener *one,
                        const struct tlsyn_endpoint *local, uint32_t n,
                        struct tlsyn_listener **which)
{
    uint32_t found = 0;

    list_each(it, &tcp->listeners)
    {
        struct tlsyn_listener *listener = container_of(it, struct tlsyn_listener, node);

        if (endpoint_eq(&listener->options.local, &one->options.local) && fits(listener, local) &&
            found++ == n)
            *which = listener;
    }
    return found;
}

struct tlsyn_listener *demux_listener(const struct tcp *tcp, const struct tlsyn_endpoint *local,
                                      const struct tlsyn_endpoint *remote)
{
    struct tlsyn_listener *listener = best_fit(tcp, local);
    uint32_t count;
    uint64_t hash;

    if (!listener || !listener->options.shared || !remote)
        return listener;
    count = sharers(tcp, listener, local, UINT32_MAX, NULL);
    hash = isn_hash(&tcp->key, local, remote, SALT_SHARE);
    (void)sharers(tcp, listener, local, siphash_share(hash, count), &listener);
    return listener;
}

/* R6528-4 */
uint16_t demux_choose_port(const struct tcp *tcp, const struct tlsyn_endpoint *local,
                           const struct tlsyn_endpoint *remote)
{
    uint32_t start = random_below(tcp->cx->random, PORT_COUNT);

    for (uint32_t i = 0; i < PORT_COUNT; i++) {
        uint16_t port = (uint16_t)(PORT_FIRST + (start + i) % PORT_COUNT);
        struct tlsyn_endpoint candidate = {.addr = local->addr, .port = port};

        if (!demux_find(tcp, &candidate, remote) && !demux_listener(tcp, &candidate, NULL))
            return port;
    }
    return 0;
}
