/*
 * verify.h: why a certificate was refused, in words. The chain, name and time are checked by
 * mbedTLS (RFC 5280, RFC 6125).
 */
#ifndef TLSYN_TLS_VERIFY_H
#define TLSYN_TLS_VERIFY_H

#include <mbedtls/x509_crt.h>

/** What was found while the peer's chain was checked. All zero: nothing wrong. */
struct verify_finding {
    uint32_t flags;            /* MBEDTLS_X509_BADCERT_*, of all the chain */
    mbedtls_x509_time expired; /* the end of validity, if EXPIRED */
    mbedtls_x509_time future;  /* the start of validity, if FUTURE */
    char names[128];           /* whom the leaf speaks for, if CN_MISMATCH */
    char issuer[128];          /* who signed the last certificate of the chain, if NOT_TRUSTED */
};

/** mbedTLS's verification callback; the context is a struct verify_finding. Changes no verdict.
 * Always 0. */
int verify_note(void *finding, mbedtls_x509_crt *crt, int depth, uint32_t *flags);

/** The alert that tells the server why its certificate was refused (RFC 8446 6.2), by the flags of
 * a finding. */
int verify_alert(uint32_t flags);

/** The sentence, with what can be done about it. `host` is the name that was expected; `wall` is
 * what the clock said (seconds since 1970). */
void verify_sentence(const struct verify_finding *finding, const char *host, int64_t wall,
                     char *text, size_t size);

#endif
