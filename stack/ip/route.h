/*
 * ip/route.h: where a datagram goes next: the longest prefix wins (RFC 1122 3.3.1,
 * RFC 1812 5.2.4.3).
 *
 * Prefixes are counted in bits of the 16-octet form of an address, so that one comparison serves
 * both families: an IPv4 prefix of n bits is one of 96 + n bits here.
 */
#ifndef TLSYN_IP_ROUTE_H
#define TLSYN_IP_ROUTE_H

#include "core/context.h"
#include "core/list.h"

#define ROUTE_IP4_BITS 96

/** Owned by its table. */
struct route {
    struct list node;
    struct tlsyn_addr network; /* the bits behind prefix_bits are zero */
    uint8_t prefix_bits;
    struct tlsyn_addr gateway; /* unspecified: the network is on the link */
    struct tlsyn_iface *iface;
    struct tlsyn_addr src; /* IPv4: ours, for what leaves this way */
};

/** Sorted by falling prefix length; of equal ones the older first. */
struct routes {
    struct list list;
    uint32_t count;
};

void route_init(struct routes *routes);
void route_release(struct routes *routes, struct context *cx);

/** Adds a copy of `route`, its network cut to its prefix. 0; -EEXIST: this network has a route;
 * -ENOBUFS: limits.routes; -ENOMEM. */
int route_insert(struct routes *routes, struct context *cx, const struct route *route);

/** Takes the route of a network that is on the link out again; harmless if there is none. */
void route_remove(struct routes *routes, struct context *cx, const struct tlsyn_addr *network,
                  unsigned prefix_bits);

/** Takes every route out whose datagrams leave from this IPv4 address. */
void route_remove_source(struct routes *routes, struct context *cx, const struct tlsyn_addr *src);

/** The route with the longest prefix that contains `dst`, or NULL. */
const struct route *route_find(const struct routes *routes, const struct tlsyn_addr *dst);

/** As route_find(), among networks on the link alone. */
const struct route *route_find_on_link(const struct routes *routes, const struct tlsyn_addr *dst);

/** The address to send to so that it comes to `dst`: the gateway, or `dst` itself. */
static inline const struct tlsyn_addr *route_next_hop(const struct route *route,
                                                      const struct tlsyn_addr *dst)
{
    return tlsyn_addr_unspecified(&route->gateway) ? dst : &route->gateway;
}

/** True if the first `bits` of both addresses are the same. */
bool route_prefix_matches(const struct tlsyn_addr *a, const struct tlsyn_addr *b, unsigned bits);

/** The prefix in bits of the 16-octet form; -EINVAL when it is longer than addresses of this
 * family. */
int route_prefix_bits(const struct tlsyn_addr *network, int prefix_len);

#endif
