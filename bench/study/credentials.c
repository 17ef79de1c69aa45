/*
 * study/credentials.c: throwaway certificates, and the engine's configs made of them.
 */
#include "study/credentials.h"

#include <string.h>
#include <time.h>

#define DAYS      2
#define SESSIONS  64 /* that a server keeps by their ID */
#define EARLY_MAX 16384

int credentials_make(struct credentials *credentials)
{
    static const char *const names[] = {STUDY_SERVER_NAME, NULL};

    return credentials_make_for(credentials, names);
}

int credentials_make_for(struct credentials *credentials, const char *const *names)
{
    struct tlsyn_certify_options options = {.names = names,
                                            .rsa = true,
                                            .now = (int64_t)time(NULL),
                                            .days = DAYS,
                                            .random = tlsyn_random_kernel()};
    int error = tlsyn_certify(&options, &credentials->rsa);

    credentials->wall_clock = options.now;
    options.rsa = false;
    return error < 0 ? error : tlsyn_certify(&options, &credentials->ec);
}

const struct tlsyn_certified *credentials_for(const struct credentials *credentials,
                                              enum study_suite suite)
{
    return suite == STUDY_12_RSA ? &credentials->rsa : &credentials->ec;
}

int credentials_config(const struct credentials *credentials, const struct credentials_use *use,
                       struct tlsyn_tls_config **config, char *message)
{
    static const char *const alpn[] = {"http/1.0",
                                       NULL}; /* padding is protocol names behind this one */
    const struct tlsyn_certified *c = credentials_for(credentials, use->suite);
    bool pad = use->role == TLSYN_TLS_CLIENT && use->level == TLSYN_LEVEL_OPEN;
    bool by_id = use->role == TLSYN_TLS_SERVER && use->session == STUDY_ID;
    bool by_ticket = use->role == TLSYN_TLS_SERVER && use->session > STUDY_ID;
    bool early = use->session == STUDY_EARLY;
    const struct tlsyn_tls_options options = {.role = use->role,
                                              .suite = study_suite_tls(use->suite),
                                              .paper = use->level == TLSYN_LEVEL_PAPER,
                                              .alpn = pad ? alpn : NULL,
                                              .early_data = early ? EARLY_MAX : 0,
                                              .tickets = by_ticket ? 1 : 0,
                                              .sessions = by_id ? SESSIONS : 0,
                                              .store = use->store,
                                              .pad_hello = pad,
                                              .keylog = use->keylog,
                                              .wall_clock = credentials->wall_clock,
                                              .wall_at = use->now};
    int error = tlsyn_tls_config_new(&options, config, message);

    if (error < 0)
        return error;
    if (use->role == TLSYN_TLS_SERVER)
        error = tlsyn_tls_config_identity(*config, c->chain, strlen(c->chain), c->key,
                                          strlen(c->key), message);
    else
        error = tlsyn_tls_config_trust(*config, c->ca, strlen(c->ca), message);
    if (error >= 0)
        return 0;
    tlsyn_tls_config_free(*config);
    *config = NULL;
    return error;
}
