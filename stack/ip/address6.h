/*
 * ip/address6.h: the IPv6 addresses of an interface: duplicate address detection, lifetimes,
 * link-local. Read first: RFC 4862.
 *
 *                      nobody claims it                  preferred lifetime ends
 *     TENTATIVE ---------------------------> PREFERRED ---------------------------> DEPRECATED
 *         | somebody has it                        ^--------------------------------' |
 *         v                                          a router prolongs it             | its end
 *     DUPLICATE (an address that we made ourselves: another one, TENTATIVE again)   (gone)
 *
 * A tentative address is asked about, and receives nothing but what tells of a duplicate; no
 * datagram leaves from it. A deprecated one serves who has it already, and new connections only
 * where there is no other (RFC 6724 5, rule 3).
 *
 * Time. One timer per interface is set to the earliest of what its addresses wait for. RFC 4862
 * 5.4.2 has hosts wait up to a second before the first question, so that they don't all speak at
 * once after a router did, or the power came back: what a router caused does wait here, what a user
 * typed does not.
 */
#ifndef TLSYN_IP_ADDRESS6_H
#define TLSYN_IP_ADDRESS6_H

#include "ip/iface.h"

#define ADDRESS6_LINK_LOCAL_BITS 64
/* RFC 7217 7: IDGEN_RETRIES, addresses made anew after a duplicate */
#define ADDRESS6_MADE_MAX  3
#define ADDRESS6_DELAY_MAX TLSYN_SECONDS(1) /* RFC 4861 10: MAX_RTR_SOLICITATION_DELAY */

/** The interface's parts that are this file's. */
void address6_init(struct tlsyn_iface *iface);
void address6_release(struct tlsyn_iface *iface);

/** Switches IPv6 on, with a link-local address, if it is not. 0; -EMSGSIZE: the link carries less
 * than 1280 octets; -ENOBUFS. */
int address6_enable(struct tlsyn_iface *iface);

/** An address to be added. */
struct address6 {
    struct tlsyn_addr addr;
    uint8_t prefix_bits;
    bool made;        /* its lower half is ours to choose */
    bool learned;     /* of a router */
    tlsyn_time delay; /* before the first question */
    tlsyn_time preferred_until, valid_until;
};

/** -ENOBUFS: limits.addresses. */
int address6_add(struct tlsyn_iface *iface, const struct address6 *add);

/** Somebody else has it, or is about to. */
void address6_conflict(struct tlsyn_iface *iface, struct iface_address *a);

/** The lifetimes of `a` have changed. */
void address6_prolonged(struct tlsyn_iface *iface, struct iface_address *a);

/** True if a datagram to this group is for us: all nodes, or the solicited-node group of one of
 * our addresses. */
bool address6_has_group(const struct tlsyn_iface *iface, const struct tlsyn_addr *group);

#endif
