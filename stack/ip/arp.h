/*
 * ip/arp.h: the Address Resolution Protocol: fills the neighbour cache for IPv4, and guards our
 * addresses. Read first: RFC 826, RFC 5227.
 */
#ifndef TLSYN_IP_ARP_H
#define TLSYN_IP_ARP_H

#include "core/context.h"

/* RFC 5227 1.1 waits 1 to 2 s between probes; a user at a terminal is not kept that long: on
 * Ethernet an answer takes milliseconds, and a conflict that shows later is still seen (2.4). */
#define ARP_PROBE_NUM         3
#define ARP_PROBE_INTERVAL    TLSYN_MS(250)
#define ARP_ANNOUNCE_NUM      2
#define ARP_ANNOUNCE_INTERVAL TLSYN_SECONDS(2)
#define ARP_DEFEND_INTERVAL   TLSYN_SECONDS(10)

/** The interface's parts that are this file's. */
void arp_init(struct tlsyn_iface *iface);
void arp_release(struct tlsyn_iface *iface);

/** Takes an ARP packet: what stands behind the Ethernet header. */
void arp_input(struct tlsyn_iface *iface, const uint8_t *bytes, size_t len);

/** Asks who has `target`: everybody, or (`hwaddr` not NULL) one neighbour that had it, to hear
 * whether it is still there. */
void arp_request(struct tlsyn_iface *iface, const struct tlsyn_addr *target, const uint8_t *hwaddr);

#endif
