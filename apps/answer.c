/*
 * answer.c: from a request to the response's head, and to the file behind it. Read first:
 * RFC 9110 9.3, 14, 15.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include <tlsyn/loop.h>

#include "visit.h"

/* --- responses -------------------------------------------------------------------------------- */

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
        request_reason((unsigned int)status), date);
    if (v->close_after)
        put(v, "Connection: close\r\n");
}

/* A response whose body is its own reason; `field` is a header line with its CRLF, or "". */
static void respond(struct visitor *v, int status, const char *field)
{
    const char *reason = request_reason((unsigned int)status);
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

/* RFC 9110 15.4.2: a folder's URL ends with a slash, else relative links in its
 * index.html would miss. */
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

/* --- requests --------------------------------------------------------------------------------- */

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

void answer_refuse(struct visitor *v, int status, const char *field)
{
    v->close_after = true;
    respond(v, status, field);
}

static void begin_upload(struct visitor *v, const char *path, bool directory)
{
    struct visitors *all = v->visitors;
    int error = directory ? -EISDIR : 0;

    if (!all->upload) {
        answer_refuse(v, 405, "Allow: GET, HEAD\r\n");
        return;
    }
    if (v->request.length != UINT64_MAX && v->request.length > all->upload_max) {
        answer_refuse(v, 413, "");
        return;
    }
    if (error == 0)
        error = files_upload(&all->files, path, ++all->uploads, &v->upload);
    if (error < 0) {
        answer_refuse(v, status_of(error), "");
        return;
    }
    v->request.body = take_upload;
    v->state = RECEIVING;
    v->deadline = tlsyn_clock() + all->timeout;
    if (v->request.expect_continue)
        put(v, "HTTP/1.1 100 Continue\r\n\r\n");
}

/* RFC 8470 5.1: somebody may have sent the same bytes before. A safe method does no harm twice. */
static bool is_too_early(const struct visitor *v)
{
    return tlsyn_tls_is_early(v->tls) && v->request.parser.method != HTTP_GET &&
           v->request.parser.method != HTTP_HEAD;
}

static void take_head(struct visitor *v)
{
    char path[REQUEST_TARGET_MAX + 16];
    bool directory = false;
    int status = request_path(v->request.target, path, sizeof(path), &directory);

    if (is_too_early(v))
        answer_refuse(v, 425, "");
    else if (v->request.parser.method == HTTP_PUT && status == 0)
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

void answer_outcome(struct visitor *v, enum request_outcome outcome)
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
        answer_refuse(v, v->request.status, "");
        break;
    }
}
