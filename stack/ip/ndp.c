/*
 * ip/ndp.c: neighbour discovery. See ndp.h; what routers say is router.c's.
 *
 * What a message may do to the neighbour cache: RFC 4861 7.2.3 and 7.2.5, with the caution of
 * arp.c: an answer proves that the neighbour is there only when we have asked.
 */
#include "ip/ndp.h"

#include "ip/address6.h"
#include "ip/icmp6.h"
#include "ip/ip.h"
#include "ip/router.h"
#include "ip/source.h"
#include "wire/ndp.h"

/* --- out -------------------------------------------------------------------------------------- */

static void ndp_send(struct tlsyn_iface *iface, struct icmp6_frame *frame,
                     const struct wire_ndp *ndp)
{
    uint8_t message[NDP_MESSAGE_MAX];
    int len = wire_ndp_emit(ndp, message, sizeof(message));

    frame->hop_limit = NDP_HOP_LIMIT;
    icmp6_send_frame(iface, frame, message, (size_t)len);
}

static void put_source_hw(const struct tlsyn_iface *iface, struct wire_ndp *ndp)
{
    ndp->has_source_hw = true;
    memcpy(ndp->source_hw, iface->link->caps.hwaddr, ETHER_ADDR_LEN);
}

void ndp_solicit(struct tlsyn_iface *iface, const struct tlsyn_addr *target, const uint8_t *hwaddr)
{
    const struct tlsyn_addr *src = source_select(iface, target);
    struct wire_ndp ndp = {.type = ICMP6_NEIGHBOUR_SOLICITATION, .target = *target};
    struct icmp6_frame frame = {.ether_dst = hwaddr,
                                .dst = hwaddr ? *target : ip6_solicited_node(target)};

    if (!src)
        src = iface_link_local(iface);
    if (!src)
        return;
    frame.src = *src;
    put_source_hw(iface, &ndp);
    ndp_send(iface, &frame, &ndp);
}

void ndp_probe(struct tlsyn_iface *iface, const struct tlsyn_addr *target)
{
    struct wire_ndp ndp = {.type = ICMP6_NEIGHBOUR_SOLICITATION, .target = *target};
    struct icmp6_frame frame = {.dst = ip6_solicited_node(target)};

    ndp_send(iface, &frame, &ndp);
}

void ndp_solicit_routers(struct tlsyn_iface *iface)
{
    const struct tlsyn_addr *src = iface_link_local(iface);
    struct wire_ndp ndp = {.type = ICMP6_ROUTER_SOLICITATION};
    struct icmp6_frame frame = {.dst = ip6_all_routers()};

    if (src) { /* RFC 4861 4.1: not with the unspecified address */
        frame.src = *src;
        put_source_hw(iface, &ndp);
    }
    ndp_send(iface, &frame, &ndp);
}

/* To one who has asked, or (`to` unspecified) to all; unless somebody else does. */
static void advertise(struct tlsyn_iface *iface, const struct tlsyn_addr *addr,
                      const struct tlsyn_addr *to, const uint8_t *hwaddr)
{
    bool asked = !tlsyn_addr_unspecified(to);
    struct wire_ndp ndp = {.type = ICMP6_NEIGHBOUR_ADVERTISEMENT,
                           .target = *addr,
                           .solicited = asked,
                           .override = true,
                           .has_target_hw = true};
    struct icmp6_frame frame = {
        .src = *addr, .dst = asked ? *to : ip6_all_nodes(), .ether_dst = asked ? hwaddr : NULL};

    if (iface->ip->cx->shared)
        return;
    memcpy(ndp.target_hw, iface->link->caps.hwaddr, ETHER_ADDR_LEN);
    ndp_send(iface, &frame, &ndp);
}

void ndp_announce(struct tlsyn_iface *iface, const struct tlsyn_addr *addr)
{
    advertise(iface, addr, &(const struct tlsyn_addr){{0}}, NULL);
}

/* --- in --------------------------------------------------------------------------------------- */

static bool is_solicited_node(const struct tlsyn_addr *group)
{
    struct tlsyn_addr of_it = ip6_solicited_node(group);

    return tlsyn_addr_eq(group, &of_it);
}

