/*
 * study/pageload/larder.c: sessions in an array.
 */
#include "study/pageload/larder.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

static struct larder *of(struct tlsyn_tls_store *store)
{
    return (struct larder *)store; /* first member */
}

static size_t find(struct tlsyn_tls_store *store, const char *key, int64_t now, void *bytes,
                   size_t size)
{
    struct larder *larder = of(store);
    struct larder_item *newest = NULL;
    size_t n;

    (void)now; /* a study ends before a session does */
    for (int i = 0; i < LARDER_MAX; i++) {
        struct larder_item *item = &larder->item[i];

        if (item->len > 0 && item->len <= size && strcmp(item->key, key) == 0 &&
            (!newest || item->age > newest->age))
            newest = item;
    }
    if (!newest)
        return 0;
    n = newest->len;
    memcpy(bytes, newest->bytes, n);
    if (newest->once)
        newest->len = 0;
    return n;
}

/* A free place, else the oldest's. */
static struct larder_item *place(struct larder *larder)
{
    struct larder_item *oldest = &larder->item[0];

    for (int i = 0; i < LARDER_MAX; i++) {
        if (larder->item[i].len == 0)
            return &larder->item[i];
        if (larder->item[i].age < oldest->age)
            oldest = &larder->item[i];
    }
    return oldest;
}

static void keep(struct tlsyn_tls_store *store, const char *key, const void *bytes, size_t len,
                 const struct tlsyn_tls_entry *entry)
{
    struct larder *larder = of(store);
    struct larder_item *item = place(larder);

    if (len > sizeof(item->bytes))
        return;
    (void)snprintf(item->key, sizeof(item->key), "%s", key);
    memcpy(item->bytes, bytes, len);
    item->len = len;
    item->once = entry->once;
    item->age = ++larder->age;
    larder->kept++;
}

static void drop(struct tlsyn_tls_store *store, const char *key, const void *bytes, size_t len)
{
    struct larder *larder = of(store);

    for (int i = 0; i < LARDER_MAX; i++) {
        struct larder_item *item = &larder->item[i];

        if (item->len == len && strcmp(item->key, key) == 0 && memcmp(item->bytes, bytes, len) == 0)
            item->len = 0;
    }
}

static const struct tlsyn_tls_store_ops ops = {.find = find, .keep = keep, .drop = drop};

void larder_init(struct larder *larder)
{
    memset(larder, 0, sizeof(*larder));
    larder->store.ops = &ops;
}

int larder_count(const struct larder *larder, const char *name)
{
    size_t n = strlen(name);
    int count = 0;

    for (int i = 0; i < LARDER_MAX; i++) {
        const struct larder_item *item = &larder->item[i];

        count += item->len > 0 && strncasecmp(item->key, name, n) == 0 && item->key[n] == ':';
    }
    return count;
}
