/*
 * web/site.h: what the servers of a page (web/page.h) answer: documents, style sheets and scripts
 * that name what the graph says, in its order, so that whoever parses them finds the same page;
 * redirections; images.
 *
 *     the page: /          a frame set, or a document as below
 *     a frame: /F1.html    a document with frames, style sheets, scripts and images
 *     /CSS1.css            backgrounds: url(...)
 *     /JS1_1.js            loads what the graph says that it names
 *     /R1                  302 to the other server
 *     /IMG1_1.gif          one pixel, and bytes behind it
 *
 * A file is as long as the graph says; where it says nothing, as long as such a file typically is,
 * and so that each leaves in one flight of a young connection: ten segments of 1220 bytes at the
 * least (RFC 6928; RFC 8200 5). What is not told by the page's text is filler, in comments. The
 * same page and options give the same bytes.
 *
 * A host that is none of the page's gets 421, a name that it does not have 404. What there is may
 * be kept for a day.
 */
#ifndef WEB_SITE_H
#define WEB_SITE_H

#include "web/page.h"
#include "web/service.h"

#define SITE_TARGET_MAX 32

struct site;

struct site_options {
    uint16_t port; /* of the servers, for absolute URLs */
};

/** The graph is copied. 0, -ENOMEM; -EINVAL: an image has children, which nothing could name. */
int site_new(const struct page *page, const struct site_options *options, struct site **site);

/** NULL is allowed. */
void site_free(struct site *site);

/** What is to be asked for to get a URL of the page: "/F1.html". */
void site_target(const struct page *page, int url, char target[SITE_TARGET_MAX]);

/** How far the body of a response was read. */
struct site_body {
    const struct site_file *file;
    uint64_t at;
};

/** For web_service_ops.answer. */
void site_answer(const struct site *site, struct web_exchange *exchange, struct site_body *body);

/** For web_service_ops.read. */
ssize_t site_read(struct site_body *body, char *bytes, size_t n);

/** A whole service for connections, where nothing but the site is served. It outlives them. */
struct site_service {
    struct web_service service;
    const struct site *site;
    uint64_t requests; /* answered */
};

void site_serve(const struct site *site, struct site_service *service);

#endif