/* RFC 4861 7.1.1, 7.1.2, 6.1.2, 8.1: the checks that need the IPv6 header. (R4861-1) */
static bool is_valid(const struct ip_datagram *datagram, const struct wire_ndp *ndp)
{
    bool from_nobody = tlsyn_addr_unspecified(&datagram->src);

    if (datagram->ttl != NDP_HOP_LIMIT)
        return false;
    switch (ndp->type) {
    case ICMP6_ROUTER_SOLICITATION:
        return !from_nobody || !ndp->has_source_hw;
    case ICMP6_NEIGHBOUR_SOLICITATION:
        return !from_nobody || (is_solicited_node(&datagram->dst) && !ndp->has_source_hw);
    case ICMP6_NEIGHBOUR_ADVERTISEMENT:
        return !from_nobody && !(ndp->solicited && ip6_is_multicast(&datagram->dst));
    default:
        return ip6_is_link_local(&datagram->src);
    }
}

static bool is_host_hwaddr_of(const struct wire_ndp *ndp)
{
    return (!ndp->has_source_hw || iface_is_host_hwaddr(ndp->source_hw)) &&
           (!ndp->has_target_hw || iface_is_host_hwaddr(ndp->target_hw));
}

/* RFC 4861 7.2.3, 7.2.4; RFC 4862 5.4.3 */
static void solicitation_arrives(struct tlsyn_iface *iface, const struct wire_ether *ether,
                                 const struct ip_datagram *datagram, const struct wire_ndp *ndp)
{
    struct iface_address *a = iface_find_address(iface, &ndp->target);
    bool tests = tlsyn_addr_unspecified(&datagram->src);

    if (!a || a->state == TLSYN_ADDRESS_DUPLICATE)
        return;
    if (!iface_address_usable(a)) {
        if (tests) /* two test the same address: neither may have it */
            address6_conflict(iface, a);
        return;
    }
    if (ndp->has_source_hw)
        neigh_learn(&iface->ip->neigh, iface, &datagram->src, ndp->source_hw, NEIGH_ASKED_US);
    advertise(iface, &a->addr, &datagram->src, ndp->has_source_hw ? ndp->source_hw : ether->src);
}

/* RFC 4861 7.2.5; RFC 4862 5.4.4 */
static void advertisement_arrives(struct tlsyn_iface *iface, const struct wire_ndp *ndp)
{
    struct iface_address *a = iface_find_address(iface, &ndp->target);

    if (a) {
        if (a->state != TLSYN_ADDRESS_DUPLICATE && !iface->ip->cx->shared)
            address6_conflict(iface, a);
        return;
    }
    neigh_advertised(&iface->ip->neigh, iface, &ndp->target,
                     ndp->has_target_hw ? ndp->target_hw : NULL,
                     (ndp->solicited ? NEIGH_SOLICITED : 0) | (ndp->override ? NEIGH_OVERRIDE : 0));
    if (!ndp->router)
        router_no_longer(iface, &ndp->target);
}

void ndp_input(struct tlsyn_iface *iface, const struct wire_ether *ether,
               const struct ip_datagram *datagram)
{
    struct wire_ndp ndp;

    if (memcmp(ether->src, iface->link->caps.hwaddr, ETHER_ADDR_LEN) == 0)
        return; /* our own, come back */
    if (wire_ndp_parse(datagram->payload, datagram->len, &ndp) < 0 || !is_valid(datagram, &ndp) ||
        !is_host_hwaddr_of(&ndp)) {
        drop(iface->ip->cx, TLSYN_DROP_ndp_invalid);
        return;
    }
    switch (ndp.type) {
    case ICMP6_NEIGHBOUR_SOLICITATION:
        solicitation_arrives(iface, ether, datagram, &ndp);
        break;
    case ICMP6_NEIGHBOUR_ADVERTISEMENT:
        advertisement_arrives(iface, &ndp);
        break;
    case ICMP6_ROUTER_ADVERTISEMENT:
        router_advertised(iface, &datagram->src, &ndp);
        break;
    case ICMP6_REDIRECT:
        router_redirects(iface, &datagram->src, &ndp);
        break;
    default: /* a solicitation for routers: we are a host */
        break;
    }
}
