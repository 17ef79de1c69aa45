/*
 * web/har.c: entries of an HTTP Archive to the URLs of a page.
 */
#include "web/har.h"

#include <ctype.h>
#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "web/url.h"

#define URL_TEXT_MAX     2400
#define MAIN_CONNECTIONS 16 /* to the document's server, as the paper has it */
#define CONNECTIONS      6  /* to another, as browsers have it; fewer where there are many */
#define CONNECTIONS_ALL  64 /* that a browser has at a time */

enum { NOT_THERE = -1 };

struct reader {
    struct page *page;
    struct har_count *count;
    char *message;
    char *address[PAGE_URLS_MAX];  /* of each URL, as url_text() writes it */
    char *redirect[PAGE_URLS_MAX]; /* where it leads, or NULL */
    int named[PAGE_IMAGE + 1];     /* how many of each kind */
    int positions[PAGE_URLS_MAX];  /* how many references a document has so far */
    int documents;
};

static const char *string_at(const json_t *object, const char *key)
{
    const char *value = json_string_value(json_object_get(object, key));

    return value ? value : "";
}

/* --- addresses -------------------------------------------------------------------------------- */

/* As all addresses are compared. The laboratory's servers speak TLS: http counts as https. 0 or
 * -errno. */
static int canonical(const char *address, struct url *url, char text[URL_TEXT_MAX])
{
    char https[URL_TEXT_MAX];
    int error;

    if (strncasecmp(address, "http://", 7) == 0) {
        int n = snprintf(https, sizeof(https), "https://%s", address + 7);

        if (n < 0 || (size_t)n >= sizeof(https))
            return -ENAMETOOLONG;
        address = https;
    }
    error = url_parse(address, url);
    for (char *at = url->host; error == 0 && *at; at++)
        *at = (char)tolower((unsigned char)*at);
    if (error == 0)
        (void)url_text(url, text, URL_TEXT_MAX);
    return error;
}

static int find(const struct reader *r, const char *address)
{
    struct url url;
    char text[URL_TEXT_MAX];
    int at = r->page->urls - 1;

    if (address[0] == '\0' || canonical(address, &url, text) < 0)
        return NOT_THERE;
    while (at >= 0 && strcmp(r->address[at], text) != 0)
        at--;
    return at;
}

/* --- servers ---------------------------------------------------------------------------------- */

/* A name that is too long for the graph gets another one. */
static void name_host(struct page_host *host, const char *name, int number)
{
    if (strlen(name) < sizeof(host->name))
        (void)snprintf(host->name, sizeof(host->name), "%s", name);
    else
        (void)snprintf(host->name, sizeof(host->name), "host%d.page.test", number);
}

static int find_host(struct reader *r, const char *name)
{
    struct page *page = r->page;
    struct page_host host = {.dns = page->hosts > 0};

    name_host(&host, name, page->hosts);
    for (int i = 0; i < page->hosts; i++) {
        if (strcmp(page->host[i].name, host.name) == 0)
            return i;
    }
    if (page->hosts == PAGE_HOSTS_MAX) {
        (void)snprintf(r->message, HAR_MESSAGE_MAX,
                       "this page is of more than %d servers, which is the bound", PAGE_HOSTS_MAX);
        return -E2BIG;
    }
    page->host[page->hosts] = host;
    return page->hosts++;
}

static void share_connections(struct page *page)
{
    int others = page->hosts > 1 ? (CONNECTIONS_ALL - MAIN_CONNECTIONS) / (page->hosts - 1) : 0;

    for (int i = 0; i < page->hosts; i++)
        page->host[i].connections = i == 0                 ? MAIN_CONNECTIONS
                                    : others < CONNECTIONS ? others
                                                           : CONNECTIONS;
}

/* --- one entry -------------------------------------------------------------------------------- */

static bool has_type(const char *type, const char *word)
{
    return strncasecmp(type, word, strlen(word)) == 0;
}

static enum page_kind kind_of(const json_t *response, bool first)
{
    const char *type = string_at(json_object_get(response, "content"), "mimeType");
    json_int_t status = json_integer_value(json_object_get(response, "status"));

