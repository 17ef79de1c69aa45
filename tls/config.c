/*
 * config.c: turns options into mbedTLS's terms: versions, suites, groups, signatures, certificates.
 * Read first: RFC 9325 4; RFC 8446 4.2, 9.1.
 */
#include "config.h"

#include <errno.h>
#include <mbedtls/sha256.h>
#include <mbedtls/ssl_ciphersuites.h>
#include <stdio.h>

#include "early.h"
#include "engine.h"
#include "error.h"

/* --- what is offered, best first -------------------------------------------------------------- */

/* AES-128-GCM stands first everywhere: the hardware does it. */
static const struct {
    int id;
    const char *name;
} suite_names[] = {
    {MBEDTLS_TLS1_3_AES_128_GCM_SHA256, "TLS_AES_128_GCM_SHA256"},
    {MBEDTLS_TLS1_3_AES_256_GCM_SHA384, "TLS_AES_256_GCM_SHA384"},
    {MBEDTLS_TLS1_3_CHACHA20_POLY1305_SHA256, "TLS_CHACHA20_POLY1305_SHA256"},
    {MBEDTLS_TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256, "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256"},
    {MBEDTLS_TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256, "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256"},
    {MBEDTLS_TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384, "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384"},
    {MBEDTLS_TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384, "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384"},
    {MBEDTLS_TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256,
     "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256"},
    {MBEDTLS_TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256,
     "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256"},
    {MBEDTLS_TLS_RSA_WITH_AES_128_GCM_SHA256, "TLS_RSA_WITH_AES_128_GCM_SHA256"},
    {MBEDTLS_TLS_RSA_WITH_AES_256_GCM_SHA384, "TLS_RSA_WITH_AES_256_GCM_SHA384"},
};

#define SUITES_13                                                                                  \
    MBEDTLS_TLS1_3_AES_128_GCM_SHA256, MBEDTLS_TLS1_3_AES_256_GCM_SHA384,                          \
        MBEDTLS_TLS1_3_CHACHA20_POLY1305_SHA256

#define SUITES_12_ECDHE                                                                            \
    MBEDTLS_TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256,                                               \
        MBEDTLS_TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,                                             \
        MBEDTLS_TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384,                                           \
        MBEDTLS_TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,                                             \
        MBEDTLS_TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256,                                     \
        MBEDTLS_TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256

static const int suites_any[] = {SUITES_13, SUITES_12_ECDHE, 0};
static const int suites_13[] = {SUITES_13, 0};
static const int suites_12_ecdhe[] = {SUITES_12_ECDHE, 0};
static const int suites_12_rsa[] = {MBEDTLS_TLS_RSA_WITH_AES_128_GCM_SHA256,
                                    MBEDTLS_TLS_RSA_WITH_AES_256_GCM_SHA384, 0};

/* By enum tlsyn_tls_suite. */
static const struct {
    mbedtls_ssl_protocol_version min, max;
    const int *suites;
} kinds[] = {
    [TLSYN_TLS_ANY] = {MBEDTLS_SSL_VERSION_TLS1_2, MBEDTLS_SSL_VERSION_TLS1_3, suites_any},
    [TLSYN_TLS_12_RSA] = {MBEDTLS_SSL_VERSION_TLS1_2, MBEDTLS_SSL_VERSION_TLS1_2, suites_12_rsa},
    [TLSYN_TLS_12_ECDHE] = {MBEDTLS_SSL_VERSION_TLS1_2, MBEDTLS_SSL_VERSION_TLS1_2,
                            suites_12_ecdhe},
    [TLSYN_TLS_13] = {MBEDTLS_SSL_VERSION_TLS1_3, MBEDTLS_SSL_VERSION_TLS1_3, suites_13},
};

/* X25519 first: mbedTLS's verified implementation of it is several times faster than its P-256.
 * The client sends a key share for the first group only; nearly every server takes it, the
 * others ask again (HelloRetryRequest). */
static const uint16_t groups[] = {
    MBEDTLS_SSL_IANA_TLS_GROUP_X25519, MBEDTLS_SSL_IANA_TLS_GROUP_SECP256R1,
    MBEDTLS_SSL_IANA_TLS_GROUP_SECP384R1, MBEDTLS_SSL_IANA_TLS_GROUP_NONE};

/* RFC 8446 9.1 asks for the first three; the others are what certificates on the Internet are
 * signed with. PKCS #1 stands before PSS, for a server of TLS 1.2 takes the first that it knows,
 * and mbedTLS verifies PSS in TLS 1.3 only (where PKCS #1 is no choice). */
