/*
 * ip/output.h: the way out for the protocols that ip.h's ip_output() does not suit.
 */
#ifndef TLSYN_IP_OUTPUT_H
#define TLSYN_IP_OUTPUT_H

#include "ip/outbox.h"

struct ip_tx;

/** As ip_output(), but the text is copied whether output is open or not. */
int output_copied(struct ip *ip, const struct ip_tx *tx);

/** As output_copied(), in one piece to an Ethernet address that needs no question, for everybody
 * there. Its checksum is computed here: who reads broadcasts from a raw socket (a DHCP server on
 * this machine) sees what leaves, not what a link would make of it. */
int output_to_all(struct ip *ip, const struct ip_tx *tx, struct tlsyn_iface *iface,
                  const uint8_t hwaddr[ETHER_ADDR_LEN]);

#endif
