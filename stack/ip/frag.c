/*
 * ip/frag.c: reassembly. The theory: frag.h. Read first: RFC 791 3.2, RFC 8200 4.5, RFC 5722,
 * RFC 6864, RFC 3168 5.3.
 */
#include "ip/frag.h"

#include <errno.h>

#include "ip/frag_store.h"
#include "wire/icmp4.h"
#include "wire/tcp.h"
#include "wire/udp.h"

#define LENGTH_MAX     65535    /* of an IPv4 datagram, and of what follows IPv6's 40 octets */
#define IP6_HEADERS    (40 + 8) /* IPv6's own, and the fragment header that goes */
#define PIECES_FIRST   4
#define PIECE_OVERHEAD 32 /* of an allocation, and its place in the array */
#define ECN_MASK       3
#define ECN_NOT_ECT    0
#define ECN_CE         3

/* --- what a fragment says --------------------------------------------------------------------- */

static size_t length_max(const struct tlsyn_addr *src)
{
    return tlsyn_addr_is_ip4(src) ? LENGTH_MAX : LENGTH_MAX + IP6_HEADERS;
}

static size_t headers_of(const struct ip_datagram *d)
{
    return (size_t)(d->payload - d->header);
}

int fragment_check(const struct fragment *fragment)
{
    const struct ip_datagram *d = fragment->datagram;

    if (d->len == 0 || fragment->offset % 8 || (fragment->more && d->len % 8))
        return -EINVAL;
    return headers_of(d) + fragment->offset + d->len > length_max(&d->src) ? -EMSGSIZE : 0;
}

bool fragment_holds_header(uint8_t protocol, const uint8_t *payload, size_t len)
{
    switch (protocol) {
    case IP_PROTOCOL_TCP:
        return len >= TCP_HEADER_LEN && len >= (size_t)(payload[12] >> 4) * 4;
    case IP_PROTOCOL_UDP:
        return len >= UDP_HEADER_LEN;
    case IP_PROTOCOL_ICMP:
    case IP6_ICMP:
        return len >= ICMP4_HEADER_LEN;
    default:
        return true;
    }
}

/* --- pieces ----------------------------------------------------------------------------------- */

/* The first piece that ends behind `offset`, or count. Most fragments come in order. */
static uint16_t piece_at(struct frag_datagram *d, uint32_t offset)
{
    uint16_t low = 0, high = d->count;
    uint64_t *steps = &frag_context(d->frags)->counter[TLSYN_COUNT_ip_reasm_steps];

    if (d->count > 0 && d->piece[d->count - 1].to <= offset)
        low = high;
    ++*steps;
    while (low < high) {
        uint16_t middle = (uint16_t)((low + high) / 2);

        ++*steps;
        if (d->piece[middle].to <= offset)
            low = (uint16_t)(middle + 1);
        else
            high = middle;
    }
    return low;
}

static bool is_copy(const struct frag_piece *p, const struct fragment *f)
{
    return p->from == f->offset && (size_t)(p->to - p->from) == f->datagram->len &&
           memcmp(p->memory + p->skip, f->datagram->payload, f->datagram->len) == 0;
}

/* Does the fragment agree with what was said about the length before? If it is the last one,
 * that is said now. */
static bool length_agrees(struct frag_datagram *d, const struct fragment *f)
{
    uint32_t to = f->offset + (uint32_t)f->datagram->len;

    if (f->more)
        return d->end == 0 || to < d->end;
    if (d->end > 0)
        return to == d->end;
    if (d->count > 0 && d->piece[d->count - 1].to > f->offset)
        return false;
    d->end = to;
    return true;
}

static int grow(struct frag_datagram *d)
{
    struct context *cx = frag_context(d->frags);
    uint16_t room = d->room ? (uint16_t)(d->room * 2) : PIECES_FIRST;

    if (d->count < d->room)
        return 0;
    struct frag_piece *piece = cx->alloc->resize(cx->alloc, d->piece, room * sizeof(*piece));
    if (!piece)
        return -ENOMEM;
    d->piece = piece;
    d->room = room;
    return 0;
}

static void note(struct frag_datagram *d, const struct fragment *f, uint8_t *memory)
{
    const struct ip_datagram *from = f->datagram;

    d->arrived += (uint32_t)from->len;
    d->ecn |= (uint8_t)(1u << (from->tos & ECN_MASK));
    d->broadcast = d->broadcast || from->broadcast;
    if (f->offset > 0)
        return;
    d->first = *from;
    d->first.header = memory;
    d->first.payload = memory + headers_of(from);
}

