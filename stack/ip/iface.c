/*
 * ip/iface.c: interfaces, and what the users of the stack may ask of one. See iface.h and tlsyn/stack.h.
 */
#include "ip/iface.h"

#include <errno.h>

#include "ip/arp.h"
#include "ip/ip4.h"

bool iface_is_host_hwaddr(const uint8_t hwaddr[ETHER_ADDR_LEN])
{
    static const uint8_t zero[ETHER_ADDR_LEN];

    return !ether_is_group(hwaddr) && memcmp(hwaddr, zero, sizeof(zero)) != 0;
}

int ip_iface_add(struct ip *ip, struct tlsyn_link *link, struct tlsyn_iface **iface)
{
    struct tlsyn_iface *i;

    if (!iface_is_host_hwaddr(link->caps.hwaddr) || link->caps.mtu < IFACE_MTU_MIN)
        return -EINVAL;
    i = context_alloc(ip->cx, sizeof(*i));
    if (!i)
        return -ENOMEM;
    i->ip = ip;
    i->link = link;
    i->index = ++ip->iface_count;
    arp_init(i);
    list_init(&i->node);
    list_append(&ip->ifaces, &i->node);
    *iface = i;
    return 0;
}

bool ip_iface_known(const struct ip *ip, const struct tlsyn_iface *iface)
{
    return iface && iface->ip == ip;
}

void iface_release_all(struct ip *ip)
{
    list_each_safe(it, after, &ip->ifaces)
    {
        struct tlsyn_iface *i = container_of(it, struct tlsyn_iface, node);

        arp_release(i);
        list_remove(it);
        context_free(ip->cx, i);
    }
}

struct tlsyn_link *tlsyn_iface_link(struct tlsyn_iface *iface)
{
    return iface->link;
}

/* --- addresses ---------------------------------------------------------------------------------------- */

/* All ones behind the prefix. Networks of two addresses and of one have no broadcast address (RFC 3021). */
static struct tlsyn_addr directed_broadcast(const struct tlsyn_addr *addr, unsigned prefix_bits)
{
    struct tlsyn_addr last = *addr;

    if (prefix_bits > 126)
        return (struct tlsyn_addr){0};
    for (unsigned i = prefix_bits; i < 128; i++)
        last.byte[i / 8] |= (uint8_t)(0x80u >> i % 8);
    return last;
}

int tlsyn_iface_address(struct tlsyn_iface *iface, const struct tlsyn_addr *address, int prefix_len)
{
    struct ip *ip = iface->ip;
    struct route route = {.network = *address, .iface = iface, .src = *address};
    int bits = route_prefix_bits(address, prefix_len);
    int error;

    if (!tlsyn_addr_is_ip4(address))
        return -EAFNOSUPPORT;
    if (bits < 0 || !ip4_is_host(tlsyn_addr_octets(address)))
        return -EINVAL;
    if (ip_is_ours(ip, address))
        return -EADDRINUSE;
    if (iface->address_count == IFACE_ADDRESSES)
        return -ENOBUFS;
    route.prefix_bits = (uint8_t)bits;
    error = route_insert(&ip->routes, ip->cx, &route);
    if (error < 0 &&
        error != -EEXIST) /* a second address in a network: the first one's route serves */
        return error;
    iface->address[iface->address_count++] = (struct iface_address){
        .addr = *address,
        .broadcast = directed_broadcast(address, (unsigned)bits),
        .prefix_bits = (uint8_t)bits,
    };
    return 0;
}

bool iface_has_address(const struct tlsyn_iface *iface, const struct tlsyn_addr *addr)
{
    for (unsigned i = 0; i < iface->address_count; i++) {
        if (tlsyn_addr_eq(&iface->address[i].addr, addr))
            return true;
    }
    return false;
}

bool iface_is_broadcast(const struct tlsyn_iface *iface, const struct tlsyn_addr *addr)
{
    static const uint8_t limited[4] = {255, 255, 255, 255};

    if (!tlsyn_addr_is_ip4(addr))
        return false;
    if (memcmp(tlsyn_addr_octets(addr), limited, sizeof(limited)) == 0)
        return true;
    for (unsigned i = 0; i < iface->address_count; i++) {
        if (tlsyn_addr_eq(&iface->address[i].broadcast, addr))
            return true;
    }
    return false;
}

static const struct iface_address *iface_network_of(const struct tlsyn_iface *iface,
                                                    const struct tlsyn_addr *addr)
{
    for (unsigned i = 0; i < iface->address_count; i++) {
        const struct iface_address *a = &iface->address[i];

        if (route_prefix_matches(&a->addr, addr, a->prefix_bits))
            return a;
    }
    return NULL;
}

bool iface_is_on_link(const struct tlsyn_iface *iface, const struct tlsyn_addr *addr)
{
    return iface_network_of(iface, addr) != NULL;
}

const struct tlsyn_addr *iface_address_for(const struct tlsyn_iface *iface,
                                           const struct tlsyn_addr *peer)
{
    const struct iface_address *a = iface_network_of(iface, peer);

    if (!a && iface->address_count > 0)
        a = &iface->address[0];
    return a ? &a->addr : NULL;
}
