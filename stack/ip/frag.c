/*
 * ip/frag.c: reassembly. The theory: frag.h. Read first: RFC 791 3.2, RFC 8200 4.5, RFC 5722,
 * RFC 6864, RFC 3168 5.3.
 */
#include "ip/frag.h"

#include <errno.h>

#include "ip/ip.h"
#include "wire/icmp4.h"
#include "wire/tcp.h"
#include "wire/udp.h"

#define LENGTH_MAX     65535    /* of an IPv4 datagram, and of what follows IPv6's 40 octets */
#define IP6_HEADERS    (40 + 8) /* IPv6's own, and the fragment header that goes */
#define IP6_TIMEOUT    TLSYN_SECONDS(60) /* RFC 8200 4.5 */
#define SHARE          4 /* of all there is, one source holds no more than this part */
#define PIECES_FIRST   4
#define PIECE_OVERHEAD 32 /* of an allocation, and its place in the array */
#define ECN_MASK       3
#define ECN_NOT_ECT    0
#define ECN_CE         3

struct piece_of {
    uint16_t from, to; /* octets of the datagram's payload */
    uint16_t skip;     /* headers before them, in the first one */
    uint8_t *memory;
};

/* Somebody whose fragments are kept. */
struct frag_source {
    struct table_node node;
    struct tlsyn_addr addr;
    struct list datagrams; /* in the order they began */
    uint32_t count;
    size_t bytes;
};

struct frag_datagram {
    struct table_node node;
    struct list age; /* frags->oldest */
    struct list of_source;
    struct timer timer;
    struct frags *frags;
    struct frag_source *source;
    struct tlsyn_addr src, dst;
    uint32_t id;
    uint8_t protocol; /* IPv6: 0 */
    uint8_t ecn;      /* a bit for each codepoint seen */
    bool broadcast;
    bool dead;
    uint16_t count, room;
    struct piece_of *piece; /* sorted, disjoint */
    uint32_t end;           /* octets of payload; 0: the last fragment has not come */
    uint32_t arrived;       /* octets in all pieces */
    size_t bytes;           /* of memory */
    struct ip_datagram
        first; /* the fragment at offset 0; its header points into piece[0]; NULL: not come */
};

struct frag_key {
    struct tlsyn_addr src, dst;
    uint32_t id, protocol;
};

static struct context *context_of(const struct frags *frags)
{
    return frags->ip->cx;
}

static bool is_ip4(const struct frag_datagram *d)
{
    return tlsyn_addr_is_ip4(&d->src);
}

static void count_either(const struct frag_datagram *d, enum tlsyn_counter ip4,
                         enum tlsyn_counter ip6)
{
    count(context_of(d->frags), is_ip4(d) ? ip4 : ip6);
}

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

/* --- the life of a datagram ------------------------------------------------------------------- */

static bool datagram_same(const struct table_node *node, const void *key)
{
    const struct frag_datagram *d = (const void *)node; /* its first member */
    const struct frag_key *k = key;

    return d->id == k->id && d->protocol == k->protocol && tlsyn_addr_eq(&d->src, &k->src) &&
           tlsyn_addr_eq(&d->dst, &k->dst);
}

static bool source_same(const struct table_node *node, const void *key)
{
    const struct frag_source *s = (const void *)node; /* its first member */

    return tlsyn_addr_eq(&s->addr, key);
}

static void charge(struct frag_datagram *d, size_t bytes)
{
    d->bytes += bytes;
    d->source->bytes += bytes;
    d->frags->bytes += bytes;
}

static void forget_pieces(struct frag_datagram *d)
{
    struct context *cx = context_of(d->frags);
    size_t bytes = d->bytes - sizeof(*d);

    for (uint16_t i = 0; i < d->count; i++)
        context_free(cx, d->piece[i].memory);
    context_free(cx, d->piece);
    d->piece = NULL;
    d->count = d->room = 0;
    d->first.header = NULL;
    d->bytes -= bytes;
    d->source->bytes -= bytes;
    d->frags->bytes -= bytes;
}

