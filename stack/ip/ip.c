/*
 * ip/ip.c: the layer as a whole: its life, one frame in, and how to reach an address. See ip.h.
 */
#include "ip/ip.h"

#include <assert.h>
#include <errno.h>

#include "ip/arp.h"
#include "ip/ip4.h"
#include "ip/ip6.h"
#include "ip/source.h"

int ip_init(struct ip *ip, struct context *cx)
{
    *ip = (struct ip){.cx = cx};
    list_init(&ip->ifaces);
    route_init(&ip->routes);
    routers_init(&ip->routers);
    neigh_init(&ip->neigh, cx);
    icmp_init(&ip->icmp, cx);
    frags_init(&ip->frags, ip);
    pmtus_init(&ip->pmtus, cx);
    split_init(&ip->split, cx);
    outbox_init(&ip->out);
    return 0;
}

void ip_release(struct ip *ip)
{
    outbox_release(&ip->out, ip->cx);
    frags_release(&ip->frags);
    pmtus_release(&ip->pmtus);
    neigh_release(&ip->neigh);
    routers_release(ip);
    route_release(&ip->routes, ip->cx);
    iface_release_all(ip);
}

/* --- in --------------------------------------------------------------------------------------- */

/* Ethernet's part: is the frame for us, and what does it carry? A frame is in one piece
 * (tlsyn/link.h). */
enum ip_verdict ip_input(struct ip *ip, struct tlsyn_iface *iface, const struct tlsyn_frame *frame,
                         struct ip_arrival *out)
{
    size_t len = frame->iov[0].iov_len;
    struct wire_ether ether;
    bool to_all;

    assert(!ip->frags.whole);
    count(ip->cx, TLSYN_COUNT_link_in);
    TRACE(ip->cx, link_rx, 0, (int64_t)len, frame->gso_size, frame->flags);
    if (frame->iovcnt != 1 || wire_ether_parse(frame->iov[0].iov_base, len, &ether) < 0) {
        drop(ip->cx, TLSYN_DROP_frame_truncated);
        return IP_CONSUMED;
    }
    to_all = ether_is_group(ether.dst);
    if (!to_all && memcmp(ether.dst, iface->link->caps.hwaddr, sizeof(ether.dst)) != 0) {
        drop(ip->cx, TLSYN_DROP_frame_foreign);
        return IP_CONSUMED;
    }
    switch (ether.type) {
    case ETHER_TYPE_IP4:
        return ip4_input(iface, frame, &ether, out);
    case ETHER_TYPE_IP6:
        return ip6_input(iface, frame, &ether, out);
    case ETHER_TYPE_ARP:
        if (iface->link->caps.point_to_point)
            break;
        arp_input(iface, ether.payload, ether.payload_len);
        return IP_CONSUMED;
    default:
        break;
    }
    drop(ip->cx, TLSYN_DROP_ether_type);
    return IP_CONSUMED;
}

void ip_input_done(struct ip *ip)
{
    frags_done(&ip->frags);
}

/* --- paths ------------------------------------------------------------------------------------ */

bool ip_is_ours(const struct ip *ip, const struct tlsyn_addr *address)
{
    list_each(it, &ip->ifaces)
    {
        if (iface_has_address(container_of(it, struct tlsyn_iface, node), address))
            return true;
    }
    return false;
}

static bool hop_by_route(const struct ip *ip, const struct tlsyn_addr *dst, struct ip_hop *hop)
{
    const struct route *route = route_find(&ip->routes, dst);

    if (!route || iface_is_broadcast(route->iface, dst))
        return false;
    *hop = (struct ip_hop){route->iface, *route_next_hop(route, dst), route};
    return true;
}

/* Every link has its own: that of the source, or the first one that has IPv6. */
static bool hop_link_local(const struct ip *ip, const struct tlsyn_addr *src,
                           const struct tlsyn_addr *dst, struct ip_hop *hop)
{
    list_each(it, &ip->ifaces)
    {
        struct tlsyn_iface *iface = container_of(it, struct tlsyn_iface, node);

        if (src && ip6_is_link_local(src) ? iface_has_address(iface, src) : iface->ip6.on) {
            *hop = (struct ip_hop){iface, *dst, NULL};
            return true;
        }
    }
    return false;
}

/* RFC 4861 5.2 */
static bool hop_find6(const struct ip *ip, const struct tlsyn_addr *src,
                      const struct tlsyn_addr *dst, struct ip_hop *hop)
{
    const struct router *router;

    if (!ip6_is_host(dst))
        return false;
    if (ip6_is_link_local(dst))
        return hop_link_local(ip, src, dst, hop);
    hop->route = NULL;
    if (router_redirected(ip, dst, hop) || hop_by_route(ip, dst, hop))
        return true;
    router = router_choose(ip);
    if (router)
        *hop = (struct ip_hop){router->iface, router->addr, NULL};
    return router != NULL;
}

