/*
 * fuzz_wire, ip4: the input is a datagram. What is parsed lies inside, is emitted (without its
 * options), and is parsed to the same again. Back goes a datagram that came by a source route.
 */

#include "fuzz/wire.h"
#include "support/must.h"
#include "wire/ip4.h"
#include "wire/source_route.h"

static void compare(const struct wire_ip4 *a, const struct wire_ip4 *b)
{
    must(tlsyn_addr_eq(&a->src, &b->src) && tlsyn_addr_eq(&a->dst, &b->dst));
    must(a->tos == b->tos && a->ttl == b->ttl && a->protocol == b->protocol);
    must(a->id == b->id && a->df == b->df && a->mf == b->mf && a->offset == b->offset);
    must(a->total_len == b->total_len && a->payload_len == b->payload_len);
}

/* An answer by the route that `header` has: whose way it is, and where it ends. */
static void answer(const uint8_t *header, const struct wire_ip4 *ip)
{
    uint8_t bytes[IP4_HEADER_MAX];
    struct tlsyn_source_route route, back = {.hops = 0}, rest;
    struct wire_ip4 reply = {.src = ip->dst, .dst = ip->src, .via = &back}, parsed;
    struct tlsyn_addr end;

    if (wire_route_parse(header, ip->header_len, &route) == WIRE_ROUTE_OVER)
        wire_route_reverse(&route, &ip->src, &back);
    reply.total_len = (uint16_t)(IP4_HEADER_LEN + wire_route_len(&back));
    must(wire_ip4_emit(&reply, bytes, sizeof(bytes)) == reply.total_len);
    must(wire_ip4_checksum_good(bytes, (uint8_t)reply.total_len));
    must(wire_ip4_parse(bytes, sizeof(bytes), &parsed) == 0);
    end = wire_ip4_destination(bytes, &parsed);
    must(tlsyn_addr_eq(&end, &ip->src));
    must(wire_route_parse(bytes, parsed.header_len, &rest) ==
         (back.hops > 0 ? WIRE_ROUTE_UNDER_WAY : WIRE_ROUTE_NONE));
    must(back.hops == 0 || rest.hops == back.hops);
}

void fuzz_ip4(const uint8_t *data, size_t size)
{
    static uint8_t bytes[UINT16_MAX];
    struct wire_ip4 ip, quoted, back;
    int result = wire_ip4_parse(data, size, &ip);
    int result_quoted = wire_ip4_parse_quoted(data, size, &quoted);

    /* A whole datagram is as good as a quoted one, and no quoted one is better than its header. */
    must(result_quoted == 0 || result == result_quoted);
    if (result_quoted == 0) {
        must(inside(quoted.payload, quoted.payload_len, data, size));
        wire_ip4_checksum_good(data, quoted.header_len); /* reads nothing outside */
    }
    if (result < 0)
        return;
    compare(&ip, &quoted);
    answer(data, &ip);
    must(inside(ip.payload, ip.payload_len, data, size));
    must(ip.payload_len == ip.total_len - ip.header_len);
    ip.total_len = (uint16_t)(ip.total_len - (ip.header_len - IP4_HEADER_LEN));
    must(wire_ip4_emit(&ip, bytes, sizeof(bytes)) == IP4_HEADER_LEN);
    must(wire_ip4_checksum_good(bytes, IP4_HEADER_LEN));
    must(wire_ip4_parse(bytes, ip.total_len, &back) == 0);
    compare(&ip, &back);
}
