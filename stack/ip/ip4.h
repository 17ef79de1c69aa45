/*
 * ip/ip4.h: taking IPv4 datagrams. Read first: RFC 791, RFC 1122 3.2.1.
 */
#ifndef TLSYN_IP_IP4_H
#define TLSYN_IP_IP4_H

#include "ip/ip.h"

/** Takes the datagram that a frame carries; `ether` is the frame's parsed header. */
enum ip_verdict ip4_input(struct tlsyn_iface *iface, const struct tlsyn_frame *frame,
                          const struct wire_ether *ether, struct ip_arrival *out);

/** True if the address may be a host's: not "this network", loopback, multicast or reserved
 * (RFC 1122 3.2.1.3). */
bool ip4_is_host(const uint8_t octets[4]);

#endif
