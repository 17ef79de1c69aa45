/*
 * study/pocket.c: room for one session.
 */
#include "study/pocket.h"

#include <string.h>

static size_t find(struct tlsyn_tls_store *store, const char *key, int64_t now, void *bytes,
                   size_t size)
{
    struct pocket *p = (struct pocket *)store;
    size_t n = p->len <= size ? p->len : 0;

    (void)key; /* one server, one suite */
    (void)now; /* a study ends before a session does */
    memcpy(bytes, p->bytes, n);
    if (p->once)
        p->len = 0;
    return n;
}

static void keep(struct tlsyn_tls_store *store, const char *key, const void *bytes, size_t len,
                 const struct tlsyn_tls_entry *entry)
{
    struct pocket *p = (struct pocket *)store;

    (void)key;
    if (len > sizeof(p->bytes))
        return;
    memcpy(p->bytes, bytes, len);
    p->len = len;
    p->once = entry->once;
    p->on_keep(p);
}

static void drop(struct tlsyn_tls_store *store, const char *key, const void *bytes, size_t len)
{
    struct pocket *p = (struct pocket *)store;

    (void)key;
    if (len == p->len && memcmp(bytes, p->bytes, len) == 0)
        p->len = 0;
}

static const struct tlsyn_tls_store_ops ops = {.find = find, .keep = keep, .drop = drop};

void pocket_init(struct pocket *pocket, void (*on_keep)(struct pocket *), void *owner)
{
    *pocket = (struct pocket){.store = {&ops}, .on_keep = on_keep, .owner = owner};
}
