/*
 * store.c: so many places, walked from the newest to the oldest. Few enough that a walk costs less
 * than the ClientHello.
 */
#include "store.h"

#include <mbedtls/platform_util.h>
#include <string.h>

/* One allocation: key with its zero, then the bytes. */
struct place {
    char *key; /* NULL: free */
    size_t key_size, len;
    int64_t until;
    bool once;
};

struct memory {
    struct tlsyn_tls_store base;
    struct tlsyn_alloc *alloc;
    uint32_t places, next; /* the place that is taken next */
    struct place place[];
};

static struct memory *memory_of(struct tlsyn_tls_store *store)
{
    return (struct memory *)(void *)store; /* first member */
}

static uint8_t *bytes_of(const struct place *p)
{
    return (uint8_t *)p->key + p->key_size;
}

static void vacate(struct memory *m, struct place *p)
{
    if (p->key == NULL)
        return;
    mbedtls_platform_zeroize(p->key, p->key_size + p->len);
    m->alloc->resize(m->alloc, p->key, 0);
    p->key = NULL;
}

/* The i-th, counted from the newest. */
static struct place *newest(struct memory *m, uint32_t i)
{
    return &m->place[(m->next + m->places - 1 - i) % m->places];
}

static size_t find(struct tlsyn_tls_store *store, const char *key, int64_t now, void *bytes,
                   size_t size)
{
    struct memory *m = memory_of(store);

    for (uint32_t i = 0; i < m->places; i++) {
        struct place *p = newest(m, i);
        size_t len = p->len;

        if (p->key == NULL || p->until <= now || len > size || strcmp(p->key, key) != 0)
            continue;
        memcpy(bytes, bytes_of(p), len);
        if (p->once)
            vacate(m, p);
        return len;
    }
    return 0;
}

static void keep(struct tlsyn_tls_store *store, const char *key, const void *bytes, size_t len,
                 const struct tlsyn_tls_entry *entry)
{
    struct memory *m = memory_of(store);
    struct place *p = &m->place[m->next];
    size_t key_size = strlen(key) + 1;
    char *both = m->alloc->resize(m->alloc, NULL, key_size + len);

    if (both == NULL)
        return;
    vacate(m, p);
    *p = (struct place){both, key_size, len, entry->until, entry->once};
    memcpy(both, key, key_size);
    memcpy(both + key_size, bytes, len);
    m->next = (m->next + 1) % m->places;
}

static void drop(struct tlsyn_tls_store *store, const char *key, const void *bytes, size_t len)
{
    struct memory *m = memory_of(store);

    for (uint32_t i = 0; i < m->places; i++) {
        struct place *p = &m->place[i];

        if (p->key != NULL && p->len == len && strcmp(p->key, key) == 0 &&
            memcmp(bytes_of(p), bytes, len) == 0)
            vacate(m, p);
    }
}

struct tlsyn_tls_store *store_new(uint32_t places, struct tlsyn_alloc *alloc)
{
    static const struct tlsyn_tls_store_ops ops = {.find = find, .keep = keep, .drop = drop};
    size_t size = sizeof(struct memory) + places * sizeof(struct place);
    struct memory *m = alloc->resize(alloc, NULL, size);

    if (m == NULL)
        return NULL;
    memset(m, 0, size);
    m->base.ops = &ops;
    m->alloc = alloc;
    m->places = places;
    return &m->base;
}

void store_free(struct tlsyn_tls_store *store)
{
    struct memory *m = memory_of(store);

    if (m == NULL)
        return;
    for (uint32_t i = 0; i < m->places; i++)
        vacate(m, &m->place[i]);
    m->alloc->resize(m->alloc, m, 0);
}
