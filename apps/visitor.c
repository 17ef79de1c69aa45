/*
 * visitor.c: one connection to the file server. Read first: RFC 9110 9.3, 14, 15; RFC 9112 9.
 */
#include "visitor.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include <tlsyn/loop.h>

#include "cli.h"
#include "describe.h"
#include "say.h"

#define CHUNK 16384
/* Sweeps happen at least this often: deadlines are met to within it. */
#define SWEEP_EVERY TLSYN_MS(500)

enum visitor_state { READING, RECEIVING, SENDING, LINGERING };

struct visitor {
    struct tlsyn_handler handler;
    struct visitors *visitors;
    struct visitor *next, **link;
    struct tlsyn_conn *conn;
    struct tlsyn_tls *tls;
    enum visitor_state state;
    tlsyn_time deadline;
    struct request request;
    char in[CHUNK];
    size_t in_start, in_end;
    char out[2048]; /* response header, and a body of ours */
    size_t out_start, out_end;
    int file; /* -1: none */
    uint64_t file_at, file_left;
    struct upload upload;
    bool established;
    bool close_after; /* this response is the last */
    bool ended;       /* the client sends no more */
    int status;       /* of the response */
    uint64_t body;    /* bytes of the response's body */
    tlsyn_time began; /* the request's first byte */
};

static void advance(struct visitor *v);

/* --- log ------------------------------------------------------------------------------------------------ */

static void log_request(const struct visitor *v)
{
    struct tlsyn_conn_info info;
    struct tlsyn_tls_info tls;
    char address[16];
    char bytes[24];
    char took[24];
    bool brought = v->request.parser.method == HTTP_PUT;

    if (v->visitors->quiet)
        return;
    tlsyn_conn_info(v->conn, &info);
    tlsyn_tls_info(v->tls, &tls);
    say_detail("%s:%u \"%s %s\" %d %s %s %s %s syn=%u synack=%u",
               cli_address_text(&info.remote.addr, address), info.remote.port,
               v->request.begun ? request_method(&v->request) : "-", v->request.target, v->status,
               say_bytes(brought ? v->upload.size : v->body, bytes),
               say_duration(tlsyn_clock() - v->began, took), tls.version ? tls.version : "-",
               describe_mode(&info), info.syn_text_acked, info.synack_text);
}

/* What the log would not show otherwise: no TLS, or a request that came to no end. */
static void log_failure(const struct visitor *v, int error)
{
    const char *sentence = tlsyn_tls_error(v->tls);
    const char *reason = sentence[0] ? sentence : strerror(error < 0 ? -error : ECONNRESET);
    bool broken =
        v->state == SENDING || v->state == RECEIVING || (v->state == READING && v->request.begun);
    struct tlsyn_conn_info info;
    char address[16];

    tlsyn_conn_info(v->conn, &info);
    (void)cli_address_text(&info.remote.addr, address);
    if (!v->visitors->quiet && !v->established)
        say_detail("%s:%u no TLS: %s", address, info.remote.port, reason);
    else if (!v->visitors->quiet && broken)
        say_detail("%s:%u \"%s %s\" broken off: %s", address, info.remote.port,
                   v->request.begun ? request_method(&v->request) : "-", v->request.target, reason);
}

/* --- responses -------------------------------------------------------------------------------------------- */

static void http_date(time_t when, char *text, size_t size)
{
    struct tm tm;

    if (!gmtime_r(&when, &tm) || strftime(text, size, "%a, %d %b %Y %H:%M:%S GMT", &tm) == 0)
        (void)snprintf(text, size, "Thu, 01 Jan 1970 00:00:00 GMT");
}

__attribute__((format(printf, 2, 3))) static void put(struct visitor *v, const char *format, ...)
{
    va_list arguments;
    int n = 0;

    va_start(arguments, format);
    n = vsnprintf(v->out + v->out_end, sizeof(v->out) - v->out_end, format, arguments);
    va_end(arguments);
    if (n > 0 && (size_t)n < sizeof(v->out) - v->out_end)
        v->out_end += (size_t)n;
}

