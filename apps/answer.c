/*
 * answer.c: from a request to its response, and to the file behind it. Read first:
 * RFC 9110 9.3, 14, 15.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
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

static void respond_file(struct visit *visit, const struct files_found *found)
{
    struct web_exchange *web = &visit->web;
    uint64_t first = 0;
    uint64_t last = found->size ? found->size - 1 : 0;
    enum request_range range = request_range(web->request.range, found->size, &first, &last);
    char date[40];

    visit->file = found->fd;
    if (range == RANGE_UNSATISFIED) {
        web_say(web, 416);
        web_field(web, "Content-Range", "bytes */%llu", (unsigned long long)found->size);
        return;
    }
    http_date(found->modified, date, sizeof(date));
    web_respond(web, range == RANGE_PART ? 206 : 200);
    web_body(web, files_type(found->name), range == RANGE_PART ? last - first + 1 : found->size);
    web_field(web, "Last-Modified", "%s", date);
    web_field(web, "Accept-Ranges", "bytes");
    if (range == RANGE_PART) {
        visit->file_at = first;
        web_field(web, "Content-Range", "bytes %llu-%llu/%llu", (unsigned long long)first,
                  (unsigned long long)last, (unsigned long long)found->size);
    }
}

/* RFC 9110 15.4.2: a folder's URL ends with a slash, else relative links in its
 * index.html would miss. */
static void respond_folder(struct web_exchange *web)
{
    const char *target = web->request.target;
    size_t length = strcspn(target, "?#");

    if (target[0] != '/' || length > 700 || strncmp(target, "//", 2) == 0) {
        web_say(web, 404);
        return;
    }
    web_say(web, 301);
    web_field(web, "Location", "%.*s/", (int)length, target);
}

static void answer_get(struct visit *visit, char *path, size_t size, bool directory)
{
    struct files_found found;
    size_t length = strlen(path);
    int error = 0;

    if (directory)
        (void)snprintf(path + length, size - length, "/index.html");
    error = files_open(&visit_visitor(visit)->visitors->files, path, &found);
    if (error == -EISDIR && !directory)
        respond_folder(&visit->web);
    else if (error < 0)
        web_say(&visit->web, status_of(error));
    else
        respond_file(visit, &found);
}

/* --- requests --------------------------------------------------------------------------------- */

static struct visit *of(struct web_exchange *web)
{
    return (struct visit *)web;
}

static struct web_exchange *open_visit(struct web_service *service)
{
    struct visit *visit = calloc(1, sizeof(*visit));

    (void)service;
    if (!visit)
        return NULL;
    visit->began = tlsyn_clock();
    visit->file = -1;
    visit->upload = (struct upload){.fd = -1, .folder = -1};
    return &visit->web;
}

static void stamp(struct web_exchange *web)
{
    char date[40];

    http_date(time(NULL), date, sizeof(date));
    web_field(web, "Server", "tlsyn");
    web_field(web, "Date", "%s", date);
}

static void begin_upload(struct visit *visit, const char *path, bool directory)
{
    struct visitors *all = visit_visitor(visit)->visitors;
    const struct request *request = &visit->web.request;
    int error = directory ? -EISDIR : 0;

    if (request->length != UINT64_MAX && request->length > all->upload_max) {
        web_say(&visit->web, 413);
        return;
    }
    if (error == 0)
        error = files_upload(&all->files, path, ++all->uploads, &visit->upload);
    if (error < 0)
        web_say(&visit->web, status_of(error));
}

static bool takes_uploads(const struct visit *visit)
{
    const struct visitors *all = visit_visitor(visit)->visitors;

    return all->upload && !all->site;
}

static void refuse_method(struct visit *visit)
{
    web_say(&visit->web, 405);
    web_field(&visit->web, "Allow", "%s", takes_uploads(visit) ? "GET, HEAD, PUT" : "GET, HEAD");
}

static void take_head(struct web_exchange *web)
{
    struct visit *visit = of(web);
    char path[REQUEST_TARGET_MAX + 16];
    bool directory = false;
    int status = request_path(web->request.target, path, sizeof(path), &directory);

    /* RFC 8470 5.1: somebody may have sent the same bytes before. A safe method does no harm
     * twice. */
    if (tlsyn_tls_is_early(visit_visitor(visit)->tls) && !request_is_safe(&web->request))
        web_say(web, 425);
    else if (!request_is(&web->request, "PUT"))
        return;
    else if (status != 0)
        web_say(web, status);
    else if (takes_uploads(visit))
        begin_upload(visit, path, directory);
    else
        refuse_method(visit);
}

static void take_body(struct web_exchange *web, const char *bytes, size_t n)
{
    struct visit *visit = of(web);
    int error = 0;

    if (visit->upload.fd < 0) {
        web_ignore(web);
    } else if (web->received > visit_visitor(visit)->visitors->upload_max) {
        web_say(web, 413);
    } else {
        error = upload_write(&visit->upload, bytes, n);
        if (error < 0)
            web_say(web, status_of(error));
    }
}

static void finish_upload(struct visit *visit)
{
    bool replaced = false;
    int error = upload_commit(&visit->upload, &replaced);

    web_say(&visit->web, error < 0 ? status_of(error) : replaced ? 204 : 201);
}

static void answer(struct web_exchange *web)
{
    struct visit *visit = of(web);
    const struct site *site = visit_visitor(visit)->visitors->site;
    char path[REQUEST_TARGET_MAX + 16];
    bool directory = false;
    int status = request_path(web->request.target, path, sizeof(path), &directory);

    if (site)
        site_answer(site, web, &visit->body);
    else if (visit->upload.fd >= 0)
        finish_upload(visit);
    else if (status != 0)
        web_say(web, status);
    else if (request_is_safe(&web->request))
        answer_get(visit, path, sizeof(path), directory);
    else
        refuse_method(visit);
}

static ssize_t read_body(struct web_exchange *web, char *bytes, size_t n)
{
    struct visit *visit = of(web);
    ssize_t got = 0;

    if (visit->body.file)
        return site_read(&visit->body, bytes, n);
    got = pread(visit->file, bytes, n, (off_t)visit->file_at);
    if (got <= 0) /* it shrank, or can't be read */
        return got < 0 ? -errno : -EIO;
    visit->file_at += (uint64_t)got;
    return got;
}

static void end(struct web_exchange *web, int error)
{
    struct visit *visit = of(web);

    visitor_log(visit_visitor(visit), visit, error);
    upload_abort(&visit->upload);
    if (visit->file >= 0)
        (void)close(visit->file);
    free(visit);
}

const struct web_service_ops answer_ops = {
    .open = open_visit,
    .stamp = stamp,
    .head = take_head,
    .take = take_body,
    .answer = answer,
    .read = read_body,
    .end = end,
};
