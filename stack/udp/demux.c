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

static bool is_peer(const struct tlsyn_udp *ep, const struct tlsyn_endpoint *local,
                    const struct tlsyn_endpoint *remote)
{
    return (ep->info.peer.port == remote->port || ep->info.peer.port == 0) &&
           tlsyn_addr_eq(&ep->info.peer.addr, &remote->addr) &&
           tlsyn_addr_eq(&ep->info.local.addr, &local->addr);
}

/* Of those that share "any address" some may be for IPv6 alone. */
static bool hears(const struct tlsyn_udp *ep, const struct tlsyn_endpoint *local)
{
    return !(ep->options.only_ip6 && tlsyn_addr_is_ip4(&local->addr) &&
             tlsyn_addr_eq(&ep->options.local.addr, &any));
}

/* Those that have a port in common, as one datagram finds them. */
struct crowd {
    struct tlsyn_udp *own;  /* connected to its sender */
    struct tlsyn_udp *last; /* of those that are not connected, the last that was opened */
    uint32_t sharing;       /* so many of them have options.shared */
};

static struct tlsyn_udp *next_of(const struct tlsyn_udp *ep)
{
    struct table_node *node = table_find_next(&ep->node, same, &ep->options.local);

    return node ? container_of(node, struct tlsyn_udp, node) : NULL;
}

static struct crowd look_at(struct tlsyn_udp *first, const struct tlsyn_endpoint *local,
                            const struct tlsyn_endpoint *remote)
{
    struct crowd crowd = {NULL, NULL, 0};

    for (struct tlsyn_udp *ep = first; ep; ep = next_of(ep)) {
        if (ep->info.connected) {
            crowd.own = is_peer(ep, local, remote) ? ep : crowd.own;
        } else if (hears(ep, local)) {
            crowd.last = crowd.last && crowd.last->number > ep->number ? crowd.last : ep;
            crowd.sharing += ep->options.shared;
        }
    }
    return crowd;
}

static struct tlsyn_udp *nth_sharing(struct tlsyn_udp *first, const struct tlsyn_endpoint *local,
                                     uint32_t n)
{
    struct tlsyn_udp *ep = first;

    for (; ep; ep = next_of(ep)) {
        if (!ep->info.connected && hears(ep, local) && ep->options.shared && n-- == 0)
            break;
    }
    return ep;
}

/* Of those with the key of `first`. As in Linux the last opened says how those share that are not
 * connected. */
static struct tlsyn_udp *one_of(const struct udp *udp, struct tlsyn_udp *first,
                                const struct tlsyn_endpoint *local,
                                const struct tlsyn_endpoint *remote)
{
    struct crowd crowd = look_at(first, local, remote);
    uint64_t hash;

    if (crowd.own || !crowd.last || !crowd.last->options.shared || crowd.sharing < 2)
        return crowd.own ? crowd.own : crowd.last;
    hash = hash_of(udp, &remote->addr, remote->port);
    return nth_sharing(first, local, siphash_share(hash, crowd.sharing));
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

        if (ep && (ep->info.connected || !(ep->options.shared || ep->options.reuse)))
            return ep;
        found = found ? found : ep;
    }
    return found;
}

/* --- groups ----------------------------------------------------------------------------------- */

struct tlsyn_udp *udp_next_of_all(const struct udp *udp, const struct tlsyn_endpoint *group,
                                  const struct tlsyn_udp *before)
{
    bool at_ip6 = before && tlsyn_addr_eq(&before->options.local.addr, &any);
    struct tlsyn_udp *ep;

    if (before)
        ep = next_of(before);
    else
        ep = tlsyn_addr_is_ip4(&group->addr) ? udp_find(udp, &any_ip4, group->port) : NULL;
    for (;;) {
        for (; ep; ep = next_of(ep)) {
            if (!ep->info.connected && hears(ep, group))
                return ep;
        }
        if (at_ip6)
            return NULL;
        at_ip6 = true;
        ep = udp_find(udp, &any, group->port);
    }
}

/* --- local ports ------------------------------------------------------------------------------ */

static bool may_share(const struct tlsyn_udp *ep, const struct tlsyn_udp_options *options)
{
    return (ep->options.shared && options->shared) || (ep->options.reuse && options->reuse);
}

/* Has one of this address and port it for itself? */
static bool is_held(const struct udp *udp, const struct tlsyn_addr *addr, uint16_t port,
                    const struct tlsyn_udp_options *options)
{
    struct tlsyn_udp *ep = udp_find(udp, addr, port);

    while (ep && may_share(ep, options))
        ep = next_of(ep);
    return ep;
}

/* The same for one at any address of both families, which may leave IPv4 to others. */
static bool is_held_for_both(const struct udp *udp, bool only_ip4, uint16_t port,
                             const struct tlsyn_udp_options *options)
{
    struct tlsyn_udp *ep = udp_find(udp, &any, port);

    while (ep && (may_share(ep, options) || (only_ip4 && ep->options.only_ip6)))
        ep = next_of(ep);
    return ep;
}

bool udp_port_taken(const struct udp *udp, const struct tlsyn_udp_options *options, uint16_t port)
{
    const struct tlsyn_addr *addr = &options->local.addr;
    bool with_ip4 = tlsyn_addr_is_ip4(addr) || (tlsyn_addr_unspecified(addr) && !options->only_ip6);
    bool with_ip6 = !tlsyn_addr_is_ip4(addr);

    if (is_held(udp, addr, port, options) || (with_ip4 && is_held(udp, &any_ip4, port, options)) ||
        is_held_for_both(udp, !with_ip6, port, options))
        return true;
    if (!tlsyn_addr_unspecified(addr))
        return false;
    list_each(it, &udp->ip->ifaces)
    {
        const struct tlsyn_iface *iface = container_of(it, struct tlsyn_iface, node);

        for (int i = 0; i < iface->address_count; i++) {
            const struct tlsyn_addr *ours = &iface->address[i].addr;

            if ((tlsyn_addr_is_ip4(ours) ? with_ip4 : with_ip6) &&
                is_held(udp, ours, port, options))
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
