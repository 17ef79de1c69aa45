/*
 * ip/ip6.c: one IPv6 datagram in. Read first: RFC 8200 4, RFC 6946, RFC 7112, RFC 4291 2.7,
 * 2.8, RFC 4862 5.4.
 */
#include "ip/ip6.h"

#include <errno.h>

#include "ip/address6.h"
#include "ip/icmp6.h"
#include "wire/bytes.h"
#include "wire/icmp6.h"

/* RFC 4291 2.5.2, 2.7: a source is one host's address, or none at all where the sender has none
 * yet: then it is a word to a group, about addresses. */
static bool source_is_good(const struct tlsyn_iface *iface, const struct wire_ip6 *ip6)
{
    if (tlsyn_addr_unspecified(&ip6->src))
        return ip6_is_multicast(&ip6->dst);
    return (ip6_is_host(&ip6->src) || ip_is_loopback(&ip6->src)) &&
           ip_may_arrive(iface, &ip6->src, &ip6->dst);
}

/* 0, or minus the reason for which the header is refused. */
static int ip6_check(const struct tlsyn_iface *iface, const struct wire_ether *ether,
                     struct wire_ip6 *ip6, bool *group)
{
    switch (wire_ip6_parse(ether->payload, ether->payload_len, ip6)) {
    case 0:
        break;
    case -EPROTONOSUPPORT:
        return -TLSYN_DROP_ip_version;
    default:
        return -TLSYN_DROP_ip_truncated;
    }
    *group = ip6_is_multicast(&ip6->dst);
    if (*group ? !address6_has_group(iface, &ip6->dst)
               : ether_is_group(ether->dst) || !ip_is_ours(iface->ip, &ip6->dst))
        return -TLSYN_DROP_ip_not_ours;
    return source_is_good(iface, ip6) ? 0 : -TLSYN_DROP_ip_source;
}

/* --- fragments -------------------------------------------------------------------------------- */

#define KEPT 1 /* not refused, and not complete */

static size_t headers_of(const struct ip_datagram *d)
{
    return (size_t)(d->payload - d->header);
}

/* What follows a fragment header is a chain of headers again, named by datagram->protocol; it ends
 * in a protocol. */
static int walk_on(const struct ip_datagram *d, struct wire_ip6_chain *chain)
{
    struct wire_ip6 rest = {
        .next = d->protocol, .payload = d->payload, .payload_there = (uint16_t)d->len};
    size_t shift = headers_of(d) - IP6_HEADER_LEN;
    int error = rest.next == IP6_HOP_BY_HOP ? -EBADMSG : wire_ip6_walk(&rest, chain);

    if (error == -EPROTO)
        chain->problem_pointer = (uint16_t)(chain->problem_pointer + shift);
    if (error)
        return error;
    chain->protocol_at =
        chain->payload == d->payload ? d->protocol_at : (uint16_t)(chain->protocol_at + shift);
    return chain->protocol == IP6_FRAGMENT ? -EBADMSG : 0;
}

/* RFC 6980: neighbours do not speak in fragments, and neither does MLD. */
static bool may_be_fragmented(const struct wire_ip6_chain *chain)
{
    return chain->protocol != IP6_ICMP || chain->payload_len == 0 ||
           icmp6_is_error(chain->payload[0]) || chain->payload[0] <= ICMP6_ECHO_REPLY;
}

/* The datagram, atomic or put together, goes on with the chain that the fragment header named. */
static int ip6_go_on(struct ip_datagram *datagram)
{
    struct wire_ip6_chain chain;
    int error = walk_on(datagram, &chain);

    if (error == -EPROTO)
        icmp6_parameter_problem(datagram, &chain);
    if (error)
        return error == -EMSGSIZE ? -TLSYN_DROP_ip_truncated : -TLSYN_DROP_ip_extension;
    if (!may_be_fragmented(&chain))
        return -TLSYN_DROP_ip_fragment;
    datagram->protocol = chain.protocol;
    datagram->protocol_at = chain.protocol_at;
    datagram->payload = chain.payload;
    datagram->len = chain.payload_len;
    return 0;
}

/* RFC 8200 4.5: the first fragment's headers, without the fragment header, become those of the
 * whole. */
static void ip6_make_whole(struct ip_datagram *whole, uint8_t *header)
{
    size_t kept = headers_of(whole) - IP6_FRAGMENT_LEN;
    struct writer w;

    memmove(header + IP6_FRAGMENT_LEN, header, kept);
    header += IP6_FRAGMENT_LEN;
    whole->header = header;
    header[whole->protocol_at] = whole->protocol;
    header[0] = (uint8_t)(0x60 | whole->tos >> 4);
    header[1] = (uint8_t)(whole->tos << 4 | (header[1] & 15));
    w = writer_of(header + 4, 2);
    put_u16(&w, (uint16_t)(kept - IP6_HEADER_LEN + whole->len));
}

/* A fragment that can't be. RFC 8200 4.5: its sender is told which field is wrong; of an empty
 * fragment it is not told. */
