/*
 * ip/iface.h: an interface: a link and our addresses on it.
 */
#ifndef TLSYN_IP_IFACE_H
#define TLSYN_IP_IFACE_H

#include "core/context.h"
#include "core/list.h"
#include "wire/ether.h"

#define IFACE_ADDRESSES 8
#define IFACE_MTU_MIN   68 /* RFC 791 3.1: every link carries that much */

struct ip;

struct iface_address {
    struct tlsyn_addr addr;
    struct tlsyn_addr broadcast; /* of its network; unspecified: it has none */
    uint8_t prefix_bits;         /* of the 16-octet form, see route.h */
};

/** Owned by its struct ip; the link is the user's. */
struct tlsyn_iface {
    struct list node;
    struct ip *ip;
    struct tlsyn_link *link;
    uint32_t index; /* from 1, in the order of adding */
    uint8_t address_count;
    struct iface_address address[IFACE_ADDRESSES];

    /* RFC 5227: see arp.c */
    bool conflict;       /* somebody else uses an address of ours */
    bool probe_conflict; /* somebody else uses, or probes for, `probed` */
    bool has_defended;
    uint8_t probes_left;
    uint8_t announcements_left;
    struct tlsyn_addr probed; /* unspecified: none */
    struct timer probe_timer, announce_timer;
    tlsyn_time defended; /* the last time, if has_defended */
};

/** Puts a link under the layer. 0; -EINVAL: the link's Ethernet address is no host's, or its MTU is below 68; -ENOMEM. */
int ip_iface_add(struct ip *ip, struct tlsyn_link *link, struct tlsyn_iface **iface);

/** True if the interface belongs to this layer. */
bool ip_iface_known(const struct ip *ip, const struct tlsyn_iface *iface);

/** Frees all interfaces. */
void iface_release_all(struct ip *ip);

/** True if it may be one host's Ethernet address: no group's, and not zero. */
bool iface_is_host_hwaddr(const uint8_t hwaddr[ETHER_ADDR_LEN]);

/** True if `addr` is an address of this interface. */
bool iface_has_address(const struct tlsyn_iface *iface, const struct tlsyn_addr *addr);

/** True for the limited broadcast address and that of a network on this interface (RFC 1122 3.2.1.3 (c) to (e)). */
bool iface_is_broadcast(const struct tlsyn_iface *iface, const struct tlsyn_addr *addr);

/** True if `addr` is in a network of this interface. */
bool iface_is_on_link(const struct tlsyn_iface *iface, const struct tlsyn_addr *addr);

/** Our address in the network of `peer`, or else our first; NULL without any. */
const struct tlsyn_addr *iface_address_for(const struct tlsyn_iface *iface,
                                           const struct tlsyn_addr *peer);

#endif
