/*
 * chain.c: the server's chain, known or verified.
 *
 *     digest of the chain and what it is for -> the store has it, and the time is right -> known
 *                                            -> else verified, and kept with its times
 */
#include "chain.h"

#include <mbedtls/oid.h>
#include <mbedtls/sha256.h>
#include <string.h>

#include "engine.h"
#include "sentence.h"
#include "stored.h"

#define FORMAT   1
#define CHECKSUM STORED_CHECKSUM
#define ENTRY    (1 + 8 + 8 + CHECKSUM)
#define KEY      (6 + 64 + 1)

/* From when until when, by the wall clock. */
struct times {
    int64_t from, until;
};

static mbedtls_x509_crt *peer_chain(const struct tlsyn_tls *tls)
{
    const mbedtls_ssl_session *session = tls->ssl.MBEDTLS_PRIVATE(session_negotiate);

    return session != NULL ? session->MBEDTLS_PRIVATE(peer_cert) : NULL;
}

static int64_t wall_now(const struct tlsyn_tls *tls)
{
    return platform_wall(&tls->config->clock, tlsyn_stack_now(tlsyn_conn_stack(tls->conn)));
}

static bool is_tls_12(const struct tlsyn_tls *tls)
{
    return mbedtls_ssl_get_version_number(&tls->ssl) == MBEDTLS_SSL_VERSION_TLS1_2;
}

static bool is_rsa_exchange(const struct tlsyn_tls *tls)
{
    return tls->config->suite == TLSYN_TLS_12_RSA; /* which no other suite offers */
}

/* --- the memory ------------------------------------------------------------------------------- */

/* Each part with its length, so that two divisions of the same bytes differ. */
static void add(mbedtls_sha256_context *sha, const void *bytes, size_t n)
{
    const unsigned char size[4] = {(unsigned char)(n >> 24), (unsigned char)(n >> 16),
                                   (unsigned char)(n >> 8), (unsigned char)n};

    (void)mbedtls_sha256_update(sha, size, sizeof(size));
    (void)mbedtls_sha256_update(sha, bytes, n);
}

static void compose_key(const struct tlsyn_tls *tls, char key[KEY])
{
    const unsigned char use[] = {FORMAT, is_tls_12(tls), is_rsa_exchange(tls)};
    struct sentence text = sentence_in(key, KEY);
    unsigned char digest[32] = {0};
    mbedtls_sha256_context sha;

    mbedtls_sha256_init(&sha);
    (void)mbedtls_sha256_starts(&sha, 0);
    add(&sha, use, sizeof(use));
    add(&sha, tls->host, strlen(tls->host));
    add(&sha, tls->config->trust_digest, sizeof(tls->config->trust_digest));
    for (const mbedtls_x509_crt *c = peer_chain(tls); c != NULL; c = c->next)
        add(&sha, c->raw.p, c->raw.len);
    (void)mbedtls_sha256_finish(&sha, digest);
    mbedtls_sha256_free(&sha);
    sentence_add(&text, "chain/");
    for (size_t i = 0; i < sizeof(digest); i++)
        sentence_add(&text, "%02x", digest[i]);
}

static bool is_known(const struct tlsyn_tls *tls, const char *key)
{
    struct tlsyn_tls_store *store = tls->config->chains;
    unsigned char entry[ENTRY], sum[CHECKSUM];
    int64_t now = wall_now(tls);

    if (store->ops->find(store, key, now, entry, sizeof(entry)) != sizeof(entry))
        return false;
    stored_checksum(key, entry, ENTRY - CHECKSUM, sum);
    if (entry[0] != FORMAT || memcmp(sum, entry + ENTRY - CHECKSUM, CHECKSUM) != 0)
        return false;
    return stored_get_time(entry + 1) <= now && now < stored_get_time(entry + 9);
}

static void remember(const struct tlsyn_tls *tls, const char *key, const struct times *valid)
{
    const struct tlsyn_tls_entry terms = {.until = valid->until};
    struct tlsyn_tls_store *store = tls->config->chains;
    unsigned char entry[ENTRY];

    entry[0] = FORMAT;
    stored_put_time(entry + 1, valid->from);
    stored_put_time(entry + 9, valid->until);
    stored_checksum(key, entry, ENTRY - CHECKSUM, entry + ENTRY - CHECKSUM);
    store->ops->keep(store, key, entry, sizeof(entry), &terms);
}

/* --- verifying -------------------------------------------------------------------------------- */