static const uint16_t signatures[] = {MBEDTLS_TLS1_3_SIG_ECDSA_SECP256R1_SHA256,
                                      MBEDTLS_TLS1_3_SIG_RSA_PKCS1_SHA256,
                                      MBEDTLS_TLS1_3_SIG_RSA_PSS_RSAE_SHA256,
                                      MBEDTLS_TLS1_3_SIG_ECDSA_SECP384R1_SHA384,
                                      MBEDTLS_TLS1_3_SIG_RSA_PKCS1_SHA384,
                                      MBEDTLS_TLS1_3_SIG_RSA_PKCS1_SHA512,
                                      MBEDTLS_TLS1_3_SIG_RSA_PSS_RSAE_SHA384,
                                      MBEDTLS_TLS1_3_SIG_RSA_PSS_RSAE_SHA512,
                                      MBEDTLS_TLS1_3_SIG_NONE};

const char *config_suite_name(int ciphersuite)
{
    for (size_t i = 0; i < sizeof(suite_names) / sizeof(suite_names[0]); i++) {
        if (suite_names[i].id == ciphersuite)
            return suite_names[i].name;
    }
    return NULL;
}

/* --- making and freeing ----------------------------------------------------------------------- */

static int refuse(int error, const char *why, char *message)
{
    if (message != NULL)
        snprintf(message, TLSYN_TLS_MESSAGE, "%s", why);
    return error;
}

static int check_options(const struct tlsyn_tls_options *o, char *message)
{
    if (o->role != TLSYN_TLS_CLIENT && o->role != TLSYN_TLS_SERVER)
        return refuse(-EINVAL, "the role is neither client nor server", message);
    if ((size_t)o->suite >= sizeof(kinds) / sizeof(kinds[0]))
        return refuse(-EINVAL, "there is no such suite", message);
    if (o->role == TLSYN_TLS_CLIENT && !o->insecure && o->wall_clock <= 0)
        return refuse(-EINVAL, "to verify certificates the time of day is needed (wall_clock)",
                      message);
    return 0;
}

static int pin(mbedtls_ssl_context *ssl, struct identity *id)
{
    return mbedtls_ssl_set_hs_own_cert(ssl, &id->chain, &id->key);
}

/* RFC 6066 3, RFC 8446 4.4.2.2: the identities that the name fits. */
static int pick_identity(void *context, mbedtls_ssl_context *ssl, const unsigned char *name,
                         size_t len)
{
    struct tlsyn_tls_config *c = context;
    struct tlsyn_tls *tls = c->at_work;

    if (session_name_asked(tls, name, len) != 0)
        return MBEDTLS_ERR_SSL_UNRECOGNIZED_NAME;
    if (tls->identities != NULL) /* a second hello, which asks for the same name */
        return 0;
    for (struct identity *id = c->identities->first; id != NULL; id = id->next) {
        int code;

        if (!identity_matches(id, (const char *)name, len))
            continue;
        tls->named = true;
        code = pin(ssl, id);
        if (code != 0)
            return code;
    }
    return 0;
}

/* A server's certificate callback: the hello has been read. The handshake goes on with who we are
 * now, though we be somebody else when mbedTLS picks a certificate; if a name fits none, it goes by
 * the suite alone. */
static int on_hello(mbedtls_ssl_context *ssl)
{
    struct tlsyn_tls *tls = mbedtls_ssl_get_user_data_p(ssl);
    struct identity_set *set = tls->config->identities;
    int code = 0;

    if (tls->identities == NULL) {
        tls->identities = identity_set_take(set);
        for (struct identity *id = tls->named ? NULL : set->first; id != NULL && code == 0;
             id = id->next)
            code = pin(ssl, id);
    }
    return code == 0 ? early_judge(ssl) : code;
}

/* Protocols that nobody speaks: mbedTLS has no padding extension (RFC 7685). With these every
 * ClientHello is longer than 511 bytes, the end of a range of lengths that some old
 * middleboxes can't take. */
static const char *const padding[] = {
    "tlsyn-padding-1-----------------------------------------------------------",
    "tlsyn-padding-2-----------------------------------------------------------",
    "tlsyn-padding-3-----------------------------------------------------------",
    "tlsyn-padding-4-----------------------------------------------------------",
    "tlsyn-padding-5-----------------------------------------------------------",
    "tlsyn-padding-6-----------------------------------------------------------",
};

#define PADDING_NAMES (sizeof(padding) / sizeof(*padding))

/* Padding alone would be refused by a server that insists on a protocol that it knows
 * (RFC 7301 3.2). */
