/*
 * study/credentials.h: throwaway certificates that both stacks' servers show and both stacks'
 * clients verify.
 */
#ifndef STUDY_CREDENTIALS_H
#define STUDY_CREDENTIALS_H

#include <tlsyn/certify.h>

#include "study/names.h"

struct credentials {
    struct tlsyn_certified rsa, ec; /* each leaf with an authority of its own, P-256 */
    int64_t wall_clock;             /* seconds since 1970, at which they are valid */
};

/** Makes keys and certificates; takes up to a second. 0 or -errno. */
int credentials_make(struct credentials *credentials);

/** The same for servers of these names, NULL-terminated. */
int credentials_make_for(struct credentials *credentials, const char *const *names);

/** The pair that a suite uses. */
const struct tlsyn_certified *credentials_for(const struct credentials *credentials,
                                              enum study_suite suite);

/** What a config of the engine is for. */
struct credentials_use {
    enum tlsyn_tls_role role;
    enum study_suite suite;
    enum study_session session;
    struct tlsyn_tls_store *store; /* of a client's sessions, or NULL */
    enum tlsyn_level
        level; /* of the handshakes; OPEN pads the ClientHello, PAPER skips padding behind it */
    struct tlsyn_tls_keylog *keylog; /* or NULL */
    tlsyn_time now;
};

/** 0, or -errno with a sentence of at most TLSYN_TLS_MESSAGE bytes. */
int credentials_config(const struct credentials *credentials, const struct credentials_use *use,
                       struct tlsyn_tls_config **config, char *message);

#endif
