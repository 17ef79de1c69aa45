/*
 * ip/mld.h: tells routers and switches which groups we listen to: the solicited-node groups of our
 * addresses. Read first: RFC 3810 5, 6; RFC 3590.
 *
 * Each report speaks of all groups, or of the one that has just come or gone: routers count
 * records, not messages. A change is told twice (RFC 3810 9.1, the robustness variable), a query
 * answered once, after a random part of the time that it gives. While a router of version 1 is
 * about, reports are of that version (RFC 3810 8.2.1).
 */
#ifndef TLSYN_IP_MLD_H
#define TLSYN_IP_MLD_H

#include "ip/iface.h"

#define MLD_REPEAT_MAX TLSYN_SECONDS(1) /* RFC 3810 9.11: Unsolicited Report Interval */
/* RFC 3810 9.12: Older Version Querier Present Timeout */
#define MLD_VERSION1_TIME TLSYN_SECONDS(260)

struct ip_datagram;

void mld_init(struct tlsyn_iface *iface);
void mld_release(struct tlsyn_iface *iface);

/** The interface has begun, or stopped, to use this address. */
void mld_joined(struct tlsyn_iface *iface, const struct tlsyn_addr *addr);
void mld_left(struct tlsyn_iface *iface, const struct tlsyn_addr *addr);

/** Takes a query. */
void mld_input(struct tlsyn_iface *iface, const struct ip_datagram *datagram);

#endif
