/*
 * engine.c: the life of a session: made, driven through its handshake, freed.
 * Read first: RFC 8446 2; RFC 5246 7.3.
 */
#include "engine.h"

#include <arpa/inet.h>
#include <errno.h>
#include <string.h>
#include <tlsyn/probe.h>

#include "chain.h"
#include "error.h"
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

/* --- the handshake ---------------------------------------------------------------------------- */

/* An address is verified against the certificate but must not be sent as SNI (RFC 6066 3), and
 * mbedTLS has one setting for both: it gets to know the address once the hello is out and
 * answered, and not by a HelloRetryRequest, behind which another hello leaves. */
static int name_the_address(struct tlsyn_tls *tls)
{
    int state = tls->ssl.MBEDTLS_PRIVATE(state);

    if (!tls->host_is_address || tls->host_is_set || state <= MBEDTLS_SSL_SERVER_HELLO ||
        state == MBEDTLS_SSL_CLIENT_CCS_AFTER_CLIENT_HELLO || /* in front of early data */
        state == MBEDTLS_SSL_CLIENT_CCS_BEFORE_2ND_CLIENT_HELLO)
        return 0;
    tls->host_is_set = true;
    return mbedtls_ssl_set_hostname(&tls->ssl, tls->host);
}

/* A handshake that resumes passes this state by. */
static bool is_at_certificate(const struct tlsyn_tls *tls)
{
    return tls->ssl.MBEDTLS_PRIVATE(state) == MBEDTLS_SSL_SERVER_CERTIFICATE;
}

static int step(struct tlsyn_tls *tls)
{
    int code = name_the_address(tls);
    bool at_certificate = is_at_certificate(tls);

    if (at_certificate)
        tls->certified = true;
    if (code == 0)
        code = early_step(tls);
    if (code == 0 && at_certificate && !is_at_certificate(tls))
        code = chain_check(tls);
    return code;
}

static void complete(struct tlsyn_tls *tls)
{
    struct tlsyn_tls_counters *counters = &tls->config->counters;

    tls->established = true;
    tlsyn_conn_wake(tls->conn, TLSYN_NEVER);
    early_conclude(tls);
    identity_set_release(tls->config->alloc, &tls->identities);
    tls->finished = tlsyn_stack_now(tlsyn_conn_stack(tls->conn));
    counters->handshakes[session_kind(tls)]++;
    counters->chains_known += tls->chain_known;
    counters->chains_verified += tls->chain_settled && !tls->chain_known;
    counters->refused += tls->offer.terms.kind != TLSYN_TLS_NEW && tls->certified;
    session_settle(tls);
}

/* mbedTLS says that it is over where a server still has its tickets to write. These come first: a
 * write that finds them waiting for room would be taken for theirs. */
static bool is_over(const struct tlsyn_tls *tls)
{
    return tls->ssl.MBEDTLS_PRIVATE(state) == MBEDTLS_SSL_HANDSHAKE_OVER;
}

/* What comes next is a full handshake's, and costs a signature (work.h). One that resumes passes
 * this state by. */
static bool must_wait(struct tlsyn_tls *tls)
{
    struct tlsyn_tls_config *config = tls->config;
    tlsyn_time now = tlsyn_stack_now(tlsyn_conn_stack(tls->conn));

    if (config->role != TLSYN_TLS_SERVER ||
        tls->ssl.MBEDTLS_PRIVATE(state) != MBEDTLS_SSL_SERVER_CERTIFICATE)
        return false;
    if (tls->turn == 0) {
        tls->turn = work_reserve(&config->work, now);
        config->counters.waited += tls->turn > now && tls->turn != TLSYN_NEVER;
        config->counters.too_many += tls->turn == TLSYN_NEVER;
    }
    if (tls->turn == TLSYN_NEVER)
        tls_fail(tls, ERROR_TOO_BUSY, false);
    else if (tls->turn > now)
        tlsyn_conn_wake(tls->conn, tls->turn);
    return tls->turn > now;
}

int tls_drive(struct tlsyn_tls *tls)
{
    while (tls->error == 0 && !tls->established && !is_over(tls) && !must_wait(tls)) {
        uint64_t sent = tls->out.records;
        int code = step(tls);

        if (code == MBEDTLS_ERR_SSL_WANT_READ || code == MBEDTLS_ERR_SSL_WANT_WRITE)
            break;
        if (code == MBEDTLS_ERR_SSL_RECEIVED_EARLY_DATA) {
            if (early_is_readable(tls))
                break;
        } else if (code != 0) {
            tls_fail(tls, code, tls->out.records != sent);
        }
    }
    if (tls->error == 0 && !chain_is_settled(tls) && is_over(tls))
        tls_fail(tls, MBEDTLS_ERR_SSL_INTERNAL_ERROR, false);
    if (tls->error == 0 && !tls->established && is_over(tls))
        complete(tls);
    if (tls->error == 0 && !tls->established && tlsyn_conn_ended(tls->conn))
        tls_fail(tls, MBEDTLS_ERR_SSL_CONN_EOF, true);
    return tls->error;
}

