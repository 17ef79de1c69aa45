/*
 * visitor.c: one connection to the server, from bytes in to bytes out. Read first: RFC 9112 9.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <tlsyn/loop.h>

#include "cli.h"
#include "describe.h"
#include "say.h"
#include "visit.h"
#include "web/h1_server.h"
#include "web/h2_server.h"

/* Deadlines are met to within this: who turns more often than that, as a busy server does, should
 * not look at every connection each time. */
#define SWEEP_EVERY TLSYN_MS(500)

/* --- log -------------------------------------------------------------------------------------- */

/* "10.0.0.1:4711 \"GET /\"" */
static void who_and_what(const struct visitor *v, const struct request *request, char *text,
                         size_t size)
{
    struct tlsyn_conn_info info;
    char address[CLI_ADDRESS_TEXT];

    tlsyn_conn_info(v->conn, &info);
    (void)snprintf(text, size, "%s:%u \"%s %s\"", cli_address_host(&info.remote.addr, address),
                   info.remote.port, request->method, request->target);
}

static const char *reason_of(const struct visitor *v, int error)
{
    const char *sentence = tlsyn_tls_error(v->tls);

    if (sentence[0])
        return sentence;
    if (error == -ETIMEDOUT)
        return "nothing more came in time";
    return strerror(error < 0 ? -error : ECONNRESET);
}

static void log_broken(const struct visitor *v, const struct request *request, int error)
{
    char text[REQUEST_TARGET_MAX + 100];

    who_and_what(v, request, text, sizeof(text));
    say_detail("%s broken off: %s", text, reason_of(v, error));
}

static bool speaks_h2(const struct tlsyn_tls_info *tls)
{
    return tls->alpn && strcmp(tls->alpn, "h2") == 0;
}

static void log_answered(const struct visitor *v, const struct visit *visit)
{
    const struct web_response *response = &visit->web.response;
    struct tlsyn_conn_info info;
    struct tlsyn_tls_info tls;
    char text[REQUEST_TARGET_MAX + 100];
    char bytes[24];
    char took[24];
    bool brought = request_is(&visit->web.request, "PUT");
    uint64_t body = response->has_body ? response->length : 0;

    tlsyn_conn_info(v->conn, &info);
    tlsyn_tls_info(v->tls, &tls);
    who_and_what(v, &visit->web.request, text, sizeof(text));
    say_detail("%s %d %s %s %s %s %s syn=%u synack=%u%s%s", text, response->status,
               say_bytes(brought ? visit->upload.size : body, bytes),
               say_duration(tlsyn_clock() - visit->began, took), tls.version ? tls.version : "-",
               tlsyn_tls_session_name(tls.session), describe_mode(&info), info.syn_text_acked,
               info.synack_text, tlsyn_tls_is_early(v->tls) ? " early" : "",
               speaks_h2(&tls) ? " h2" : "");
}

void visitor_log(const struct visitor *v, const struct visit *visit, int error)
{
    if (v->visitors->quiet)
        return;
    if (error == 0)
        log_answered(v, visit);
    else
        log_broken(v, &visit->web.request, error);
}

/* What the log would not show otherwise: no TLS, or a request whose header came to no end. */
static void log_failure(const struct visitor *v, int error)
{
    const struct request *reading = v->server ? web_server_reading(v->server) : NULL;
    struct tlsyn_conn_info info;
    char address[CLI_ADDRESS_TEXT];

    if (v->visitors->quiet)
        return;
    tlsyn_conn_info(v->conn, &info);
    if (!v->established)
        say_detail("%s:%u no TLS: %s", cli_address_text(&info.remote.addr, address),
                   info.remote.port, reason_of(v, error));
    else if (reading)
        log_broken(v, reading, error);
}

/* --- deadlines -------------------------------------------------------------------------------- */

