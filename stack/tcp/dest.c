/*
 * tcp/dest.c: a bounded table of peers in the order of their last use.
 */
#include "tcp/dest.h"

#include <assert.h>
#include <errno.h>

#include "core/random.h"

void dests_init(struct dests *d, struct context *cx)
{
    d->cx = cx;
    d->key = (struct siphash_key){.k = {random_u64(cx->random), random_u64(cx->random)}};
    table_init(&d->table, cx->limits.destinations);
    list_init(&d->lru);
}

static void forget(struct dests *d, struct dest *dest)
{
    table_remove(&d->table, &dest->node);
    list_remove(&dest->lru);
    context_free(d->cx, dest);
}

void dests_release(struct dests *d)
{
    list_each_safe(it, after, &d->lru) forget(d, container_of(it, struct dest, lru));
    table_release(&d->table, d->cx->alloc);
}

static bool same(const struct table_node *node, const void *key)
{
    const struct dest *dest =
        (const struct dest *)(const void *)((const char *)node - offsetof(struct dest, node));

    return tlsyn_addr_eq(&dest->addr, key);
}

static uint64_t hash(const struct dests *d, const struct tlsyn_addr *addr)
{
    return siphash(&d->key, addr->byte, sizeof(addr->byte));
}

static struct dest *find(const struct dests *d, const struct tlsyn_addr *addr)
{
    struct table_node *node = table_find(&d->table, hash(d, addr), same, addr);

    return node ? container_of(node, struct dest, node) : NULL;
}

const struct dest *dests_look(const struct dests *d, const struct tlsyn_addr *addr)
{
    return find(d, addr);
}

struct dest *dests_find(struct dests *d, const struct tlsyn_addr *addr)
{
    struct dest *dest = find(d, addr);

    if (!dest)
        return NULL;
    list_remove(&dest->lru);
    list_append(&d->lru, &dest->lru);
    return dest;
}

struct dest *dests_learn(struct dests *d, const struct tlsyn_addr *addr)
{
    struct dest *dest = dests_find(d, addr);

    if (dest) {
        dest->learnt = true;
        return dest;
    }
    if (d->table.count >= d->table.max && !list_empty(&d->lru))
        forget(d, container_of(list_first(&d->lru), struct dest, lru));
    dest = context_alloc(d->cx, sizeof(*dest));
    if (!dest)
        return NULL;
    dest->addr = *addr;
    dest->learnt = true;
    list_init(&dest->lru);
    if (table_add(&d->table, d->cx->alloc, &dest->node, hash(d, addr)) < 0) {
        context_free(d->cx, dest);
        return NULL;
    }
    list_append(&d->lru, &dest->lru);
    return dest;
}

/* --- across stacks ---------------------------------------------------------------------------- */

static_assert(TLSYN_COOKIE_MAX == TCP_COOKIE_MAX && TLSYN_COOKIE_MIN == TCP_FASTOPEN_COOKIE_MIN,
              "a cookie fits either structure");

static void show(const struct dests *d, const struct dest *dest, struct tlsyn_destination *known)
{
    tlsyn_time now = d->cx->now;

    *known = (struct tlsyn_destination){
        .addr = dest->addr,
        .mss = dest->mss,
        .cookie_len = dest->cookie_len,
        .srtt = dest->srtt,
        .rttvar = dest->rttvar,
        .age = dest->srtt ? now - dest->measured : 0,
        .failures = dest->failures,
        .failed_by = dest->failed_by,
        .off_for = dest->failures && dest->off_until > now ? dest->off_until - now : 0,
        .learnt = dest->learnt,
    };
    memcpy(known->cookie, dest->cookie, dest->cookie_len);
}

void dests_walk(const struct dests *d, struct tlsyn_destination_visitor *visitor)
{
    struct tlsyn_destination known;

    list_each(it, &d->lru)
    {
        show(d, container_of(it, struct dest, lru), &known);
        if (!visitor->on_destination(visitor, &known))
            return;
    }
}

/* An entry from outside must not have values that no stack would ever have come to. */
static bool is_possible(const struct dests *d, const struct tlsyn_destination *known)
{
    bool cookie = known->cookie_len == 0 ||
                  (known->cookie_len >= TCP_FASTOPEN_COOKIE_MIN &&
                   known->cookie_len <= TCP_COOKIE_MAX && known->cookie_len % 2 == 0);

    return cookie && !tlsyn_addr_unspecified(&known->addr) && known->srtt >= 0 &&
           known->srtt <= d->cx->limits.rto_max && known->rttvar >= 0 &&
           known->rttvar <= d->cx->limits.rto_max && known->age >= 0 && known->off_for >= 0 &&
           known->off_for <= d->cx->limits.embed_off_max &&
           (unsigned int)known->failed_by < TLSYN_EMBEDDINGS;
}

int dests_add(struct dests *d, const struct tlsyn_destination *known)
{
    struct dest *dest = is_possible(d, known) ? dests_learn(d, &known->addr) : NULL;

    if (!dest)
        return is_possible(d, known) ? -ENOMEM : -EINVAL;
    dest->mss = known->mss;
    dest->cookie_len = known->cookie_len;
    memcpy(dest->cookie, known->cookie, known->cookie_len);
    dest->srtt = known->srtt;
    dest->rttvar = known->rttvar;
    dest->measured = d->cx->now - known->age;
    dest->failures = known->failures;
    dest->failed_by = known->failed_by;
    dest->off_until = d->cx->now + known->off_for;
    dest->learnt = false;
    return 0;
}
