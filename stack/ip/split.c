/*
 * ip/split.c: cutting. See split.h.
 */
#include "ip/split.h"

#include <errno.h>

#include "wire/ether.h"
#include "wire/ip4.h"
#include "wire/ip6.h"

/* What of the whole all fragments share. */
struct source {
    bool ip4;
    struct wire_ip4 header4;
    struct wire_ip6 header6;
    uint32_t id;
    size_t headers; /* octets of IP, and IPv6's fragment header */
    const uint8_t *payload;
    size_t len;
};

void split_init(struct split *split, struct context *cx)
{
    *split = (struct split){0};
    cx->random->fill(cx->random, &split->key, sizeof(split->key));
}

uint32_t split_number(struct split *split, const struct tlsyn_addr *src,
                      const struct tlsyn_addr *dst, uint8_t protocol)
{
    struct {
        struct tlsyn_addr src, dst;
        uint32_t protocol;
    } flow = {*src, *dst, protocol};
    uint64_t hash = siphash(&split->key, &flow, sizeof(flow));

    return (uint32_t)hash + split->used[hash >> 32 & (SPLIT_COUNTERS - 1)]++;
}

/* A frame that we built ourselves. */
static void read_whole(struct split *split, const struct held *whole, struct source *s)
{
    const uint8_t *bytes = whole->bytes + ETHER_HEADER_LEN;
    size_t len = whole->frame.iov[0].iov_len - ETHER_HEADER_LEN;

    s->ip4 = wire_ip4_parse(bytes, len, &s->header4) == 0;
    if (s->ip4) {
        s->id = split_number(split, &s->header4.src, &s->header4.dst, s->header4.protocol);
        s->headers = IP4_HEADER_LEN;
    } else {
        wire_ip6_parse(bytes, len, &s->header6);
        s->id = split_number(split, &s->header6.src, &s->header6.dst, s->header6.next);
        s->headers = IP6_HEADER_LEN + IP6_FRAGMENT_LEN;
    }
    s->payload = s->ip4 ? s->header4.payload : s->header6.payload;
    s->len = s->ip4 ? s->header4.payload_len : s->header6.payload_len;
}

/* The IP headers of the fragment that carries `len` octets from `offset` on. */
static void emit_headers(const struct source *s, size_t offset, size_t len, uint8_t *bytes)
{
    bool more = offset + len < s->len;

    if (s->ip4) {
        struct wire_ip4 header = s->header4;

        header.total_len = (uint16_t)(IP4_HEADER_LEN + len);
        header.id = (uint16_t)s->id;
        header.df = false; /* who is cut already may be cut again */
        header.mf = more;
        header.offset = (uint16_t)offset;
        wire_ip4_emit(&header, bytes, IP4_HEADER_LEN);
        return;
    }
    struct wire_ip6 header = s->header6;
    struct wire_ip6_fragment fragment = {
        .next = header.next, .mf = more, .offset = (uint16_t)offset, .id = s->id};

    header.next = IP6_FRAGMENT;
    header.payload_len = (uint16_t)(IP6_FRAGMENT_LEN + len);
    wire_ip6_emit(&header, bytes, IP6_HEADER_LEN);
    wire_ip6_fragment_emit(&fragment, bytes + IP6_HEADER_LEN, IP6_FRAGMENT_LEN);
}

static struct held *fragment_new(struct context *cx, const struct held *whole,
                                 const struct source *s, size_t offset, size_t len)
{
    struct held *h = held_new(cx, whole->iface, ETHER_HEADER_LEN + s->headers + len);

    if (!h)
        return NULL;
    memcpy(h->bytes, whole->bytes, ETHER_HEADER_LEN);
    emit_headers(s, offset, len, h->bytes + ETHER_HEADER_LEN);
    memcpy(h->bytes + ETHER_HEADER_LEN + s->headers, s->payload + offset, len);
    return h;
}

int split_frame(struct split *split, struct context *cx, const struct held *whole,
                struct held_queue *fragments)
{
    struct source s;

    read_whole(split, whole, &s);
    size_t most = (whole->mtu - s.headers) & ~(size_t)7;
    for (size_t offset = 0; offset < s.len; offset += most) {
        size_t len = s.len - offset < most ? s.len - offset : most;
        struct held *h = fragment_new(cx, whole, &s, offset, len);

        if (!h) {
            held_release(cx, fragments);
            return -ENOMEM;
        }
        held_push(fragments, h);
    }
    return (int)fragments->count;
}
