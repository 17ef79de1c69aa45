/*
 * visitor.c: one connection to the file server, from bytes in to bytes out. Read first: RFC 9112 9.
 */
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include <tlsyn/loop.h>

#include "cli.h"
#include "describe.h"
#include "say.h"
#include "visit.h"

/* Sweeps happen at least this often: deadlines are met to within it. */
#define SWEEP_EVERY TLSYN_MS(500)

/* --- log -------------------------------------------------------------------------------------- */

static void log_request(const struct visitor *v)
{
    struct tlsyn_conn_info info;
    struct tlsyn_tls_info tls;
    char address[CLI_ADDRESS_TEXT];
    char bytes[24];
    char took[24];
    bool brought = v->request.parser.method == HTTP_PUT;

    if (v->visitors->quiet)
        return;
    tlsyn_conn_info(v->conn, &info);
    tlsyn_tls_info(v->tls, &tls);
    say_detail("%s:%u \"%s %s\" %d %s %s %s %s %s syn=%u synack=%u%s",
               cli_address_host(&info.remote.addr, address), info.remote.port,
               v->request.begun ? request_method(&v->request) : "-", v->request.target, v->status,
               say_bytes(brought ? v->upload.size : v->body, bytes),
               say_duration(tlsyn_clock() - v->began, took), tls.version ? tls.version : "-",
               tlsyn_tls_session_name(tls.session), describe_mode(&info), info.syn_text_acked,
               info.synack_text, tlsyn_tls_is_early(v->tls) ? " early" : "");
}

/* What the log would not show otherwise: no TLS, or a request that came to no end. */
static void log_failure(const struct visitor *v, int error)
{
    const char *sentence = tlsyn_tls_error(v->tls);
    const char *reason = sentence[0] ? sentence : strerror(error < 0 ? -error : ECONNRESET);
    bool broken =
        v->state == SENDING || v->state == RECEIVING || (v->state == READING && v->request.begun);
    struct tlsyn_conn_info info;
    char address[CLI_ADDRESS_TEXT];

    tlsyn_conn_info(v->conn, &info);
    (void)cli_address_text(&info.remote.addr, address);
    if (!v->visitors->quiet && !v->established)
        say_detail("%s:%u no TLS: %s", address, info.remote.port, reason);
    else if (!v->visitors->quiet && broken)
        say_detail("%s:%u \"%s %s\" broken off: %s", address, info.remote.port,
                   v->request.begun ? request_method(&v->request) : "-", v->request.target, reason);
}

/* --- bytes in --------------------------------------------------------------------------------- */

static void await_request(struct visitor *v)
{
    struct visitors *all = v->visitors;

    request_begin(&v->request);
    v->state = READING;
    v->close_after = false;
    v->status = 0;
    v->body = 0;
    v->upload.size = 0;
    v->began = tlsyn_clock();
    v->deadline = v->began + all->idle;
}

static void linger(struct visitor *v)
{
    if (v->state == LINGERING)
        return;
    v->state = LINGERING;
    v->deadline = tlsyn_clock() + v->visitors->timeout;
    tlsyn_tls_close(v->tls);
}

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
        upload_abort(&v->upload);
        linger(v);
        return false;
    }
    v->in_start = 0;
    v->in_end = (size_t)n;
    return true;
}

static bool read_some(struct visitor *v)
{
    bool begun = v->request.begun;
    enum request_outcome outcome = REQUEST_MORE;
    size_t used = 0;

    if (!fill(v))
        return false;
    if (v->state == LINGERING) {
        v->in_start = v->in_end;
        return true;
    }
    outcome = request_feed(&v->request, v->in + v->in_start, v->in_end - v->in_start, &used);
    v->in_start += used;
    if (!begun && v->request.begun) {
        /* From here on a request's header has one deadline: trickling doesn't move it. */
        v->began = tlsyn_clock();
        v->deadline = v->began + v->visitors->timeout;
    }
    if (v->state == RECEIVING)
        v->deadline = tlsyn_clock() + v->visitors->timeout;
    answer_outcome(v, outcome);
    return true;
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

static void close_file(struct visitor *v)
{
    if (v->file >= 0)
        (void)close(v->file);
    v->file = -1;
    v->file_left = 0;
}

/* True when all of the file is in the send buffer. */
static bool send_file(struct visitor *v)
{
    char chunk[VISIT_CHUNK];

    while (v->file_left > 0) {
        size_t want = v->file_left < sizeof(chunk) ? (size_t)v->file_left : sizeof(chunk);
        ssize_t n = pread(v->file, chunk, want, (off_t)v->file_at);

        if (n <= 0) {
            /* The file shrank: the promised length can't be kept, and the client must notice. */
            close_file(v);
            tlsyn_conn_abort(v->conn, -EIO);
            return false;
        }
        n = tlsyn_tls_write(v->tls, chunk, (size_t)n);
        if (n <= 0)
            return false;
        v->file_at += (uint64_t)n;
        v->file_left -= (uint64_t)n;
    }
    close_file(v);
    return true;
}

static bool send_some(struct visitor *v)
{
    if (!flush_out(v) || !send_file(v))
        return false;
    log_request(v);
    if (v->close_after)
        linger(v);
    else
        await_request(v);
    return true;
}

/* Does what can be done now. */
static void advance(struct visitor *v)
{
    bool more = true;

    if (!v->established && !tlsyn_tls_is_early(v->tls))
        return;
    while (more && !v->ended) {
        if (v->state == SENDING) {
            more = send_some(v);
        } else {
            (void)flush_out(v);
            more = read_some(v);
        }
    }
}

/* --- events ----------------------------------------------------------------------------------- */

static void on_established(struct tlsyn_handler *handler, struct tlsyn_conn *conn)
{
    struct visitor *v = (struct visitor *)handler;

    (void)conn;
    v->established = true;
    v->deadline = tlsyn_clock() + v->visitors->timeout;
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
    if (v->state == SENDING || v->state == LINGERING)
        v->deadline = tlsyn_clock() + v->visitors->timeout;
    advance(v);
}

static void on_closed(struct tlsyn_handler *handler, struct tlsyn_conn *conn, int error)
{
    struct visitor *v = (struct visitor *)handler;

    (void)conn;
    log_failure(v, error);
    upload_abort(&v->upload);
    close_file(v);
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
    v->file = -1;
    v->upload = (struct upload){.fd = -1, .folder = -1};
    await_request(v);
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

static void expire(struct visitor *v)
{
    if (v->established && v->state == READING && v->request.begun) {
        answer_refuse(v, 408, "");
        (void)send_some(v); /* reading on, outside an event, might end the visit under our feet */
    } else if (v->established && v->state == READING) {
        linger(v);
    } else {
        tlsyn_conn_abort(v->conn, -ETIMEDOUT); /* v is gone */
    }
}

tlsyn_time visitors_sweep(struct visitors *visitors, tlsyn_time now)
{
    struct visitor *next = NULL;

    for (struct visitor *v = visitors->first; v; v = next) {
        next = v->next;
        if (now >= v->deadline)
            expire(v);
    }
    return visitors->first ? now + SWEEP_EVERY : TLSYN_NEVER;
}

void visitors_stop(struct visitors *visitors)
{
    struct visitor *next = NULL;

    visitors->stopping = true;
    for (struct visitor *v = visitors->first; v; v = next) {
        next = v->next;
        if (v->established && v->state == READING && !v->request.begun)
            linger(v);
        else if (!v->established)
            tlsyn_conn_abort(v->conn, -ECONNABORTED);
    }
}
