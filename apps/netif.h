/*
 * netif.h: what the kernel knows about this machine's interfaces; asked to give good defaults and
 * to notice mistakes.
 */
#ifndef NETIF_H
#define NETIF_H

#include <net/if.h>

#include "cli.h"

/** The interface of the default route, else the only one that is up, can broadcast and is not the
 * loopback. 0, or -ENODEV (none), -ENOTUNIQ (several), with a list of names in `list`. */
int netif_choose(char name[IF_NAMESIZE], char *list, size_t size);

/** 0, -ENODEV no such interface, -ENETDOWN it is down, -EPROTONOSUPPORT it carries no
 * Ethernet frames. */
int netif_check(const char *name);

/** Names of the interfaces, separated by commas. */
void netif_list(char *list, size_t size);

/** True if the kernel has this address; `name` gets the interface. */
bool netif_owns(const struct tlsyn_addr *address, char name[IF_NAMESIZE]);

/** The network of IPv4 or IPv6 (no link-local one) on an interface whose address the kernel would
 * rather have for a source, with that address. 0 or -ENODATA. */
int netif_network(const char *name, bool ip4, struct cli_network *network);

/** The gateway of the kernel's default route through this interface. 0 or -ENODATA. */
int netif_gateway(const char *name, bool ip4, struct tlsyn_addr *gateway);

/** True if two addresses are of one family and in one network of this prefix length. */
bool netif_same_network(const struct tlsyn_addr *a, const struct tlsyn_addr *b, int prefix_len);

#endif
