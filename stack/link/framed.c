/*
 * link/framed.c: a TCP segment in an Ethernet frame. See framed.h.
 */
#include "link/framed.h"

#include "wire/bytes.h"
#include "wire/checksum.h"
#include "wire/ip4.h"
#include "wire/ip6.h"

#define IP4_LENGTH 2
#define IP4_SUM    10
#define IP4_SRC    12
#define IP6_LENGTH 4
#define IP6_SRC    8

static bool is_ip6(const struct framed *f)
{
    return f->bytes[f->ip] >> 4 == 6;
}

static uint16_t read16(const uint8_t *at)
{
    struct reader r = reader_of(at, 2);

    return get_u16(&r);
}

static void put16(uint8_t *at, uint16_t value)
{
    struct writer w = writer_of(at, 2);

    put_u16(&w, value);
}

/* The addresses, the source's first: `size` octets each. */
static uint8_t *addresses(const struct framed *f, size_t *size)
{
    *size = is_ip6(f) ? 16 : 4;
    return f->bytes + f->ip + (is_ip6(f) ? IP6_SRC : IP4_SRC);
}

/* The checksum is right, or nobody's yet. */
static bool is_sound(const struct tlsyn_frame *frame, const struct framed *f,
                     const struct frame_transport *at)
{
    struct checksum sum = {0};

    if (frame->flags & (TLSYN_FRAME_CSUM_PARTIAL | TLSYN_FRAME_CSUM_VERIFIED))
        return true;
    checksum_add(&sum, (const uint8_t[]){(uint8_t)(at->pseudo_sum >> 8), (uint8_t)at->pseudo_sum},
                 2);
    checksum_add(&sum, f->bytes + f->tcp, f->end - f->tcp);
    return checksum_good(&sum);
}

bool framed_parse(const struct tlsyn_frame *frame, struct framed *f)
{
    struct frame_transport at;
    size_t len = frame->iov[0].iov_len;

    *f = (struct framed){.bytes = frame->iov[0].iov_base, .ip = FRAME_ETHER_LEN};
    if (frame->iovcnt != 1 || !frame_find_transport(f->bytes, len, &at) ||
        at.csum_offset != TCP_CHECKSUM_OFFSET)
        return false;
    const uint8_t *ip = f->bytes + f->ip;
    f->tcp = at.start;
    f->end = f->ip + (is_ip6(f) ? IP6_HEADER_LEN + (size_t)read16(ip + IP6_LENGTH)
                                : read16(ip + IP4_LENGTH));
    return f->end <= len && f->end >= f->tcp &&
           wire_tcp_parse(f->bytes + f->tcp, f->end - f->tcp, &f->segment) == 0 &&
           is_sound(frame, f, &at);
}

struct held_frame *framed_copy(const struct tlsyn_frame *frame, struct framed *f)
{
    struct held_frame *held = frame_hold(frame);

    if (held)
        (void)framed_parse(&held->frame, f);
    return held;
}

void framed_put32(struct framed *f, size_t at, uint32_t value)
{
    struct writer w = writer_of(f->bytes + f->tcp + at, 4);

    put_u32(&w, value);
}

void framed_finish(struct held_frame *held, struct framed *f, size_t end)
{
    struct tlsyn_frame *frame = &held->frame;
    uint8_t *ip = f->bytes + f->ip;
    struct checksum sum = {0};
    struct frame_transport at;

    f->end = end;
    frame->iov[0].iov_len = end;
    if (is_ip6(f)) {
        put16(ip + IP6_LENGTH, (uint16_t)(end - f->ip - IP6_HEADER_LEN));
    } else {
        put16(ip + IP4_LENGTH, (uint16_t)(end - f->ip));
        put16(ip + IP4_SUM, 0);
        checksum_add(&sum, ip, f->tcp - f->ip);
        put16(ip + IP4_SUM, checksum_finish(&sum));
    }
    if (!frame_find_transport(f->bytes, end, &at))
        return;
    put16(f->bytes + f->tcp + TCP_CHECKSUM_OFFSET, at.pseudo_sum);
    frame->flags |= TLSYN_FRAME_CSUM_PARTIAL;
    frame->csum_start = at.start;
    frame->csum_offset = at.csum_offset;
    frame_finish_checksum(frame);
}

static void swap(uint8_t *a, uint8_t *b, size_t n)
{
    uint8_t kept[16];

    memcpy(kept, a, n);
    memcpy(a, b, n);
    memcpy(b, kept, n);
}

struct held_frame *framed_new(const struct tlsyn_frame *frame, struct wire_tcp *segment, bool back)
{
    uint8_t bytes[FRAME_ETHER_LEN + IP4_HEADER_MAX + TCP_HEADER_MAX];
    struct framed f;

    if (!framed_parse(frame, &f) || f.tcp + TCP_HEADER_MAX > sizeof(bytes))
        return NULL;
    segment->src_port = back ? f.segment.dst_port : f.segment.src_port;
    segment->dst_port = back ? f.segment.src_port : f.segment.dst_port;
    memcpy(bytes, f.bytes, f.tcp);
    size_t n = (size_t)wire_tcp_emit(segment, bytes + f.tcp, TCP_HEADER_MAX);
    f.bytes = bytes;
    if (back) {
        size_t size;
        uint8_t *src = addresses(&f, &size);

        swap(bytes, bytes + 6, 6);
        swap(src, src + size, size);
    }
    const struct tlsyn_frame own = {.iov = {{bytes, f.tcp + n}}, .iovcnt = 1};
    struct held_frame *held = frame_hold(&own);
    if (!held)
        return NULL;
    f.bytes = held->bytes;
    framed_finish(held, &f, f.tcp + n);
    return held;
}

void framed_key(const struct framed *f, bool swapped, uint8_t key[FRAMED_KEY])
{
    size_t size, first = swapped ? 1 : 0;
    const uint8_t *src = addresses(f, &size);
    const uint8_t *ports = f->bytes + f->tcp;

    memset(key, 0, FRAMED_KEY);
    memcpy(key, src + first * size, size);
    memcpy(key + 16, src + (1 - first) * size, size);
    memcpy(key + 32, ports + first * 2, 2);
    memcpy(key + 34, ports + (1 - first) * 2, 2);
}
