/*
 * link/packet_socket.h: an AF_PACKET socket: its options, what it asks an interface for, and whose
 * frames it gets. (tlsyn_afpacket_socket(), in tlsyn/link.h, makes one.)
 */
#ifndef LINK_PACKET_SOCKET_H
#define LINK_PACKET_SOCKET_H

#include <tlsyn/types.h>

/** An option whose value is a number. 0 or -errno. */
int packet_socket_set(int fd, int level, int option, int value);

/** Has the interface hand over what it would leave alone: PACKET_MR_UNICAST frames for `hwaddr`,
 * PACKET_MR_ALLMULTI those for every group, PACKET_MR_PROMISC all. 0 or -errno. */
int packet_socket_join(int fd, int index, int type, const uint8_t hwaddr[6]);

/** From now on the frames of this interface come in. To be the last step, so that none of another
 * interface or with other options ever gets in. 0 or -errno. */
int packet_socket_bind(int fd, int index);

/** Throws away what has come in for whoever had the socket before. */
void packet_socket_empty(int fd);

#endif
