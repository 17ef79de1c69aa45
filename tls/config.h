/*
 * config.h: what the sessions of one kind share: role, versions and suites, identities, trusted
 * certificates. The contract is in tlsyn/tls.h.
 */
#ifndef TLSYN_TLS_CONFIG_H
#define TLSYN_TLS_CONFIG_H

#include <mbedtls/ssl.h>
#include <tlsyn/tls.h>

#include "identity.h"
#include "platform.h"

struct tlsyn_tls_config {
    enum tlsyn_tls_role role;
    enum tlsyn_tls_suite suite;
    bool insecure;
    bool paper;
    struct tlsyn_tls_keylog *keylog; /* or NULL; the caller's */
    struct tlsyn_random *random;     /* the caller's, or the kernel's */
    struct tlsyn_alloc *alloc;       /* for this and for the sessions; the caller's, or libc's */
    struct platform_clock clock;
    mbedtls_ssl_config ssl;
    const char **alpn;           /* our array of the caller's strings, or NULL */
    mbedtls_x509_crt trust;      /* empty until tlsyn_tls_config_trust() */
    struct identity *identities; /* owned; newest first, mbedTLS keeps the order of arrival */
};

/** The IANA name of a suite that we offer, or NULL. */
const char *config_suite_name(int ciphersuite);

#endif
