/*
 * link/packet_messages.h: frames of an AF_PACKET socket by recvmmsg(2): a batch with one system
 * call, each into a slot of ours, told of as the ring's are (packet_ring.h).
 */
#ifndef LINK_PACKET_MESSAGES_H
#define LINK_PACKET_MESSAGES_H

#include <tlsyn/link.h>

#include "link/packet_ring.h"

struct packet_message;

struct packet_messages {
    struct packet_message *message; /* TLSYN_LINK_BATCH of them; NULL: closed */
    struct mmsghdr *header;         /* one for each, as recvmmsg(2) wants them */
    uint8_t *memory;
    int front; /* bytes before each frame: a virtio_net_hdr's, or 0 */
};

/** 0 or -ENOMEM. */
int packet_messages_open(struct packet_messages *m, int front);

/** Takes up to `max` (at most TLSYN_LINK_BATCH) that have come in, without waiting; they stay valid
 * until the next call. The count, or -errno: the socket, or its interface, is dead. */
int packet_messages_take(struct packet_messages *m, int fd, struct packet_slot *slots, int max);

/** Harmless if it was never opened, and all zero. */
void packet_messages_close(struct packet_messages *m);

#endif
