/*
 * fetch.c: one GET over one TLS connection.
 *
 * Bytes flow: TLS -> chunk -> client -> body (decoded) -> sink. The next chunk is read only
 * when the body buffer is empty, and a chunk decodes to at most its own size, so neither
 * buffer can overflow.
 */
#include "fetch.h"

#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static struct fetch *of_user(struct http_client_user *user)
{
    return (struct fetch *)((char *)user - offsetof(struct fetch, user));
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

/* --- what the client of HTTP finds ------------------------------------------------------------ */

static void on_head(struct http_client_user *user, int request, const struct http_head *head)
{
    struct fetch *f = of_user(user);
    int error = 0;

    (void)request;
    f->head = *head;
    if (head->status / 100 != 2)
        return;
    error = sink_open(&f->sink, f->sink_path);
    if (error < 0)
        fail(f, error, "%s can't be written: %s", f->sink_path, strerror(-error));
    else
        f->has_sink = true;
}

static void on_body(struct http_client_user *user, int request, const char *bytes, size_t n)
{
    struct fetch *f = of_user(user);

    (void)request;
    if (!f->has_sink)
        return;
    memcpy(f->body + f->body_end, bytes, n);
    f->body_end += n;
}

static void on_done(struct http_client_user *user, int request, int error, const char *sentence)
{
    struct fetch *f = of_user(user);

    (void)request;
    if (error < 0)
        fail(f, error, "%s", sentence);
    else
        f->complete = true;
}

static const struct http_client_events client_events = {
    .on_head = on_head, .on_body = on_body, .on_done = on_done};

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
            f->output_error = (int)n;
            fail(f, (int)n, "%s", "");
            return false;
        }
        f->body_start += (size_t)n;
    }
    f->body_start = f->body_end = 0;
    return true;
}

static void send_pending(struct fetch *f)
{
    const char *bytes = NULL;
    size_t n = 0;

    while (f->client && (n = f->client->ops->pending(f->client, &bytes)) > 0) {
        ssize_t taken = tlsyn_tls_write(f->tls, bytes, n);

        if (taken <= 0)
            return;
        f->client->ops->sent(f->client, (size_t)taken);
    }
}

/* What follows a response is nobody's: one request, one response. */
static void take(struct fetch *f, const char *bytes, size_t n)
{
    (void)f->client->ops->take(f->client, bytes, n); /* on_done says what is wrong */
    if (!f->complete)
        send_pending(f);
}

/* The peer has closed its direction: complete if the response is one that ends with the
 * connection. */
static void take_end(struct fetch *f)
{
    f->peer_ended = true;
    f->client->ops->ended(f->client, 0, "");
}

static void pump(struct fetch *f)
{
    char chunk[FETCH_CHUNK];

    while (!f->done) {
        ssize_t n = 0;

        if (!flush_body(f))
            return;
        if (f->complete) {
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
            take(f, chunk, (size_t)n);
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

static void ask(struct fetch *f, bool h2)
{
    char authority[URL_AUTHORITY_MAX];
    const struct http_request request = {
        .authority = url_authority(f->url, authority, sizeof(authority)),
        .target = f->url->target,
        .last = true,
    };
    int error = h2 ? h2_client_new(&f->user, &f->client) : h1_client_new(&f->user, &f->client);

    if (error == 0)
        error = f->client->ops->ask(f->client, 0, &request);
    if (error < 0)
        fail(f, error, "the request can't be made: %s", strerror(-error));
    else
        send_pending(f);
}

static void forget_client(struct fetch *f)
{
    if (f->client)
        f->client->ops->free(f->client);
    f->client = NULL;
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
        ask(f, false);
    return 0;
}

static void on_established(struct tlsyn_handler *handler, struct tlsyn_conn *conn)
{
    struct fetch *f = touch(handler, conn);
    struct tlsyn_tls_info info;

    tlsyn_tls_info(f->tls, &info);
    if (info.early == TLSYN_TLS_EARLY_REJECTED)
        forget_client(f); /* a GET may be sent again (RFC 8446 4.2.10) */
    if (f->client)
        send_pending(f);
    else
        ask(f, info.alpn && strcmp(info.alpn, "h2") == 0);
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
    send_pending(touch(handler, conn));
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
    *fetch = (struct fetch){
        .handler = {.events = &events},
        .loop = loop,
        .watch = {.on_ready = on_sink_ready},
        .sink_path = sink_path,
        .sink = {.fd = -1},
        .url = url,
        .user = {.events = &client_events},
        .last = tlsyn_clock(),
    };
    http_head_clear(&fetch->head);
}

void fetch_fini(struct fetch *fetch)
{
    if (fetch->watching)
        tlsyn_loop_unwatch(fetch->loop, fetch->sink.fd);
    fetch->watching = false;
    if (fetch->has_sink)
        sink_abort(&fetch->sink);
    fetch->has_sink = false;
    forget_client(fetch);
    fetch->done = true;
}
