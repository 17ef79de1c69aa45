/*
 * life.c: a session is made, worked on in brackets (engine.h), and freed.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <string.h>

#include "chain.h"
#include "engine.h"
#include "keylog.h"

/* --- made and freed --------------------------------------------------------------------------- */

static bool is_address(const char *host)
{
    struct in6_addr any;

    return inet_pton(AF_INET, host, &any) == 1 || inet_pton(AF_INET6, host, &any) == 1;
}

/* RFC 6066 3: the name goes without a trailing dot. */
static int keep_host(struct tlsyn_tls *tls, const char *host)
{
    struct tlsyn_alloc *alloc = tls->config->alloc;
    size_t len = host != NULL ? strlen(host) : 0;

    if (len > 1 && host[len - 1] == '.')
        len--;
    if (len == 0)
        return 0;
    tls->host = alloc->resize(alloc, NULL, len + 1);
    if (tls->host == NULL)
        return MBEDTLS_ERR_SSL_ALLOC_FAILED;
    memcpy(tls->host, host, len);
    tls->host[len] = '\0';
    tls->host_is_address = is_address(tls->host);
    return 0;
}

/* NOLINTNEXTLINE(readability-function-size): the parameters are mbedTLS's */
static void export_keys(void *context, mbedtls_ssl_key_export_type type,
                        const unsigned char *secret, size_t len,
                        const unsigned char client_random[32],
                        const unsigned char server_random[32], mbedtls_tls_prf_types prf)
{
    struct tlsyn_tls *tls = context;

    (void)server_random;
    (void)prf;
    if (tls->config->keylog != NULL)
        keylog_write(tls->config->keylog, type, secret, len, client_random);
    early_secret(tls, type, secret, len);
}

static int set_up(struct tlsyn_tls *tls, const char *host)
{
    struct tlsyn_tls_config *config = tls->config;
    int code = keep_host(tls, host);

    if (code == 0)
        code = mbedtls_ssl_setup(&tls->ssl, &config->ssl);
    if (code == 0 && config->role == TLSYN_TLS_CLIENT)
        code = mbedtls_ssl_set_hostname(&tls->ssl, tls->host_is_address ? NULL : tls->host);
    if (code != 0)
        return code;
    mbedtls_ssl_set_bio(&tls->ssl, tls, bio_send, bio_recv, NULL);
    mbedtls_ssl_set_verify(&tls->ssl, verify_note, &tls->finding);
    if (config->chains != NULL)
        chain_take_over(tls);
    mbedtls_ssl_set_user_data_p(&tls->ssl, tls);
    mbedtls_ssl_set_export_keys_cb(&tls->ssl, export_keys, tls);
    return 0;
}

static void destroy(struct tlsyn_tls *tls)
{
    struct tlsyn_alloc *alloc = tls->config->alloc;

    if (tls->config->at_work == tls)
        tls->config->at_work = NULL;
    session_offer_fini(tls);
    mbedtls_ssl_free(&tls->ssl);
    identity_set_release(alloc, &tls->identities);
    early_fini(&tls->early);
    again_forget(tls);
    if (tls->host != NULL)
        alloc->resize(alloc, tls->host, 0);
    alloc->resize(alloc, tls, 0);
}

int tlsyn_tls_attach(struct tlsyn_tls_config *config, struct tlsyn_conn *conn,
                     const char *server_name, struct tlsyn_handler *app, struct tlsyn_tls **tls)
{
    bool is_client = config->role == TLSYN_TLS_CLIENT;
    struct tlsyn_tls *t;
    int code;

    if (is_client && !config->insecure && (server_name == NULL || *server_name == '\0'))
        return -EINVAL;
    t = config->alloc->resize(config->alloc, NULL, sizeof(*t));
    if (t == NULL)
        return -ENOMEM;
    *t = (struct tlsyn_tls){
        .handler = {.events = &tls_events},
        .app = app,
        .config = config,
        .conn = conn,
    };
    mbedtls_ssl_init(&t->ssl);
    code = set_up(t, is_client ? server_name : NULL);
    if (code != 0) {
        /* A set-up that ran out of memory forgets the config but not what it made by it, and
         * freeing that asks the config. */
        t->ssl.MBEDTLS_PRIVATE(conf) = &config->ssl;
        destroy(t);
        return code == MBEDTLS_ERR_SSL_ALLOC_FAILED ? -ENOMEM : -EINVAL;
    }
    if (conn != NULL)
        tlsyn_conn_set_handler(conn, &t->handler);
    *tls = t;
    return 0;
}

struct tlsyn_handler *tlsyn_tls_handler(struct tlsyn_tls *tls)
{
    return &tls->handler;
}

void tlsyn_tls_free(struct tlsyn_tls *tls)
{
    if (tls == NULL)
        return;
    tls->busy++;
    tls->orphan = true;
    tls->app = NULL;
    tls->told = true;
    /* on_closed comes within the call, or after the event that we are in; it is where the orphan
     * ends. */
    if (tls->conn != NULL)
        tlsyn_conn_abort(tls->conn, 0);
    tls_leave(tls);
}

void tlsyn_tls_be_new(struct tlsyn_tls *tls)
{
    tls->fresh = true;
}

/* --- brackets --------------------------------------------------------------------------------- */

void tls_use(struct tlsyn_tls *tls)
{
    tlsyn_time now = tls->config->clock.at;

    if (tls->conn != NULL)
        now = tlsyn_stack_now(tlsyn_conn_stack(tls->conn));
    tls->config->at_work = tls;
    platform_use(&tls->config->clock, now, tls->config->random);
}

void tls_enter(struct tlsyn_tls *tls)
{
    tls->busy++;
    tls_use(tls);
}

/* The alert is in the ring and shall arrive: text left unread would have TCP say RST in its
 * place (RFC 2525 2.17). */
static void tell_failure(struct tlsyn_tls *tls)
{
    struct tlsyn_conn *conn = tls->conn;
    struct tlsyn_handler *app = tls->app;
    struct tlsyn_view view;

    tls->told = true;
    tls->conn = NULL;
    tlsyn_conn_consume(conn, tlsyn_conn_peek(conn, &view));
    tlsyn_conn_release(conn);
    if (app->events->on_closed != NULL)
        app->events->on_closed(app, conn, tls->error);
}

void tls_leave(struct tlsyn_tls *tls)
{
    if (tls->busy == 1 && tls->error != 0 && !tls->told && !tls->refused && tls->conn != NULL)
        tell_failure(tls);
    tls->busy--;
    if (tls->busy == 0 && (tls->orphan || tls->released) && tls->conn == NULL)
        destroy(tls);
}

bool tls_is_alive(const struct tlsyn_tls *tls)
{
    return tls->error == 0 && tls->conn != NULL && !tls->orphan;
}
