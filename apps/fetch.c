/*
 * fetch.c: one HTTP/1.1 GET over one TLS connection.
 *
 * Bytes flow: TLS -> chunk -> parser -> body (decoded) -> sink. The next chunk is read only
 * when the body buffer is empty, and a chunk decodes to at most its own size, so neither
 * buffer can overflow.
 */
#include "fetch.h"

#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static struct fetch *of_response(struct h1_response *response)
{
    return (struct fetch *)((char *)response - offsetof(struct fetch, response));
}

static void pump(struct fetch *f);

/* --- ends ------------------------------------------------------------------------------------- */

static void describe_once(struct fetch *f)
{
    if (f->conn && f->tls)
        describe_take(&f->description, f->conn, f->tls);
}

__attribute__((format(printf, 3, 4))) static void fail(struct fetch *f, int error,
                                                       const char *format, ...)
{
    va_list arguments;

    if (f->done)
        return;
    va_start(arguments, format);
    (void)vsnprintf(f->sentence, sizeof(f->sentence), format, arguments);
    va_end(arguments);
    f->error = error;
    f->done = true;
    describe_once(f);
}

static void succeed(struct fetch *f)
{
    int error = 0;

    if (f->done)
        return;
    if (f->has_sink) {
        f->has_sink = false;
        error = sink_commit(&f->sink);
    }
    if (error < 0) {
        fail(f, error, "%s can't be written: %s", f->sink_path, strerror(-error));
        return;
    }
    f->done = true;
    describe_once(f);
}

/* --- what the parser finds -------------------------------------------------------------------- */

static int on_head(struct h1_response *response)
{
    struct fetch *f = of_response(response);
    int error = 0;

    if (response->head.status / 100 != 2)
        return 0;
    error = sink_open(&f->sink, f->sink_path);
    if (error < 0) {
        fail(f, error, "%s can't be written: %s", f->sink_path, strerror(-error));
        return error;
    }
    f->has_sink = true;
    return 0;
}

static int on_body(struct h1_response *response, const char *at, size_t length)
{
    struct fetch *f = of_response(response);

    if (!f->has_sink)
        return 0;
    memcpy(f->body + f->body_end, at, length);
    f->body_end += length;
    return 0;
}

static const struct h1_response_events response_events = {.on_head = on_head, .on_body = on_body};

/* --- from the connection to the sink ---------------------------------------------------------- */

static void on_sink_ready(struct tlsyn_loop_watch *watch, int fd, short revents)
{
    struct fetch *f = (struct fetch *)((char *)watch - offsetof(struct fetch, watch));

    (void)revents;
    tlsyn_loop_unwatch(f->loop, fd);
    f->watching = false;
    pump(f);
}

/* True when the body buffer is empty. */
static bool flush_body(struct fetch *f)
{
    while (f->body_start < f->body_end) {
        ssize_t n = sink_write(&f->sink, f->body + f->body_start, f->body_end - f->body_start);

        if (n == -EAGAIN) {
            if (!f->watching)
                f->watching = tlsyn_loop_watch(f->loop, f->sink.fd, POLLOUT, &f->watch) == 0;
            if (!f->watching)
                fail(f, -ENOSPC, "the output can't be waited for");
            return false;
        }
        if (n < 0) {
            fail(f, (int)n, "the output can't be written: %s", strerror((int)-n));
            return false;
        }
        f->body_start += (size_t)n;
    }
    f->body_start = f->body_end = 0;
    return true;
}

/* What follows a response is nobody's: one request, one response. */
static void parse(struct fetch *f, const char *bytes, size_t n)
{
    ssize_t taken = h1_response_take(&f->response, bytes, n);

    if (taken < 0)
        fail(f, (int)taken, "%s", f->response.sentence);
}

/* The peer has closed its direction: complete if the response is one that ends with the
 * connection. */
static void take_end(struct fetch *f)
{
    f->peer_ended = true;
    if (h1_response_end(&f->response) < 0)
        fail(f, f->response.error, "%s", f->response.sentence);
}

