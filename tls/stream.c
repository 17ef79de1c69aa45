/*
 * stream.c: plaintext in and out of an established session, and its end.
 * Read first: RFC 8446 5, 6.1.
 */
#include <errno.h>

#include "engine.h"

/* --- in --------------------------------------------------------------------------------------- */

static bool has_plaintext(const struct tlsyn_tls *tls)
{
    return mbedtls_ssl_get_bytes_avail(&tls->ssl) > 0;
}

/* RFC 8446 6.1: what comes after close_notify is ignored. */
static void discard_the_rest(struct tlsyn_tls *tls)
{
    struct tlsyn_view view;
    size_t n = tls->conn != NULL ? tlsyn_conn_peek(tls->conn, &view) : 0;

    if (n > 0)
        tlsyn_conn_consume(tls->conn, n);
}

/* Opens one record. Reading no bytes leaves the plaintext where it is. */
static int open_record(struct tlsyn_tls *tls)
{
    tls->starved = false;
    return mbedtls_ssl_read(&tls->ssl, NULL, 0);
}

/* What the end of the record loop means. False: there may be more records. */
static bool is_last(struct tlsyn_tls *tls, int code, bool answered)
{
    switch (code) {
    case MBEDTLS_ERR_SSL_WANT_WRITE:
        tls->read_wants_room = true;
        return true;
    case MBEDTLS_ERR_SSL_WANT_READ:
        /* Also after a record without plaintext: a warning alert, a ticket. */
        if (tls->starved && tls->conn != NULL && tlsyn_conn_ended(tls->conn))
            tls->ending = TLS_TRUNCATED;
        return tls->starved;
    case MBEDTLS_ERR_SSL_RECEIVED_NEW_SESSION_TICKET:
        session_keep(tls);
        return false;
    case MBEDTLS_ERR_SSL_PEER_CLOSE_NOTIFY:
        tls->ending = TLS_CLOSED;
        discard_the_rest(tls);
        return true;
    default:
        if (code < 0)
            tls_fail(tls, code, answered);
        return code < 0;
    }
}

bool tls_pump(struct tlsyn_tls *tls)
{
    if (tls->ending == TLS_CLOSED && !has_plaintext(tls))
        discard_the_rest(tls);
    while (tls->error == 0 && tls->ending == TLS_OPEN && !has_plaintext(tls)) {
        uint64_t sent = tls->out.records;
        int code = open_record(tls);

        if (is_last(tls, code, tls->out.records != sent))
            break;
    }
    if (tls->error != 0 || !has_plaintext(tls))
        return false;
    if (tls->first_byte == 0 && tls->conn != NULL)
        tls->first_byte = tlsyn_stack_now(tlsyn_conn_stack(tls->conn));
    return true;
}

/* What a read says when there is no plaintext. */
static ssize_t nothing(struct tlsyn_tls *tls)
{
    if (tls->error != 0)
        return tls->error;
    if (tls->ending != TLS_OPEN)
        tls->ending_told = true;
    if (tls->ending == TLS_CLOSED)
        return 0;
    return tls->ending == TLS_TRUNCATED || tls->conn == NULL ? -ECONNRESET : -EAGAIN;
}

ssize_t tlsyn_tls_read(struct tlsyn_tls *tls, void *bytes, size_t n)
{
    ssize_t got;

    if (tls->error != 0)
        return tls->error;
    if (n == 0)
        return -EINVAL;
    if (!tls->established)
        return early_read(tls, bytes, n);
    tls_enter(tls);
    if (tls_pump(tls)) {
        got = mbedtls_ssl_read(&tls->ssl, bytes, n);
        tls->reads++;
    } else {
        got = nothing(tls);
    }
    tls_leave(tls);
    return got;
}

size_t tlsyn_tls_pending(struct tlsyn_tls *tls)
{
    size_t n;

    if (tls->error != 0)
        return 1;
    if (!tls->established)
        return mbedtls_ssl_get_bytes_avail(&tls->ssl);
    tls_enter(tls);
    n = tls_pump(tls) ? mbedtls_ssl_get_bytes_avail(&tls->ssl) : 0;
    if (n == 0 && (tls->error != 0 || tls->ending != TLS_OPEN || tls->conn == NULL))
        n = 1;
    tls_leave(tls);
    return n;
}

