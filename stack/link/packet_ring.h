/*
 * link/packet_ring.h: the receive ring of an AF_PACKET socket, shared with the kernel.
 */
#ifndef LINK_PACKET_RING_H
#define LINK_PACKET_RING_H

#include <tlsyn/types.h>

struct packet_ring {
    uint8_t *memory; /* NULL: there is no ring */
    uint32_t slot_bytes, slots;
    uint32_t next; /* the slot to look at */
    uint32_t held; /* slots before it that are still ours */
};

/** What a slot holds. */
struct packet_slot {
    uint8_t *bytes;  /* from the Ethernet header on; a virtio_net_hdr, if asked for, is before it */
    uint32_t there;  /* bytes of the frame that are here */
    uint32_t len;    /* bytes that the frame had */
    uint32_t status; /* TP_STATUS_*; with TP_STATUS_COPY the socket has the whole frame, too */
    uint16_t vlan_tci;
    tlsyn_time when; /* CLOCK_REALTIME */
};

/** Before the socket is bound, and after PACKET_VNET_HDR. Slots hold frames of `mtu`, or of 16 KiB;
 * longer ones are also queued in the socket, in the order of their slots. 0 or -errno. */
int packet_ring_open(struct packet_ring *ring, int fd, uint16_t mtu);

/** Gives back what the last call took, and looks at up to `max` slots that the kernel has filled;
 * they stay valid until the next call. No system call. */
uint32_t packet_ring_take(struct packet_ring *ring, struct packet_slot *slots, uint32_t max);

/** Harmless without a ring. */
void packet_ring_close(struct packet_ring *ring);

#endif