static int set_alpn(struct tlsyn_tls_config *c, const char *const *names, bool pad)
{
    size_t n = 0;

    if (names == NULL || names[0] == NULL)
        return 0;
    while (names[n] != NULL)
        n++;
    c->alpn = c->alloc->resize(c->alloc, NULL, (n + PADDING_NAMES + 1) * sizeof(*c->alpn));
    if (c->alpn == NULL)
        return MBEDTLS_ERR_SSL_ALLOC_FAILED;
    for (size_t i = 0; i < n; i++)
        c->alpn[i] = names[i];
    c->protocols = n;
    for (size_t i = 0; pad && i < PADDING_NAMES; i++)
        c->alpn[n++] = padding[i];
    c->alpn[n] = NULL;
    return mbedtls_ssl_conf_alpn_protocols(&c->ssl, c->alpn);
}

/* A server is asked about early data even where it allows none, for it must pass it over. */
static int set_early_data(struct tlsyn_tls_config *c, const struct tlsyn_tls_options *o)
{
    uint32_t entries = o->early_entries > 0 ? o->early_entries : TLSYN_TLS_EARLY_ENTRIES;

    if (o->early_data == 0)
        return 0;
    mbedtls_ssl_conf_early_data(&c->ssl, MBEDTLS_SSL_EARLY_DATA_ENABLED);
    if (c->role == TLSYN_TLS_CLIENT)
        return 0;
    mbedtls_ssl_conf_max_early_data_size(&c->ssl, o->early_data);
    return strikes_init(&c->strikes, entries, c->random, c->alloc) == 0
               ? 0
               : MBEDTLS_ERR_SSL_ALLOC_FAILED;
}

static int set_up(struct tlsyn_tls_config *c, const struct tlsyn_tls_options *o)
{
    bool is_client = o->role == TLSYN_TLS_CLIENT;
    int code = mbedtls_ssl_config_defaults(
        &c->ssl, is_client ? MBEDTLS_SSL_IS_CLIENT : MBEDTLS_SSL_IS_SERVER,
        MBEDTLS_SSL_TRANSPORT_STREAM, MBEDTLS_SSL_PRESET_DEFAULT);

    if (code != 0)
        return code;
    mbedtls_ssl_conf_rng(&c->ssl, platform_random, c->random);
    mbedtls_ssl_conf_min_tls_version(&c->ssl, kinds[o->suite].min);
    mbedtls_ssl_conf_max_tls_version(&c->ssl, kinds[o->suite].max);
    mbedtls_ssl_conf_ciphersuites(&c->ssl, kinds[o->suite].suites);
    mbedtls_ssl_conf_groups(&c->ssl, groups);
    mbedtls_ssl_conf_sig_algs(&c->ssl, signatures);
    code = session_setup(c, o);
    if (code != 0)
        return code;
    if (is_client) {
        mbedtls_ssl_conf_authmode(&c->ssl, o->insecure ? MBEDTLS_SSL_VERIFY_NONE
                                                       : MBEDTLS_SSL_VERIFY_REQUIRED);
    } else {
        mbedtls_ssl_conf_sni(&c->ssl, pick_identity, c);
        mbedtls_ssl_conf_cert_cb(&c->ssl, on_hello);
    }
    code = set_early_data(c, o);
    return code != 0 ? code : set_alpn(c, o->alpn, is_client && o->pad_hello);
}

int tlsyn_tls_config_new(const struct tlsyn_tls_options *options, struct tlsyn_tls_config **config,
                         char *message)
{
    struct tlsyn_alloc *alloc = options->alloc != NULL ? options->alloc : tlsyn_alloc_libc();
    struct tlsyn_tls_config *c;
    int code, r = check_options(options, message);

    if (r != 0)
        return r;
    r = platform_init();
    if (r != 0)
        return refuse(r, "mbedTLS's cryptography could not be started", message);
    c = alloc->resize(alloc, NULL, sizeof(*c));
    if (c == NULL)
        return refuse(-ENOMEM, "memory is short", message);
    *c = (struct tlsyn_tls_config){
        .role = options->role,
        .suite = options->suite,
        .insecure = options->role == TLSYN_TLS_CLIENT && options->insecure,
        .paper = options->paper,
        .keylog = options->keylog,
        .early_data = options->early_data,
        .random = options->random != NULL ? options->random : tlsyn_random_kernel(),
        .alloc = alloc,
        .clock = {.wall = options->wall_clock, .at = options->wall_at},
    };
    work_init(&c->work, options->handshakes_per_second ? options->handshakes_per_second
                                                       : TLSYN_TLS_HANDSHAKES);
    mbedtls_ssl_config_init(&c->ssl);
    mbedtls_x509_crt_init(&c->trust);
    c->identities = identity_set_new(alloc);
    code = c->identities != NULL ? set_up(c, options) : MBEDTLS_ERR_SSL_ALLOC_FAILED;
    if (code != 0) {
        tlsyn_tls_config_free(c);
        return error_message(code, "these TLS options do not go together", message);
    }
    *config = c;
    return 0;
}

