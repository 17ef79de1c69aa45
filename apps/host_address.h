/*
 * host_address.h: a host's own address, from what was asked for to its end.
 */
#ifndef HOST_ADDRESS_H
#define HOST_ADDRESS_H

#include "host.h"

/** Other commands on the interface that want the address are told that it is in use, until
 * host_yield_address(). CLI_OK, or says that this one is such a command. */
int host_claim_address(struct host *host);
void host_yield_address(struct host *host);

/** ADDRESS, ADDRESS/PREFIX, host, host6, dhcp or auto6, into a struct host_options. */
extern const struct cli_type host_address_type;

bool host_is_ip4(const struct host *host);

/** The address is one that the network is to give, once the stack runs. */
bool host_awaits_address(const struct host *host);

/** Settles host->own as far as it is known before the stack runs, and whether it is shared. CLI_OK,
 * or says why not. */
int host_choose_address(struct host *host);

/** Frames for us and for everybody, in pcap-filter(7) syntax; it keeps the machine's own traffic
 * from being copied to us. */
void host_pcap_filter(const struct host *host, char *filter, size_t size);

/** Gives the interface its address, or begins to ask for one. 0 or -errno. */
int host_give_address(struct host *host);

/** The router to other networks: asked for, or the kernel's, or unspecified: none. CLI_OK, or says
 * why not. */
int host_choose_gateway(const struct host *host, struct tlsyn_addr *gateway);

/** The default route of an address that was given. CLI_OK, or says why not. */
int host_add_gateway(struct host *host);

/** Of our address; of the first that a router (auto6) or DHCP gives us, which then is host->own. */
enum tlsyn_address_state host_address_state(struct host *host);

/** Once per turn: 0; -EADDRINUSE: somebody else has it; -EADDRNOTAVAIL: it was lent and taken
 * back. */
int host_watch_address(struct host *host);

#endif
