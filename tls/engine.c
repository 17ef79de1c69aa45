/*
 * engine.c: the handshake is driven, and the user told of it and of what came behind.
 * Read first: RFC 8446 2; RFC 5246 7.3.
 */
#include "engine.h"

#include <string.h>
#include <tlsyn/probe.h>

#include "chain.h"
#include "error.h"

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

/* --- telling the user ------------------------------------------------------------------------- */

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