static void pump(struct fetch *f)
{
    char chunk[FETCH_CHUNK];

    while (!f->done) {
        ssize_t n = 0;

        if (!flush_body(f))
            return;
        if (f->response.complete) {
            succeed(f);
            return;
        }
        if (f->closed || f->peer_ended) {
            fail(f, -ECONNRESET, "the connection closed before the answer was complete");
            return;
        }
        n = tlsyn_tls_read(f->tls, chunk, sizeof(chunk));
        if (n == -EAGAIN)
            return;
        if (n > 0) {
            parse(f, chunk, (size_t)n);
        } else if (n == 0) {
            take_end(f);
        } else if (n == -ECONNRESET) {
            fail(f, -ECONNRESET,
                 "the answer is cut off: the connection ended without TLS saying so");
        } else {
            fail(f, (int)n, "%s", tlsyn_tls_error(f->tls));
        }
    }
}

/* --- events ----------------------------------------------------------------------------------- */

static void send_request(struct fetch *f)
{
    while (f->request_sent < f->request_len) {
        ssize_t n =
            tlsyn_tls_write(f->tls, f->request + f->request_sent, f->request_len - f->request_sent);

        if (n <= 0)
            return;
        f->request_sent += (size_t)n;
    }
}

static struct fetch *touch(struct tlsyn_handler *handler, struct tlsyn_conn *conn)
{
    struct fetch *f = (struct fetch *)handler;

    f->conn = conn;
    f->last = tlsyn_clock();
    return f;
}

static int on_open(struct tlsyn_handler *handler, struct tlsyn_conn *conn)
{
    struct fetch *f = touch(handler, conn);

    if (f->early)
        send_request(f);
    return 0;
}

static void on_established(struct tlsyn_handler *handler, struct tlsyn_conn *conn)
{
    struct fetch *f = touch(handler, conn);
    struct tlsyn_tls_info info;

    tlsyn_tls_info(f->tls, &info);
    if (info.early == TLSYN_TLS_EARLY_REJECTED)
        f->request_sent = 0; /* a GET may be sent again (RFC 8446 4.2.10) */
    send_request(f);
}

static void on_data(struct tlsyn_handler *handler, struct tlsyn_conn *conn)
{
    struct fetch *f = touch(handler, conn);

    if (!f->watching)
        pump(f);
}

static void on_acked(struct tlsyn_handler *handler, struct tlsyn_conn *conn, size_t n)
{
    (void)n;
    send_request(touch(handler, conn));
}

static void on_closed(struct tlsyn_handler *handler, struct tlsyn_conn *conn, int error)
{
    struct fetch *f = touch(handler, conn);

    f->closed = true;
    if (error == 0 && !f->watching)
        pump(f);
    if (error < 0)
        fail(f, error, "%s", "");
    f->conn = NULL;
}

static const struct tlsyn_conn_events events = {
    .on_open = on_open,
    .on_established = on_established,
    .on_data = on_data,
    .on_acked = on_acked,
    .on_closed = on_closed,
};

/* --- life ------------------------------------------------------------------------------------- */

void fetch_init(struct fetch *fetch, const struct url *url, const char *sink_path,
                struct tlsyn_loop *loop)
{
    char authority[URL_AUTHORITY_MAX];

    *fetch = (struct fetch){
        .handler = {.events = &events},
        .loop = loop,
        .watch = {.on_ready = on_sink_ready},
        .sink_path = sink_path,
        .sink = {.fd = -1},
        .last = tlsyn_clock(),
    };
    h1_response_init(&fetch->response, &response_events);
    fetch->request_len =
        (size_t)snprintf(fetch->request, sizeof(fetch->request),
                         "GET %s HTTP/1.1\r\nHost: %s\r\nUser-Agent: tlsyn\r\n"
                         "Accept: */*\r\nConnection: close\r\n\r\n",
                         url->target, url_authority(url, authority, sizeof(authority)));
}

void fetch_fini(struct fetch *fetch)
{
    if (fetch->watching)
        tlsyn_loop_unwatch(fetch->loop, fetch->sink.fd);
    fetch->watching = false;
    if (fetch->has_sink)
        sink_abort(&fetch->sink);
    fetch->has_sink = false;
    fetch->done = true;
}