static void begin_response(struct visitor *v, int status)
{
    char date[40];

    http_date(time(NULL), date, sizeof(date));
    v->state = SENDING;
    v->status = status;
    v->deadline = tlsyn_clock() + v->visitors->timeout;
    if (v->visitors->stopping || !v->request.keep_alive || v->request.parser.http_minor == 0)
        v->close_after = true;
    put(v, "HTTP/1.1 %d %s\r\nServer: tlsyn\r\nDate: %s\r\n", status,
        http_status_str((enum http_status)status), date);
    if (v->close_after)
        put(v, "Connection: close\r\n");
}

/* A response whose body is its own reason; `field` is a header line with its CRLF, or "". */
static void respond(struct visitor *v, int status, const char *field)
{
    const char *reason = http_status_str((enum http_status)status);
    size_t length = strlen(reason) + 5; /* "404 " and the newline */
    bool empty = status == 204 || v->request.parser.method == HTTP_HEAD;

    begin_response(v, status);
    put(v, "%s", field);
    if (status != 204)
        put(v, "Content-Type: text/plain; charset=utf-8\r\nContent-Length: %zu\r\n", length);
    put(v, "\r\n");
    if (empty)
        return;
    put(v, "%d %s\n", status, reason);
    v->body = length;
}

static int status_of(int error)
{
    switch (error) {
    case -ENOENT:
    case -ENOTDIR:
    case -EXDEV: /* it leads outside */
    case -ELOOP:
        return 404;
    case -EACCES:
    case -EPERM:
    case -EISDIR:
    case -EROFS:
        return 403;
    case -ENAMETOOLONG:
        return 414;
    case -ENOSPC:
    case -EDQUOT:
        return 507;
    default:
        return 500;
    }
}

static void respond_file(struct visitor *v, const struct files_found *found)
{
    uint64_t first = 0;
    uint64_t last = found->size ? found->size - 1 : 0;
    enum request_range range = request_range(v->request.range, found->size, &first, &last);
    uint64_t length = range == RANGE_PART ? last - first + 1 : found->size;
    char field[80];
    char date[40];

    if (range == RANGE_UNSATISFIED) {
        (void)close(found->fd);
        (void)snprintf(field, sizeof(field), "Content-Range: bytes */%llu\r\n",
                       (unsigned long long)found->size);
        respond(v, 416, field);
        return;
    }
    if (range != RANGE_PART)
        first = 0;
    http_date(found->modified, date, sizeof(date));
    begin_response(v, range == RANGE_PART ? 206 : 200);
    put(v,
        "Content-Type: %s\r\nContent-Length: %llu\r\nLast-Modified: %s\r\nAccept-Ranges: bytes\r\n",
        files_type(found->name), (unsigned long long)length, date);
    if (range == RANGE_PART)
        put(v, "Content-Range: bytes %llu-%llu/%llu\r\n", (unsigned long long)first,
            (unsigned long long)last, (unsigned long long)found->size);
    put(v, "\r\n");
    if (v->request.parser.method == HTTP_HEAD) {
        (void)close(found->fd);
        return;
    }
    v->file = found->fd;
    v->file_at = first;
    v->file_left = length;
    v->body = length;
}

/* RFC 9110 15.4.2: a folder's URL ends with a slash, else relative links in its index.html would miss. */
static void respond_folder(struct visitor *v)
{
    char field[800];
    size_t length = strcspn(v->request.target, "?#");

    if (v->request.target[0] != '/' || length > 700 ||
        strstr(v->request.target, "//") == v->request.target) {
        respond(v, 404, "");
        return;
    }
    (void)snprintf(field, sizeof(field), "Location: %.*s/\r\n", (int)length, v->request.target);
    respond(v, 301, field);
}

static void answer_get(struct visitor *v, char *path, size_t size, bool directory)
{
    struct files_found found;
    size_t length = strlen(path);
    int error = 0;

    if (directory)
        (void)snprintf(path + length, size - length, "/index.html");
    error = files_open(&v->visitors->files, path, &found);
    if (error == -EISDIR && !directory)
        respond_folder(v);
    else if (error < 0)
        respond(v, status_of(error), "");
    else
        respond_file(v, &found);
}

/* --- requests -------------------------------------------------------------------------------------------------- */

static struct visitor *of_request(struct request *r)
{
    return (struct visitor *)((char *)r - offsetof(struct visitor, request));
}

