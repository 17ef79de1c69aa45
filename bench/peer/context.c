/*
 * peer/context.c: OpenSSL's contexts. Read first: SSL_CTX_set_options(3),
 * SSL_CTX_set1_groups_list(3), SSL_CTX_set_session_cache_mode(3), SSL_read_early_data(3).
 */
#include "peer/ssl.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PEER_EARLY_MAX 16384 /* bytes of early data */

static const struct {
    int version, last;
    const char *ciphers; /* of TLS 1.2; those of 1.3 have a call of their own */
    const char *ciphersuites;
} suites[PEER_SUITES + 1] = {
    [PEER_12_RSA] = {TLS1_2_VERSION, TLS1_2_VERSION, "AES128-GCM-SHA256", ""},
    [PEER_12_ECDHE] = {TLS1_2_VERSION, TLS1_2_VERSION, "ECDHE-ECDSA-AES128-GCM-SHA256", ""},
    [PEER_13] = {TLS1_3_VERSION, TLS1_3_VERSION, "", "TLS_AES_128_GCM_SHA256"},
    [PEER_ANY] = {TLS1_2_VERSION, TLS1_3_VERSION, "ECDHE-ECDSA-AES128-GCM-SHA256",
                  "TLS_AES_128_GCM_SHA256"},
};

void peer_ssl_error(const char *otherwise, char *message, size_t size)
{
    const char *reason = ERR_reason_error_string(ERR_peek_error());

    (void)snprintf(message, size, "%s", reason ? reason : otherwise);
    ERR_clear_error();
}

const char *peer_ssl_version(void)
{
    return OpenSSL_version(OPENSSL_VERSION);
}

static int set_suite(SSL_CTX *context, enum peer_suite suite)
{
    if (SSL_CTX_set_min_proto_version(context, suites[suite].version) != 1 ||
        SSL_CTX_set_max_proto_version(context, suites[suite].last) != 1)
        return 0;
    if (suites[suite].ciphers[0] && SSL_CTX_set_cipher_list(context, suites[suite].ciphers) != 1)
        return 0;
    if (suites[suite].ciphersuites[0] &&
        SSL_CTX_set_ciphersuites(context, suites[suite].ciphersuites) != 1)
        return 0;
    return SSL_CTX_set1_groups_list(context, "X25519:P-256") == 1;
}

/* What a server gives its clients to come back with. SSL_CTX_set_num_tickets() is TLS 1.3's. Early
 * data needs the cache: by it a ticket is good once (SSL_CTX_set_max_early_data(3)). */
static void set_sessions(SSL_CTX *context, enum peer_session session)
{
    static const unsigned char name[] = "tlsyn";
    bool by_ticket = session == PEER_TICKET || session == PEER_PSK || session == PEER_EARLY;
    bool by_cache = session == PEER_ID || session == PEER_EARLY;

    if (!by_ticket)
        (void)SSL_CTX_set_options(context, SSL_OP_NO_TICKET);
    (void)SSL_CTX_set_num_tickets(context, by_ticket ? 1 : 0);
    (void)SSL_CTX_set_session_cache_mode(context,
                                         by_cache ? SSL_SESS_CACHE_SERVER : SSL_SESS_CACHE_OFF);
    (void)SSL_CTX_set_session_id_context(context, name, sizeof(name) - 1);
    if (session == PEER_EARLY)
        (void)SSL_CTX_set_max_early_data(context, PEER_EARLY_MAX);
}

static SSL_CTX *context_new(const SSL_METHOD *method, enum peer_suite suite)
{
    SSL_CTX *context = SSL_CTX_new(method);

    if (!context)
        return NULL;
    (void)SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION);
    /* SSL_read(3) returns after a ticket. */
    (void)SSL_CTX_clear_mode(context, SSL_MODE_AUTO_RETRY);
    if (set_suite(context, suite))
        return context;
    SSL_CTX_free(context);
    return NULL;
}

/* OpenSSL calls this for each session that can be resumed; 1: the reference is kept. */
static int keep_session(SSL *ssl, SSL_SESSION *session)
{
    struct peer_context *context = SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl));

    SSL_SESSION_free(context->kept);
    context->kept = session;
    context->fresh = true;
    return 1;
}

