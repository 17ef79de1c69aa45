/*
 * ip/ip6.c: one IPv6 datagram in. Read first: RFC 8200 4, RFC 4291 2.7, 2.8, RFC 4862 5.4.
 */
#include "ip/ip6.h"

#include <errno.h>

#include "ip/address6.h"
#include "ip/icmp6.h"

/* RFC 4291 2.5.2, 2.7: a source is one host's address, or none at all where the sender has none yet: then it is a word to a
 * group, about addresses. */
static bool source_is_good(const struct ip *ip, const struct wire_ip6 *ip6)
{
    if (tlsyn_addr_unspecified(&ip6->src))
        return ip6_is_multicast(&ip6->dst);
    return ip6_is_host(&ip6->src) && !ip_is_ours(ip, &ip6->src);
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
    return source_is_good(iface->ip, ip6) ? 0 : -TLSYN_DROP_ip_source;
}

/* 0, or minus the reason; the sender is told where RFC 8200 4.2 says so. */
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
    if (chain.protocol == IP6_FRAGMENT)
        return -TLSYN_DROP_ip_fragment;
    if (chain.protocol == IP6_NONE) /* RFC 8200 4.7 */
        return -TLSYN_DROP_ip_protocol;
    if (tlsyn_addr_unspecified(&ip6->src) && chain.protocol != IP6_ICMP)
        return -TLSYN_DROP_ip_source;
    return 0;
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
    if (refused) {
        drop(ip->cx, (enum tlsyn_drop) - refused);
        return IP_CONSUMED;
    }
    count(ip->cx, TLSYN_COUNT_ip6_delivers);
    TRACE(ip->cx, ip_rx, 0, out->datagram.protocol, (int64_t)out->datagram.len);
    if (out->datagram.protocol != IP6_ICMP)
        return IP_DATAGRAM;
    return icmp6_input(ether, &out->datagram, &out->error) ? IP_ERROR : IP_CONSUMED;
}
