/*
 * core/table.c: chained buckets that double when there are as many entries as buckets.
 */
#include "core/table.h"

#include <errno.h>

#define BUCKETS_FIRST 16

void table_init(struct table *t, uint32_t max)
{
    *t = (struct table){.max = max};
}

void table_release(struct table *t, struct tlsyn_alloc *alloc)
{
    if (t->bucket)
        alloc->resize(alloc, t->bucket, 0);
    table_init(t, t->max);
}

static struct table_node **bucket_of(const struct table *t, uint64_t hash)
{
    return &t->bucket[hash & (t->buckets - 1)];
}

static void link_node(struct table *t, struct table_node *node)
{
    struct table_node **bucket = bucket_of(t, node->hash);

    node->next = *bucket;
    *bucket = node;
}

/** Twice the buckets. 0, or -ENOMEM: then nothing changed. */
static int grow(struct table *t, struct tlsyn_alloc *alloc)
{
    struct table old = *t;
    uint32_t buckets = old.buckets ? 2 * old.buckets : BUCKETS_FIRST;
    size_t size = buckets * sizeof(*t->bucket);
    struct table_node **bucket = alloc->resize(alloc, NULL, size);

    if (!bucket)
        return -ENOMEM;
    memset(bucket, 0, size);
    t->bucket = bucket;
    t->buckets = buckets;
    for (uint32_t i = 0; i < old.buckets; i++) {
        for (struct table_node *node = old.bucket[i], *after; node; node = after) {
            after = node->next;
            link_node(t, node);
        }
    }
    if (old.bucket)
        alloc->resize(alloc, old.bucket, 0);
    return 0;
}

int table_add(struct table *t, struct tlsyn_alloc *alloc, struct table_node *node, uint64_t hash)
{
    if (t->count >= t->max)
        return -ENOSPC;
    /* Without memory for more buckets the chains grow instead; only the first buckets are
     * indispensable. */
    if (t->count >= t->buckets && t->buckets < UINT32_C(1) << 31 && grow(t, alloc) < 0 &&
        !t->bucket)
        return -ENOMEM;
    node->hash = hash;
    link_node(t, node);
    t->count++;
    return 0;
}

void table_remove(struct table *t, struct table_node *node)
{
    struct table_node **at = bucket_of(t, node->hash);

    while (*at != node)
        at = &(*at)->next;
    *at = node->next;
    node->next = NULL;
    t->count--;
}

/* The first of a chain, from `node` on. */
static struct table_node *first_of(struct table_node *node, uint64_t hash,
                                   bool (*same)(const struct table_node *, const void *key),
                                   const void *key)
{
    while (node && !(node->hash == hash && same(node, key)))
        node = node->next;
    return node;
}

struct table_node *table_find(const struct table *t, uint64_t hash,
                              bool (*same)(const struct table_node *, const void *key),
                              const void *key)
{
    return t->count > 0 ? first_of(*bucket_of(t, hash), hash, same, key) : NULL;
}

struct table_node *table_find_next(const struct table_node *found,
                                   bool (*same)(const struct table_node *, const void *key),
                                   const void *key)
{
    return first_of(found->next, found->hash, same, key);
}