/* What mbedTLS itself asks of a server's leaf beyond RFC 5280 6.1: its use, and in TLS 1.2, where
 * the signature's algorithm does not name it, a curve that was offered (RFC 8422 5.3). */
static uint32_t check_use(const struct tlsyn_tls *tls, mbedtls_x509_crt *leaf)
{
    unsigned int usage =
        is_rsa_exchange(tls) ? MBEDTLS_X509_KU_KEY_ENCIPHERMENT : MBEDTLS_X509_KU_DIGITAL_SIGNATURE;
    mbedtls_pk_context *key = &leaf->pk;
    uint32_t flags = 0;

    if (mbedtls_x509_crt_check_key_usage(leaf, usage) != 0)
        flags |= MBEDTLS_X509_BADCERT_KEY_USAGE;
    if (mbedtls_x509_crt_check_extended_key_usage(leaf, MBEDTLS_OID_SERVER_AUTH,
                                                  MBEDTLS_OID_SIZE(MBEDTLS_OID_SERVER_AUTH)) != 0)
        flags |= MBEDTLS_X509_BADCERT_EXT_KEY_USAGE;
    if (is_tls_12(tls) && mbedtls_pk_can_do(key, MBEDTLS_PK_ECKEY)) {
        mbedtls_ecp_group_id curve = mbedtls_ecp_keypair_get_group_id(mbedtls_pk_ec(*key));

        if (curve != MBEDTLS_ECP_DP_SECP256R1 && curve != MBEDTLS_ECP_DP_SECP384R1)
            flags |= MBEDTLS_X509_BADCERT_BAD_KEY;
    }
    return flags;
}

/* One path of certificates, as they are verified. */
struct path {
    struct verify_finding *finding;
    struct times valid;
};

static int note(void *context, mbedtls_x509_crt *crt, int depth, uint32_t *flags)
{
    struct path *path = context;
    int64_t from = stored_wall(&crt->valid_from), until = stored_wall(&crt->valid_to);

    if (from > path->valid.from)
        path->valid.from = from;
    if (until < path->valid.until)
        path->valid.until = until;
    return verify_note(path->finding, crt, depth, flags);
}

static int verify(struct tlsyn_tls *tls, struct path *path)
{
    struct tlsyn_tls_config *c = tls->config;
    mbedtls_x509_crt *chain = peer_chain(tls);
    uint32_t flags = 0;
    int code;

    if (c->trust.raw.p == NULL) {
        tls->finding.flags |= MBEDTLS_X509_BADCERT_NOT_TRUSTED;
        return MBEDTLS_ERR_SSL_CA_CHAIN_REQUIRED;
    }
    code = mbedtls_x509_crt_verify_with_profile(chain, &c->trust, NULL,
                                                c->ssl.MBEDTLS_PRIVATE(cert_profile), tls->host,
                                                &flags, note, path);
    if (code != 0 && code != MBEDTLS_ERR_X509_CERT_VERIFY_FAILED)
        return code;
    tls->finding.flags |= flags | check_use(tls, chain);
    return tls->finding.flags != 0 ? MBEDTLS_ERR_X509_CERT_VERIFY_FAILED : 0;
}

void chain_take_over(struct tlsyn_tls *tls)
{
    tls->chain_ours = true;
    mbedtls_ssl_set_hs_authmode(&tls->ssl, MBEDTLS_SSL_VERIFY_NONE);
}

static int refuse(struct tlsyn_tls *tls, int code)
{
    (void)mbedtls_ssl_send_alert_message(&tls->ssl, MBEDTLS_SSL_ALERT_LEVEL_FATAL,
                                         (unsigned char)verify_alert(tls->finding.flags));
    return code;
}

int chain_check(struct tlsyn_tls *tls)
{
    struct path path = {.finding = &tls->finding, .valid = {INT64_MIN, INT64_MAX}};
    char key[KEY];
    int code;

    if (!tls->chain_ours)
        return 0;
    if (peer_chain(tls) == NULL) {
        tls->finding.flags |= MBEDTLS_X509_BADCERT_MISSING;
        return refuse(tls, MBEDTLS_ERR_X509_CERT_VERIFY_FAILED);
    }
    compose_key(tls, key);
    tls->chain_known = is_known(tls, key);
    if (!tls->chain_known) {
        code = verify(tls, &path);
        if (code != 0)
            return refuse(tls, code);
        remember(tls, key, &path.valid);
    }
    tls->chain_settled = true;
    return 0;
}

bool chain_is_settled(const struct tlsyn_tls *tls)
{
    return !tls->chain_ours || !tls->certified || tls->chain_settled;
}
