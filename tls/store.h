/*
 * store.h: a client's sessions in memory, for a config without a store of its own.
 */
#ifndef TLSYN_TLS_STORE_H
#define TLSYN_TLS_STORE_H

#include <tlsyn/tls.h>

/** A store with so many places; the oldest leaves. NULL: memory is short. */
struct tlsyn_tls_store *store_new(uint32_t places, struct tlsyn_alloc *alloc);

/** Wipes and frees. NULL is allowed. */
void store_free(struct tlsyn_tls_store *store);

#endif