/* --- out -------------------------------------------------------------------------------------- */

bool tls_flush(struct tlsyn_tls *tls)
{
    /* With a record waiting, mbedTLS takes a write as the wish to go on with that one, whatever
     * its arguments. */
    if (tls->unsent > 0)
        (void)mbedtls_ssl_write(&tls->ssl, (const unsigned char *)"", 0);
    return tls->unsent == 0 && again_flush(tls);
}

static bool has_room(struct tlsyn_tls *tls)
{
    struct tlsyn_view view;

    return tlsyn_conn_reserve(tls->conn, 1, &view) > 0;
}

/* Seals one record. It may be larger than the room in the ring: the rest waits inside mbedTLS.
 * The plaintext bytes taken, 0 if there is no room, or an error of mbedTLS's. */
static int seal_record(struct tlsyn_tls *tls, const unsigned char *bytes, size_t n)
{
    int max = mbedtls_ssl_get_max_out_record_payload(&tls->ssl);
    int code;

    if (max <= 0)
        return max < 0 ? max : MBEDTLS_ERR_SSL_INTERNAL_ERROR;
    if (n > (size_t)max)
        n = (size_t)max;
    if (!tls_flush(tls) || !has_room(tls))
        return 0;
    code = mbedtls_ssl_write(&tls->ssl, bytes, n);
    return code == MBEDTLS_ERR_SSL_WANT_WRITE ? (int)n : code;
}

ssize_t tlsyn_tls_write(struct tlsyn_tls *tls, const void *bytes, size_t n)
{
    const unsigned char *p = bytes;
    size_t done = 0;
    int taken = 1;
    ssize_t result;

    if (tls->error != 0)
        return tls->error;
    if (!tls->established)
        return early_write(tls, bytes, n);
    if (tls->closing || tls->conn == NULL)
        return -EPIPE;
    tls_enter(tls);
    while (done < n && taken > 0) {
        taken = seal_record(tls, p + done, n - done);
        if (taken > 0)
            done += (size_t)taken;
    }
    if (taken < 0)
        tls_fail(tls, taken, false);
    if (done > 0 || n == 0)
        result = (ssize_t)done;
    else
        result = tls->error != 0 ? tls->error : -EAGAIN;
    tls_leave(tls);
    return result;
}

/* --- the end ---------------------------------------------------------------------------------- */

void tls_close_goes_on(struct tlsyn_tls *tls)
{
    if (!tls->closing || tls->shut || !tls_flush(tls))
        return;
    if (!tls->notified) {
        tls->notified = true;
        (void)mbedtls_ssl_close_notify(&tls->ssl);
        if (tls->unsent > 0)
            return;
    }
    tls->shut = true;
    if (!tls->released) {
        tlsyn_conn_close(tls->conn);
        return;
    }
    struct tlsyn_conn *conn = tls->conn;
    tls->conn = NULL;
    tlsyn_conn_release(conn);
}

void tlsyn_tls_close(struct tlsyn_tls *tls)
{
    if (tls->closing || tls->conn == NULL)
        return;
    tls->closing = true;
    tls_enter(tls);
    if (tls->established)
        tls_close_goes_on(tls);
    else if (!early_is_open(tls)) /* else as soon as it is complete */
        tlsyn_conn_abort(tls->conn, 0);
    tls_leave(tls);
}

void tlsyn_tls_release(struct tlsyn_tls *tls)
{
    static const struct tlsyn_conn_events none = {.on_open = NULL};

    if (tls == NULL)
        return;
    if (tls->conn == NULL || tls->error != 0 || has_plaintext(tls) ||
        !(tls->established || early_is_open(tls))) {
        tlsyn_tls_free(tls);
        return;
    }
    tls_enter(tls);
    tls->nobody.events = &none;
    tls->app = &tls->nobody;
    tls->released = true;
    if (tls->shut) { /* closed before: the FIN is on its way */
        struct tlsyn_conn *conn = tls->conn;

        tls->conn = NULL;
        tlsyn_conn_release(conn);
    } else {
        tls->closing = true;
        if (tls->established) /* else as soon as it is complete */
            tls_close_goes_on(tls);
    }
    tls_leave(tls);
}