static void source_leave(struct frags *frags, struct frag_source *s)
{
    if (s->count > 0)
        return;
    table_remove(&frags->sources, &s->node);
    context_free(context_of(frags), s);
}

static void datagram_free(struct frag_datagram *d)
{
    struct frags *frags = d->frags;

    forget_pieces(d);
    d->source->bytes -= d->bytes;
    frags->bytes -= d->bytes;
    d->source->count--;
    table_remove(&frags->datagrams, &d->node);
    list_remove(&d->age);
    list_remove(&d->of_source);
    timer_clear(&context_of(frags)->wheel, &d->timer);
    source_leave(frags, d->source);
    context_free(context_of(frags), d);
}

/* It can't be completed any more, for this reason. */
static void fail(struct frag_datagram *d, enum tlsyn_drop reason)
{
    count_either(d, TLSYN_COUNT_ip_reasm_fails, TLSYN_COUNT_ip6_reasm_fails);
    drop(context_of(d->frags), reason);
}

/* RFC 5722: nor by what is still to come. */
static void kill_datagram(struct frag_datagram *d, enum tlsyn_drop reason)
{
    fail(d, reason);
    forget_pieces(d);
    d->dead = true;
}

static void evict(struct frag_datagram *d)
{
    if (!d->dead)
        fail(d, TLSYN_DROP_ip_fragment_limit);
    datagram_free(d);
}

/* RFC 1122 3.3.2, RFC 8200 4.5: the source is told, if it can see by the quoted header what
 * this is about. */
static void expire(struct timer *timer)
{
    struct frag_datagram *d = container_of(timer, struct frag_datagram, timer);

    if (!d->dead) {
        count_either(d, TLSYN_COUNT_ip_reasm_timeout, TLSYN_COUNT_ip6_reasm_timeout);
        fail(d, TLSYN_DROP_ip_fragment_timeout);
        if (d->first.header)
            ip_reassembly_exceeded(d->frags->ip, &d->first);
    }
    datagram_free(d);
}

static struct frag_source *source_find(const struct frags *frags, const struct tlsyn_addr *addr)
{
    uint64_t hash = siphash(&frags->key, addr, sizeof(*addr));
    struct table_node *node = table_find(&frags->sources, hash, source_same, addr);

    return node ? container_of(node, struct frag_source, node) : NULL;
}

static struct frag_source *source_new(struct frags *frags, const struct tlsyn_addr *addr)
{
    struct context *cx = context_of(frags);
    struct frag_source *s = context_alloc(cx, sizeof(*s));

    if (!s)
        return NULL;
    if (table_add(&frags->sources, cx->alloc, &s->node, siphash(&frags->key, addr, sizeof(*addr))) <
        0) {
        context_free(cx, s);
        return NULL;
    }
    s->addr = *addr;
    list_init(&s->datagrams);
    return s;
}

/* --- room ------------------------------------------------------------------------------------- */

static bool beyond_share(const struct frags *frags, const struct frag_source *s, uint32_t datagrams,
                         size_t bytes)
{
    const struct tlsyn_limits *limits = &context_of(frags)->limits;
    uint32_t share = limits->reassembly_datagrams / SHARE;

    return s->count + datagrams > (share > 0 ? share : 1) ||
           s->bytes + bytes > limits->reassembly_bytes / SHARE;
}

static bool beyond_all(const struct frags *frags, uint32_t datagrams, size_t bytes)
{
    const struct tlsyn_limits *limits = &context_of(frags)->limits;

    return frags->datagrams.count + datagrams > limits->reassembly_datagrams ||
           frags->bytes + bytes > limits->reassembly_bytes;
}

/* Who has to go for so much more of this source; NULL: nobody is there. */
static struct frag_datagram *victim(struct frags *frags, const struct tlsyn_addr *src,
                                    uint32_t datagrams, size_t bytes, bool *enough)
{
    struct frag_source *s = source_find(frags, src);
    struct list *first = NULL;

    *enough = false;
    if (s && beyond_share(frags, s, datagrams, bytes))
        return container_of(list_first(&s->datagrams), struct frag_datagram, of_source);
    *enough = !beyond_all(frags, datagrams, bytes);
    first = list_first(&frags->oldest);
    return first ? container_of(first, struct frag_datagram, age) : NULL;
}

