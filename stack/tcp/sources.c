/*
 * tcp/sources.c: buckets that count to their bound within a period.
 */
#include "tcp/sources.h"

#include <errno.h>

#include "core/random.h"

/* A network that counts as one, and how many times a source's share it has. */
struct scope {
    uint8_t octets, times;
};

static const struct scope ip4_scopes[] = {{16, 1}, {0, 0}};
static const struct scope ip6_scopes[] = {{8, 1}, {7, 4}, {0, 0}};

static const struct scope *scopes_of(const struct tlsyn_addr *addr)
{
    return tlsyn_addr_is_ip4(addr) ? ip4_scopes : ip6_scopes;
}

void sources_init(struct sources *s, struct context *cx)
{
    *s = (struct sources){.cx = cx};
    s->key = (struct siphash_key){.k = {random_u64(cx->random), random_u64(cx->random)}};
}

void sources_release(struct sources *s)
{
    context_free(s->cx, s->bucket);
    s->bucket = NULL;
}

int sources_open(struct sources *s)
{
    if (!s->bucket && s->cx->limits.sources > 0)
        s->bucket = context_alloc(s->cx, s->cx->limits.sources * sizeof(*s->bucket));
    return s->bucket || s->cx->limits.sources == 0 ? 0 : -ENOMEM;
}

static struct source_bucket *bucket_of(const struct sources *s, const struct tlsyn_addr *addr,
                                       const struct scope *scope)
{
    uint8_t bytes[1 + sizeof(addr->byte)] = {scope->octets};
    uint32_t period = (uint32_t)(s->cx->now / SOURCE_PERIOD);

    memcpy(bytes + 1, addr->byte, scope->octets);
    struct source_bucket *b =
        &s->bucket[siphash(&s->key, bytes, 1u + scope->octets) % s->cx->limits.sources];
    if (b->period != period)
        *b = (struct source_bucket){.period = period};
    return b;
}

static uint32_t allowed(const struct sources *s, enum source_share share, const struct scope *scope)
{
    const struct tlsyn_limits *limits = &s->cx->limits;
    uint32_t most = share == SOURCE_SYNS ? limits->syns_per_source : limits->embedded_per_source;

    return most < UINT16_MAX / scope->times ? most * scope->times : UINT16_MAX;
}

bool sources_take(struct sources *s, const struct tlsyn_addr *addr, enum source_share share)
{
    if (!s->bucket)
        return true;
    for (const struct scope *scope = scopes_of(addr); scope->octets; scope++)
        if (bucket_of(s, addr, scope)->taken[share] >= allowed(s, share, scope))
            return false;
    for (const struct scope *scope = scopes_of(addr); scope->octets; scope++)
        bucket_of(s, addr, scope)->taken[share]++;
    return true;
}

void sources_give_back(struct sources *s, const struct tlsyn_addr *addr, enum source_share share)
{
    if (!s->bucket)
        return;
    for (const struct scope *scope = scopes_of(addr); scope->octets; scope++) {
        struct source_bucket *b = bucket_of(s, addr, scope);

        if (b->taken[share] > 0)
            b->taken[share]--;
    }
}
