/*
 * ip/iface.c: interfaces, and what the users of the stack may ask of one. See iface.h and
 * tlsyn/stack.h.
 */
#include "ip/iface.h"

#include <errno.h>

#include "ip/address6.h"
#include "ip/arp.h"
#include "ip/ip4.h"
#include "ip/mld.h"
#include "ip/router.h"

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
    address6_init(i);
    router_init(i);
    mld_init(i);
    list_init(&i->node);
    list_append(&ip->ifaces, &i->node);
    if (link->caps.loopback)
        ip->loopback = i;
    *iface = i;
    return 0;
}

bool ip_iface_known(const struct ip *ip, const struct tlsyn_iface *iface)
{
    return iface && iface->ip == ip;
}

uint64_t ip_missed(const struct ip *ip)
{
    uint64_t missed = 0;

    list_each(it, &ip->ifaces)
    {
        missed += tlsyn_link_missed(container_of(it, struct tlsyn_iface, node)->link);
    }
    return missed;
}

void iface_release_all(struct ip *ip)
{
    list_each_safe(it, after, &ip->ifaces)
    {
        struct tlsyn_iface *i = container_of(it, struct tlsyn_iface, node);

        arp_release(i);
        address6_release(i);
        router_release(i);
        mld_release(i);
        list_remove(it);
        context_free(ip->cx, i);
    }
}

struct tlsyn_link *tlsyn_iface_link(struct tlsyn_iface *iface)
{
    return iface->link;
}

/* --- addresses -------------------------------------------------------------------------------- */

/* All ones behind the prefix. Networks of two addresses and of one have no broadcast
 * address (RFC 3021). */
static struct tlsyn_addr directed_broadcast(const struct tlsyn_addr *addr, unsigned prefix_bits)
{
    struct tlsyn_addr last = *addr;

    if (prefix_bits > 126)
        return (struct tlsyn_addr){0};
    for (unsigned i = prefix_bits; i < 128; i++)
        last.byte[i / 8] |= (uint8_t)(0x80u >> i % 8);
    return last;
}

/* How many more addresses it may have. */
static unsigned iface_address_room(const struct tlsyn_iface *iface)
{
    uint32_t limit = iface->ip->cx->limits.addresses;
    uint32_t most = limit < IFACE_ADDRESSES ? limit : IFACE_ADDRESSES;

    return most > iface->address_count ? most - iface->address_count : 0;
}

struct iface_address *iface_address_slot(struct tlsyn_iface *iface)
{
    return iface_address_room(iface) > 0 ? &iface->address[iface->address_count++] : NULL;
}

static int add_address4(struct tlsyn_iface *iface, const struct tlsyn_addr *address, unsigned bits)
{
    struct iface_address *a = iface_address_slot(iface);

    if (!a)
        return -ENOBUFS;
    *a = (struct iface_address){
        .addr = *address,
        .broadcast = directed_broadcast(address, bits),
        .prefix_bits = (uint8_t)bits,
        .state = TLSYN_ADDRESS_PREFERRED,
        .preferred_until = TLSYN_NEVER,
        .valid_until = TLSYN_NEVER,
    };
    return 0;
}

/* A link-local address has its network without a route. */
static int add_address6(struct tlsyn_iface *iface, const struct tlsyn_addr *address, unsigned bits)
{
    struct address6 add = {
        .addr = *address,
        .prefix_bits = (uint8_t)bits,
        .preferred_until = TLSYN_NEVER,
        .valid_until = TLSYN_NEVER,
    };
    int error = iface->link->caps.loopback ? 0 : address6_enable(iface);

    return error < 0 ? error : address6_add(iface, &add);
}

/* May it be an address of this interface? RFC 1122 3.2.1.3, RFC 4291 2.5.3: some are the loopback's
 * alone. */
static bool address_suits(const struct tlsyn_iface *iface, const struct tlsyn_addr *address)
{
    if (ip_is_loopback(address))
        return iface->link->caps.loopback;
    return tlsyn_addr_is_ip4(address) ? ip4_is_host(tlsyn_addr_octets(address))
                                      : ip6_is_host(address);
}

