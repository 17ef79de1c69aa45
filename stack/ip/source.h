/*
 * ip/source.h: which of our IPv6 addresses does a datagram come from? Read first: RFC 6724 5.
 */
#ifndef TLSYN_IP_SOURCE_H
#define TLSYN_IP_SOURCE_H

#include "ip/iface.h"

/** Our best address on `iface` to reach `dst` from; NULL: there is none that may be used now. */
const struct tlsyn_addr *source_select(const struct tlsyn_iface *iface,
                                       const struct tlsyn_addr *dst);

#endif
