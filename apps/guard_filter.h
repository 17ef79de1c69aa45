/*
 * guard_filter.h: which frames a packet socket shows us, where the rest of them is the kernel's.
 */
#ifndef GUARD_FILTER_H
#define GUARD_FILTER_H

#include <tlsyn/types.h>

/** With more ports than these each one passes. */
#define GUARD_FILTER_PORTS 64

/**
 * Has the socket drop, before it copies them, frames that are no concern of a stack with this
 * address and these ports (host order, of TCP and UDP alike). What passes: ARP, ICMP and neighbour
 * discovery; to the address, what is for one of the ports, and fragments and extension headers,
 * which say later for whom they are. 0 or -errno.
 */
int guard_filter_attach(int packet_socket, const struct tlsyn_addr *addr, const uint16_t *port,
                        int ports);

#endif