int tlsyn_iface_address(struct tlsyn_iface *iface, const struct tlsyn_addr *address, int prefix_len)
{
    struct ip *ip = iface->ip;
    struct route route = {.network = *address, .iface = iface, .src = *address};
    bool ip4 = tlsyn_addr_is_ip4(address);
    int bits = route_prefix_bits(address, prefix_len);
    int error;

    if (bits < 0 || !address_suits(iface, address))
        return -EINVAL;
    if (ip_is_ours(ip, address) || iface_find_address(iface, address))
        return -EADDRINUSE;
    if (!ip4 && iface->link->caps.mtu < IP6_MTU_MIN)
        return -EMSGSIZE;
    if (iface_address_room(iface) < (ip4 || iface->ip6.on ? 1u : 2u))
        return -ENOBUFS;
    route.prefix_bits = (uint8_t)bits;
    if (ip4 || !ip6_is_link_local(address)) {
        error = route_insert(&ip->routes, ip->cx, &route);
        if (error < 0 &&
            error != -EEXIST) /* a second one of a network: the first one's route serves */
            return error;
    }
    return ip4 ? add_address4(iface, address, (unsigned)bits)
               : add_address6(iface, address, (unsigned)bits);
}

/* The network's route leaves from another address of ours in it, if there is one. */
static void remove_address4(struct tlsyn_iface *iface, struct iface_address *a)
{
    struct ip *ip = iface->ip;
    struct iface_address gone = *a;

    *a = iface->address[--iface->address_count];
    route_remove_source(&ip->routes, ip->cx, &gone.addr);
    for (unsigned i = 0; i < iface->address_count; i++) {
        const struct iface_address *other = &iface->address[i];
        const struct route route = {.network = other->addr,
                                    .prefix_bits = other->prefix_bits,
                                    .iface = iface,
                                    .src = other->addr};

        if (tlsyn_addr_is_ip4(&other->addr))
            route_insert(&ip->routes, ip->cx, &route);
    }
}

int tlsyn_iface_address_remove(struct tlsyn_iface *iface, const struct tlsyn_addr *address)
{
    struct iface_address *a = iface_find_address(iface, address);

    if (!a)
        return -EADDRNOTAVAIL;
    if (tlsyn_addr_is_ip4(address)) {
        remove_address4(iface, a);
    } else {
        a->preferred_until = a->valid_until = iface->ip->cx->now;
        address6_prolonged(iface, a);
    }
    return 0;
}

struct iface_address *iface_find_address(struct tlsyn_iface *iface, const struct tlsyn_addr *addr)
{
    for (unsigned i = 0; i < iface->address_count; i++) {
        if (tlsyn_addr_eq(&iface->address[i].addr, addr))
            return &iface->address[i];
    }
    return NULL;
}

const struct tlsyn_addr *iface_link_local(const struct tlsyn_iface *iface)
{
    for (unsigned i = 0; i < iface->address_count; i++) {
        const struct iface_address *a = &iface->address[i];

        if (ip6_is_link_local(&a->addr) && iface_address_usable(a))
            return &a->addr;
    }
    return NULL;
}

uint16_t iface_mtu(const struct tlsyn_iface *iface, bool ip4)
{
    return !ip4 && iface->ip6.mtu ? iface->ip6.mtu : iface->link->caps.mtu;
}

enum tlsyn_address_state tlsyn_iface_address_state(const struct tlsyn_iface *iface,
                                                   const struct tlsyn_addr *address)
{
    for (unsigned i = 0; i < iface->address_count; i++) {
        if (tlsyn_addr_eq(&iface->address[i].addr, address))
            return iface->address[i].state;
    }
    return TLSYN_ADDRESS_NONE;
}

int tlsyn_iface_addresses(const struct tlsyn_iface *iface, struct tlsyn_iface_address_info *info,
                          int max)
{
    int n = 0;

    for (; n < iface->address_count && n < max; n++) {
        const struct iface_address *a = &iface->address[n];
        int family_bits = tlsyn_addr_is_ip4(&a->addr) ? ROUTE_IP4_BITS : 0;

        info[n] = (struct tlsyn_iface_address_info){
            .address = a->addr,
            .prefix_len = a->prefix_bits - family_bits,
            .state = a->state,
            .preferred_until = a->preferred_until,
            .valid_until = a->valid_until,
        };
    }
    return n;
}

bool iface_has_address(const struct tlsyn_iface *iface, const struct tlsyn_addr *addr)
{
    for (unsigned i = 0; i < iface->address_count; i++) {
        const struct iface_address *a = &iface->address[i];

        if (tlsyn_addr_eq(&a->addr, addr) && iface_address_usable(a))
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

    for (unsigned i = 0; i < iface->address_count && !a; i++) {
        if (tlsyn_addr_is_ip4(&iface->address[i].addr))
            a = &iface->address[i];
    }
    return a ? &a->addr : NULL;
}