/* Lets the oldest go until so much more of this source fits. False: it doesn't, unless `keep` goes
 * too. Each datagram goes once, so this costs no more than its coming did. */
static bool make_room(struct frags *frags, const struct tlsyn_addr *src,
                      const struct frag_datagram *keep, uint32_t datagrams, size_t bytes)
{
    for (;;) {
        bool enough;
        struct frag_datagram *v = victim(frags, src, datagrams, bytes, &enough);

        if (enough)
            return true;
        if (!v || v == keep)
            return false;
        evict(v);
    }
}

/* --- a datagram begins ------------------------------------------------------------------------ */

static struct frag_key key_of(const struct fragment *f)
{
    const struct ip_datagram *d = f->datagram;

    /* RFC 8200 4.5: the next header may differ between fragments, and the first one's counts. */
    return (struct frag_key){.src = d->src,
                             .dst = d->dst,
                             .id = f->id,
                             .protocol = tlsyn_addr_is_ip4(&d->src) ? d->protocol : 0};
}

static bool datagram_enter(struct frags *frags, struct frag_datagram *d, uint64_t hash)
{
    struct context *cx = context_of(frags);
    struct frag_source *s = source_find(frags, &d->src);

    s = s ? s : source_new(frags, &d->src);
    if (!s)
        return false;
    if (table_add(&frags->datagrams, cx->alloc, &d->node, hash) < 0) {
        source_leave(frags, s);
        return false;
    }
    d->source = s;
    s->count++;
    list_append(&s->datagrams, &d->of_source);
    list_append(&frags->oldest, &d->age);
    timer_init(&d->timer, expire);
    timer_set(&cx->wheel, &d->timer,
              cx->now + (is_ip4(d) ? cx->limits.reassembly_timeout : IP6_TIMEOUT));
    charge(d, sizeof(*d));
    return true;
}

static struct frag_datagram *datagram_new(struct frags *frags, const struct frag_key *key,
                                          uint64_t hash)
{
    struct context *cx = context_of(frags);

    if (!make_room(frags, &key->src, NULL, 1, sizeof(struct frag_datagram))) {
        drop(cx, TLSYN_DROP_ip_fragment_limit);
        return NULL;
    }
    struct frag_datagram *d = context_alloc(cx, sizeof(*d));
    if (d) {
        d->frags = frags;
        d->src = key->src;
        d->dst = key->dst;
        d->id = key->id;
        d->protocol = (uint8_t)key->protocol;
    }
    if (!d || !datagram_enter(frags, d, hash)) {
        context_free(cx, d);
        drop(cx, TLSYN_DROP_no_memory);
        return NULL;
    }
    return d;
}

static struct frag_datagram *datagram_of(struct frags *frags, const struct fragment *f)
{
    struct frag_key key = key_of(f);
    uint64_t hash = siphash(&frags->key, &key, sizeof(key));
    struct table_node *node = table_find(&frags->datagrams, hash, datagram_same, &key);

    return node ? container_of(node, struct frag_datagram, node) : datagram_new(frags, &key, hash);
}

/* --- pieces ----------------------------------------------------------------------------------- */

/* The first piece that ends behind `offset`, or count. Most fragments come in order. */
static uint16_t piece_at(struct frag_datagram *d, uint32_t offset)
{
    uint16_t low = 0, high = d->count;
    uint64_t *steps = &context_of(d->frags)->counter[TLSYN_COUNT_ip_reasm_steps];

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

static bool is_copy(const struct piece_of *p, const struct fragment *f)
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
    struct context *cx = context_of(d->frags);
    uint16_t room = d->room ? (uint16_t)(d->room * 2) : PIECES_FIRST;

    if (d->count < d->room)
        return 0;
    struct piece_of *piece = cx->alloc->resize(cx->alloc, d->piece, room * sizeof(*piece));
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
    struct context *cx = context_of(d->frags);
    size_t skip = f->offset == 0 ? headers_of(from) : 0;
    uint8_t *memory = context_alloc(cx, skip + from->len);

    if (!memory || grow(d) < 0) {
        context_free(cx, memory);
        return -ENOMEM;
    }
    memcpy(memory, from->payload - skip, skip + from->len);
    memmove(d->piece + at + 1, d->piece + at, (size_t)(d->count - at) * sizeof(*d->piece));
    d->piece[at] = (struct piece_of){
        .from = (uint16_t)f->offset,
        .to = (uint16_t)(f->offset + from->len),
        .skip = (uint16_t)skip,
        .memory = memory,
    };
    d->count++;
    charge(d, PIECE_OVERHEAD + skip + from->len);
    note(d, f, memory);
    return 0;
}

