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
#include <strings.h>

static struct fetch *of_parser(http_parser *parser)
{
    return parser->data;
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

static int append_head(struct fetch *f, const char *at, size_t length)
{
    if (length >= sizeof(f->head) - f->head_len) {
        fail(f, -EMSGSIZE, "the header of the server's answer is longer than %d bytes",
             FETCH_HEAD_MAX);
        return -1;
    }
    memcpy(f->head + f->head_len, at, length);
    f->head_len += length;
    f->head[f->head_len] = '\0';
    return 0;
}

static int on_field(http_parser *parser, const char *at, size_t length)
{
    struct fetch *f = of_parser(parser);

    if (f->in_value && append_head(f, "\n", 1) < 0)
        return -1;
    f->in_value = false;
    return append_head(f, at, length);
}

static int on_value(http_parser *parser, const char *at, size_t length)
{
    struct fetch *f = of_parser(parser);

    if (!f->in_value && append_head(f, ": ", 2) < 0)
        return -1;
    f->in_value = true;
    return append_head(f, at, length);
}

static int on_message_begin(http_parser *parser)
{
    struct fetch *f = of_parser(parser);

    f->head_len = 0;
    f->head[0] = '\0';
    f->in_value = false;
    return 0;
}

/* RFC 9110 15.2: an interim response; the final one follows. */
static bool is_interim(const http_parser *parser)
{
    return parser->status_code / 100 == 1;
}

static int on_headers_complete(http_parser *parser)
{
    struct fetch *f = of_parser(parser);
    int error = 0;

    if (f->in_value && append_head(f, "\n", 1) < 0)
        return -1;
    f->in_value = false;
    if (is_interim(parser))
        return 0;
    f->length = parser->content_length;
    if (parser->status_code / 100 != 2)
        return 0;
    error = sink_open(&f->sink, f->sink_path);
    if (error < 0) {
        fail(f, error, "%s can't be written: %s", f->sink_path, strerror(-error));
        return -1;
    }
    f->has_sink = true;
    return 0;
}

static int on_body(http_parser *parser, const char *at, size_t length)
{
    struct fetch *f = of_parser(parser);

    if (!f->has_sink)
        return 0;
    memcpy(f->body + f->body_end, at, length);
    f->body_end += length;
    return 0;
}

static int on_message_complete(http_parser *parser)
{
    if (!is_interim(parser))
        http_parser_pause(parser, 1); /* nothing may follow: one request, one response */
    return 0;
}

static const http_parser_settings settings = {
    .on_message_begin = on_message_begin,
    .on_header_field = on_field,
    .on_header_value = on_value,
    .on_headers_complete = on_headers_complete,
    .on_body = on_body,
    .on_message_complete = on_message_complete,
};

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

static void parse(struct fetch *f, const char *bytes, size_t n)
{
    enum http_errno error = HPE_OK;

    (void)http_parser_execute(&f->parser, &settings, bytes, n);
    error = HTTP_PARSER_ERRNO(&f->parser);
    if (error != HPE_OK && error != HPE_PAUSED)
        fail(f, -EBADMSG, "the server's answer is no valid HTTP: %s",
             http_errno_description(error));
}

/* The peer has closed its direction: complete if the response is one that ends with the
 * connection. */
static void take_end(struct fetch *f)
{
    f->peer_ended = true;
    if (HTTP_PARSER_ERRNO(&f->parser) == HPE_OK)
        parse(f, NULL, 0);
    if (!f->done && HTTP_PARSER_ERRNO(&f->parser) != HPE_PAUSED)
        fail(f, -ECONNRESET, "the server closed the connection before the answer was complete");
}

static void pump(struct fetch *f)
{
    char chunk[FETCH_CHUNK];

    while (!f->done) {
        ssize_t n = 0;

        if (!flush_body(f))
            return;
        if (HTTP_PARSER_ERRNO(&f->parser) == HPE_PAUSED) {
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
        .length = UINT64_MAX,
        .last = tlsyn_clock(),
    };
    http_parser_init(&fetch->parser, HTTP_RESPONSE);
    fetch->parser.data = fetch;
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

int fetch_field(const struct fetch *fetch, const char *name, char *text, size_t size)
{
    size_t length = strlen(name);

    for (const char *line = fetch->head; *line; line = strchr(line, '\n') + 1) {
        size_t end = strcspn(line, "\n");

        if (strncasecmp(line, name, length) == 0 && line[length] == ':') {
            size_t value = end - length - 2;

            if (value >= size)
                return -ENAMETOOLONG;
            memcpy(text, line + length + 2, value);
            text[value] = '\0';
            return 0;
        }
        if (line[end] == '\0')
            break;
    }
    return -ENODATA;
}
