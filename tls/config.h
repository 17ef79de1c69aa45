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
#include "session.h"
#include "store.h"
#include "strikes.h"
#include "work.h"

struct tlsyn_tls_config {
    enum tlsyn_tls_role role;
    enum tlsyn_tls_suite suite;
    bool insecure;
    bool paper;
    struct tlsyn_tls_keylog *keylog; /* or NULL; the caller's */
    struct tlsyn_random *random;     /* the caller's, or the kernel's */
    struct tlsyn_alloc *alloc;       /* for this and for the sessions; the caller's, or libc's */
    struct platform_clock clock;
    uint32_t early_data;    /* bytes; 0: none is allowed */
    struct strikes strikes; /* a server's that allows it */
    mbedtls_ssl_config ssl;
    const char **alpn;        /* our array of the caller's strings, or NULL */
    size_t protocols;         /* in it, without what pads */
    mbedtls_x509_crt trust;   /* empty until tlsyn_tls_config_trust() */
    uint8_t trust_digest[32]; /* of all that tlsyn_tls_config_trust() was given */
    struct session_server server;
    struct work work;
    struct tlsyn_tls_store *store;     /* a client's: the caller's, or own_store, or NULL */
    struct tlsyn_tls_store *chains;    /* a client's; the caller's, or NULL */
    struct tlsyn_tls_store *own_store; /* or NULL */
    struct tlsyn_tls_counters counters;
    struct tlsyn_tls *at_work;       /* on whose behalf mbedTLS runs (tls_use()) */
    struct identity_set *identities; /* ours; those replaced are their handshakes' */
};

/** The IANA name of a suite that we offer, or NULL. */
const char *config_suite_name(int ciphersuite);

#endif
