/*
 * ip/autoconf.h: addresses out of prefixes that a router advertises (SLAAC). Read first: RFC 4862
 * 5.5.3, RFC 7217.
 */
#ifndef TLSYN_IP_AUTOCONF_H
#define TLSYN_IP_AUTOCONF_H

#include "ip/iface.h"
#include "wire/ndp.h"

/** Fills the lower 64 bits of `addr` with a stable, opaque interface identifier for the prefix in
 * its upper 64: the same for the same secret, interface and prefix, and without a meaning for
 * anybody else (RFC 7217 5). `times` counts the duplicates before. */
void autoconf_identifier(const struct tlsyn_iface *iface, uint8_t times, struct tlsyn_addr *addr);

/** A router advertises this prefix for autonomous configuration. */
void autoconf_prefix(struct tlsyn_iface *iface, const struct ndp_prefix *prefix);

#endif