/* False: the datagram has not grown, and may be gone. */
static bool keep(struct frag_datagram *d, const struct fragment *f)
{
    const struct tlsyn_limits *limits = &context_of(d->frags)->limits;
    const struct ip_datagram *from = f->datagram;
    size_t bytes = PIECE_OVERHEAD + headers_of(from) + from->len;
    uint16_t at = piece_at(d, f->offset);

    if (at < d->count && is_copy(&d->piece[at], f)) { /* RFC 8200 4.5: the network's duplicate */
        drop(context_of(d->frags), TLSYN_DROP_ip_fragment_duplicate);
        return false;
    }
    if ((at < d->count && d->piece[at].from < f->offset + from->len) || !length_agrees(d, f)) {
        /* R5722-1 */
        kill_datagram(d, TLSYN_DROP_ip_fragment_overlap);
        return false;
    }
    if (d->count >= limits->reassembly_fragments) {
        kill_datagram(d, TLSYN_DROP_ip_fragment_limit);
        return false;
    }
    if (!make_room(d->frags, &d->src, d, 0, bytes)) {
        evict(d);
        return false;
    }
    if (insert(d, f, at) == 0)
        return true;
    drop(context_of(d->frags), TLSYN_DROP_no_memory);
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
        kill_datagram(d, TLSYN_DROP_ip_fragment);
        return NULL;
    }
    memory = context_alloc(context_of(d->frags), skip + d->end);
    if (!memory) {
        fail(d, TLSYN_DROP_no_memory);
        datagram_free(d);
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
    count_either(d, TLSYN_COUNT_ip_reasm_oks, TLSYN_COUNT_ip6_reasm_oks);
    datagram_free(d);
    return memory;
}

/* R1122-6 */
uint8_t *frags_take(struct frags *frags, const struct fragment *fragment, struct ip_datagram *whole)
{
    struct frag_datagram *d = datagram_of(frags, fragment);

    if (!d)
        return NULL;
    count_either(d, TLSYN_COUNT_ip_reasm_reqds, TLSYN_COUNT_ip6_reasm_reqds);
    if (d->dead) {
        drop(context_of(frags), TLSYN_DROP_ip_fragment_overlap);
        return NULL;
    }
    if (!keep(d, fragment) || d->arrived != d->end)
        return NULL;
    frags->whole = join(d, whole);
    return frags->whole;
}

void frags_done(struct frags *frags)
{
    context_free(context_of(frags), frags->whole);
    frags->whole = NULL;
}

/* --- all of it -------------------------------------------------------------------------------- */

void frags_init(struct frags *frags, struct ip *ip)
{
    struct context *cx = ip->cx;

    *frags = (struct frags){.ip = ip};
    table_init(&frags->datagrams, cx->limits.reassembly_datagrams);
    table_init(&frags->sources, cx->limits.reassembly_datagrams);
    list_init(&frags->oldest);
    cx->random->fill(cx->random, &frags->key, sizeof(frags->key));
}

void frags_release(struct frags *frags)
{
    struct list *it;

    while ((it = list_first(&frags->oldest)))
        datagram_free(container_of(it, struct frag_datagram, age));
    frags_done(frags);
    table_release(&frags->datagrams, context_of(frags)->alloc);
    table_release(&frags->sources, context_of(frags)->alloc);
}