bool ip_is_loopback(const struct tlsyn_addr *address)
{
    return tlsyn_addr_is_ip4(address) ? tlsyn_addr_octets(address)[0] == 127
                                      : ip6_is_loopback(address);
}

bool ip_may_arrive(const struct tlsyn_iface *iface, const struct tlsyn_addr *src,
                   const struct tlsyn_addr *dst)
{
    bool ours = ip_is_ours(iface->ip, src);

    if (iface->link->caps.loopback)
        return ours;
    return !ours && !ip_is_loopback(src) && !ip_is_loopback(dst);
}

/* Nothing of the loopback's leaves by another way: RFC 1122 3.2.1.3 (g), RFC 4291 2.5.3. */
bool ip_hop_find(const struct ip *ip, const struct tlsyn_addr *src, const struct tlsyn_addr *dst,
                 struct ip_hop *hop)
{
    if (ip_is_ours(ip, dst)) {
        *hop = (struct ip_hop){ip->loopback, *dst, NULL};
        return ip->loopback;
    }
    if (src && ip_is_loopback(src))
        return false;
    if (!tlsyn_addr_is_ip4(dst))
        return hop_find6(ip, src, dst, hop);
    return ip4_is_host(tlsyn_addr_octets(dst)) && hop_by_route(ip, dst, hop);
}

int ip_path_find(const struct ip *ip, const struct tlsyn_addr *dst, struct ip_path *path)
{
    bool ip4 = tlsyn_addr_is_ip4(dst);
    const struct tlsyn_link_caps *caps;
    const struct tlsyn_addr *src;
    struct ip_hop hop;

    if (!ip_hop_find(ip, NULL, dst, &hop))
        return -ENETUNREACH;
    if (hop.iface->link->caps.loopback)
        src = dst;
    else
        src = ip4 ? &hop.route->src : source_select(hop.iface, dst);
    if (!src)
        return -EADDRNOTAVAIL;
    caps = &hop.iface->link->caps;
    uint16_t link_mtu = iface_mtu(hop.iface, ip4), known = pmtu_find(&ip->pmtus, dst);
    *path = (struct ip_path){
        .iface = hop.iface,
        .src = *src,
        .next_hop = hop.next,
        .mtu = known > 0 && known < link_mtu ? known : link_mtu,
        .link_mtu = link_mtu,
        .gso_max = caps->csum ? caps->gso_max
                              : 0, /* segments cut by the link need their checksums from it */
    };
    return 0;
}

void ip_learn_mtu(struct ip *ip, const struct tlsyn_addr *dst, uint16_t mtu)
{
    uint16_t least = pmtu_least(dst);
    struct ip_hop hop;

    if (!ip_hop_find(ip, NULL, dst, &hop))
        return;
    mtu = mtu > least ? mtu : least;
    pmtu_learn(&ip->pmtus, dst, mtu < iface_mtu(hop.iface, tlsyn_addr_is_ip4(dst)) ? mtu : 0);
}

/* The interface that a gateway is on; NULL: none. */
static struct tlsyn_iface *gateway_iface(const struct ip *ip, const struct tlsyn_addr *gateway,
                                         struct tlsyn_addr *src)
{
    const struct route *link = route_find_on_link(&ip->routes, gateway);
    struct ip_hop hop;

    if (ip6_is_link_local(gateway))
        return hop_link_local(ip, NULL, gateway, &hop) ? hop.iface : NULL;
    if (!link || iface_is_broadcast(link->iface, gateway))
        return NULL;
    *src = link->src;
    return link->iface;
}

int ip_route_add(struct ip *ip, const struct tlsyn_addr *network, int prefix_len,
                 const struct tlsyn_addr *gateway)
{
    struct route route = {.network = *network, .gateway = *gateway};
    int bits = route_prefix_bits(network, prefix_len);

    if (bits < 0 || tlsyn_addr_is_ip4(network) != tlsyn_addr_is_ip4(gateway) ||
        ip_is_ours(ip, gateway))
        return -EINVAL;
    route.iface = gateway_iface(ip, gateway, &route.src);
    if (!route.iface)
        return -ENETUNREACH;
    route.prefix_bits = (uint8_t)bits;
    return route_insert(&ip->routes, ip->cx, &route);
}

static struct neighbour *next_hop(struct ip *ip, const struct tlsyn_addr *dst)
{
    struct ip_hop hop;

    return ip_hop_find(ip, NULL, dst, &hop) ? neigh_find(&ip->neigh, hop.iface, &hop.next) : NULL;
}

void ip_doubt(struct ip *ip, const struct tlsyn_addr *dst)
{
    struct neighbour *n = next_hop(ip, dst);

    if (n)
        neigh_doubt(n);
}