void tlsyn_tls_config_free(struct tlsyn_tls_config *config)
{
    struct tlsyn_alloc *alloc;

    if (config == NULL)
        return;
    alloc = config->alloc;
    mbedtls_ssl_config_free(&config->ssl);
    session_teardown(config);
    mbedtls_x509_crt_free(&config->trust);
    if (config->identities != NULL)
        identity_set_retire(alloc, config->identities, NULL);
    if (config->alpn != NULL)
        alloc->resize(alloc, config->alpn, 0);
    strikes_fini(&config->strikes, alloc);
    alloc->resize(alloc, config, 0);
}

/* --- about a config --------------------------------------------------------------------------- */

void tlsyn_tls_config_counters(const struct tlsyn_tls_config *config,
                               struct tlsyn_tls_counters *counters)
{
    *counters = config->counters;
    counters->sessions = config->server.ids.count;
    counters->evicted = config->server.ids.evicted;
}

/* --- certificates ----------------------------------------------------------------------------- */

/* What it is added to has it until its end. */
static int add_identity(struct tlsyn_tls_config *config, struct identity_set *set,
                        struct identity *id, char *message)
{
    int code = mbedtls_ssl_conf_own_cert(&config->ssl, &id->chain, &id->key);

    if (code == 0) {
        identity_set_add(set, id);
        return 0;
    }
    identity_free(config->alloc, id);
    return error_message(code, "the certificate cannot be used", message);
}

int tlsyn_tls_config_identity(struct tlsyn_tls_config *config, const void *chain, size_t chain_len,
                              const void *key, size_t key_len, char *message)
{
    const struct bytes chain_bytes = {chain, chain_len}, key_bytes = {key, key_len};
    struct identity *id;
    int r;

    platform_use(&config->clock, config->clock.at, config->random);
    r = identity_new(config->alloc, config->random, &chain_bytes, &key_bytes, &id, message);
    return r == 0 ? add_identity(config, config->identities, id, message) : r;
}

int tlsyn_tls_config_replace(struct tlsyn_tls_config *config, const void *chain, size_t chain_len,
                             const void *key, size_t key_len, char *message)
{
    const struct bytes chain_bytes = {chain, chain_len}, key_bytes = {key, key_len};
    mbedtls_ssl_key_cert **list = &config->ssl.MBEDTLS_PRIVATE(key_cert), *before = *list;
    struct identity_set *set;
    struct identity *id;
    int r;

    platform_use(&config->clock, config->clock.at, config->random);
    r = identity_new(config->alloc, config->random, &chain_bytes, &key_bytes, &id, message);
    if (r != 0)
        return r;
    set = identity_set_new(config->alloc);
    if (set == NULL) {
        identity_free(config->alloc, id);
        return refuse(-ENOMEM, "memory is short", message);
    }
    *list = NULL;
    r = add_identity(config, set, id, message);
    if (r != 0) {
        *list = before;
        identity_set_retire(config->alloc, set, NULL);
        return r;
    }
    identity_set_retire(config->alloc, config->identities, before);
    config->identities = set;
    return 0;
}

/* So that a session got under one trust is not resumed under another. */
static void digest_trust(struct tlsyn_tls_config *c, const void *certificates, size_t len)
{
    mbedtls_sha256_context sha;

    mbedtls_sha256_init(&sha);
    (void)mbedtls_sha256_starts(&sha, 0);
    (void)mbedtls_sha256_update(&sha, c->trust_digest, sizeof(c->trust_digest));
    (void)mbedtls_sha256_update(&sha, certificates, len);
    (void)mbedtls_sha256_finish(&sha, c->trust_digest);
    mbedtls_sha256_free(&sha);
}

int tlsyn_tls_config_trust(struct tlsyn_tls_config *config, const void *certificates, size_t len,
                           char *message)
{
    int taken;

    platform_use(&config->clock, config->clock.at, config->random);
    taken = certificates_parse(config->alloc, &config->trust, certificates, len);
    if (taken < 0)
        return error_message(taken, "no trusted certificate could be read", message);
    mbedtls_ssl_conf_ca_chain(&config->ssl, &config->trust, NULL);
    digest_trust(config, certificates, len);
    return taken;
}
