/*
 * web/document.h: what a document refers to, found while its bytes come, in its order: frames,
 * style sheets, scripts, images, and what style elements and attributes name. libxml2 parses; the
 * head comment of document.c says which elements count.
 */
#ifndef WEB_DOCUMENT_H
#define WEB_DOCUMENT_H

#include "web/reference.h"

#define DOCUMENT_BYTES_MAX (2u << 20) /* read of a document; the rest is not looked at */
#define DOCUMENT_DEPTH_MAX 512        /* elements within each other; deeper ones end the reading */

struct document;

/** The user outlives it; the base is copied. NULL: no memory. */
struct document *document_new(struct reference_user *user, const struct url *base);

/** References are told from within. */
void document_take(struct document *document, const char *bytes, size_t n);

/** The document is whole. */
void document_end(struct document *document);

/** NULL is allowed. */
void document_free(struct document *document);

#endif
