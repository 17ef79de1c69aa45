/*
 * web/loader_pages.c: URLs, what documents and style sheets name, what servers answer.
 */
#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "web/loader_parts.h"

static_assert(sizeof(((struct url *)0)->target) >= REFERENCE_MAX, "a reference is a target");

/* --- URLs ------------------------------------------------------------------------------------- */

static int find_server(const struct loader *loader, const struct url *url)
{
    for (int i = 0; i < loader->policy.hosts; i++) {
        if (strcasecmp(loader->server[i].name, url->host) == 0 &&
            loader->server[i].port == url->port)
            return i;
    }
    return -1;
}

static int add_server(struct loader *loader, const struct url *url)
{
    bool first = loader->policy.hosts == 0;
    int host = policy_add_host(&loader->policy,
                               first ? loader->options.connections : loader->options.others);

    if (host < 0)
        return host;
    loader->server[host] = (struct server){.loader = loader, .port = url->port};
    (void)snprintf(loader->server[host].name, sizeof(loader->server[host].name), "%s", url->host);
    if (host == 0 && !tlsyn_addr_unspecified(&loader->options.address)) {
        loader->server[0].address = loader->options.address;
        loader->server[0].state = NAME_KNOWN;
    }
    return host;
}

int page_find(const struct loader *loader, const struct url *url)
{
    int host = find_server(loader, url);

    for (int i = 0; host >= 0 && i < loader->policy.urls; i++) {
        if (loader->policy.url[i].what.host == host &&
            strcmp(loader->url[i].url.target, url->target) == 0)
            return i;
    }
    return -1;
}

static void on_reference(struct reference_user *user, enum page_kind kind, const struct url *url);

int page_add(struct loader *loader, const struct url *url, struct policy_url what)
{
    int at = -1;

    what.host = find_server(loader, url);
    if (what.host < 0)
        what.host = add_server(loader, url);
    if (what.host >= 0)
        at = policy_add_url(&loader->policy, &what);
    if (at < 0) {
        loader->result.passed_over++;
        return at;
    }
    loader->url[at] = (struct loader_url){.url = *url};
    loader->part[at] =
        (struct part){.references = {.on_reference = on_reference}, .loader = loader, .event = -1};
    return at;
}

void page_free_parsers(struct part *part)
{
    document_free(part->document);
    free(part->css);
    free(part->script);
    part->document = NULL;
    part->css = NULL;
    part->script = NULL;
}

/* What a document names stands in it, what a style sheet, a script or a redirection names, where
 * that stands. */
static struct policy_url place_of(struct loader *loader, int parent, enum page_kind kind)
{
    struct policy_url what = loader->policy.url[parent].what;
    bool is_document = what.kind == PAGE_HTML || what.kind == PAGE_FRAME;

    what.kind = kind;
    if (is_document)
        what.position = ++loader->part[parent].found;
    if (kind == PAGE_FRAME)
        what.frame = ++loader->frames;
    return what;
}

static void on_reference(struct reference_user *user, enum page_kind kind, const struct url *url)
{
    struct loader *loader = ((struct part *)user)->loader;
    int parent = (int)((struct part *)user - loader->part), at = page_find(loader, url);
    bool deeper = kind == PAGE_FRAME || page_kind_blocks(loader->policy.url[parent].what.kind);
    struct policy_url what;

    if (at < 0 && deeper && loader->url[parent].depth == LOADER_FRAMES_MAX) {
        loader->result.passed_over++;
        return;
    }
    what = place_of(loader, parent, kind);
    if (at < 0) {
        at = page_add(loader, url, what);
        if (at < 0)
            return;
        loader->url[at].depth = loader->url[parent].depth + deeper;
    }
    if (policy_refer(&loader->policy, parent, at) < 0)
        loader->result.passed_over++;
}

/* --- responses -------------------------------------------------------------------------------- */

static struct connection *of_http(struct http_client_user *user)
{
    return (struct connection *)((char *)user - offsetof(struct connection, http));
}

