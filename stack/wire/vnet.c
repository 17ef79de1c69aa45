/*
 * wire/vnet.c: virtio_net_hdr and frame metadata.
 *
 * What Linux asks of a frame that it is to segment (net/packet/af_packet.c,
 * include/linux/virtio_net.h): NEEDS_CSUM set, csum_start at the TCP header, csum_offset 16,
 * gso_size not zero, hdr_len the three headers; the TCP checksum field holds the
 * pseudo-header's sum.
 */
#include "wire/vnet.h"

#include <errno.h>

#include "wire/ether.h"
#include "wire/ip4.h"
#include "wire/ip6.h"
#include "wire/tcp.h"

#define FLAG_NEEDS_CSUM 1
#define FLAG_DATA_VALID 2

#define GSO_NONE  0
#define GSO_TCPV4 1
#define GSO_TCPV6 4
#define GSO_ECN   0x80 /* CWR is for the first segment only */

#define IP6_NEXT_OFFSET  6
#define IP4_PROTO_OFFSET 9
#define PROTOCOL_TCP     6
#define TCP_LEN_OFFSET   12
#define TCP_FLAGS_OFFSET 13

/** The header in the machine's byte order. */
struct vnet_header {
    uint8_t flags, gso_type;
    uint16_t hdr_len, gso_size, csum_start, csum_offset;
};

static void load(const uint8_t *bytes, struct vnet_header *h)
{
    h->flags = bytes[0];
    h->gso_type = bytes[1];
    memcpy(&h->hdr_len, bytes + 2, 2);
    memcpy(&h->gso_size, bytes + 4, 2);
    memcpy(&h->csum_start, bytes + 6, 2);
    memcpy(&h->csum_offset, bytes + 8, 2);
}

static void store(const struct vnet_header *h, uint8_t *bytes)
{
    bytes[0] = h->flags;
    bytes[1] = h->gso_type;
    memcpy(bytes + 2, &h->hdr_len, 2);
    memcpy(bytes + 4, &h->gso_size, 2);
    memcpy(bytes + 6, &h->csum_start, 2);
    memcpy(bytes + 8, &h->csum_offset, 2);
}

/** Where the TCP header of a frame begins if it is TCP over the IP version that the type says, else
 * 0. */
static size_t tcp_start(const uint8_t *frame, size_t len, uint8_t gso_type)
{
    const uint8_t *ip = frame + ETHER_HEADER_LEN;

    if (gso_type == GSO_TCPV4) {
        if (len < ETHER_HEADER_LEN + IP4_HEADER_LEN || ip[0] >> 4 != 4)
            return 0;
        if ((ip[0] & 15) * 4 < IP4_HEADER_LEN || ip[IP4_PROTO_OFFSET] != PROTOCOL_TCP)
            return 0;
        return ETHER_HEADER_LEN + (size_t)(ip[0] & 15) * 4;
    }
    if (len < ETHER_HEADER_LEN + IP6_HEADER_LEN || ip[0] >> 4 != 6)
        return 0;
    return ip[IP6_NEXT_OFFSET] == PROTOCOL_TCP ? ETHER_HEADER_LEN + IP6_HEADER_LEN : 0;
}

/** The length of the three headers of a coalesced frame whose TCP header begins at `tcp`; 0 if they
 * don't fit in it. */
static uint16_t headers_len(const uint8_t *frame, size_t len, size_t tcp)
{
    size_t tcp_len;

    if (len < tcp + TCP_HEADER_LEN)
        return 0;
    tcp_len = (size_t)(frame[tcp + TCP_LEN_OFFSET] >> 4) * 4;
    return tcp_len >= TCP_HEADER_LEN && tcp + tcp_len <= len ? (uint16_t)(tcp + tcp_len) : 0;
}

static int parse_gso(const struct vnet_header *h, struct tlsyn_frame *frame)
{
    const uint8_t *bytes = frame->iov[0].iov_base;
    size_t len = frame->iov[0].iov_len;
    uint8_t type = h->gso_type & (uint8_t)~GSO_ECN;
    size_t tcp;

    if (type == GSO_NONE)
        return 0;
    if (type != GSO_TCPV4 && type != GSO_TCPV6)
        return -EPROTONOSUPPORT;
    tcp = tcp_start(bytes, len, type);
    if (tcp == 0 || h->gso_size == 0)
        return -EBADMSG;
    if ((h->flags & FLAG_NEEDS_CSUM) &&
        (h->csum_start != tcp || h->csum_offset != TCP_CHECKSUM_OFFSET))
        return -EBADMSG;
    frame->hdr_len = headers_len(bytes, len, tcp);
    if (frame->hdr_len == 0)
        return -EBADMSG;
    frame->gso_type = type == GSO_TCPV4 ? TLSYN_GSO_TCP4 : TLSYN_GSO_TCP6;
    frame->gso_size = h->gso_size;
    return 0;
}

int vnet_parse(const uint8_t header[VNET_HEADER_LEN], struct tlsyn_frame *frame)
{
    struct vnet_header h;

    load(header, &h);
    frame->flags = 0;
    frame->gso_type = TLSYN_GSO_NONE;
    frame->gso_size = frame->hdr_len = frame->csum_start = frame->csum_offset = 0;
    if (h.flags & FLAG_NEEDS_CSUM) {
        if ((size_t)h.csum_start + h.csum_offset + 2 > frame->iov[0].iov_len)
            return -EBADMSG;
        frame->flags = TLSYN_FRAME_CSUM_PARTIAL | TLSYN_FRAME_CSUM_VERIFIED;
        frame->csum_start = h.csum_start;
        frame->csum_offset = h.csum_offset;
    } else if (h.flags & FLAG_DATA_VALID) {
        frame->flags = TLSYN_FRAME_CSUM_VERIFIED;
    }
    return parse_gso(&h, frame);
}

int vnet_emit(const struct tlsyn_frame *frame, uint8_t header[VNET_HEADER_LEN])
{
    const uint8_t *bytes = frame->iov[0].iov_base;
    size_t headers = frame->iov[0].iov_len;
    struct vnet_header h = {0};

    if (frame->flags & TLSYN_FRAME_CSUM_PARTIAL) {
        if ((size_t)frame->csum_start + frame->csum_offset + 2 > headers)
            return -EINVAL;
        h.flags = FLAG_NEEDS_CSUM;
        h.csum_start = frame->csum_start;
        h.csum_offset = frame->csum_offset;
    }
    if (frame->gso_type != TLSYN_GSO_NONE) {
        if (!h.flags || h.csum_offset != TCP_CHECKSUM_OFFSET || frame->gso_size == 0)
            return -EINVAL;
        if (frame->hdr_len > headers || frame->hdr_len < h.csum_start + TCP_HEADER_LEN)
            return -EINVAL;
        h.gso_type = frame->gso_type == TLSYN_GSO_TCP4 ? GSO_TCPV4 : GSO_TCPV6;
        if (bytes[h.csum_start + TCP_FLAGS_OFFSET] & TCP_CWR)
            h.gso_type |= GSO_ECN;
        h.gso_size = frame->gso_size;
        h.hdr_len = frame->hdr_len;
    }
    store(&h, header);
    return 0;
}
