/*
 * identity.h: a certificate chain with its private key, and the names that it speaks for.
 */
#ifndef TLSYN_TLS_IDENTITY_H
#define TLSYN_TLS_IDENTITY_H

#include <mbedtls/pk.h>
#include <mbedtls/x509_crt.h>
#include <tlsyn/tls.h>

/** Somebody else's memory, to be read. */
struct bytes {
    const void *at;
    size_t len;
};

/** Owned by the config whose list it is in; `next` is the list's. */
struct identity {
    struct identity *next;
    mbedtls_x509_crt chain; /* leaf first */
    mbedtls_pk_context key;
};

/** PEM or DER, in bytes. 0, -ENOMEM, or -EPROTO with a sentence in `message` (TLSYN_TLS_MESSAGE
 * bytes, may be NULL). */
int identity_new(struct tlsyn_alloc *alloc, struct tlsyn_random *random, const struct bytes *chain,
                 const struct bytes *key, struct identity **identity, char *message);

/** NULL is allowed. */
void identity_free(struct tlsyn_alloc *alloc, struct identity *identity);

/** Whether the leaf names this host: its DNS names (RFC 6125 6.4, wildcard as the whole leftmost
 * label), or its common name if it has none. The name is not terminated. */
bool identity_matches(const struct identity *identity, const char *name, size_t len);

/** Appends the certificates in `bytes` (PEM, of which several may follow each other, or one in
 * DER) to the chain. Returns how many were taken; what cannot be read among others is skipped.
 * If none: a negative mbedTLS code. */
int certificates_parse(struct tlsyn_alloc *alloc, mbedtls_x509_crt *chain, const void *bytes,
                       size_t len);

#endif