/* A copy of the fragment becomes piece number `at`. 0 or -ENOMEM. */
static int insert(struct frag_datagram *d, const struct fragment *f, uint16_t at)
{
    const struct ip_datagram *from = f->datagram;
    struct context *cx = frag_context(d->frags);
    size_t skip = f->offset == 0 ? headers_of(from) : 0;
    uint8_t *memory = context_alloc(cx, skip + from->len);

    if (!memory || grow(d) < 0) {
        context_free(cx, memory);
        return -ENOMEM;
    }
    memcpy(memory, from->payload - skip, skip + from->len);
    memmove(d->piece + at + 1, d->piece + at, (size_t)(d->count - at) * sizeof(*d->piece));
    d->piece[at] = (struct frag_piece){
        .from = (uint16_t)f->offset,
        .to = (uint16_t)(f->offset + from->len),
        .skip = (uint16_t)skip,
        .memory = memory,
    };
    d->count++;
    frag_charge(d, PIECE_OVERHEAD + skip + from->len);
    note(d, f, memory);
    return 0;
}

/* False: the datagram has not grown, and may be gone. */
static bool keep(struct frag_datagram *d, const struct fragment *f)
{
    const struct tlsyn_limits *limits = &frag_context(d->frags)->limits;
    const struct ip_datagram *from = f->datagram;
    size_t bytes = PIECE_OVERHEAD + headers_of(from) + from->len;
    uint16_t at = piece_at(d, f->offset);

    if (at < d->count && is_copy(&d->piece[at], f)) { /* RFC 8200 4.5: the network's duplicate */
        drop(frag_context(d->frags), TLSYN_DROP_ip_fragment_duplicate);
        return false;
    }
    if ((at < d->count && d->piece[at].from < f->offset + from->len) || !length_agrees(d, f)) {
        /* R5722-1 */
        frag_kill(d, TLSYN_DROP_ip_fragment_overlap);
        return false;
    }
    if (d->count >= limits->reassembly_fragments) {
        frag_kill(d, TLSYN_DROP_ip_fragment_limit);
        return false;
    }
    if (!frag_make_room(d->frags, &d->src, d, 0, bytes)) {
        frag_evict(d);
        return false;
    }
    if (insert(d, f, at) == 0)
        return true;
    drop(frag_context(d->frags), TLSYN_DROP_no_memory);
    return false;
}

/* --- completion ------------------------------------------------------------------------------- */

/* RFC 3168 5.3: a mark must not be lost, and must not be put upon somebody who can't read it.
 * False: neither can be kept. */
static bool combine_ecn(const struct frag_datagram *d, struct ip_datagram *whole)
{
    if (!(d->ecn & 1 << ECN_CE))
        return true;
    whole->tos |= ECN_CE;
    return !(d->ecn & 1 << ECN_NOT_ECT);
}

static uint8_t *join(struct frag_datagram *d, struct ip_datagram *whole)
{
    size_t skip = d->piece[0].skip;
    uint8_t *memory;

    *whole = d->first;
    if (skip + d->end > length_max(&d->src) || !combine_ecn(d, whole)) {
        frag_kill(d, TLSYN_DROP_ip_fragment);
        return NULL;
    }
    memory = context_alloc(frag_context(d->frags), skip + d->end);
    if (!memory) {
        frag_fail(d, TLSYN_DROP_no_memory);
        frag_datagram_free(d);
        return NULL;
    }
    memcpy(memory, d->piece[0].memory, skip);
    for (uint16_t i = 0; i < d->count; i++)
        memcpy(memory + skip + d->piece[i].from, d->piece[i].memory + d->piece[i].skip,
               (size_t)(d->piece[i].to - d->piece[i].from));
    whole->header = memory;
    whole->payload = memory + skip;
    whole->len = d->end;
    whole->broadcast = d->broadcast;
    whole->csum_verified = false; /* the link has seen no whole segment */
    whole->gso_size = 0;
    frag_count(d, TLSYN_COUNT_ip_reasm_oks, TLSYN_COUNT_ip6_reasm_oks);
    frag_datagram_free(d);
    return memory;
}

/* R1122-6 */
uint8_t *frags_take(struct frags *frags, const struct fragment *fragment, struct ip_datagram *whole)
{
    struct frag_datagram *d = frag_datagram_of(frags, fragment);

    if (!d)
        return NULL;
    frag_count(d, TLSYN_COUNT_ip_reasm_reqds, TLSYN_COUNT_ip6_reasm_reqds);
    if (d->dead) {
        drop(frag_context(frags), TLSYN_DROP_ip_fragment_overlap);
        return NULL;
    }
    if (!keep(d, fragment) || d->arrived != d->end)
        return NULL;
    frags->whole = join(d, whole);
    return frags->whole;
}

void frags_done(struct frags *frags)
{
    context_free(frag_context(frags), frags->whole);
    frags->whole = NULL;
}
