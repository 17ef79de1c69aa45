/*
 * wire/vnet.h: struct virtio_net_hdr (OASIS VIRTIO 1.2, 5.1.6), which AF_PACKET puts before each
 * frame on request, and the metadata of struct tlsyn_frame.
 *
 * The fields are in the machine's byte order (the legacy layout). What the kernel hands over goes
 * back to what a sender on the wire wrote, so nothing in it is trusted.
 */
#ifndef TLSYN_WIRE_VNET_H
#define TLSYN_WIRE_VNET_H

#include <tlsyn/link.h>

#define VNET_HEADER_LEN 10

/** Takes a received frame's header and fills the frame's metadata in; frame->iov[0] holds the frame
 * already, from the Ethernet header on. `hdr_len` is worked out from the frame: the kernel's own is
 * a hint that may be anything. 0; -EBADMSG: points outside of the frame, or says what the frame
 * isn't; -EPROTONOSUPPORT: segmentation of another protocol. */
int vnet_parse(const uint8_t header[VNET_HEADER_LEN], struct tlsyn_frame *frame);

/** Makes the header for a frame to transmit. Ethernet, IP and TCP header lie in frame->iov[0].
 * 0; -EINVAL: what the kernel would refuse: a frame to be segmented whose checksum is complete or
 * not TCP's, or offsets that leave the headers. */
int vnet_emit(const struct tlsyn_frame *frame, uint8_t header[VNET_HEADER_LEN]);

#endif
