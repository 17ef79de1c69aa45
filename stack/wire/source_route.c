/*
 * wire/source_route.c: see source_route.h. Read first: RFC 791 3.1, RFC 1122 3.2.1.8 (c).
 */
#include "wire/source_route.h"

#include "wire/ip4.h"

#define OPTION_END          0
#define OPTION_NOP          1
#define OPTION_LOOSE_ROUTE  131
#define OPTION_STRICT_ROUTE 137

#define HEAD        3 /* octets of type, length, pointer */
#define POINTER_MIN 4 /* it counts from 1 on */

static enum wire_route parse_route(struct reader *r, uint8_t type, struct tlsyn_source_route *route)
{
    uint8_t len = get_u8(r), pointer = get_u8(r);
    size_t hops = len >= HEAD ? (len - (size_t)HEAD) / 4 : 0;

    *route = (struct tlsyn_source_route){.strict = type == OPTION_STRICT_ROUTE};
    if (len != HEAD + 4 * hops || hops > TLSYN_SOURCE_ROUTE_HOPS || pointer < POINTER_MIN)
        return WIRE_ROUTE_BAD;
    route->hops = (uint8_t)hops;
    for (size_t i = 0; i < hops; i++)
        get_bytes(r, route->hop[i], 4);
    if (r->overrun)
        return WIRE_ROUTE_BAD;
    return pointer > len ? WIRE_ROUTE_OVER : WIRE_ROUTE_UNDER_WAY;
}

enum wire_route wire_route_parse(const uint8_t *header, size_t header_len,
                                 struct tlsyn_source_route *route)
{
    struct reader r = reader_of(header + IP4_HEADER_LEN, header_len - IP4_HEADER_LEN);
    enum wire_route found = WIRE_ROUTE_NONE;

    while (r.left > 0 && found != WIRE_ROUTE_BAD) {
        uint8_t type = get_u8(&r), len;

        if (type == OPTION_END)
            break;
        if (type == OPTION_NOP)
            continue;
        if (type == OPTION_LOOSE_ROUTE || type == OPTION_STRICT_ROUTE) {
            found = found == WIRE_ROUTE_NONE ? parse_route(&r, type, route) : WIRE_ROUTE_BAD;
            continue;
        }
        len = get_u8(&r);
        if (len < 2)
            break;
        get_skip(&r, len - 2u);
    }
    return found;
}

/* Some hosts record themselves as the first hop of what they send: that is no hop of the way back
 * (RFC 1122 3.2.1.8 (c), case (B)). */
void wire_route_reverse(const struct tlsyn_source_route *route, const struct tlsyn_addr *src,
                        struct tlsyn_source_route *back)
{
    uint8_t first = route->hops > 0 &&
                    memcmp(route->hop[0], tlsyn_addr_octets(src), sizeof(route->hop[0])) == 0;

    *back = (struct tlsyn_source_route){.strict = route->strict,
                                        .hops = (uint8_t)(route->hops - first)};
    for (int i = 0; i < back->hops; i++)
        memcpy(back->hop[i], route->hop[route->hops - 1 - i], sizeof(back->hop[i]));
}

struct tlsyn_addr wire_route_first(const struct tlsyn_source_route *via,
                                   const struct tlsyn_addr *dst)
{
    return via && via->hops > 0 ? tlsyn_addr_ip4(via->hop[0]) : *dst;
}

size_t wire_route_len(const struct tlsyn_source_route *via)
{
    return via && via->hops > 0 ? 1 + HEAD + 4u * via->hops : 0;
}

/* Behind a NOP the addresses stand at multiples of 4. */
void wire_route_put(struct writer *w, const struct tlsyn_source_route *via,
                    const struct tlsyn_addr *dst)
{
    put_u8(w, OPTION_NOP);
    put_u8(w, via->strict ? OPTION_STRICT_ROUTE : OPTION_LOOSE_ROUTE);
    put_u8(w, (uint8_t)(HEAD + 4 * via->hops));
    put_u8(w, POINTER_MIN);
    for (int i = 1; i < via->hops; i++)
        put_bytes(w, via->hop[i], sizeof(via->hop[i]));
    put_bytes(w, tlsyn_addr_octets(dst), 4);
}
