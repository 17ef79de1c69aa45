/*
 * tcp/dest.c: a bounded table of peers in the order of their last use.
 */
#include "tcp/dest.h"

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

struct dest *dests_find(struct dests *d, const struct tlsyn_addr *addr)
{
    struct table_node *node = table_find(&d->table, hash(d, addr), same, addr);

    if (!node)
        return NULL;
    struct dest *dest = container_of(node, struct dest, node);
    list_remove(&dest->lru);
    list_append(&d->lru, &dest->lru);
    return dest;
}

struct dest *dests_learn(struct dests *d, const struct tlsyn_addr *addr)
{
    struct dest *dest = dests_find(d, addr);

    if (dest)
        return dest;
    if (d->table.count >= d->table.max && !list_empty(&d->lru))
        forget(d, container_of(list_first(&d->lru), struct dest, lru));
    dest = context_alloc(d->cx, sizeof(*dest));
    if (!dest)
        return NULL;
    dest->addr = *addr;
    list_init(&dest->lru);
    if (table_add(&d->table, d->cx->alloc, &dest->node, hash(d, addr)) < 0) {
        context_free(d->cx, dest);
        return NULL;
    }
    list_append(&d->lru, &dest->lru);
    return dest;
}