static int take_upload(struct request *r, const char *bytes, size_t n)
{
    struct visitor *v = of_request(r);
    int error = 0;

    if (n > v->visitors->upload_max - v->upload.size)
        return 413;
    error = upload_write(&v->upload, bytes, n);
    return error < 0 ? status_of(error) : 0;
}

/* A body that has no meaning (RFC 9110 9.3.1) is read away, up to what costs nothing. */
static int take_nothing(struct request *r, const char *bytes, size_t n)
{
    struct visitor *v = of_request(r);

    (void)bytes;
    v->upload.size += n;
    return v->upload.size > 1 << 20 ? 413 : 0;
}

static void refuse(struct visitor *v, int status, const char *field)
{
    v->close_after = true;
    respond(v, status, field);
}

static void begin_upload(struct visitor *v, const char *path, bool directory)
{
    struct visitors *all = v->visitors;
    int error = directory ? -EISDIR : 0;

    if (!all->upload) {
        refuse(v, 405, "Allow: GET, HEAD\r\n");
        return;
    }
    if (v->request.length != UINT64_MAX && v->request.length > all->upload_max) {
        refuse(v, 413, "");
        return;
    }
    if (error == 0)
        error = files_upload(&all->files, path, ++all->uploads, &v->upload);
    if (error < 0) {
        refuse(v, status_of(error), "");
        return;
    }
    v->request.body = take_upload;
    v->state = RECEIVING;
    v->deadline = tlsyn_clock() + all->timeout;
    if (v->request.expect_continue)
        put(v, "HTTP/1.1 100 Continue\r\n\r\n");
}

static void take_head(struct visitor *v)
{
    char path[REQUEST_TARGET_MAX + 16];
    bool directory = false;
    int status = request_path(v->request.target, path, sizeof(path), &directory);

    if (v->request.parser.method == HTTP_PUT && status == 0)
        begin_upload(v, path, directory);
    else
        v->request.body = take_nothing;
}

static void finish_upload(struct visitor *v)
{
    bool replaced = false;
    int error = upload_commit(&v->upload, &replaced);

    respond(v, error < 0 ? status_of(error) : replaced ? 204 : 201, "");
}

static void answer(struct visitor *v)
{
    char path[REQUEST_TARGET_MAX + 16];
    bool directory = false;
    int status = request_path(v->request.target, path, sizeof(path), &directory);
    const char *allow = v->visitors->upload ? "Allow: GET, HEAD, PUT\r\n" : "Allow: GET, HEAD\r\n";

    if (v->state == RECEIVING)
        finish_upload(v);
    else if (status != 0)
        respond(v, status, "");
    else if (v->request.parser.method == HTTP_GET || v->request.parser.method == HTTP_HEAD)
        answer_get(v, path, sizeof(path), directory);
    else
        respond(v, 405, allow);
}

static void take_outcome(struct visitor *v, enum request_outcome outcome)
{
    switch (outcome) {
    case REQUEST_MORE:
        break;
    case REQUEST_HEAD:
        take_head(v);
        break;
    case REQUEST_COMPLETE:
        answer(v);
        break;
    case REQUEST_BAD:
        upload_abort(&v->upload);
        refuse(v, v->request.status, "");
        break;
    }
}

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

/* --- bytes in ----------------------------------------------------------------------------------------------------- */

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
    if (!begun &&
        v->request
            .begun) { /* from here on a request's header has one deadline: trickling doesn't move it */
        v->began = tlsyn_clock();
        v->deadline = v->began + v->visitors->timeout;
    }
    if (v->state == RECEIVING)
        v->deadline = tlsyn_clock() + v->visitors->timeout;
    take_outcome(v, outcome);
    return true;
}

/* --- bytes out ------------------------------------------------------------------------------------------------------ */

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
    char chunk[CHUNK];

    while (v->file_left > 0) {
        size_t want = v->file_left < sizeof(chunk) ? (size_t)v->file_left : sizeof(chunk);
        ssize_t n = pread(v->file, chunk, want, (off_t)v->file_at);

        if (n <=
            0) { /* the file shrank under us: the promised length can't be kept, and the client must notice */
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

    if (!v->established)
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

/* --- events ------------------------------------------------------------------------------------------------------------ */

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

/* --- all of them -------------------------------------------------------------------------------------------------------- */

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
        refuse(v, 408, "");
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