/* The numbers are those of the protocol: 0x0304 is TLS 1.3, 0x1301 its AES-128-GCM. */
static void trace_established(struct tlsyn_tls *tls)
{
    struct tlsyn_stack *stack = tlsyn_conn_stack(tls->conn);
    struct tlsyn_trace *trace = tlsyn_stack_trace(stack);
    struct tlsyn_conn_info info;
    const int64_t field[TLSYN_TRACE_FIELDS] = {
        mbedtls_ssl_get_version_number(&tls->ssl),
        mbedtls_ssl_get_ciphersuite_id_from_ssl(&tls->ssl),
        (int64_t)tls->in.records,
        (int64_t)tls->out.records,
    };

    tlsyn_conn_info(tls->conn, &info);
    TLSYN_PROBE(tls_established, info.number, field[0], field[1], field[2], field[3]);
    if (trace == NULL || !(trace->mask >> TLSYN_TRACE_tls_established & 1))
        return;
    struct tlsyn_trace_record record = {
        .when = tlsyn_stack_now(stack), .event = TLSYN_TRACE_tls_established, .conn = info.number};

    memcpy(record.field, field, sizeof(record.field));
    trace->emit(trace, &record);
}

/* The tickets that came behind the server's Finished are kept before the user hears: he may open
 * other connections at once. */
static void announce(struct tlsyn_tls *tls)
{
    const struct tlsyn_conn_events *events = tls->app->events;

    tls->announced = true;
    trace_established(tls);
    (void)again_flush(tls);
    if (tls_is_alive(tls))
        (void)tls_pump(tls);
    if (!tls_is_alive(tls))
        return;
    if (events->on_established != NULL)
        events->on_established(tls->app, tls->conn);
    tls_use(tls);
}

void tls_deliver(struct tlsyn_tls *tls)
{
    uint64_t reads;

    if (!tls_is_alive(tls) || !tls->established)
        return;
    if (!tls->announced)
        announce(tls);
    do {
        bool readable = tls_is_alive(tls) && tls_pump(tls);

        /* A record that does not open fails the session: that is told by tls_leave(). */
        if (!tls_is_alive(tls) || (!readable && (tls->ending == TLS_OPEN || tls->ending_told)))
            return;
        if (!readable)
            tls->ending_told = true;
        reads = tls->reads;
        if (tls->app->events->on_data != NULL)
            tls->app->events->on_data(tls->app, tls->conn);
        tls_use(tls);
    } while (tls->reads != reads);
}

/* --- about a session -------------------------------------------------------------------------- */

void tlsyn_tls_info(const struct tlsyn_tls *tls, struct tlsyn_tls_info *info)
{
    bool is_client = tls->config->role == TLSYN_TLS_CLIENT;

    *info = (struct tlsyn_tls_info){
        .established = tls->established,
        .chain_known = tls->chain_known,
        .offered = tls->offer.terms.kind,
        .verified = tls->established && is_client && !tls->config->insecure,
        .started = tls->started,
        .finished = tls->finished,
        .first_byte = tls->first_byte,
        .hello_bytes = is_client ? tls->out.first : tls->in.first,
        .records_in = tls->in.records,
        .records_out = tls->out.records,
        .round_trips = tls->round_trips,
        .early = early_outcome(tls),
        .early_bytes = tls->early.bytes,
    };
    if (!tls->established && !tlsyn_tls_is_early(tls))
        return;
    info->version = mbedtls_ssl_get_version(&tls->ssl);
    info->session = session_kind(tls);
    info->alpn = mbedtls_ssl_get_alpn_protocol(&tls->ssl); /* a server reads early data by it */
    if (!tls->established)
        return;
    info->ciphersuite = config_suite_name(mbedtls_ssl_get_ciphersuite_id_from_ssl(&tls->ssl));
}

const char *tlsyn_tls_session_name(enum tlsyn_tls_session session)
{
    static const char *const names[] = {[TLSYN_TLS_NEW] = "new",
                                        [TLSYN_TLS_ID] = "id",
                                        [TLSYN_TLS_TICKET] = "ticket",
                                        [TLSYN_TLS_PSK] = "psk"};

    return names[session];
}

const char *tlsyn_tls_error(const struct tlsyn_tls *tls)
{
    return tls->sentence;
}

int tlsyn_tls_peer(const struct tlsyn_tls *tls, char *text, size_t size)
{
    const mbedtls_x509_crt *crt = mbedtls_ssl_get_peer_cert(&tls->ssl);
    int n;

    if (crt == NULL)
        return -ENODATA;
    n = mbedtls_x509_crt_info(text, size, "", crt);
    return n >= 0 ? n : -ENOSPC;
}
