/*
 * ip/route.c: the routing table: a short list, sorted so that the first match is the
 * longest. See route.h.
 */
#include "ip/route.h"

#include <errno.h>

void route_init(struct routes *routes)
{
    list_init(&routes->list);
    routes->count = 0;
}

void route_release(struct routes *routes, struct context *cx)
{
    list_each_safe(it, after, &routes->list)
    {
        list_remove(it);
        context_free(cx, container_of(it, struct route, node));
    }
    routes->count = 0;
}

bool route_prefix_matches(const struct tlsyn_addr *a, const struct tlsyn_addr *b, unsigned bits)
{
    unsigned whole = bits / 8, rest = bits % 8;
    unsigned mask = 0xffu << (8 - rest) & 0xffu;

    if (memcmp(a->byte, b->byte, whole) != 0)
        return false;
    return rest == 0 || ((unsigned)(a->byte[whole] ^ b->byte[whole]) & mask) == 0;
}

int route_prefix_bits(const struct tlsyn_addr *network, int prefix_len)
{
    int base = tlsyn_addr_is_ip4(network) ? ROUTE_IP4_BITS : 0;

    if (prefix_len < 0 || prefix_len > 128 - base)
        return -EINVAL;
    return base + prefix_len;
}

static void cut_to_prefix(struct tlsyn_addr *a, unsigned bits)
{
    for (unsigned i = bits; i < 128; i++)
        a->byte[i / 8] &= (uint8_t) ~(0x80u >> i % 8);
}

int route_insert(struct routes *routes, struct context *cx, const struct route *route)
{
    struct list *at = &routes->list;
    struct route *added = context_alloc(cx, sizeof(*added));

    if (!added)
        return -ENOMEM;
    *added = *route;
    cut_to_prefix(&added->network, added->prefix_bits);
    list_each(it, &routes->list)
    {
        const struct route *r = container_of(it, struct route, node);

        if (r->prefix_bits == added->prefix_bits && tlsyn_addr_eq(&r->network, &added->network)) {
            context_free(cx, added);
            return -EEXIST;
        }
        if (r->prefix_bits < added->prefix_bits && at == &routes->list)
            at = it;
    }
    if (routes->count >= cx->limits.routes) {
        context_free(cx, added);
        return -ENOBUFS;
    }
    list_insert_before(at, &added->node);
    routes->count++;
    return 0;
}

static void take_out(struct routes *routes, struct context *cx, struct route *route)
{
    list_remove(&route->node);
    routes->count--;
    context_free(cx, route);
}

void route_remove(struct routes *routes, struct context *cx, const struct tlsyn_addr *network,
                  unsigned prefix_bits)
{
    list_each_safe(it, after, &routes->list)
    {
        struct route *r = container_of(it, struct route, node);

        if (r->prefix_bits == prefix_bits && tlsyn_addr_unspecified(&r->gateway) &&
            route_prefix_matches(&r->network, network, prefix_bits))
            take_out(routes, cx, r);
    }
}

void route_remove_source(struct routes *routes, struct context *cx, const struct tlsyn_addr *src)
{
    list_each_safe(it, after, &routes->list)
    {
        struct route *r = container_of(it, struct route, node);

        if (tlsyn_addr_eq(&r->src, src))
            take_out(routes, cx, r);
    }
}

/* A network of the address's own family: ::/0 holds no IPv4 address, although all of these
 * have its form. */
static bool route_holds(const struct route *r, const struct tlsyn_addr *dst)
{
    return route_prefix_matches(&r->network, dst, r->prefix_bits) &&
           tlsyn_addr_is_ip4(&r->network) == tlsyn_addr_is_ip4(dst);
}

const struct route *route_find(const struct routes *routes, const struct tlsyn_addr *dst)
{
    list_each(it, &routes->list)
    {
        const struct route *r = container_of(it, struct route, node);

        if (route_holds(r, dst))
            return r;
    }
    return NULL;
}

const struct route *route_find_on_link(const struct routes *routes, const struct tlsyn_addr *dst)
{
    list_each(it, &routes->list)
    {
        const struct route *r = container_of(it, struct route, node);

        if (tlsyn_addr_unspecified(&r->gateway) && route_holds(r, dst))
            return r;
    }
    return NULL;
}
