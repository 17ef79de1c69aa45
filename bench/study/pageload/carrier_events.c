/*
 * study/pageload/carrier_events.c: what TCP and the engine tell of a connection of our stack.
 *
 *     embedded    on_open: the engine begins, and writes its hello into the SYN
 *     sequential  on_synack: the engine begins, its hello rides in the ACK
 *     early       on the first write; in the embedded mode only then is there a connection
 *
 * and each may have to wait for a session first (patience.h).
 */
#include <errno.h>
#include <string.h>

#include "study/pageload/carrier_parts.h"

static struct stack_stream *of_tcp(struct tlsyn_handler *handler)
{
    return (struct stack_stream *)((char *)handler - offsetof(struct stack_stream, tcp));
}

static struct stack_stream *of_app(struct tlsyn_handler *handler)
{
    return (struct stack_stream *)((char *)handler - offsetof(struct stack_stream, app));
}

/* --- the engine's events ---------------------------------------------------------------------- */

static int on_tls_open(struct tlsyn_handler *handler, struct tlsyn_conn *conn)
{
    struct stack_stream *s = of_app(handler);
    ssize_t n = 0;

    (void)conn;
    if (s->first_len > 0)
        n = tlsyn_tls_write(s->tls, s->first, s->first_len);
    s->first_early = n > 0 ? (size_t)n : 0;
    return 0;
}

/* What left early, and was not taken, or could not leave, does now. */
static void on_tls_established(struct tlsyn_handler *handler, struct tlsyn_conn *conn)
{
    struct stack_stream *s = of_app(handler);
    struct tlsyn_tls_info info;
    size_t rest;

    s->established = true;
    patience_up(&s->patient);
    tlsyn_tls_info(s->tls, &info);
    rest = s->first_len - (info.early == TLSYN_TLS_EARLY_ACCEPTED ? s->first_early : 0);
    /* The ring is free: what does not fit finds no memory, and half a request is none. */
    if (rest > 0 &&
        tlsyn_tls_write(s->tls, s->first + s->first_len - rest, rest) != (ssize_t)rest) {
        tlsyn_conn_abort(conn, -ENOMEM);
        return;
    }
    s->first_len = 0;
    if (s->closed)
        return;
    if (s->up) { /* with early data, behind which there may be more */
        s->user->events->on_room(s->user);
        return;
    }
    s->up = true;
    s->user->events->on_up(s->user);
}

static void on_tls_data(struct tlsyn_handler *handler, struct tlsyn_conn *conn)
{
    struct stack_stream *s = of_app(handler);
    char bytes[16384];
    ssize_t n = 0;

    (void)conn;
    while (!s->closed && (n = tlsyn_tls_read(s->tls, bytes, sizeof(bytes))) > 0) {
        patience_heard(&s->patient);
        s->user->events->on_bytes(s->user, bytes, (size_t)n);
    }
    if (!s->closed && n == 0)
        s->user->events->on_end(s->user, 0, "");
}

static void on_tls_acked(struct tlsyn_handler *handler, struct tlsyn_conn *conn, size_t n)
{
    struct stack_stream *s = of_app(handler);

    (void)conn;
    if (n > 0 && s->established && !s->closed)
        s->user->events->on_room(s->user);
}

static void on_tls_closed(struct tlsyn_handler *handler, struct tlsyn_conn *conn, int error)
{
    struct stack_stream *s = of_app(handler);
    const char *sentence = tlsyn_tls_error(s->tls);

    (void)conn;
    s->conn = NULL;
    if (s->closed)
        return;
    error = error < 0 ? error : -ECONNRESET;
    s->user->events->on_end(s->user, error, sentence[0] ? sentence : strerror(-error));
}

static const struct tlsyn_conn_events app_events = {.on_open = on_tls_open,
                                                    .on_established = on_tls_established,
                                                    .on_data = on_tls_data,
                                                    .on_acked = on_tls_acked,
                                                    .on_closed = on_tls_closed};

/* --- TCP's events ----------------------------------------------------------------------------- */

static int on_open(struct tlsyn_handler *handler, struct tlsyn_conn *conn)
{
    struct stack_stream *s = of_tcp(handler);
    int error = 0;

    s->conn = conn;
    stack_stream_enter(s);
    if (stack_stream_options(s)->level != TLSYN_LEVEL_NONE)
        error = stack_stream_begin_tls(s, conn);
    stack_stream_leave(s);
    return error;
}

/* TCP's handshake comes first, and is over. */
static int begin_behind_tcp(struct stack_stream *s, struct tlsyn_conn *conn)
{
    s->user->events->on_begun(s->user);
    s->lazy = stack_stream_is_lazy(s);
    if (s->lazy || s->closed || patience_waits(&s->patient, (double)tlsyn_clock()))
        return 0;
    return stack_stream_begin_tls(s, conn);
}

static int on_synack(struct tlsyn_handler *handler, struct tlsyn_conn *conn)
{
    struct stack_stream *s = of_tcp(handler);
    struct tlsyn_handler *tls;
    int error = 0;

    stack_stream_enter(s);
    patience_answered(s->patient.patience, (double)(tlsyn_clock() - s->opened));
    if (stack_stream_options(s)->level == TLSYN_LEVEL_NONE)
        error = begin_behind_tcp(s, conn);
    if (error == 0 && s->tls)
        error = stack_stream_engine(s, &tls)->on_synack(tls, conn);
    stack_stream_leave(s);
    return error;
}

static void on_established(struct tlsyn_handler *handler, struct tlsyn_conn *conn)
{
    struct stack_stream *s = of_tcp(handler);
    struct tlsyn_handler *tls;

    stack_stream_enter(s);
    if (s->tls) {
        stack_stream_engine(s, &tls)->on_established(tls, conn);
    } else if (s->lazy && !s->closed) {
        s->up = true;
        s->user->events->on_up(s->user);
    }
    stack_stream_leave(s);
}

static void on_data(struct tlsyn_handler *handler, struct tlsyn_conn *conn)
{
    struct stack_stream *s = of_tcp(handler);
    struct tlsyn_handler *tls;

    stack_stream_enter(s);
    if (s->tls)
        stack_stream_engine(s, &tls)->on_data(tls, conn);
    stack_stream_leave(s);
}

static void on_acked(struct tlsyn_handler *handler, struct tlsyn_conn *conn, size_t n)
{
    struct stack_stream *s = of_tcp(handler);
    struct tlsyn_handler *tls;

    stack_stream_enter(s);
    if (s->tls)
        stack_stream_engine(s, &tls)->on_acked(tls, conn, n);
    stack_stream_leave(s);
}

static void on_closed(struct tlsyn_handler *handler, struct tlsyn_conn *conn, int error)
{
    struct stack_stream *s = of_tcp(handler);
    struct tlsyn_handler *tls;

    stack_stream_enter(s);
    s->conn = NULL;
    if (s->tls) {
        stack_stream_engine(s, &tls)->on_closed(tls, conn, error);
    } else if (!s->closed) {
        error = error < 0 ? error : -ECONNRESET;
        s->user->events->on_end(s->user, error, strerror(-error));
    }
    stack_stream_leave(s);
}

static const struct tlsyn_conn_events tcp_events = {.on_open = on_open,
                                                    .on_synack = on_synack,
                                                    .on_established = on_established,
                                                    .on_data = on_data,
                                                    .on_acked = on_acked,
                                                    .on_closed = on_closed};

void stack_stream_init(struct stack_stream *s)
{
    s->tcp.events = &tcp_events;
    s->app.events = &app_events;
}
