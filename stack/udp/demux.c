/*
 * udp/demux.c: the table of endpoints, and who in it a datagram is for. Read first: RFC 768, RFC
 * 6056.
 */
#include "udp/demux.h"

#include <assert.h>

#include "core/random.h"

/* RFC 6056 3.2 wants the range as large as can be; below are the ports that servers are
 * configured for. */
#define PORT_FIRST 32768
#define PORT_COUNT 32768

static const struct tlsyn_addr any;
static const struct tlsyn_addr any_ip4 = {.byte = {[10] = 0xff, [11] = 0xff}};

static uint64_t hash_of(const struct udp *udp, const struct tlsyn_addr *addr, uint16_t port)
{
    uint8_t bytes[18];

    memcpy(bytes, addr->byte, 16);
    memcpy(bytes + 16, &port, 2);
    return siphash(&udp->key, bytes, sizeof(bytes));
}

static bool same(const struct table_node *node, const void *key)
{
    const struct tlsyn_udp *ep = (const struct tlsyn_udp *)(const void *)node;
    const struct tlsyn_endpoint *local = key;

    return ep->options.local.port == local->port &&
           tlsyn_addr_eq(&ep->options.local.addr, &local->addr);
}
static_assert(offsetof(struct tlsyn_udp, node) == 0, "same() takes a node for its endpoint");

int udp_add(struct tlsyn_udp *ep)
{
    const struct tlsyn_endpoint *local = &ep->options.local;

    return table_add(&ep->udp->endpoints, ep->udp->cx->alloc, &ep->node,
                     hash_of(ep->udp, &local->addr, local->port));
}

struct tlsyn_udp *udp_find(const struct udp *udp, const struct tlsyn_addr *addr, uint16_t port)
{
    const struct tlsyn_endpoint key = {.addr = *addr, .port = port};
    struct table_node *node = table_find(&udp->endpoints, hash_of(udp, addr, port), same, &key);

    return node ? container_of(node, struct tlsyn_udp, node) : NULL;
}

/* The endpoint whose port this is on an address of ours. */
static struct tlsyn_udp *find_owner(const struct udp *udp, const struct tlsyn_addr *addr,
                                    uint16_t port)
{
    bool ip4 = tlsyn_addr_is_ip4(addr);
    struct tlsyn_udp *ep = udp_find(udp, addr, port);

    if (!ep && ip4)
        ep = udp_find(udp, &any_ip4, port);
    if (!ep) {
        ep = udp_find(udp, &any, port);
        if (ep && ip4 && ep->options.only_ip6)
            return NULL;
    }
    return ep;
}

static bool is_peer(const struct tlsyn_udp *ep, const struct tlsyn_endpoint *local,
                    const struct tlsyn_endpoint *remote)
{
    return ep->info.peer.port == remote->port &&
           tlsyn_addr_eq(&ep->info.peer.addr, &remote->addr) &&
           tlsyn_addr_eq(&ep->info.local.addr, &local->addr);
}

/* Of those that share "any address" some may be for IPv6 alone. */
static bool hears(const struct tlsyn_udp *ep, const struct tlsyn_endpoint *local)
{
    return !(ep->options.only_ip6 && tlsyn_addr_is_ip4(&local->addr) &&
             tlsyn_addr_eq(&ep->options.local.addr, &any));
}

/* Among those that share a port with `first`: the one that is connected to `remote`; without it the
 * nth of those that are not connected, of which there are *open. NULL: there is none. */
static struct tlsyn_udp *choose(struct tlsyn_udp *first, const struct tlsyn_endpoint *local,
                                const struct tlsyn_endpoint *remote, uint32_t n, uint32_t *open)
{
    struct tlsyn_udp *chosen = NULL;
    struct table_node *node = &first->node;

    *open = 0;
    for (; node; node = table_find_next(node, same, &first->options.local)) {
        struct tlsyn_udp *ep = container_of(node, struct tlsyn_udp, node);

        if (ep->info.connected && is_peer(ep, local, remote))
            return ep;
        if (!ep->info.connected && hears(ep, local) && (*open)++ == n)
            chosen = ep;
    }
    return chosen;
}

static struct tlsyn_udp *one_of(const struct udp *udp, struct tlsyn_udp *first,
                                const struct tlsyn_endpoint *local,
                                const struct tlsyn_endpoint *remote)
{
    uint32_t open;
    struct tlsyn_udp *ep = choose(first, local, remote, 0, &open);

    if (!ep || ep->info.connected || open < 2)
        return ep;
    return choose(first, local, remote,
                  siphash_share(hash_of(udp, &remote->addr, remote->port), open), &open);
}

struct tlsyn_udp *udp_find_for(const struct udp *udp, const struct tlsyn_endpoint *local,
                               const struct tlsyn_endpoint *remote)
{
    const struct tlsyn_addr *at[] = {&local->addr, &any_ip4, &any};
    struct tlsyn_udp *found = NULL;

    for (int i = 0; i < 3; i++) {
        bool apart = i == 1 && !tlsyn_addr_is_ip4(&local->addr);
        struct tlsyn_udp *first = apart ? NULL : udp_find(udp, at[i], local->port);
        struct tlsyn_udp *ep = first ? one_of(udp, first, local, remote) : NULL;

        if (ep && (ep->info.connected || !ep->options.shared))
            return ep;
        found = found ? found : ep;
    }
    return found;
}

static bool in_the_way(const struct tlsyn_udp *ep, const struct tlsyn_udp_options *options)
{
    return ep && !(ep->options.shared && options->shared);
}

bool udp_port_taken(const struct udp *udp, const struct tlsyn_udp_options *options, uint16_t port)
{
    const struct tlsyn_addr *addr = &options->local.addr;
    bool with_ip4 = !options->only_ip6, with_ip6 = !tlsyn_addr_is_ip4(addr);
    const struct tlsyn_udp *of_any = udp_find(udp, &any, port);

    if (!tlsyn_addr_unspecified(addr))
        return in_the_way(find_owner(udp, addr, port), options);
    if (with_ip4 && in_the_way(udp_find(udp, &any_ip4, port), options))
        return true;
    if (of_any && (with_ip6 || !of_any->options.only_ip6) && in_the_way(of_any, options))
        return true;
    list_each(it, &udp->ip->ifaces)
    {
        const struct tlsyn_iface *iface = container_of(it, struct tlsyn_iface, node);

        for (int i = 0; i < iface->address_count; i++) {
            const struct tlsyn_addr *ours = &iface->address[i].addr;

            if ((tlsyn_addr_is_ip4(ours) ? with_ip4 : with_ip6) &&
                in_the_way(udp_find(udp, ours, port), options))
                return true;
        }
    }
    return false;
}

uint16_t udp_choose_port(const struct udp *udp, const struct tlsyn_udp_options *options)
{
    uint32_t start = random_below(udp->cx->random, PORT_COUNT);

    for (uint32_t i = 0; i < PORT_COUNT; i++) {
        uint16_t port = (uint16_t)(PORT_FIRST + (start + i) % PORT_COUNT);

        if (!udp_port_taken(udp, options, port))
            return port;
    }
    return 0;
}
