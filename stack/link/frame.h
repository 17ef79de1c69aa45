/*
 * link/frame.h: what several links do with a frame: check it, copy it and hold the copy,
 * finish its checksum.
 */
#ifndef LINK_FRAME_H
#define LINK_FRAME_H

#include <tlsyn/link.h>

#include "core/list.h"

#define FRAME_ETHER_LEN 14
/* The longest IPv4 datagram behind an Ethernet header. */
#define FRAME_MAX (65535 + FRAME_ETHER_LEN)

/** A slot to receive into: a virtio_net_hdr and the longest frame. Not a multiple of the page size:
 * then the first lines of all slots, which are all that a small frame touches, would share one set
 * of the cache. */
#define FRAME_SLOT_BYTES (66 * 1024 + 192)

/** Zeroed memory from the libc allocator, or NULL; and back. NULL is allowed. */
void *link_alloc(size_t size);
void link_free(void *memory);

/** May a link with these caps transmit the frame? 0, -EMSGSIZE, -EINVAL: the contract of
 * transmit. */
int frame_check(const struct tlsyn_frame *frame, const struct tlsyn_link_caps *caps);

/** Longest TCP text of a super-frame: a datagram of 65535 bytes less an IPv6 header and the longest
 * TCP header. */
#define FRAME_GSO_MAX (65535 - 40 - 60)

#define FRAME_PIECES 4

/** Checks a frame to transmit, and lists what is to be written: with `vnet` (VNET_HEADER_LEN
 * bytes), a virtio_net_hdr made there is first. The number of pieces, or as frame_check(). */
int frame_pieces(const struct tlsyn_frame *frame, const struct tlsyn_link_caps *caps, uint8_t *vnet,
                 struct iovec iov[FRAME_PIECES]);

/** Copies the pieces to `to`, which has room for tlsyn_frame_len() bytes; returns that length. */
size_t frame_gather(const struct tlsyn_frame *frame, uint8_t *to);

/** The frame's offload metadata with one piece of memory in place of its own: iovcnt 1. */
struct tlsyn_frame frame_with(const struct tlsyn_frame *frame, void *bytes, size_t len);

/** Finishes the checksum of a contiguous CSUM_PARTIAL frame in place, and clears that flag;
 * harmless for others. */
void frame_finish_checksum(struct tlsyn_frame *frame);

/** Gives a contiguous frame of an IP datagram with ECT the codepoint CE (RFC 3168 5), the IPv4
 * header's checksum with it. False, and nothing done, for any other; one with CE is one without
 * ECT. */
bool frame_mark_congestion(const struct tlsyn_frame *frame);

/** Where the transport header of a TCP or UDP datagram lies; bytes from the frame's start. */
struct frame_transport {
    uint16_t start;       /* of the transport header */
    uint16_t csum_offset; /* of the checksum field, from start */
    uint16_t pseudo_sum;  /* the folded pseudo-header sum, not inverted */
    uint16_t header_len;  /* bytes of all headers, the transport's included */
};

/** Finds it in an Ethernet frame that holds an unfragmented IPv4 or IPv6 datagram of TCP or UDP;
 * false for all others. */
bool frame_find_transport(const uint8_t *bytes, size_t len, struct frame_transport *at);

/** Marks a received, contiguous frame as having an unfinished checksum, which is hereby taken for
 * verified: its far end is on this machine. Does nothing where there is no transport checksum. */
void frame_mark_unfinished(struct tlsyn_frame *frame);

/** True if the checksum field holds the folded pseudo-header sum: what a sender on this
 * machine leaves there. */
bool frame_looks_unfinished(const struct tlsyn_frame *frame);

/** A copy of a frame in memory of its own. */
struct held_frame {
    struct list node;
    struct tlsyn_frame frame; /* one piece, which is `bytes` */
    int64_t due;              /* the holder's */
    uint64_t number;          /* the holder's */
    uint8_t bytes[];
};

/** NULL when memory is short. The owner frees it, in no list, with link_free(). */
struct held_frame *frame_hold(const struct tlsyn_frame *frame);

/** Frees every frame of a list of held_frame. */
void frames_free(struct list *frames);

#endif