    if (status >= 300 && status < 400 && string_at(response, "redirectURL")[0])
        return PAGE_REDIRECT;
    if (has_type(type, "text/html") || has_type(type, "application/xhtml"))
        return first ? PAGE_HTML : PAGE_FRAME;
    if (has_type(type, "text/css"))
        return PAGE_CSS;
    return strstr(type, "javascript") || strstr(type, "ecmascript") ? PAGE_SCRIPT : PAGE_IMAGE;
}

static uint32_t size_of(const json_t *response)
{
    json_int_t size =
        json_integer_value(json_object_get(json_object_get(response, "content"), "size"));

    if (size <= 0)
        size = json_integer_value(json_object_get(response, "bodySize"));
    return size <= 0 ? 0 : size > UINT32_MAX ? UINT32_MAX : (uint32_t)size;
}

/* Who asked for it, as the browser saw it; "": it does not say. */
static const char *initiator_of(const json_t *entry)
{
    const json_t *initiator = json_object_get(entry, "_initiator");
    const json_t *frames = json_object_get(json_object_get(initiator, "stack"), "callFrames");
    const char *from = string_at(initiator, "url");

    return from[0] ? from : string_at(json_array_get(frames, 0), "url");
}

static const char *referer_of(const json_t *request)
{
    const json_t *headers = json_object_get(request, "headers"), *header;
    size_t i;

    json_array_foreach(headers, i, header)
    {
        if (strcasecmp(string_at(header, "name"), "referer") == 0)
            return string_at(header, "value");
    }
    return "";
}

static int redirection_to(const struct reader *r, const char *address)
{
    for (int i = 0; i < r->page->urls; i++) {
        if (r->redirect[i] && strcmp(r->redirect[i], address) == 0)
            return i;
    }
    return NOT_THERE;
}

/* The document that a URL is part of. */
static int document_of(const struct page *page, int url)
{
    while (page->url[url].kind != PAGE_HTML && page->url[url].kind != PAGE_FRAME)
        url = page->url[url].parent;
    return url;
}

/* Documents, scripts and redirections name anything, style sheets name images alone; what else
 * claims to is taken for the document around it. */
static int parent_of(const struct reader *r, const json_t *entry, enum page_kind kind,
                     const char *address)
{
    const struct page *page = r->page;
    int parent = redirection_to(r, address);

    if (parent >= 0)
        return parent;
    parent = find(r, initiator_of(entry));
    if (parent < 0)
        parent = find(r, referer_of(json_object_get(entry, "request")));
    if (parent < 0)
        return 0;
    switch (page->url[parent].kind) {
    case PAGE_CSS:
        return kind == PAGE_IMAGE ? parent : document_of(page, parent);
    case PAGE_REDIRECT: /* its target is elsewhere */
    case PAGE_IMAGE:
        return document_of(page, parent);
    default:
        return parent;
    }
}

/* Where a redirection leads, as addresses are compared. -ENOMEM; 0 also where that is no URL. */
static int note_redirection(struct reader *r, const struct url *base, const char *target)
{
    char text[URL_TEXT_MAX];
    struct url url;

    if (url_resolve(base, target, &url) < 0 && canonical(target, &url, text) < 0)
        return 0;
    r->redirect[r->page->urls] = strdup(url_text(&url, text, sizeof(text)));
    return r->redirect[r->page->urls] ? 0 : -ENOMEM;
}

static void place(struct reader *r, struct page_url *u, int parent)
{
    struct page *page = r->page;
    int document = parent < 0 ? NOT_THERE : document_of(page, parent);

    u->parent = parent;
    if (parent < 0)
        u->position = 1;
    else if (parent == document)
        u->position = ++r->positions[document];
    else
        u->position = page->url[parent].position;
    if (u->kind == PAGE_HTML || u->kind == PAGE_FRAME)
        u->frame = r->documents++;
    else
        u->frame = page->url[document].frame;
}