static bool is_redirection(int status)
{
    return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

static bool is_html(const struct http_head *head)
{
    char type[128] = "";

    return http_head_field(head, "Content-Type", type, sizeof(type)) == -ENODATA ||
           strncasecmp(type, "text/html", 9) == 0 ||
           strncasecmp(type, "application/xhtml", 17) == 0;
}

/* A parser for what comes, if it is of a kind that names something. */
static void begin_part(struct loader *loader, int url, const struct http_head *head)
{
    struct part *part = &loader->part[url];
    const struct url *base = &loader->url[url].url;
    enum page_kind kind = loader->policy.url[url].what.kind;

    if ((kind == PAGE_HTML || kind == PAGE_FRAME) && is_html(head))
        part->document = document_new(&part->references, base);
    if (kind == PAGE_CSS && (part->css = malloc(sizeof(*part->css))))
        css_init(part->css, &part->references, base);
    if (kind == PAGE_SCRIPT && (part->script = malloc(sizeof(*part->script))))
        script_init(part->script, &part->references, base);
}

static void on_head(struct http_client_user *user, int request, const struct http_head *head)
{
    struct loader *loader = of_http(user)->loader;
    struct part *part = &loader->part[request];
    char location[REFERENCE_MAX];

    page_free_parsers(part);
    part->found = 0;
    loader->url[request].status = head->status;
    loader->url[request].bytes = 0;
    part->is_redirect = is_redirection(head->status) &&
                        http_head_field(head, "Location", location, sizeof(location)) == 0 &&
                        url_resolve(&loader->url[request].url, location, &part->target) == 0;
    if (head->status / 100 == 2)
        begin_part(loader, request, head);
}

static void on_body(struct http_client_user *user, int request, const char *bytes, size_t n)
{
    struct loader *loader = of_http(user)->loader;
    struct part *part = &loader->part[request];

    loader->url[request].bytes += n;
    if (part->document)
        document_take(part->document, bytes, n);
    else if (part->css)
        css_take(part->css, bytes, n);
    else if (part->script)
        script_take(part->script, bytes, n);
}

/* Whether the redirections that are known of lead from one to the other. */
static bool leads_to(const struct loader *loader, int from, int to)
{
    while (from >= 0 && from != to)
        from = loader->policy.url[from].moved;
    return from >= 0;
}

/* Goes where a redirection leads. 0, or -errno; *why says it in words. */
static int follow(struct loader *loader, int url, const char **why)
{
    struct part *part = &loader->part[url];
    struct policy_url what = loader->policy.url[url].what;
    int redirects = loader->url[url].redirects + 1, target = page_find(loader, &part->target);

    *why = "redirections lead in a circle";
    if (leads_to(loader, target, url))
        return -ELOOP;
    *why = "too many redirections in a row";
    if (redirects > LOADER_REDIRECTS_MAX)
        return -ELOOP;
    *why = "the page has too many URLs, or too many servers, to be redirected to another";
    if (what.kind == PAGE_REDIRECT) /* known as one, and of nothing else */
        what.kind = PAGE_IMAGE;
    if (target < 0) {
        target = page_add(loader, &part->target, what);
        if (target < 0)
            return -ENOBUFS;
        loader->url[target].depth = loader->url[url].depth;
    }
    if (loader->url[target].redirects < redirects)
        loader->url[target].redirects = redirects;
    policy_moved(&loader->policy, url, target);
    return 0;
}

static void note(struct loader *loader, int url, int error, const char *why)
{
    char text[128];

    load_note(loader, error, url_text(&loader->url[url].url, text, sizeof(text)), why);
}

/* A status that is no success. 425 is worth another try: the server has not processed the request,
 * because it came as early data (RFC 8470 5.2). */
static void take_refusal(struct loader *loader, int url)
{
    char why[64];

    (void)snprintf(why, sizeof(why), "the server answered %d", loader->url[url].status);
    note(loader, url, -EBADMSG, why);
    if (loader->url[url].status == 425)
        policy_failed(&loader->policy, url);
    else
        policy_arrived(&loader->policy, url, true);
}

static void take_response(struct loader *loader, int url)
{
    struct part *part = &loader->part[url];
    const char *why;
    int error;

    if (part->document)
        document_end(part->document);
    page_free_parsers(part);
    if (part->is_redirect) {
        error = follow(loader, url, &why);
        if (error == 0)
            return;
        note(loader, url, error, why);
        policy_arrived(&loader->policy, url, true);
    } else if (loader->url[url].status / 100 == 2) {
        policy_arrived(&loader->policy, url, false);
    } else {
        take_refusal(loader, url);
    }
}

static void on_done(struct http_client_user *user, int request, int error, const char *sentence)
{
    struct connection *c = of_http(user);
    struct loader *loader = c->loader;
    struct part *part = &loader->part[request];

    if (error == 0)
        load_answered(loader, part->event);
    else
        load_end(loader, part->event);
    if (part->event >= 0)
        loader->result.event[part->event].bytes = loader->url[request].bytes;
    part->event = -1;
    if (error == 0) {
        take_response(loader, request);
        return;
    }
    page_free_parsers(part);
    note(loader, request, error, sentence);
    if (error == -EAGAIN && c->client->ops->room(c->client) < 0) /* RFC 9113 6.8 */
        policy_refused(&loader->policy, request);
    else
        policy_failed(&loader->policy, request);
}

const struct http_client_events page_events = {
    .on_head = on_head, .on_body = on_body, .on_done = on_done};
