/*
 * ip/group.c: one frame for all. Read first: RFC 919 7, RFC 1112 6, RFC 1122 3.2.1.3, 3.3.6.
 *
 * There is no neighbour to ask for: the Ethernet address follows from the IP address. Such a
 * datagram is rare and short, so it is copied, and waits in the reply queue like an ARP packet.
 */
#include "ip/group.h"

#include <errno.h>

#define TTL_GROUP 1 /* RFC 1112 6.1 */

static const struct tlsyn_addr nobody = {.byte = {[10] = 0xff, [11] = 0xff}};

static bool is_ip4_group(const struct tlsyn_addr *dst)
{
    return tlsyn_addr_is_ip4(dst) && (tlsyn_addr_octets(dst)[0] & 0xf0) == 0xe0;
}

bool group_is_broadcast(const struct ip *ip, const struct tlsyn_addr *dst)
{
    list_each(it, &ip->ifaces)
    {
        if (iface_is_broadcast(container_of(it, struct tlsyn_iface, node), dst))
            return true;
    }
    return false;
}

bool group_is(const struct ip *ip, const struct tlsyn_addr *dst)
{
    return is_ip4_group(dst) || group_is_broadcast(ip, dst);
}

static bool has_ip4(const struct tlsyn_iface *iface)
{
    for (int i = 0; i < iface->address_count; i++) {
        if (tlsyn_addr_is_ip4(&iface->address[i].addr))
            return true;
    }
    return false;
}

/* RFC 1122 3.2.1.3 (a): the unspecified address is that of an interface that has none yet. */
static bool leaves_from(const struct tlsyn_iface *iface, const struct tlsyn_addr *src)
{
    return tlsyn_addr_unspecified(src) ? !has_ip4(iface) : iface_has_address(iface, src);
}

/* The interface to leave through. The limited broadcast address and groups are everywhere: the
 * source decides. */
static struct tlsyn_iface *choose_iface(const struct ip *ip, const struct tlsyn_addr *src,
                                        const struct tlsyn_addr *dst)
{
    static const uint8_t all[4] = {255, 255, 255, 255};
    bool anywhere = is_ip4_group(dst) || memcmp(tlsyn_addr_octets(dst), all, sizeof(all)) == 0;

    list_each(it, &ip->ifaces)
    {
        struct tlsyn_iface *iface = container_of(it, struct tlsyn_iface, node);

        if (anywhere ? !src || leaves_from(iface, src) : iface_is_broadcast(iface, dst))
            return iface;
    }
    return NULL;
}

/* Our first IPv4 address there, or that in the network whose broadcast address it is. */
static const struct tlsyn_addr *choose_source(const struct tlsyn_iface *iface,
                                              const struct tlsyn_addr *dst)
{
    const struct tlsyn_addr *first = NULL;

    for (int i = 0; i < iface->address_count; i++) {
        const struct iface_address *own = &iface->address[i];

        if (!tlsyn_addr_is_ip4(&own->addr))
            continue;
        if (tlsyn_addr_eq(&own->broadcast, dst))
            return &own->addr;
        if (!first)
            first = &own->addr;
    }
    return first;
}

int group_path_find(const struct ip *ip, const struct tlsyn_addr *src, const struct tlsyn_addr *dst,
                    struct ip_path *path)
{
    struct tlsyn_iface *iface = choose_iface(ip, src, dst);
    const struct tlsyn_addr *own = iface ? choose_source(iface, dst) : NULL;

    if (iface && !own && !is_ip4_group(dst))
        own = &nobody;
    if (!own)
        return -ENETUNREACH;
    *path = (struct ip_path){
        .iface = iface, .src = *own, .next_hop = *dst, .mtu = iface->link->caps.mtu};
    return 0;
}

/* RFC 1112 6.4: the group's low 23 bits behind 01:00:5e. */
static void hwaddr_of(const struct tlsyn_addr *dst, uint8_t hwaddr[ETHER_ADDR_LEN])
{
    const uint8_t *octets = tlsyn_addr_octets(dst);

    memset(hwaddr, 0xff, ETHER_ADDR_LEN);
    if (is_ip4_group(dst))
        memcpy(hwaddr, (const uint8_t[]){0x01, 0x00, 0x5e, octets[1] & 0x7f, octets[2], octets[3]},
               ETHER_ADDR_LEN);
}

int group_output(struct ip *ip, const struct ip_tx *tx)
{
    struct tlsyn_iface *iface = choose_iface(ip, &tx->src, &tx->dst);
    uint8_t hwaddr[ETHER_ADDR_LEN];
    struct ip_tx to_all = *tx;

    if (!iface) {
        drop(ip->cx, TLSYN_DROP_no_route);
        return -ENETUNREACH;
    }
    to_all.may_fragment = false;
    if (tx->ttl == 0 && is_ip4_group(&tx->dst))
        to_all.ttl = TTL_GROUP;
    hwaddr_of(&tx->dst, hwaddr);
    return output_to_all(ip, &to_all, iface, hwaddr);
}
