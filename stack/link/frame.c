/*
 * link/frame.c: what several links do with a frame.
 */
#include "link/frame.h"

#include <assert.h>
#include <errno.h>

#include "core/random.h"
#include "wire/bytes.h"
#include "wire/checksum.h"
#include "wire/ether.h"
#include "wire/ip4.h"
#include "wire/ip6.h"
#include "wire/tcp.h"
#include "wire/udp.h"
#include "wire/vnet.h"

#define PROTOCOL_TCP        6
#define PROTOCOL_UDP        17
#define TCP_LEN_OFFSET      12 /* of the data offset, in the upper half of the octet */
#define UDP_CHECKSUM_OFFSET 6
#define IP4_CHECKSUM_OFFSET 10
#define ECN_CE              3u

static_assert(FRAME_SLOT_BYTES >= VNET_HEADER_LEN + FRAME_MAX, "a slot holds the longest frame");

/* ---- memory ---------------------------------------------------------------------------------- */

void *link_alloc(size_t size)
{
    struct tlsyn_alloc *alloc = tlsyn_alloc_libc();
    void *memory = alloc->resize(alloc, NULL, size);

    if (memory)
        memset(memory, 0, size);
    return memory;
}

void link_free(void *memory)
{
    struct tlsyn_alloc *alloc = tlsyn_alloc_libc();

    if (memory)
        alloc->resize(alloc, memory, 0);
}

struct held_frame *frame_hold(const struct tlsyn_frame *frame)
{
    struct tlsyn_alloc *alloc = tlsyn_alloc_libc();
    size_t len = tlsyn_frame_len(frame);
    struct held_frame *held = alloc->resize(alloc, NULL, sizeof(*held) + len);

    if (!held)
        return NULL;
    frame_gather(frame, held->bytes);
    held->frame = frame_with(frame, held->bytes, len);
    held->due = 0;
    held->number = 0;
    list_init(&held->node);
    return held;
}

void frames_free(struct list *frames)
{
    list_each_safe(it, after, frames)
    {
        list_remove(it);
        link_free(container_of(it, struct held_frame, node));
    }
}

/* ---- pieces ---------------------------------------------------------------------------------- */

size_t frame_gather(const struct tlsyn_frame *frame, uint8_t *to)
{
    size_t len = 0;

    for (int i = 0; i < frame->iovcnt; i++) {
        if (frame->iov[i].iov_len)
            memcpy(to + len, frame->iov[i].iov_base, frame->iov[i].iov_len);
        len += frame->iov[i].iov_len;
    }
    return len;
}

struct tlsyn_frame frame_with(const struct tlsyn_frame *frame, void *bytes, size_t len)
{
    struct tlsyn_frame one = *frame;

    memset(one.iov, 0, sizeof(one.iov));
    one.iov[0] = (struct iovec){.iov_base = bytes, .iov_len = len};
    one.iovcnt = 1;
    return one;
}

int frame_check(const struct tlsyn_frame *frame, const struct tlsyn_link_caps *caps)
{
    size_t len = tlsyn_frame_len(frame);
    size_t first = frame->iovcnt > 0 ? frame->iov[0].iov_len : 0;

    if (first < ETHER_HEADER_LEN)
        return -EINVAL;
    if (frame->flags & TLSYN_FRAME_CSUM_PARTIAL) {
        if (!caps->csum || (size_t)frame->csum_start + frame->csum_offset + 2 > first)
            return -EINVAL;
    }
    if (frame->gso_type == TLSYN_GSO_NONE)
        return len > (size_t)caps->mtu + ETHER_HEADER_LEN ? -EMSGSIZE : 0;
    if (caps->gso_max == 0 || frame->gso_size == 0 || frame->hdr_len > first)
        return -EINVAL;
    return len - frame->hdr_len > caps->gso_max ? -EMSGSIZE : 0;
}

int frame_pieces(const struct tlsyn_frame *frame, const struct tlsyn_link_caps *caps, uint8_t *vnet,
                 struct iovec iov[FRAME_PIECES])
{
    int pieces = 0;
    int error = frame_check(frame, caps);

    if (!error && vnet)
        error = vnet_emit(frame, vnet);
    if (error)
        return error;
    if (vnet)
        iov[pieces++] = (struct iovec){vnet, VNET_HEADER_LEN};
    for (int i = 0; i < frame->iovcnt; i++)
        iov[pieces++] = frame->iov[i];
    return pieces;
}

/* ---- checksums ------------------------------------------------------------------------------- */

static void put_word(uint8_t *at, uint16_t value)
{
    struct writer w = writer_of(at, 2);

    put_u16(&w, value);
}

void frame_finish_checksum(struct tlsyn_frame *frame)
{
    uint8_t *bytes = frame->iov[0].iov_base;
    size_t len = frame->iov[0].iov_len;
    size_t field = (size_t)frame->csum_start + frame->csum_offset;
    struct checksum sum = {0};
    uint16_t value;

    if (!(frame->flags & TLSYN_FRAME_CSUM_PARTIAL) || field + 2 > len)
        return;
    /* The field holds the pseudo-header's sum, and is summed up with the rest. */
    checksum_add(&sum, bytes + frame->csum_start, len - frame->csum_start);
    value = checksum_finish(&sum);
    if (value == 0 && frame->csum_offset == UDP_CHECKSUM_OFFSET)
        value = 0xffff; /* RFC 768: zero would mean that there is none */
    put_word(bytes + field, value);
    frame->flags &= (uint8_t)~TLSYN_FRAME_CSUM_PARTIAL;
    frame->csum_start = frame->csum_offset = 0;
}

