/*
 * web/site_text.h: what the files of a page say: only for web/site.c.
 */
#ifndef WEB_SITE_TEXT_H
#define WEB_SITE_TEXT_H

#include <stddef.h>
#include <stdint.h>

#include "web/page.h"

/** The text of a URL's file, to be freed; of a redirection: where it leads. `port` is the servers'.
 * 0, -ENOMEM, -EINVAL: it can't name its children. */
int site_text(const struct page *page, int url, uint16_t port, char **text, size_t *len);

#endif
