/*
 * web/site.c: what the servers of a page answer.
 */
#include "web/site.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "web/site_text.h"

#define DAY "86400"

struct site_file {
    int host;
    char target[SITE_TARGET_MAX];
    const char *type; /* NULL: a redirection */
    char *text;       /* what it says; of a redirection: where to */
    size_t text_len;
    const char *open, *close; /* around the filler, "" without one */
    uint64_t length;
};

struct site {
    struct page page;
    struct site_file file[PAGE_URLS_MAX];
};

/* --- making ----------------------------------------------------------------------------------- */

static const struct {
    const char *type, *open, *close;
} kinds[] = {
    [PAGE_HTML] = {"text/html; charset=utf-8", "<!--\n", "\n-->\n"},
    [PAGE_FRAME] = {"text/html; charset=utf-8", "<!--\n", "\n-->\n"},
    [PAGE_CSS] = {"text/css; charset=utf-8", "/*\n", "\n*/\n"},
    [PAGE_SCRIPT] = {"text/javascript; charset=utf-8", "/*\n", "\n*/\n"},
    [PAGE_REDIRECT] = {NULL, "", ""},
    [PAGE_IMAGE] = {"image/gif", "", ""},
};

static int make_file(struct site *site, int url, uint16_t port)
{
    const struct page_url *u = &site->page.url[url];
    struct site_file *file = &site->file[url];
    size_t around = strlen(kinds[u->kind].open) + strlen(kinds[u->kind].close);
    uint64_t wanted = page_url_bytes(u);
    int error = site_text(&site->page, url, port, &file->text, &file->text_len);

    if (error < 0)
        return error;
    site_target(&site->page, url, file->target);
    file->host = u->host;
    file->type = kinds[u->kind].type;
    file->open = file->close = "";
    file->length = file->text_len;
    if (file->type && wanted > file->text_len + around) {
        file->open = kinds[u->kind].open;
        file->close = kinds[u->kind].close;
        file->length = wanted;
    }
    return 0;
}

int site_new(const struct page *page, const struct site_options *options, struct site **site)
{
    struct site *s = calloc(1, sizeof(*s));
    int error = s ? 0 : -ENOMEM;

    if (error < 0)
        return error;
    s->page = *page;
    for (int i = 0; i < page->urls && error == 0; i++)
        error = make_file(s, i, options->port);
    if (error < 0) {
        site_free(s);
        return error;
    }
    *site = s;
    return 0;
}

void site_free(struct site *site)
{
    for (int i = 0; site && i < site->page.urls; i++)
        free(site->file[i].text);
    free(site);
}

/* --- answering -------------------------------------------------------------------------------- */

/* The host's number by a Host field; -1: none of the page's. */
static int find_host(const struct page *page, const char *field)
{
    size_t len = strcspn(field, ":");

    for (int i = 0; i < page->hosts; i++) {
        if (strncasecmp(field, page->host[i].name, len) == 0 && page->host[i].name[len] == '\0')
            return i;
    }
    return -1;
}

static const struct site_file *find_file(const struct site *site, int host, const char *target)
{
    const char *path = request_path_of(target);
    size_t len = path ? strcspn(path, "?#") : 0;

    for (int i = 0; path && i < site->page.urls; i++) {
        const struct site_file *file = &site->file[i];

        if (file->host == host && strlen(file->target) == len &&
            memcmp(file->target, path, len) == 0)
            return file;
    }
    return NULL;
}

static void answer_file(struct web_exchange *exchange, const struct site_file *file)
{
    web_respond(exchange, file->type ? 200 : 302);
    web_field(exchange, "Cache-Control", "public, max-age=" DAY);
    if (file->type)
        web_body(exchange, file->type, file->length);
    else
        web_field(exchange, "Location", "%s", file->text);
}

void site_answer(const struct site *site, struct web_exchange *exchange, struct site_body *body)
{
    int host = find_host(&site->page, exchange->request.host);
    const struct site_file *file = find_file(site, host, exchange->request.target);

    *body = (struct site_body){.file = file};
    if (host < 0) {
        web_say(exchange, 421);
    } else if (!file) {
        web_say(exchange, 404);
    } else if (!request_is_safe(&exchange->request)) {
        web_say(exchange, 405);
        web_field(exchange, "Allow", "GET, HEAD");
    } else {
        answer_file(exchange, file);
    }
}

/* --- bodies ----------------------------------------------------------------------------------- */

/* Lines of dots, or, in a picture, of anything. */
static void fill(const struct site_file *file, uint64_t at, char *bytes, size_t n)
{
    for (size_t i = 0; i < n; i++, at++) {
        if (file->open[0] == '\0')
            bytes[i] = (char)(at * 31 + (at >> 8));
        else
            bytes[i] = at % 72 == 71 ? '\n' : '.';
    }
}

ssize_t site_read(struct site_body *body, char *bytes, size_t n)
{
    const struct site_file *file = body->file;
    const size_t open = strlen(file->open), close = strlen(file->close);
    const struct {
        const char *text; /* NULL: filler */
        uint64_t len;
    } parts[] = {{file->text, file->text_len},
                 {file->open, open},
                 {NULL, file->length - file->text_len - open - close},
                 {file->close, close}};
    uint64_t begin = 0; /* of a part */
    size_t taken = 0;

    for (size_t i = 0; i < sizeof(parts) / sizeof(*parts) && taken < n; begin += parts[i++].len) {
        uint64_t at = body->at - begin; /* what stands before the part was read */
        size_t some = n - taken;

        if (at >= parts[i].len)
            continue;
        if (parts[i].len - at < some)
            some = (size_t)(parts[i].len - at);
        if (parts[i].text)
            memcpy(bytes + taken, parts[i].text + at, some);
        else
            fill(file, at, bytes + taken, some);
        taken += some;
        body->at += some;
    }
    return (ssize_t)taken;
}

/* --- a service -------------------------------------------------------------------------------- */

struct exchange {
    struct web_exchange web;
    struct site_body body;
};

static struct web_exchange *open_exchange(struct web_service *service)
{
    struct exchange *e = calloc(1, sizeof(*e));

    (void)service;
    return e ? &e->web : NULL;
}

static void answer(struct web_exchange *exchange)
{
    struct site_service *service = (struct site_service *)exchange->service;

    service->requests++;
    site_answer(service->site, exchange, &((struct exchange *)exchange)->body);
}

static ssize_t read_body(struct web_exchange *exchange, char *bytes, size_t n)
{
    return site_read(&((struct exchange *)exchange)->body, bytes, n);
}

static void end(struct web_exchange *exchange, int error)
{
    (void)error;
    free(exchange);
}

void site_serve(const struct site *site, struct site_service *service)
{
    static const struct web_service_ops ops = {
        .open = open_exchange,
        .answer = answer,
        .read = read_body,
        .end = end,
    };

    *service = (struct site_service){.service = {.ops = &ops}, .site = site};
}
