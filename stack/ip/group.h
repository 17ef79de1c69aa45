/*
 * ip/group.h: datagrams to everybody on a link: broadcast (RFC 919, RFC 1122 3.3.6) and IPv4 groups
 * (RFC 1112, as a host of level 1: it sends to groups, and is a member of none).
 */
#ifndef TLSYN_IP_GROUP_H
#define TLSYN_IP_GROUP_H

#include "ip/ip.h"

/** True for the limited broadcast address, that of a network of ours, and IPv4 groups. */
bool group_is(const struct ip *ip, const struct tlsyn_addr *dst);

/** True for the first two of these. */
bool group_is_broadcast(const struct ip *ip, const struct tlsyn_addr *dst);

/** As ip_path_find(), for such an address: through the interface of the network, or of `src` (NULL:
 * none is chosen), or the first. Where there is no IPv4 address yet a broadcast leaves from
 * 0.0.0.0. -ENETUNREACH: there is no such interface, or a group's datagram would have no source. */
int group_path_find(const struct ip *ip, const struct tlsyn_addr *src, const struct tlsyn_addr *dst,
                    struct ip_path *path);

/** As output_copied(). A TTL of 0 is 1 for groups (RFC 1112 6.1). */
int group_output(struct ip *ip, const struct ip_tx *tx);

#endif