static int add(struct reader *r, const json_t *entry, const struct url *url, const char *address)
{
    static const char *const names[] = {"HTML", "F", "CSS", "JS", "R", "IMG"};
    const json_t *response = json_object_get(entry, "response");
    struct page *page = r->page;
    struct page_url u = {.kind = kind_of(response, page->urls == 0), .size = size_of(response)};
    int host = find_host(r, url->host);

    if (host < 0)
        return host;
    u.host = host;
    if (page->urls == PAGE_URLS_MAX) {
        (void)snprintf(r->message, HAR_MESSAGE_MAX,
                       "this page is of more than %d URLs, which is the bound", PAGE_URLS_MAX);
        return -E2BIG;
    }
    (void)snprintf(u.name, sizeof(u.name), "%s%d", names[u.kind], ++r->named[u.kind]);
    place(r, &u, page->urls == 0 ? NOT_THERE : parent_of(r, entry, u.kind, address));
    if (u.kind == PAGE_REDIRECT && note_redirection(r, url, string_at(response, "redirectURL")) < 0)
        return -ENOMEM;
    r->address[page->urls] = strdup(address);
    if (!r->address[page->urls]) {
        free(r->redirect[page->urls]);
        r->redirect[page->urls] = NULL;
        return -ENOMEM;
    }
    page->url[page->urls++] = u;
    return 0;
}

static int take(struct reader *r, const json_t *entry)
{
    const json_t *request = json_object_get(entry, "request");
    enum page_kind kind = kind_of(json_object_get(entry, "response"), r->page->urls == 0);
    char address[URL_TEXT_MAX];
    struct url url;

    r->count->entries++;
    if (strcmp(string_at(request, "method"), "GET") != 0 ||
        canonical(string_at(request, "url"), &url, address) < 0 ||
        (r->page->urls == 0 && kind == PAGE_REDIRECT)) {
        r->count->left_out++;
        return 0;
    }
    if (r->page->urls == 0 && kind != PAGE_HTML) {
        (void)snprintf(r->message, HAR_MESSAGE_MAX,
                       "the first entry of a page is its document, and here it is no HTML: record "
                       "the page from its beginning");
        return -EINVAL;
    }
    if (find(r, address) >= 0) {
        r->count->repeated++;
        return 0;
    }
    return add(r, entry, &url, address);
}

/* --- the archive ------------------------------------------------------------------------------ */

/* A redirection to what is there already, or not there at all, is a file like any other. */
static void end_redirections(struct page *page)
{
    for (int i = 0; i < page->urls; i++) {
        int child = i + 1;

        while (child < page->urls && page->url[child].parent != i)
            child++;
        if (page->url[i].kind == PAGE_REDIRECT && child == page->urls)
            page->url[i].kind = PAGE_IMAGE;
    }
}

static int take_all(struct reader *r, const json_t *entries)
{
    const json_t *entry;
    size_t i;
    int error = 0;

    json_array_foreach(entries, i, entry)
    {
        if (error == 0)
            error = take(r, entry);
    }
    if (error == 0 && r->page->urls == 0) {
        (void)snprintf(r->message, HAR_MESSAGE_MAX,
                       "there is no page in this archive: none of its %zu entries is a GET of a "
                       "document",
                       r->count->entries);
        error = -EINVAL;
    }
    end_redirections(r->page);
    share_connections(r->page);
    for (int k = 0; k < r->page->urls; k++) {
        free(r->address[k]);
        free(r->redirect[k]);
    }
    return error;
}

int har_parse(const char *text, size_t len, struct page *page, struct har_count *count,
              char message[HAR_MESSAGE_MAX])
{
    json_error_t why;
    struct reader *r = NULL;
    json_t *root = NULL;
    const json_t *entries;
    int error;

    *page = (struct page){.urls = 0};
    *count = (struct har_count){.entries = 0};
    if (len > HAR_BYTES_MAX) {
        (void)snprintf(message, HAR_MESSAGE_MAX,
                       "this archive is larger than %zu MiB: save it without the contents",
                       HAR_BYTES_MAX >> 20);
        return -EFBIG;
    }
    (void)snprintf(message, HAR_MESSAGE_MAX, "out of memory");
    r = calloc(1, sizeof(*r));
    if (!r)
        return -ENOMEM;
    *r = (struct reader){.page = page, .count = count, .message = message};
    root = json_loadb(text, len, 0, &why);
    entries = json_object_get(json_object_get(root, "log"), "entries");
    if (!root)
        (void)snprintf(message, HAR_MESSAGE_MAX, "this is no HTTP Archive: line %d: %s", why.line,
                       why.text);
    else if (!json_is_array(entries))
        (void)snprintf(message, HAR_MESSAGE_MAX,
                       "this is no HTTP Archive: it has no \"log\" with \"entries\"");
    error = json_is_array(entries) ? take_all(r, entries) : -EINVAL;
    json_decref(root);
    free(r);
    return error;
}
