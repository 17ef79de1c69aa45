/*
 * ip/ip4.c: what an IPv4 datagram must be to be taken. Read first: RFC 791, RFC 1122 3.2.1.
 *
 * Options are skipped by their length: the destination may ignore all of them (RFC 1122 3.2.1.8).
 * Only a source route is not ignored: it has the answer go by way of whoever wrote it, and the
 * datagram is dropped (RFC 7126 4.3, 4.4) unless limits.source_routes asks for such. A datagram
 * with any TTL is taken (3.2.1.7).
 * Fragments are put together first (frag.h).
 */
#include "ip/ip4.h"

#include <errno.h>

#include "wire/bytes.h"
#include "wire/checksum.h"
#include "wire/ip4.h"
#include "wire/source_route.h"

bool ip4_is_host(const uint8_t octets[4])
{
    return octets[0] != 0 && octets[0] != 127 && octets[0] < 224;
}

/* False: by a source route that is refused, or that does not end here: we send nothing on.
 * R7126-1 */
static bool may_have_come(const struct tlsyn_limits *limits, const uint8_t *header, size_t len)
{
    struct tlsyn_source_route route;
    enum wire_route found =
        len > IP4_HEADER_LEN ? wire_route_parse(header, len, &route) : WIRE_ROUTE_NONE;

    return found == WIRE_ROUTE_NONE || (found == WIRE_ROUTE_OVER && limits->source_routes);
}

/* RFC 1122 3.2.1.8 (c): the route as it was recorded, the other way round. */
struct tlsyn_source_route ip_route_back(const struct ip_datagram *datagram)
{
    size_t len = (size_t)(datagram->payload - datagram->header);
    struct tlsyn_source_route route, back = {.hops = 0};

    if (tlsyn_addr_is_ip4(&datagram->src) && len > IP4_HEADER_LEN &&
        wire_route_parse(datagram->header, len, &route) == WIRE_ROUTE_OVER)
        wire_route_reverse(&route, &datagram->src, &back);
    return back;
}

/* 0, or minus the reason for which the header is refused. (R1122-1, R1122-2) */
static int ip4_check_header(const struct tlsyn_limits *limits, const struct wire_ether *ether,
                            struct wire_ip4 *ip4)
{
    switch (wire_ip4_parse(ether->payload, ether->payload_len, ip4)) {
    case 0:
        break;
    case -EPROTONOSUPPORT:
        return -TLSYN_DROP_ip_version;
    case -EMSGSIZE:
        return -TLSYN_DROP_ip_truncated;
    default:
        return -TLSYN_DROP_ip_header;
    }
    if (!wire_ip4_checksum_good(ether->payload, ip4->header_len))
        return -TLSYN_DROP_ip_checksum;
    return may_have_come(limits, ether->payload, ip4->header_len) ? 0 : -TLSYN_DROP_ip_source_route;
}

/* RFC 1122 3.2.1.3: a source is one host's address, and ours on the loopback alone. 3.3.6: what
 * came by link-layer broadcast is for an IP broadcast address too. Multicast groups there are none
 * here. (MUST-63) */
static int ip4_check_addresses(const struct tlsyn_iface *iface, const struct wire_ether *ether,
                               const struct wire_ip4 *ip4, bool *broadcast)
{
    *broadcast = iface_is_broadcast(iface, &ip4->dst);
    if (!*broadcast && (ether_is_group(ether->dst) || !ip_is_ours(iface->ip, &ip4->dst)))
        return -TLSYN_DROP_ip_not_ours;
    if (!ip_may_arrive(iface, &ip4->src, &ip4->dst))
        return -TLSYN_DROP_ip_source;
    if (!ip_is_loopback(&ip4->src) &&
        (!ip4_is_host(tlsyn_addr_octets(&ip4->src)) || iface_is_broadcast(iface, &ip4->src)))
        return -TLSYN_DROP_ip_source;
    return 0;
}

/* The first fragment's header becomes that of the whole. */
static void ip4_make_whole(const struct ip_datagram *whole, uint8_t *header)
{
    size_t header_len = (size_t)(whole->payload - whole->header);
    struct checksum sum = {0};
    struct writer w = writer_of(header + 1, header_len - 1);

    put_u8(&w, whole->tos);
    put_u16(&w, (uint16_t)(header_len + whole->len));
    w = writer_of(header + 6, 2); /* no flags, no offset */
    put_u16(&w, 0);
    w = writer_of(header + 10, 2);
    put_u16(&w, 0);
    checksum_add(&sum, header, header_len);
    w = writer_of(header + 10, 2);
    put_u16(&w, checksum_finish(&sum));
}

/* True: the fragment completed its datagram, which stands in *datagram instead. */
static bool ip4_reassemble(struct ip *ip, const struct wire_ip4 *ip4, struct ip_datagram *datagram)
{
    struct ip_datagram part = *datagram;
    struct fragment fragment = {
        .datagram = &part, .id = ip4->id, .offset = ip4->offset, .more = ip4->mf};
    uint8_t *header;

    if (fragment_check(&fragment) < 0 ||
        (ip4->offset == 0 && !fragment_holds_header(part.protocol, part.payload, part.len))) {
        drop(ip->cx, TLSYN_DROP_ip_fragment);
        return false;
    }
    header = frags_take(&ip->frags, &fragment, datagram);
    if (header)
        ip4_make_whole(datagram, header);
    return header != NULL;
}

enum ip_verdict ip4_input(struct tlsyn_iface *iface, const struct tlsyn_frame *frame,
                          const struct wire_ether *ether, struct ip_arrival *out)
{
    struct ip *ip = iface->ip;
    struct wire_ip4 ip4;
    bool broadcast = false;
    int refused;

    count(ip->cx, TLSYN_COUNT_ip_in);
    refused = ip4_check_header(&ip->cx->limits, ether, &ip4);
    if (!refused)
        refused = ip4_check_addresses(iface, ether, &ip4, &broadcast);
    if (refused) {
        drop(ip->cx, (enum tlsyn_drop) - refused);
        return IP_CONSUMED;
    }
    TRACE(ip->cx, ip_rx, 0, ip4.protocol, ip4.payload_len);
    out->datagram = (struct ip_datagram){
        .iface = iface,
        .src = ip4.src,
        .dst = ip4.dst,
        .protocol = ip4.protocol,
        .ttl = ip4.ttl,
        .tos = ip4.tos,
        .broadcast = broadcast,
        .csum_verified = frame->flags & TLSYN_FRAME_CSUM_VERIFIED,
        .gso_size = frame->gso_type == TLSYN_GSO_NONE ? 0 : frame->gso_size,
        .header = ether->payload,
        .payload = ip4.payload,
        .len = ip4.payload_len,
    };
    if ((ip4.mf || ip4.offset > 0) && !ip4_reassemble(ip, &ip4, &out->datagram))
        return IP_CONSUMED;
    count(ip->cx, TLSYN_COUNT_ip_delivers);
    if (ip4.protocol != IP_PROTOCOL_ICMP)
        return IP_DATAGRAM;
    return icmp_input(ip, &out->datagram, &out->error) ? IP_ERROR : IP_CONSUMED;
}