bool frame_mark_congestion(const struct tlsyn_frame *frame)
{
    uint8_t *ip = (uint8_t *)frame->iov[0].iov_base + ETHER_HEADER_LEN;
    size_t len = frame->iov[0].iov_len;
    struct wire_ether ether;

    if (wire_ether_parse(frame->iov[0].iov_base, len, &ether) < 0)
        return false;
    bool ip4 = ether.type == ETHER_TYPE_IP4;
    if (len < ETHER_HEADER_LEN + (ip4 ? IP4_HEADER_LEN : IP6_HEADER_LEN) ||
        (!ip4 && ether.type != ETHER_TYPE_IP6))
        return false;
    /* The first word: version, header length and traffic class; or version, class, flow label. */
    unsigned shift = ip4 ? 0 : 4;
    struct reader r = reader_of(ip, IP4_HEADER_LEN);
    uint16_t before = get_u16(&r), after = (uint16_t)(before | ECN_CE << shift);
    unsigned codepoint = ((unsigned)before >> shift) & ECN_CE;

    if (codepoint == 0 || codepoint == ECN_CE)
        return false;
    put_word(ip, after);
    if (!ip4)
        return true;
    get_skip(&r, IP4_CHECKSUM_OFFSET - 2);
    put_word(ip + IP4_CHECKSUM_OFFSET, checksum_update(get_u16(&r), before, after));
    return true;
}

/* What find_ip4() and find_ip6() learn. */
struct ip_payload {
    struct tlsyn_addr src, dst;
    uint8_t protocol;
    const uint8_t *bytes;
    size_t len;
};

static bool find_ip4(const uint8_t *bytes, size_t len, struct ip_payload *ip)
{
    struct wire_ip4 header;

    if (wire_ip4_parse(bytes, len, &header) != 0 || header.mf || header.offset)
        return false;
    *ip = (struct ip_payload){.src = header.src,
                              .dst = header.dst,
                              .protocol = header.protocol,
                              .bytes = header.payload,
                              .len = header.payload_len};
    return true;
}

static bool find_ip6(const uint8_t *bytes, size_t len, struct ip_payload *ip)
{
    struct wire_ip6 header;
    struct wire_ip6_chain chain;

    if (wire_ip6_parse(bytes, len, &header) != 0 || wire_ip6_walk(&header, &chain) != 0)
        return false;
    *ip = (struct ip_payload){.src = header.src,
                              .dst = header.dst,
                              .protocol = chain.protocol,
                              .bytes = chain.payload,
                              .len = chain.payload_len};
    return true;
}

static bool find_ip(const uint8_t *bytes, size_t len, struct ip_payload *ip)
{
    struct wire_ether ether;

    if (wire_ether_parse(bytes, len, &ether) != 0)
        return false;
    if (ether.type == ETHER_TYPE_IP4)
        return find_ip4(ether.payload, ether.payload_len, ip);
    return ether.type == ETHER_TYPE_IP6 && find_ip6(ether.payload, ether.payload_len, ip);
}

bool frame_find_transport(const uint8_t *bytes, size_t len, struct frame_transport *at)
{
    struct ip_payload ip = {0};
    struct checksum sum = {0};
    size_t start, header;

    if (!find_ip(bytes, len, &ip))
        return false;
    start = (size_t)(ip.bytes - bytes);
    if (ip.protocol == PROTOCOL_TCP && ip.len >= TCP_HEADER_LEN) {
        header = (size_t)(ip.bytes[TCP_LEN_OFFSET] >> 4) * 4;
        at->csum_offset = TCP_CHECKSUM_OFFSET;
    } else if (ip.protocol == PROTOCOL_UDP && ip.len >= UDP_HEADER_LEN) {
        header = UDP_HEADER_LEN;
        at->csum_offset = UDP_CHECKSUM_OFFSET;
    } else {
        return false;
    }
    if (header > ip.len)
        return false;
    checksum_pseudo(&sum, &ip.src, &ip.dst, ip.protocol, (uint32_t)ip.len);
    at->pseudo_sum = checksum_fold(&sum);
    at->start = (uint16_t)start;
    at->header_len = (uint16_t)(start + header);
    return true;
}

void frame_mark_unfinished(struct tlsyn_frame *frame)
{
    struct frame_transport at;

    if (!frame_find_transport(frame->iov[0].iov_base, frame->iov[0].iov_len, &at))
        return;
    frame->flags |= TLSYN_FRAME_CSUM_PARTIAL | TLSYN_FRAME_CSUM_VERIFIED;
    frame->csum_start = at.start;
    frame->csum_offset = at.csum_offset;
}

bool frame_looks_unfinished(const struct tlsyn_frame *frame)
{
    const uint8_t *bytes = frame->iov[0].iov_base;
    struct frame_transport at;
    struct reader field;

    if (!frame_find_transport(bytes, frame->iov[0].iov_len, &at))
        return false;
    field = reader_of(bytes + at.start + at.csum_offset, 2);
    return get_u16(&field) == at.pseudo_sum;
}
