/*
 * core/table.h: a bounded hash table with nodes that live inside the objects found.
 *
 * The hash is the caller's, keyed (core/siphash.h), so that nobody outside can aim at one bucket.
 * Buckets double as the table fills, and the number of entries is bounded.
 */
#ifndef TLSYN_CORE_TABLE_H
#define TLSYN_CORE_TABLE_H

#include <tlsyn/stack.h>

struct table_node {
    struct table_node *next;
    uint64_t hash;
};

struct table {
    struct table_node **bucket;
    uint32_t buckets; /* a power of two, or 0 before the first entry */
    uint32_t count;
    uint32_t max;
};

void table_init(struct table *t, uint32_t max);

/** Frees the buckets; the entries are their owners' affair. */
void table_release(struct table *t, struct tlsyn_alloc *alloc);

/** 0, -ENOSPC at the bound, -ENOMEM. Equal keys are not looked for. */
int table_add(struct table *t, struct tlsyn_alloc *alloc, struct table_node *node, uint64_t hash);

/** The node must be in the table. */
void table_remove(struct table *t, struct table_node *node);

/** The first node with this hash for which `same(node, key)` holds, or NULL. */
struct table_node *table_find(const struct table *t, uint64_t hash,
                              bool (*same)(const struct table_node *, const void *key),
                              const void *key);

/** Behind one that was found: the next with its hash for which `same` holds, or NULL. */
struct table_node *table_find_next(const struct table_node *found,
                                   bool (*same)(const struct table_node *, const void *key),
                                   const void *key);

#endif