static void begin_phase(struct visitor *v, enum web_phase phase)
{
    v->phase = phase;
    v->deadline = tlsyn_clock() + (phase == WEB_IDLE ? v->visitors->idle : v->visitors->timeout);
}

/* A request's header has one deadline: trickling doesn't move it; a body's moves with it. */
static void watch_progress(struct visitor *v, uint64_t before)
{
    enum web_phase phase = web_server_phase(v->server);

    if (phase != v->phase || v->server->progress != before)
        begin_phase(v, phase);
}

static void linger(struct visitor *v)
{
    if (v->lingering)
        return;
    v->lingering = true;
    v->deadline = tlsyn_clock() + v->visitors->timeout;
    tlsyn_tls_close(v->tls);
}

/* --- bytes in --------------------------------------------------------------------------------- */

/* True if there are bytes to work on. */
static bool fill(struct visitor *v)
{
    ssize_t n = 0;

    if (v->in_start < v->in_end)
        return true;
    n = tlsyn_tls_read(v->tls, v->in, sizeof(v->in));
    if (n == -EAGAIN)
        return false;
    if (n <= 0) { /* the client is done, or gone; a cut-off stream is no request either way */
        v->ended = true;
        linger(v);
        return false;
    }
    v->in_start = 0;
    v->in_end = (size_t)n;
    return true;
}

/* True if something was done. */
static bool receive(struct visitor *v)
{
    size_t used = 0;

    if (v->ended || !fill(v))
        return false;
    used = web_server_input(v->server, v->in + v->in_start, v->in_end - v->in_start);
    v->in_start += used;
    return used > 0;
}

/* --- bytes out -------------------------------------------------------------------------------- */

/* True when `out` is empty. */
static bool flush_out(struct visitor *v)
{
    while (v->out_start < v->out_end) {
        ssize_t n = tlsyn_tls_write(v->tls, v->out + v->out_start, v->out_end - v->out_start);

        if (n <= 0)
            return false;
        v->out_start += (size_t)n;
    }
    v->out_start = v->out_end = 0;
    return true;
}

/* 1 when all that there is has left, 0 when it has to wait for room; negative: the connection was
 * aborted, and the visitor with it is gone. */
static int send_all(struct visitor *v)
{
    while (flush_out(v)) {
        ssize_t n = web_server_output(v->server, v->out, sizeof(v->out));

        /* A file shrank: the promised length can't be kept, and the client must notice. */
        if (n < 0) {
            tlsyn_conn_abort(v->conn, (int)n);
            return (int)n;
        }
        if (n == 0)
            return 1;
        v->out_end = (size_t)n;
    }
    return 0;
}

/* The protocol that the handshake settled on. False: there is none yet, or no memory, and the
 * visitor is gone. */
static bool has_protocol(struct visitor *v)
{
    struct tlsyn_tls_info tls;

    if (v->server)
        return true;
    if (!v->established && !tlsyn_tls_is_early(v->tls))
        return false;
    tlsyn_tls_info(v->tls, &tls);
    if (speaks_h2(&tls))
        v->server = h2_server_new(&v->service);
    else
        v->server = h1_server_new(&v->service);
    if (!v->server) {
        tlsyn_conn_abort(v->conn, -ENOMEM);
        return false;
    }
    v->deadline = tlsyn_clock() + v->visitors->timeout;
    return true;
}

/* Does what can be done now. */
static void advance(struct visitor *v)
{
    bool more = has_protocol(v);

    while (more) {
        uint64_t before = v->server->progress;
        int sent = v->ended ? 0 : send_all(v);

        if (sent < 0)
            return;
        if (sent > 0 && web_server_phase(v->server) == WEB_ENDED)
            linger(v);
        more = (sent > 0 || v->lingering) && receive(v);
        if (!v->lingering)
            watch_progress(v, before);
    }
}

/* --- events ----------------------------------------------------------------------------------- */

