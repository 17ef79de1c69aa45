/*
 * ip/ip6.h: taking IPv6 datagrams. Read first: RFC 8200 4, RFC 4291 2.
 */
#ifndef TLSYN_IP_IP6_H
#define TLSYN_IP_IP6_H

#include "ip/ip.h"

/** Takes the datagram that a frame carries; `ether` is the frame's parsed header. */
enum ip_verdict ip6_input(struct tlsyn_iface *iface, const struct tlsyn_frame *frame,
                          const struct wire_ether *ether, struct ip_arrival *out);

#endif
