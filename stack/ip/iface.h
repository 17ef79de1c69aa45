/*
 * ip/iface.h: an interface: a link and our addresses on it.
 */
#ifndef TLSYN_IP_IFACE_H
#define TLSYN_IP_IFACE_H

#include "core/context.h"
#include "core/list.h"
#include "core/siphash.h"
#include "wire/ether.h"

#define IFACE_ADDRESSES 16 /* the most that limits.addresses can allow */
#define IFACE_MTU_MIN   68 /* RFC 791 3.1: every link carries that much */

struct ip;

struct iface_address {
    struct tlsyn_addr addr;
    struct tlsyn_addr broadcast; /* of its network; unspecified: it has none */
    uint8_t prefix_bits;         /* of the 16-octet form, see route.h */
    uint8_t state;               /* enum tlsyn_address_state; IPv4: always preferred */
    /* IPv6: see address6.h */
    uint8_t probes_left, made_count;
    bool made;    /* we chose its lower half */
    bool learned; /* out of a router's prefix */
    tlsyn_time next_probe;
    tlsyn_time preferred_until, valid_until;
};

#define MLD_LEFT_MAX 4

/** mld.c's part of an interface. */
struct mld {
    struct timer repeat_timer, answer_timer;
    tlsyn_time version1_until; /* a router of MLD version 1 is about */
    uint8_t left_count;
    struct tlsyn_addr left[MLD_LEFT_MAX]; /* groups left, to be told of once more */
};

/** IPv6's part of an interface. */
struct iface6 {
    bool on;       /* has a link-local address, or shall have */
    bool autoconf; /* routers are listened to */
    uint8_t dad_transmits;
    uint8_t solicitations_left;
    uint8_t hop_limit; /* that a router advertises; 0: none does */
    uint16_t mtu;      /* the same */
    uint32_t reachable_ms;
    tlsyn_time reachable_time, retrans_timer;
    struct siphash_key secret; /* of the addresses that we make */
    struct timer address_timer, solicit_timer;
    struct mld mld;
    struct tlsyn_address_handler *watch; /* or NULL */
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

    struct iface6 ip6;
};

/** Puts a link under the layer. 0; -EINVAL: the link's Ethernet address is no host's, or its MTU is
 * below 68; -ENOMEM. */
int ip_iface_add(struct ip *ip, struct tlsyn_link *link, struct tlsyn_iface **iface);

/** True if the interface belongs to this layer. */
bool ip_iface_known(const struct ip *ip, const struct tlsyn_iface *iface);

/** Frames that the links say were for us and never came in. */
uint64_t ip_missed(const struct ip *ip);

/** Frees all interfaces. */
void iface_release_all(struct ip *ip);

/** True if it may be one host's Ethernet address: no group's, and not zero. */
bool iface_is_host_hwaddr(const uint8_t hwaddr[ETHER_ADDR_LEN]);

/** True if datagrams may come from this address, and go to it. */
static inline bool iface_address_usable(const struct iface_address *a)
{
    return a->state == TLSYN_ADDRESS_PREFERRED || a->state == TLSYN_ADDRESS_DEPRECATED;
}

/** The address in any state, or NULL. Good until an address is added or goes. */
struct iface_address *iface_find_address(struct tlsyn_iface *iface, const struct tlsyn_addr *addr);

/** Room for one more address, which it becomes part of; NULL: limits.addresses. */
struct iface_address *iface_address_slot(struct tlsyn_iface *iface);

/** Our usable link-local address; NULL: there is none. */
const struct tlsyn_addr *iface_link_local(const struct tlsyn_iface *iface);

/** Bytes of datagram that fit: the link's MTU, or what a router says for IPv6. */
uint16_t iface_mtu(const struct tlsyn_iface *iface, bool ip4);

/** True if `addr` is a usable address of this interface. */
bool iface_has_address(const struct tlsyn_iface *iface, const struct tlsyn_addr *addr);

/** True for the limited broadcast address and that of a network on this interface (RFC 1122
 * 3.2.1.3 (c) to (e)). */
bool iface_is_broadcast(const struct tlsyn_iface *iface, const struct tlsyn_addr *addr);

/** True if `addr` is in a network of this interface. */
bool iface_is_on_link(const struct tlsyn_iface *iface, const struct tlsyn_addr *addr);

/** Our IPv4 address in the network of `peer`, or else our first; NULL without any. */
const struct tlsyn_addr *iface_address_for(const struct tlsyn_iface *iface,
                                           const struct tlsyn_addr *peer);

#endif