static int impossible(const struct ip_datagram *part, int error)
{
    size_t offset_at = headers_of(part) - IP6_FRAGMENT_LEN + 2;

    if (error == -EMSGSIZE)
        icmp6_error(part, ICMP6_PARAMETER_PROBLEM, ICMP6_PROBLEM_FIELD, (uint32_t)offset_at);
    else if (part->len > 0)
        icmp6_error(part, ICMP6_PARAMETER_PROBLEM, ICMP6_PROBLEM_FIELD, 4); /* payload length */
    return -TLSYN_DROP_ip_fragment;
}

/* RFC 7112 5: the first fragment has to hold all headers; otherwise a firewall that judges
 * datagrams by their headers could be evaded. (R7112-1) */
static int check_first(const struct ip_datagram *part)
{
    struct wire_ip6_chain chain;
    int error = walk_on(part, &chain);

    if (error == 0 && fragment_holds_header(chain.protocol, chain.payload, chain.payload_len))
        return 0;
    if (error == 0 || error == -EMSGSIZE)
        icmp6_error(part, ICMP6_PARAMETER_PROBLEM, ICMP6_PROBLEM_CHAIN, 0);
    return -TLSYN_DROP_ip_fragment;
}

/* `datagram` has a fragment header as its payload. 0: it is whole, and goes on behind that header;
 * KEPT; or minus the reason. (R6946-1) */
static int ip6_fragment(struct ip_datagram *datagram)
{
    struct ip_datagram part = *datagram;
    struct wire_ip6_fragment header;
    int error;

    if (wire_ip6_fragment_parse(part.payload, part.len, &header) < 0)
        return -TLSYN_DROP_ip_truncated;
    part.payload += IP6_FRAGMENT_LEN;
    part.len -= IP6_FRAGMENT_LEN;
    part.protocol = header.next;
    if (header.offset == 0 &&
        !header.mf) { /* RFC 6946: atomic; it has nothing to do with others of this number */
        *datagram = part;
        datagram->protocol_at = (uint16_t)(headers_of(&part) - IP6_FRAGMENT_LEN);
        return ip6_go_on(datagram);
    }
    struct fragment fragment = {
        .datagram = &part, .id = header.id, .offset = header.offset, .more = header.mf};
    error = fragment_check(&fragment);
    if (error)
        return impossible(&part, error);
    error = header.offset == 0 ? check_first(&part) : 0;
    if (error)
        return error;
    uint8_t *memory = frags_take(&part.iface->ip->frags, &fragment, datagram);
    if (!memory)
        return KEPT;
    ip6_make_whole(datagram, memory);
    return ip6_go_on(datagram);
}

/* --- in --------------------------------------------------------------------------------------- */

/* 0, KEPT, or minus the reason; the sender is told where RFC 8200 4.2 says so. */
static int ip6_extensions(const struct wire_ip6 *ip6, struct ip_datagram *datagram)
{
    struct wire_ip6_chain chain;

    switch (wire_ip6_walk(ip6, &chain)) {
    case 0:
        break;
    case -EPROTO:
        icmp6_parameter_problem(datagram, &chain);
        return -TLSYN_DROP_ip_extension;
    case -EMSGSIZE:
        return -TLSYN_DROP_ip_truncated;
    default:
        return -TLSYN_DROP_ip_extension;
    }
    datagram->protocol = chain.protocol;
    datagram->protocol_at = chain.protocol_at;
    datagram->payload = chain.payload;
    datagram->len = chain.payload_len;
    if (tlsyn_addr_unspecified(&ip6->src) && chain.protocol != IP6_ICMP)
        return -TLSYN_DROP_ip_source;
    int refused = chain.protocol == IP6_FRAGMENT ? ip6_fragment(datagram) : 0;
    if (refused)
        return refused;
    return datagram->protocol == IP6_NONE ? -TLSYN_DROP_ip_protocol : 0; /* RFC 8200 4.7 */
}

enum ip_verdict ip6_input(struct tlsyn_iface *iface, const struct tlsyn_frame *frame,
                          const struct wire_ether *ether, struct ip_arrival *out)
{
    struct ip *ip = iface->ip;
    struct wire_ip6 ip6;
    bool group = false;
    int refused = ip6_check(iface, ether, &ip6, &group);

    count(ip->cx, TLSYN_COUNT_ip6_in);
    if (!refused) {
        out->datagram = (struct ip_datagram){
            .iface = iface,
            .src = ip6.src,
            .dst = ip6.dst,
            .ttl = ip6.hop_limit,
            .tos = ip6.tos,
            .broadcast = group,
            .csum_verified = frame->flags & TLSYN_FRAME_CSUM_VERIFIED,
            .gso_size = frame->gso_type == TLSYN_GSO_NONE ? 0 : frame->gso_size,
            .header = ether->payload,
            .payload = ip6.payload,
            .len = ip6.payload_len,
        };
        refused = ip6_extensions(&ip6, &out->datagram);
    }
    if (refused < 0)
        drop(ip->cx, (enum tlsyn_drop) - refused);
    if (refused)
        return IP_CONSUMED;
    count(ip->cx, TLSYN_COUNT_ip6_delivers);
    TRACE(ip->cx, ip_rx, 0, out->datagram.protocol, (int64_t)out->datagram.len);
    if (out->datagram.protocol != IP6_ICMP)
        return IP_DATAGRAM;
    return icmp6_input(ether, &out->datagram, &out->error) ? IP_ERROR : IP_CONSUMED;
}
