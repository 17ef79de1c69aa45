/*
 * sim/router.c: the router's own words. Read first: RFC 826, RFC 4861 7.2.4.
 */
#include "sim/router.h"

#include "wire/arp.h"
#include "wire/icmp6.h"
#include "wire/ip6.h"
#include "wire/ndp.h"

static const uint8_t router_hw[ETHER_ADDR_LEN] = {2, 0, 0, 0, 1, 0};

static void say(struct network *n, int host, const struct wire_ether *to, uint8_t *frame,
                size_t len)
{
    struct wire_ether ether = {.type = to->type};
    struct tlsyn_frame f = {.iovcnt = 1, .iov = {{frame, len}}, .when = n->now};

    memcpy(ether.dst, to->src, ETHER_ADDR_LEN);
    memcpy(ether.src, router_hw, ETHER_ADDR_LEN);
    wire_ether_emit(&ether, frame, ETHER_HEADER_LEN);
    network_deliver(n, host, &f);
}

static void answer_arp(struct network *n, int host, const struct wire_ether *ether)
{
    struct tlsyn_addr gateway = network_gateway(n->plan, host);
    uint8_t frame[ETHER_HEADER_LEN + ARP_LEN];
    struct wire_arp asked, reply;

    if (wire_arp_parse(ether->payload, ether->payload_len, &asked) < 0 || asked.op != ARP_REQUEST ||
        !tlsyn_addr_eq(&asked.target, &gateway))
        return;
    reply = (struct wire_arp){.op = ARP_REPLY, .sender = gateway, .target = asked.sender};
    memcpy(reply.sender_hw, router_hw, ETHER_ADDR_LEN);
    memcpy(reply.target_hw, asked.sender_hw, ETHER_ADDR_LEN);
    wire_arp_emit(&reply, frame + ETHER_HEADER_LEN, ARP_LEN);
    say(n, host, ether, frame, sizeof(frame));
}

static void answer_solicitation(struct network *n, int host, const struct wire_ether *ether,
                                const struct wire_ip6 *ip)
{
    struct tlsyn_addr gateway = network_gateway(n->plan, host);
    uint8_t frame[ETHER_HEADER_LEN + IP6_HEADER_LEN + NDP_MESSAGE_MAX];
    uint8_t *at = frame + ETHER_HEADER_LEN + IP6_HEADER_LEN;
    struct wire_ip6 header = {.src = gateway, .dst = ip->src, .next = IP6_ICMP, .hop_limit = 255};
    struct wire_ndp asked, reply = {.type = ICMP6_NEIGHBOUR_ADVERTISEMENT,
                                    .target = gateway,
                                    .router = true,
                                    .solicited = true,
                                    .override = true,
                                    .has_target_hw = true};

    if (wire_ndp_parse(ip->payload, ip->payload_len, &asked) < 0 ||
        asked.type != ICMP6_NEIGHBOUR_SOLICITATION || !tlsyn_addr_eq(&asked.target, &gateway))
        return;
    memcpy(reply.target_hw, router_hw, ETHER_ADDR_LEN);
    size_t len = (size_t)wire_ndp_emit(&reply, at, NDP_MESSAGE_MAX);
    wire_icmp6_checksum(&header.src, &header.dst, at, len);
    header.payload_len = (uint16_t)len;
    wire_ip6_emit(&header, frame + ETHER_HEADER_LEN, IP6_HEADER_LEN);
    say(n, host, ether, frame, ETHER_HEADER_LEN + IP6_HEADER_LEN + len);
}

bool router_takes(struct network *n, int host, const struct tlsyn_frame *frame)
{
    struct wire_ether ether;
    struct wire_ip6 ip;

    if (wire_ether_parse(frame->iov[0].iov_base, frame->iov[0].iov_len, &ether) < 0)
        return true;
    if (ether.type == ETHER_TYPE_ARP) {
        answer_arp(n, host, &ether);
        return true;
    }
    if (ether.type != ETHER_TYPE_IP6)
        return ether_is_group(ether.dst);
    if (wire_ip6_parse(ether.payload, ether.payload_len, &ip) < 0)
        return true;
    if (ip.next == IP6_ICMP && ip.payload_len > 0 &&
        ip.payload[0] == ICMP6_NEIGHBOUR_SOLICITATION) {
        answer_solicitation(n, host, &ether, &ip);
        return true;
    }
    return ether_is_group(ether.dst); /* reports of groups, and the like */
}
