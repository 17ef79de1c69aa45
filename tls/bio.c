/*
 * bio.c: mbedTLS <-> the connection's rings. Read first: RFC 8446 5.1.
 */
#include "bio.h"

#include <errno.h>
#include <string.h>

#include "engine.h"

static size_t min_size(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* --- the meter -------------------------------------------------------------------------------- */

/* Bytes up to the end of the header or the body that the stream is in: what may be taken in one go.
 * At least 1. */
static size_t meter_run(const struct bio_meter *m)
{
    return m->have < BIO_HEADER ? (size_t)(BIO_HEADER - m->have) : m->left;
}

static void meter_header_is_complete(struct bio_meter *m)
{
    m->left = (uint16_t)(m->header[3] << 8 | m->header[4]);
    m->records++;
    if (m->first == 0)
        m->first = (uint32_t)BIO_HEADER + m->left;
}

void bio_meter_take(struct bio_meter *m, const void *bytes, size_t n)
{
    const uint8_t *p = bytes;

    m->bytes += n;
    while (n > 0) {
        size_t run = min_size(n, meter_run(m));

        if (m->have < BIO_HEADER) {
            memcpy(m->header + m->have, p, run);
            m->have = (uint8_t)(m->have + run);
            if (m->have == BIO_HEADER)
                meter_header_is_complete(m);
        } else {
            m->left = (uint16_t)(m->left - run);
        }
        if (m->have == BIO_HEADER && m->left == 0)
            m->have = 0;
        p += run;
        n -= run;
    }
}

/* --- in --------------------------------------------------------------------------------------- */

/* No record begins with a zero byte (RFC 8446 B.1: type 0 is "invalid"), so the padding behind a
 * flight is told from the next record without a mark (docs/HANDSHAKE.md, level "paper"). */
static void skip_padding(struct tlsyn_conn *conn)
{
    struct tlsyn_view view;
    size_t zeros;

    do {
        zeros = 0;
        if (tlsyn_conn_peek(conn, &view) == 0)
            return;
        while (zeros < view.part[0].iov_len && ((const char *)view.part[0].iov_base)[zeros] == 0)
            zeros++;
        tlsyn_conn_consume(conn, zeros);
    } while (zeros > 0);
}

static void copy_out(unsigned char *to, const struct tlsyn_view *view, size_t n)
{
    size_t first = min_size(n, view->part[0].iov_len);

    if (first > 0)
        memcpy(to, view->part[0].iov_base, first);
    if (n > first)
        memcpy(to + first, view->part[1].iov_base, n - first);
}

int bio_recv(void *context, unsigned char *bytes, size_t n)
{
    struct tlsyn_tls *tls = context;
    struct tlsyn_view view;
    size_t take = 0;

    if (tls->conn != NULL) {
        if (tls->config->paper && tls->in.have == 0)
            skip_padding(tls->conn);
        take = min_size(tlsyn_conn_peek(tls->conn, &view), min_size(n, meter_run(&tls->in)));
    }
    if (take == 0) {
        tls->starved = true;
        return MBEDTLS_ERR_SSL_WANT_READ;
    }
    copy_out(bytes, &view, take);
    tlsyn_conn_consume(tls->conn, take);
    bio_meter_take(&tls->in, bytes, take);
    tls->round_trips += tls->spoken && !tls->established;
    tls->spoken = false;
    return (int)take;
}

/* --- out -------------------------------------------------------------------------------------- */

static void copy_in(const struct tlsyn_view *view, const unsigned char *from, size_t n)
{
    size_t first = min_size(n, view->part[0].iov_len);

    memcpy(view->part[0].iov_base, from, first);
    if (n > first)
        memcpy(view->part[1].iov_base, from + first, n - first);
}

int bio_send(void *context, const unsigned char *bytes, size_t n)
{
    struct tlsyn_tls *tls = context;
    struct tlsyn_view view;
    ssize_t room = tls->conn != NULL ? tlsyn_conn_reserve(tls->conn, n, &view) : -EPIPE;
    size_t put;

    if (room < 0)
        return room == -ENOMEM ? MBEDTLS_ERR_SSL_ALLOC_FAILED : MBEDTLS_ERR_SSL_CONN_EOF;
    put = min_size((size_t)room, n);
    tls->unsent = n - put;
    if (put == 0)
        return MBEDTLS_ERR_SSL_WANT_WRITE;
    copy_in(&view, bytes, put);
    tlsyn_conn_commit(tls->conn, put);
    bio_meter_take(&tls->out, bytes, put);
    tls->spoken = true;
    return (int)put;
}
