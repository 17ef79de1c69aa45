/*
 * udp/demux.h: from a datagram's addresses and ports to its endpoint; the choice of local ports.
 * (udp/udp.h has the theory.)
 */
#ifndef TLSYN_UDP_DEMUX_H
#define TLSYN_UDP_DEMUX_H

#include "udp/udp.h"

/** Into the table, by the local endpoint that it was opened for. 0, -ENOSPC or -ENOMEM. */
int udp_add(struct tlsyn_udp *ep);

/** An endpoint that was opened for exactly this, or NULL. */
struct tlsyn_udp *udp_find(const struct udp *udp, const struct tlsyn_addr *addr, uint16_t port);

/** The endpoint that what comes from `remote` to `local` is for: one that is connected to `remote`,
 * else one at this address, else one at any; or NULL. Of several that have the same, the options of
 * the one that was opened last decide: struct tlsyn_udp_options. */
struct tlsyn_udp *udp_find_for(const struct udp *udp, const struct tlsyn_endpoint *local,
                               const struct tlsyn_endpoint *remote);

/** Who hears what comes to a broadcast address or a group: the endpoints at any address that are
 * not connected, one behind `before`, or the first (NULL); or NULL. */
struct tlsyn_udp *udp_next_of_all(const struct udp *udp, const struct tlsyn_endpoint *group,
                                  const struct tlsyn_udp *before);

/** True if any of our addresses that `options` stands for has this port taken. */
bool udp_port_taken(const struct udp *udp, const struct tlsyn_udp_options *options, uint16_t port);

/** A free port from a random start (RFC 6056 3.3.1); 0: none. */
uint16_t udp_choose_port(const struct udp *udp, const struct tlsyn_udp_options *options);

#endif
