/*
 * ip/ndp.h: neighbour discovery: fills the neighbour cache for IPv6, and guards our addresses. Read
 * first: RFC 4861 7, RFC 4862 5.4.
 *
 * Whoever is not on our link can't send with a hop limit of 255, as each router takes one away:
 * what has less is no neighbour's word (RFC 4861 3.1).
 */
#ifndef TLSYN_IP_NDP_H
#define TLSYN_IP_NDP_H

#include "ip/iface.h"

#define NDP_HOP_LIMIT 255

struct ip_datagram;
struct wire_ether;

/** Takes a message of neighbour discovery whose checksum is right. */
void ndp_input(struct tlsyn_iface *iface, const struct wire_ether *ether,
               const struct ip_datagram *datagram);

/** Asks who has `target`: everybody, or (`hwaddr` not NULL) one neighbour that had it, to hear
 * whether it is still there. */
void ndp_solicit(struct tlsyn_iface *iface, const struct tlsyn_addr *target, const uint8_t *hwaddr);

/** Asks whether somebody has `target`, which is to become our address. */
void ndp_probe(struct tlsyn_iface *iface, const struct tlsyn_addr *target);

/** Tells everybody that `addr` is ours (RFC 4861 7.2.6). */
void ndp_announce(struct tlsyn_iface *iface, const struct tlsyn_addr *addr);

/** Asks for routers. */
void ndp_solicit_routers(struct tlsyn_iface *iface);

#endif
