/*
 * ip/ip.c: the layer as a whole: its life, one frame in, and how to reach an address. See ip.h.
 */
#include "ip/ip.h"

#include <errno.h>

#include "ip/arp.h"
#include "ip/ip4.h"

int ip_init(struct ip *ip, struct context *cx)
{
    *ip = (struct ip){.cx = cx};
    list_init(&ip->ifaces);
    route_init(&ip->routes);
    neigh_init(&ip->neigh, cx);
    icmp_init(&ip->icmp, cx);
    output_init(&ip->out);
    return 0;
}

void ip_release(struct ip *ip)
{
    output_release(&ip->out, ip->cx);
    neigh_release(&ip->neigh);
    route_release(&ip->routes, ip->cx);
    iface_release_all(ip);
}

/* --- in ----------------------------------------------------------------------------------------------- */

/* Ethernet's part: is the frame for us, and what does it carry? A frame is in one piece (tlsyn/link.h). */
enum ip_verdict ip_input(struct ip *ip, struct tlsyn_iface *iface, const struct tlsyn_frame *frame,
                         struct ip_arrival *out)
{
    size_t len = frame->iov[0].iov_len;
    struct wire_ether ether;
    bool to_all;

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
    case ETHER_TYPE_ARP:
        arp_input(iface, ether.payload, ether.payload_len);
        return IP_CONSUMED;
    default:
        drop(ip->cx, TLSYN_DROP_ether_type);
        return IP_CONSUMED;
    }
}

/* --- paths -------------------------------------------------------------------------------------------- */

bool ip_is_ours(const struct ip *ip, const struct tlsyn_addr *address)
{
    list_each(it, &ip->ifaces)
    {
        if (iface_has_address(container_of(it, struct tlsyn_iface, node), address))
            return true;
    }
    return false;
}

const struct route *ip_route_to(const struct ip *ip, const struct tlsyn_addr *dst)
{
    const struct route *route;

    if (!tlsyn_addr_is_ip4(dst) || !ip4_is_host(tlsyn_addr_octets(dst)) || ip_is_ours(ip, dst))
        return NULL;
    route = route_find(&ip->routes, dst);
    return route && !iface_is_broadcast(route->iface, dst) ? route : NULL;
}

int ip_path_find(const struct ip *ip, const struct tlsyn_addr *dst, struct ip_path *path)
{
    const struct route *route = ip_route_to(ip, dst);
    const struct tlsyn_link_caps *caps;

    if (!route)
        return -ENETUNREACH;
    caps = &route->iface->link->caps;
    *path = (struct ip_path){
        .iface = route->iface,
        .src = route->src,
        .next_hop = *route_next_hop(route, dst),
        .mtu = caps->mtu,
        .gso_max = caps->csum ? caps->gso_max
                              : 0, /* segments cut by the link need their checksums from it */
    };
    return 0;
}

int ip_route_add(struct ip *ip, const struct tlsyn_addr *network, int prefix_len,
                 const struct tlsyn_addr *gateway)
{
    struct route route = {.network = *network, .gateway = *gateway};
    int bits = route_prefix_bits(network, prefix_len);
    const struct route *link;

    if (bits < 0 || tlsyn_addr_is_ip4(network) != tlsyn_addr_is_ip4(gateway) ||
        ip_is_ours(ip, gateway))
        return -EINVAL;
    link = route_find_on_link(&ip->routes, gateway);
    if (!link || iface_is_broadcast(link->iface, gateway))
        return -ENETUNREACH;
    route.prefix_bits = (uint8_t)bits;
    route.iface = link->iface;
    route.src = link->src;
    return route_insert(&ip->routes, ip->cx, &route);
}

void ip_confirm(struct ip *ip, const struct tlsyn_addr *dst)
{
    const struct route *route = ip_route_to(ip, dst);
    struct neighbour *n;

    if (!route)
        return;
    n = neigh_find(&ip->neigh, route->iface, route_next_hop(route, dst));
    if (n)
        neigh_confirm(n);
}
