/*
 * link/packet_ring.c: the receive ring of an AF_PACKET socket.
 *
 * Read first: packet(7), PACKET_RX_RING; Documentation/networking/packet_mmap.rst of Linux.
 *
 * TPACKET_V2: one frame per slot, handed over by a word of status, so that to look costs no system
 * call and nothing waits. (TPACKET_V3 packs frames into blocks, which are handed over when full or
 * after a millisecond at least: that would stand in every handshake.)
 *
 * Slots that each hold a super-frame would be few: 128 in 8 MiB, and a flood of small frames is
 * lost whenever the receiver is off its core for a moment. So a slot holds a frame of the MTU, and
 * PACKET_COPY_THRESH has the kernel queue in the socket what is longer: the slot then says
 * TP_STATUS_COPY, and the whole frame is to be had by recvmmsg(2), bounded by the socket's
 * buffer. Both are filled under one lock, so the queue has the order of the slots. Where the buffer
 * is full the slot holds the beginning of a frame without TP_STATUS_COPY: that one is lost.
 */
#include "link/packet_ring.h"

#include <errno.h>
#include <linux/if_packet.h>
#include <sys/mman.h>
#include <sys/socket.h>

#define RING_BYTES  (4u << 20)
#define BLOCK_BYTES (64u << 10) /* what the kernel must have in one piece */
#define SLOT_LEAST  2048u
#define SLOT_MOST   (16u << 10)
#define SLOT_ROOM   256u /* for what precedes the frame: headers, alignment, a VLAN tag */

static int set_option(int fd, int option, const void *value, size_t size)
{
    return setsockopt(fd, SOL_PACKET, option, value, (socklen_t)size) < 0 ? -errno : 0;
}

static uint32_t slot_for(uint16_t mtu)
{
    uint32_t bytes = SLOT_LEAST;

    while (bytes < SLOT_MOST && bytes < mtu + SLOT_ROOM)
        bytes *= 2;
    return bytes;
}

int packet_ring_open(struct packet_ring *ring, int fd, uint16_t mtu)
{
    int version = TPACKET_V2, threshold = 1;
    uint32_t slot = slot_for(mtu);
    struct tpacket_req request = {
        .tp_block_size = BLOCK_BYTES,
        .tp_block_nr = RING_BYTES / BLOCK_BYTES,
        .tp_frame_size = slot,
        .tp_frame_nr = RING_BYTES / slot,
    };
    int error = set_option(fd, PACKET_VERSION, &version, sizeof(version));
    void *memory;

    if (!error)
        error = set_option(fd, PACKET_COPY_THRESH, &threshold, sizeof(threshold));
    if (!error)
        error = set_option(fd, PACKET_RX_RING, &request, sizeof(request));
    if (error)
        return error;
    memory = mmap(NULL, RING_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (memory == MAP_FAILED) {
        static const struct tpacket_req none;

        error = -errno;
        (void)set_option(fd, PACKET_RX_RING, &none, sizeof(none));
        return error;
    }
    *ring = (struct packet_ring){.memory = memory, .slot_bytes = slot, .slots = RING_BYTES / slot};
    return 0;
}

static struct tpacket2_hdr *header_at(const struct packet_ring *ring, uint32_t slot)
{
    return (void *)(ring->memory + (size_t)slot * ring->slot_bytes);
}

static void give_back(struct packet_ring *ring)
{
    for (; ring->held > 0; ring->held--) {
        uint32_t slot = (ring->next + ring->slots - ring->held) % ring->slots;

        __atomic_store_n(&header_at(ring, slot)->tp_status, TP_STATUS_KERNEL, __ATOMIC_RELEASE);
    }
}

uint32_t packet_ring_take(struct packet_ring *ring, struct packet_slot *slots, uint32_t max)
{
    give_back(ring);
    while (ring->held < max) {
        struct tpacket2_hdr *h = header_at(ring, ring->next);
        uint32_t status = __atomic_load_n(&h->tp_status, __ATOMIC_ACQUIRE);

        if (!(status & TP_STATUS_USER))
            break;
        slots[ring->held++] = (struct packet_slot){
            .bytes = (uint8_t *)h + h->tp_mac,
            .there = h->tp_snaplen,
            .len = h->tp_len,
            .status = status,
            .vlan_tci = h->tp_vlan_tci,
            .when = TLSYN_SECONDS(h->tp_sec) + h->tp_nsec / 1000,
        };
        ring->next = (ring->next + 1) % ring->slots;
    }
    return ring->held;
}

void packet_ring_close(struct packet_ring *ring)
{
    if (ring->memory)
        (void)munmap(ring->memory, RING_BYTES);
    ring->memory = NULL;
}