void peer_ssl_quit(SSL *ssl)
{
    if (ssl)
        SSL_set_shutdown(ssl, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
}

bool peer_ssl_interrupted(SSL *ssl, int returned)
{
    bool by_signal = errno == EINTR;
    int kind = returned > 0 ? SSL_ERROR_NONE : SSL_get_error(ssl, returned);

    return by_signal && (kind == SSL_ERROR_WANT_READ || kind == SSL_ERROR_WANT_WRITE);
}

static X509 *read_certificate(const char *pem)
{
    BIO *bio = BIO_new_mem_buf(pem, -1);
    X509 *certificate = bio ? PEM_read_bio_X509(bio, NULL, NULL, NULL) : NULL;

    BIO_free(bio);
    return certificate;
}

static EVP_PKEY *read_key(const char *pem)
{
    BIO *bio = BIO_new_mem_buf(pem, -1);
    EVP_PKEY *key = bio ? PEM_read_bio_PrivateKey(bio, NULL, NULL, NULL) : NULL;

    BIO_free(bio);
    return key;
}

/* 1 on success, as OpenSSL's own calls. */
static int trust(SSL_CTX *context, const char *ca)
{
    X509 *certificate = read_certificate(ca);
    int ok = certificate && X509_STORE_add_cert(SSL_CTX_get_cert_store(context), certificate);

    X509_free(certificate);
    return ok;
}

static int identify(SSL_CTX *context, const char *chain, const char *key)
{
    X509 *certificate = read_certificate(chain);
    EVP_PKEY *private_key = read_key(key);
    int ok = certificate && private_key && SSL_CTX_use_certificate(context, certificate) == 1 &&
             SSL_CTX_use_PrivateKey(context, private_key) == 1 &&
             SSL_CTX_check_private_key(context) == 1;

    X509_free(certificate);
    EVP_PKEY_free(private_key);
    return ok;
}

/* Takes the context over. */
static struct peer_context *wrap(SSL_CTX *ssl, int ok, enum peer_session session,
                                 char message[PEER_MESSAGE_MAX])
{
    struct peer_context *context = ok ? calloc(1, sizeof(*context)) : NULL;

    if (context) {
        context->ssl = ssl;
        context->session = session;
        (void)SSL_CTX_set_app_data(ssl, context);
        return context;
    }
    peer_ssl_error("out of memory", message, PEER_MESSAGE_MAX);
    SSL_CTX_free(ssl);
    return NULL;
}

struct peer_context *peer_client_context(enum peer_suite suite, enum peer_session session,
                                         const char *ca, char message[PEER_MESSAGE_MAX])
{
    SSL_CTX *ssl = context_new(TLS_client_method(), suite);
    int ok = ssl && trust(ssl, ca);

    if (ok) {
        SSL_CTX_set_verify(ssl, SSL_VERIFY_PEER, NULL);
        set_sessions(ssl, session);
        (void)SSL_CTX_set_session_cache_mode(
            ssl, session == PEER_NEW ? SSL_SESS_CACHE_OFF
                                     : SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
        SSL_CTX_sess_set_new_cb(ssl, keep_session);
    }
    return wrap(ssl, ok, session, message);
}

struct peer_context *peer_server_context(enum peer_suite suite, enum peer_session session,
                                         const struct peer_identity *identity,
                                         char message[PEER_MESSAGE_MAX])
{
    SSL_CTX *ssl = context_new(TLS_server_method(), suite);
    int ok = ssl && identify(ssl, identity->chain, identity->key);

    if (ok)
        set_sessions(ssl, session);
    return wrap(ssl, ok, session, message);
}

void peer_context_tickets(struct peer_context *context, int tickets)
{
    (void)SSL_CTX_set_num_tickets(context->ssl, (size_t)tickets);
}

/* SSL_CTX_set_alpn_select_cb(3) */
static int choose(SSL *ssl, const unsigned char **chosen, unsigned char *len,
                  const unsigned char *offered, unsigned offered_len, void *user)
{
    const struct peer_context *context = user;
    unsigned char *found = NULL; /* in one of the lists */

    (void)ssl;
    if (SSL_select_next_proto(&found, len, context->alpn, context->alpn_len, offered,
                              offered_len) != OPENSSL_NPN_NEGOTIATED)
        return SSL_TLSEXT_ERR_ALERT_FATAL;
    *chosen = found;
    return SSL_TLSEXT_ERR_OK;
}

int peer_context_alpn(struct peer_context *context, const char *const *names)
{
    context->alpn_len = 0;
    for (int i = 0; names[i]; i++) {
        size_t len = strlen(names[i]);

        if (len > 255 || context->alpn_len + len + 1 > sizeof(context->alpn))
            return -EINVAL;
        context->alpn[context->alpn_len++] = (unsigned char)len;
        memcpy(context->alpn + context->alpn_len, names[i], len);
        context->alpn_len += (unsigned)len;
    }
    SSL_CTX_set_alpn_select_cb(context->ssl, choose, context); /* a client's has no use for it */
    return SSL_CTX_set_alpn_protos(context->ssl, context->alpn, context->alpn_len) == 0 ? 0
                                                                                        : -ENOMEM;
}

int peer_context_known(const struct peer_context *context, const char *name)
{
    return context->memory ? peer_memory_known(context->memory, name) : 0;
}

void peer_context_forget(struct peer_context *context)
{
    SSL_SESSION_free(context->kept);
    context->kept = NULL;
    peer_memory_free(context->memory);
    context->memory = NULL;
}

void peer_context_free(struct peer_context *context)
{
    if (!context)
        return;
    peer_context_forget(context);
    SSL_CTX_free(context->ssl);
    free(context);
}
