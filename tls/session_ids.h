/*
 * session_ids.h: a server's sessions, kept to be found by their ID (TLS 1.2).
 * Read first: RFC 5246 7.4.1.2, 7.4.1.3 (session_id), F.1.4.
 *
 * So many places and no more, taken in a circle: as all sessions live equally long, the next place
 * is the one whose session is oldest. They are found by the first bytes of the ID, which are our
 * own randomness: nobody outside can aim at one bucket, so this hash needs no key.
 */
#ifndef TLSYN_TLS_SESSION_IDS_H
#define TLSYN_TLS_SESSION_IDS_H

#include <mbedtls/ssl.h>
#include <tlsyn/stack.h>

#include "ticket.h"

#define SESSION_ID 32

struct session_place;

struct session_ids {
    struct session_place *place; /* NULL until the first session comes */
    uint32_t *bucket;            /* 1 + the first place of a chain; as many as `buckets` */
    uint32_t max, next, buckets; /* buckets: a power of two */
    uint32_t lifetime;           /* seconds */
    uint32_t count;
    uint64_t evicted; /* left before their time */
    struct tlsyn_alloc *alloc;
};

void session_ids_init(struct session_ids *s, uint32_t max, uint32_t lifetime,
                      struct tlsyn_alloc *alloc);

/** Wipes and frees. */
void session_ids_fini(struct session_ids *s);

/** Keeps a session under its ID (SESSION_ID bytes); nothing is kept where memory is short or the
 * session is larger than a place. 0, or a negative code of mbedTLS's. */
int session_ids_put(struct session_ids *s, int64_t now, const struct ticket_owner *owner,
                    const unsigned char *id, const mbedtls_ssl_session *session);

/** 0, or MBEDTLS_ERR_SSL_CACHE_ENTRY_NOT_FOUND: not there, too old, or another owner's. The
 * session is initialised and empty. */
int session_ids_get(struct session_ids *s, int64_t now, const struct ticket_owner *owner,
                    const unsigned char *id, size_t id_len, mbedtls_ssl_session *session);

#endif
