/*
 * ip/frag_store.c: the datagrams that are being put together, by source, and what they may cost.
 * The theory: frag.h.
 */
#include "ip/frag_store.h"

#include "ip/ip.h"

#define IP6_TIMEOUT TLSYN_SECONDS(60) /* RFC 8200 4.5 */
#define SHARE       4                 /* of all there is, one source holds no more than this part */

/* Somebody whose fragments are kept. */
struct frag_source {
    struct table_node node;
    struct tlsyn_addr addr;
    struct list datagrams; /* in the order they began */
    uint32_t count;
    size_t bytes;
};

struct frag_key {
    struct tlsyn_addr src, dst;
    uint32_t id, protocol;
};

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

void frag_charge(struct frag_datagram *d, size_t bytes)
{
    d->bytes += bytes;
    d->source->bytes += bytes;
    d->frags->bytes += bytes;
}

static void forget_pieces(struct frag_datagram *d)
{
    struct context *cx = frag_context(d->frags);
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
    context_free(frag_context(frags), s);
}

void frag_datagram_free(struct frag_datagram *d)
{
    struct frags *frags = d->frags;

    forget_pieces(d);
    d->source->bytes -= d->bytes;
    frags->bytes -= d->bytes;
    d->source->count--;
    table_remove(&frags->datagrams, &d->node);
    list_remove(&d->age);
    list_remove(&d->of_source);
    timer_clear(&frag_context(frags)->wheel, &d->timer);
    source_leave(frags, d->source);
    context_free(frag_context(frags), d);
}

void frag_fail(struct frag_datagram *d, enum tlsyn_drop reason)
{
    frag_count(d, TLSYN_COUNT_ip_reasm_fails, TLSYN_COUNT_ip6_reasm_fails);
    drop(frag_context(d->frags), reason);
}

void frag_kill(struct frag_datagram *d, enum tlsyn_drop reason)
{
    frag_fail(d, reason);
    forget_pieces(d);
    d->dead = true;
}

void frag_evict(struct frag_datagram *d)
{
    if (!d->dead)
        frag_fail(d, TLSYN_DROP_ip_fragment_limit);
    frag_datagram_free(d);
}

/* RFC 1122 3.3.2, RFC 8200 4.5: the source is told, if it can see by the quoted header what
 * this is about. */
static void expire(struct timer *timer)
{
    struct frag_datagram *d = container_of(timer, struct frag_datagram, timer);

    if (!d->dead) {
        frag_count(d, TLSYN_COUNT_ip_reasm_timeout, TLSYN_COUNT_ip6_reasm_timeout);
        frag_fail(d, TLSYN_DROP_ip_fragment_timeout);
        if (d->first.header)
            ip_reassembly_exceeded(d->frags->ip, &d->first);
    }
    frag_datagram_free(d);
}

static struct frag_source *source_find(const struct frags *frags, const struct tlsyn_addr *addr)
{
    uint64_t hash = siphash(&frags->key, addr, sizeof(*addr));
    struct table_node *node = table_find(&frags->sources, hash, source_same, addr);

    return node ? container_of(node, struct frag_source, node) : NULL;
}

static struct frag_source *source_new(struct frags *frags, const struct tlsyn_addr *addr)
{
    struct context *cx = frag_context(frags);
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
    const struct tlsyn_limits *limits = &frag_context(frags)->limits;
    uint32_t share = limits->reassembly_datagrams / SHARE;

    return s->count + datagrams > (share > 0 ? share : 1) ||
           s->bytes + bytes > limits->reassembly_bytes / SHARE;
}

static bool beyond_all(const struct frags *frags, uint32_t datagrams, size_t bytes)
{
    const struct tlsyn_limits *limits = &frag_context(frags)->limits;

    return frags->datagrams.count + datagrams > limits->reassembly_datagrams ||
           frags->bytes + bytes > limits->reassembly_bytes;
}

/* The datagram that has to make room for so much more of this source: its own oldest, if the source
 * is beyond its share, else the oldest of all. NULL: there is none. *enough: there is room. */
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

bool frag_make_room(struct frags *frags, const struct tlsyn_addr *src,
                    const struct frag_datagram *keep, uint32_t datagrams, size_t bytes)
{
    for (;;) {
        bool enough;
        struct frag_datagram *v = victim(frags, src, datagrams, bytes, &enough);

        if (enough)
            return true;
        if (!v || v == keep)
            return false;
        frag_evict(v);
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
    struct context *cx = frag_context(frags);
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
              cx->now + (frag_is_ip4(d) ? cx->limits.reassembly_timeout : IP6_TIMEOUT));
    frag_charge(d, sizeof(*d));
    return true;
}

static struct frag_datagram *datagram_new(struct frags *frags, const struct frag_key *key,
                                          uint64_t hash)
{
    struct context *cx = frag_context(frags);

    if (!frag_make_room(frags, &key->src, NULL, 1, sizeof(struct frag_datagram))) {
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

struct frag_datagram *frag_datagram_of(struct frags *frags, const struct fragment *f)
{
    struct frag_key key = key_of(f);
    uint64_t hash = siphash(&frags->key, &key, sizeof(key));
    struct table_node *node = table_find(&frags->datagrams, hash, datagram_same, &key);

    return node ? container_of(node, struct frag_datagram, node) : datagram_new(frags, &key, hash);
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
        frag_datagram_free(container_of(it, struct frag_datagram, age));
    frags_done(frags);
    table_release(&frags->datagrams, frag_context(frags)->alloc);
    table_release(&frags->sources, frag_context(frags)->alloc);
}
