/*
 * shelf.c: a store in an array.
 */
#include "shelf.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

static struct shelf *shelf_of(struct tlsyn_tls_store *store)
{
    return (struct shelf *)(void *)store;
}

static void shelf_remove(struct shelf *s, int i)
{
    memmove(&s->item[i], &s->item[i + 1], (size_t)(s->n - i - 1) * sizeof(s->item[0]));
    s->n--;
}

static size_t shelf_find(struct tlsyn_tls_store *store, const char *key, int64_t now, void *bytes,
                         size_t size)
{
    struct shelf *s = shelf_of(store);

    for (int i = s->n - 1; i >= 0; i--) {
        size_t len = s->item[i].len;

        if (!s->any_key && (strcmp(s->item[i].key, key) != 0 || s->item[i].entry.until <= now))
            continue;
        ck_assert_uint_le(len, size);
        memcpy(bytes, s->item[i].bytes, len);
        if (s->item[i].entry.once)
            shelf_remove(s, i);
        s->found++;
        return len;
    }
    return 0;
}

static void shelf_keep(struct tlsyn_tls_store *store, const char *key, const void *bytes,
                       size_t len, const struct tlsyn_tls_entry *entry)
{
    struct shelf *s = shelf_of(store);

    ck_assert_int_lt(s->n, SHELF);
    ck_assert(len <= SESSION_BYTES && strlen(key) < SESSION_KEY);
    strcpy(s->item[s->n].key, key);
    memcpy(s->item[s->n].bytes, bytes, len);
    s->item[s->n].len = len;
    s->item[s->n++].entry = *entry;
}

static void shelf_drop(struct tlsyn_tls_store *store, const char *key, const void *bytes,
                       size_t len)
{
    struct shelf *s = shelf_of(store);

    (void)key;
    s->dropped++;
    for (int i = s->n - 1; i >= 0; i--) {
        if (s->item[i].len == len && memcmp(s->item[i].bytes, bytes, len) == 0)
            shelf_remove(s, i);
    }
}

static const struct tlsyn_tls_store_ops shelf_ops = {
    .find = shelf_find, .keep = shelf_keep, .drop = shelf_drop};

struct shelf *shelf_new(void)
{
    struct shelf *s = calloc(1, sizeof(*s));

    ck_assert_ptr_nonnull(s);
    s->base.ops = &shelf_ops;
    return s;
}
