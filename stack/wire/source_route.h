/*
 * wire/source_route.h: IPv4's source routes (RFC 791 3.1, RFC 1122 3.2.1.8) between their octets
 * and hosts in an order.
 *
 * On its way a datagram is always addressed to the next host of its route; the option has those
 * that follow, the destination as its last, and in the places of those that were passed what they
 * call themselves:
 *
 *     sent        to A    [ B C D ]    A, B, C are the hops, D the destination
 *     behind B    to C    [ a b D ]
 *     arrives     to D    [ a b c ]    back it goes by c, b, a
 */
#ifndef TLSYN_WIRE_SOURCE_ROUTE_H
#define TLSYN_WIRE_SOURCE_ROUTE_H

#include <tlsyn/types.h>

#include "wire/bytes.h"

enum wire_route {
    WIRE_ROUTE_NONE,
    WIRE_ROUTE_OVER,      /* the datagram is where its route leads to */
    WIRE_ROUTE_UNDER_WAY, /* it is on its way still, the last host is its destination */
    WIRE_ROUTE_BAD,       /* an impossible one, or more than one */
};

/** The route among the options of an IPv4 header that was parsed, as it stands there. What comes
 * behind an option without a possible length is not looked at. */
enum wire_route wire_route_parse(const uint8_t *header, size_t header_len,
                                 struct tlsyn_source_route *route);

/** The way back to `src` of a datagram that has arrived by `route`. */
void wire_route_reverse(const struct tlsyn_source_route *route, const struct tlsyn_addr *src,
                        struct tlsyn_source_route *back);

/** Where a datagram to `dst` goes first. `via` may be NULL, or straight. */
struct tlsyn_addr wire_route_first(const struct tlsyn_source_route *via,
                                   const struct tlsyn_addr *dst);

/** Octets of the option: a multiple of 4; 0 without a route. */
size_t wire_route_len(const struct tlsyn_source_route *via);

/** The option of a datagram that leaves for the first hop, on its way to `dst`. */
void wire_route_put(struct writer *w, const struct tlsyn_source_route *via,
                    const struct tlsyn_addr *dst);

#endif
