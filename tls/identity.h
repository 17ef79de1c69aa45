/*
 * identity.h: a certificate chain with its private key, and the names that it speaks for.
 */
#ifndef TLSYN_TLS_IDENTITY_H
#define TLSYN_TLS_IDENTITY_H

#include <mbedtls/pk.h>
#include <mbedtls/ssl.h>
#include <mbedtls/x509_crt.h>
#include <tlsyn/tls.h>

/** Somebody else's memory, to be read. */
struct bytes {
    const void *at;
    size_t len;
};

/** Owned by the set that it is in; `next` is the set's. */
struct identity {
    struct identity *next;
    mbedtls_x509_crt chain; /* leaf first */
    mbedtls_pk_context key;
};

/** Who a server is at a time. A handshake ends with what it began with: so a set that another has
 * replaced lives until the last of its handshakes is over. */
struct identity_set {
    struct identity *first;       /* in the order of arrival */
    uint32_t handshakes;          /* under way */
    bool retired;                 /* no other will begin: gone with the last of them */
    mbedtls_ssl_key_cert *listed; /* of one that is retired: mbedTLS's list of them, or NULL */
};

/** PEM or DER, in bytes. 0, -ENOMEM or -EPROTO, with a sentence in `message` (TLSYN_TLS_MESSAGE
 * bytes, may be NULL). */
int identity_new(struct tlsyn_alloc *alloc, struct tlsyn_random *random, const struct bytes *chain,
                 const struct bytes *key, struct identity **identity, char *message);

/** NULL is allowed. */
void identity_free(struct tlsyn_alloc *alloc, struct identity *identity);

/** An empty set, or NULL: no memory. */
struct identity_set *identity_set_new(struct tlsyn_alloc *alloc);

void identity_set_add(struct identity_set *set, struct identity *identity);

/** No handshake begins to use it any more: it is freed, with `listed` (which may be NULL), at once
 * or with the last that does. */
void identity_set_retire(struct tlsyn_alloc *alloc, struct identity_set *set,
                         mbedtls_ssl_key_cert *listed);

/** A handshake begins to use the set. */
struct identity_set *identity_set_take(struct identity_set *set);

/** It is over, if it ever began: *set becomes NULL. */
void identity_set_release(struct tlsyn_alloc *alloc, struct identity_set **set);

/** Whether the leaf names this host: its DNS names (RFC 6125 6.4, wildcard as the whole leftmost
 * label), or its common name if it has none. The name is not terminated. */
bool identity_matches(const struct identity *identity, const char *name, size_t len);

/** Appends the certificates in `bytes` (PEM, of which several may follow each other, or one in
 * DER) to the chain. Returns how many were taken; what cannot be read among others is skipped.
 * If none: a negative mbedTLS code. */
int certificates_parse(struct tlsyn_alloc *alloc, mbedtls_x509_crt *chain, const void *bytes,
                       size_t len);

#endif