static void on_established(struct tlsyn_handler *handler, struct tlsyn_conn *conn)
{
    struct visitor *v = (struct visitor *)handler;

    (void)conn;
    v->established = true;
    advance(v);
}

static void on_data(struct tlsyn_handler *handler, struct tlsyn_conn *conn)
{
    (void)conn;
    advance((struct visitor *)handler);
}

static void on_acked(struct tlsyn_handler *handler, struct tlsyn_conn *conn, size_t n)
{
    struct visitor *v = (struct visitor *)handler;

    (void)conn;
    (void)n;
    if (v->lingering)
        v->deadline = tlsyn_clock() + v->visitors->timeout;
    advance(v);
}

static void on_closed(struct tlsyn_handler *handler, struct tlsyn_conn *conn, int error)
{
    struct visitor *v = (struct visitor *)handler;

    (void)conn;
    log_failure(v, error);
    if (v->server)
        web_server_free(v->server, error < 0 ? error : -ECONNRESET);
    *v->link = v->next;
    if (v->next)
        v->next->link = v->link;
    v->visitors->count--;
    tlsyn_tls_free(v->tls);
    free(v);
}

static const struct tlsyn_conn_events events = {
    .on_established = on_established,
    .on_data = on_data,
    .on_acked = on_acked,
    .on_closed = on_closed,
};

/* --- all of them ------------------------------------------------------------------------------ */

struct tlsyn_handler *visitor_accept(struct visitors *visitors, struct tlsyn_conn *conn)
{
    struct visitor *v = NULL;

    if (visitors->stopping || visitors->count >= visitors->max)
        return NULL;
    v = calloc(1, sizeof(*v));
    if (!v)
        return NULL;
    v->handler.events = &events;
    v->visitors = visitors;
    v->conn = conn;
    v->service.ops = &answer_ops;
    v->deadline = tlsyn_clock() + visitors->timeout;
    if (tlsyn_tls_attach(visitors->config, conn, NULL, &v->handler, &v->tls) < 0) {
        free(v);
        return NULL;
    }
    v->next = visitors->first;
    v->link = &visitors->first;
    if (v->next)
        v->next->link = &v->next;
    visitors->first = v;
    visitors->count++;
    return tlsyn_tls_handler(v->tls);
}

/* Says what is to be said at the end, and closes. Reading on, outside an event, might end the visit
 * under our feet. */
static void stop(struct visitor *v, bool at_once)
{
    web_server_stop(v->server, at_once);
    if (send_all(v) > 0 && web_server_phase(v->server) == WEB_ENDED)
        linger(v);
}

static bool is_waiting(const struct visitor *v)
{
    return v->server && !v->lingering &&
           (v->phase == WEB_IDLE || (v->established && v->phase == WEB_READING));
}

static void expire(struct visitor *v)
{
    if (!is_waiting(v)) {
        tlsyn_conn_abort(v->conn, -ETIMEDOUT); /* v is gone */
        return;
    }
    v->phase = WEB_ENDED; /* the next deadline is the last */
    v->deadline = tlsyn_clock() + v->visitors->timeout;
    stop(v, true);
}

tlsyn_time visitors_sweep(struct visitors *visitors, tlsyn_time now)
{
    struct visitor *next = NULL;

    if (now < visitors->next_sweep)
        return visitors->next_sweep;
    for (struct visitor *v = visitors->first; v; v = next) {
        next = v->next;
        if (now >= v->deadline)
            expire(v);
    }
    visitors->next_sweep = now + SWEEP_EVERY;
    return visitors->first ? visitors->next_sweep : TLSYN_NEVER;
}

void visitors_stop(struct visitors *visitors)
{
    struct visitor *next = NULL;

    visitors->stopping = true;
    for (struct visitor *v = visitors->first; v; v = next) {
        next = v->next;
        if (v->server && !v->lingering)
            stop(v, false);
        else if (!v->established)
            tlsyn_conn_abort(v->conn, -ECONNABORTED);
    }
}
