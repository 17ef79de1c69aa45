/*
 * hooks.c: the connection's events, as a TLS engine hears them (tlsyn/conn.h).
 *
 * What is written inside on_open rides in the SYN, inside on_syn in the SYN-ACK, inside on_synack
 * in the ACK. When TCP carried nothing early, the same bytes come and go with on_established,
 * on_data and on_acked: each of them does the same, it lets the handshake go as far as it can.
 */
#include <errno.h>

#include "engine.h"
#include "error.h"

static struct tlsyn_tls *session(struct tlsyn_handler *handler)
{
    return (struct tlsyn_tls *)handler; /* first member */
}

/* Early data is the user's while the handshake goes on. True: he read some of it. */
static bool deliver_early(struct tlsyn_tls *tls)
{
    uint64_t reads = tls->reads;
    uint8_t bin[256];

    if (tls->established || mbedtls_ssl_get_bytes_avail(&tls->ssl) == 0)
        return false;
    while (tls->released && early_read(tls, bin, sizeof(bin)) > 0)
        ; /* the handshake is not to wait for somebody who has gone */
    if (tls->app->events->on_data != NULL)
        tls->app->events->on_data(tls->app, tls->conn);
    tls_use(tls);
    return tls_is_alive(tls) && tls->reads != reads;
}

/* A client that stops at some step of the handshake must not keep its session for ever. (A session
 * that waits for its turn, tls/work.h, is woken for that earlier than for this.) */
static void mind_the_time(struct tlsyn_tls *tls)
{
    tlsyn_time until = tls->started + TLSYN_TLS_HANDSHAKE_TIME;

    if (tls->config->role != TLSYN_TLS_SERVER || tls->established)
        return;
    if (tlsyn_stack_now(tlsyn_conn_stack(tls->conn)) < until)
        tlsyn_conn_wake(tls->conn, until);
    else
        tls_fail(tls, ERROR_TOO_SLOW, false);
}

void tls_go_on(struct tlsyn_tls *tls)
{
    bool more = true;

    if (!tls_is_alive(tls))
        return;
    if (tls->started == 0)
        tls->started = tlsyn_stack_now(tlsyn_conn_stack(tls->conn));
    mind_the_time(tls);
    while (more)
        more = tls_drive(tls) == 0 && deliver_early(tls);
    tls_deliver(tls);
    if (tls_is_alive(tls) && tls->established)
        tls_close_goes_on(tls);
}

/* The user first: he may refuse, and what he writes shall ride behind the hello. */
static int tls_on_open(struct tlsyn_handler *handler, struct tlsyn_conn *conn)
{
    struct tlsyn_tls *tls = session(handler);
    int r = 0;

    tls->conn = conn;
    tls->started = tlsyn_stack_now(tlsyn_conn_stack(conn));
    tls->early.opening = true;
    tls_enter(tls);
    if (session_offer(tls) != 0)
        r = -ENOMEM;
    if (r == 0 && tls->app->events->on_open != NULL)
        r = tls->app->events->on_open(tls->app, conn);
    tls_use(tls);
    tls->early.opening = false;
    if (r == 0 && !tls_is_alive(tls))
        r = -ECONNABORTED;
    if (r == 0) {
        early_settle(tls);
        r = tls_drive(tls);
    }
    if (r < 0) {
        /* No connection comes to be, and so no on_closed. */
        tls->told = true;
        tls->conn = NULL;
    }
    tls_leave(tls);
    return r;
}

/* The two events whose answer can refuse: TCP then sends what the ring holds, the alert, and RST
 * behind it, and tells us. */
static int go_on_or_refuse(struct tlsyn_tls *tls)
{
    int error;

    tls_enter(tls);
    tls_go_on(tls);
    error = tls->error;
    tls->refused = error != 0;
    tls_leave(tls);
    return error;
}

/* The next SYN may be answered at once, but not for somebody who may not be there: he gets the
 * flight with his third segment (docs/HANDSHAKE.md). */
static int tls_on_syn(struct tlsyn_handler *handler, struct tlsyn_conn *conn)
{
    struct tlsyn_tls *tls = session(handler);
    tlsyn_time now = tlsyn_stack_now(tlsyn_conn_stack(conn));

    if (!tlsyn_conn_validated(conn) && !work_has_spare(&tls->config->work, now))
        return -EAGAIN;
    return go_on_or_refuse(tls);
}

static int tls_on_synack(struct tlsyn_handler *handler, struct tlsyn_conn *conn)
{
    (void)conn;
    return go_on_or_refuse(session(handler));
}

static void tls_on_established(struct tlsyn_handler *handler, struct tlsyn_conn *conn)
{
    struct tlsyn_tls *tls = session(handler);

    (void)conn;
    tls_enter(tls);
    tls_go_on(tls);
    tls_leave(tls);
}

static void tls_on_data(struct tlsyn_handler *handler, struct tlsyn_conn *conn)
{
    struct tlsyn_tls *tls = session(handler);

    (void)conn;
    tls_enter(tls);
    tls_go_on(tls);
    tls_leave(tls);
}

static bool may_write(const struct tlsyn_tls *tls)
{
    return tls->established ? tls->announced && tls->unsent == 0 : early_is_open(tls);
}

static void tls_on_acked(struct tlsyn_handler *handler, struct tlsyn_conn *conn, size_t n)
{
    struct tlsyn_tls *tls = session(handler);

    tls_enter(tls);
    if (!tls->established || tls->read_wants_room) {
        tls->read_wants_room = false;
        tls_go_on(tls);
    }
    if (tls_is_alive(tls) && tls->established && tls_flush(tls))
        tls_close_goes_on(tls);
    if (tls_is_alive(tls) && may_write(tls) && tls->app->events->on_acked != NULL)
        tls->app->events->on_acked(tls->app, conn, n);
    tls_leave(tls);
}

static void tls_on_trouble(struct tlsyn_handler *handler, struct tlsyn_conn *conn, int error)
{
    struct tlsyn_tls *tls = session(handler);

    tls_enter(tls);
    if (tls->app->events->on_trouble != NULL)
        tls->app->events->on_trouble(tls->app, conn, error);
    tls_leave(tls);
}

static void tls_on_closed(struct tlsyn_handler *handler, struct tlsyn_conn *conn, int error)
{
    struct tlsyn_tls *tls = session(handler);
    bool told = tls->told;

    tls_enter(tls);
    tls->conn = NULL;
    tls->told = true;
    if (!told && tls->app->events->on_closed != NULL)
        tls->app->events->on_closed(tls->app, conn, error);
    tls_leave(tls);
}

const struct tlsyn_conn_events tls_events = {
    .on_open = tls_on_open,
    .on_syn = tls_on_syn,
    .on_synack = tls_on_synack,
    .on_established = tls_on_established,
    .on_data = tls_on_data,
    .on_acked = tls_on_acked,
    .on_trouble = tls_on_trouble,
    .on_closed = tls_on_closed,
};
