/*
 * web/har.h: a page as a browser recorded it: an HTTP Archive becomes a graph (web/page.h). Read
 * first: the format's description, HTTP Archive 1.2, its "entries"; what browsers add begins with
 * an underscore.
 *
 * A URL's parent is what its "_initiator" names, else its Referer, else the document; that of a
 * redirection's target is the redirection. Its kind follows from the media type of the response:
 * documents, style sheets, scripts, and everything else as an image, which holds up nothing.
 * Left out are requests other than GET, addresses other than http and https, redirections before
 * the document, and what is fetched again.
 */
#ifndef WEB_HAR_H
#define WEB_HAR_H

#include <stddef.h>

#include "web/page.h"

enum { HAR_MESSAGE_MAX = 320 };

#define HAR_BYTES_MAX ((size_t)64 << 20) /* of a file */

/** What became of the entries: those of the page are its URLs. */
struct har_count {
    size_t entries, left_out, repeated;
};

/** Reads `len` bytes. 0; or a negative errno with a sentence: -EFBIG, -EINVAL (no archive, or one
 * of no page), -E2BIG (more URLs or servers than PAGE_URLS_MAX or PAGE_HOSTS_MAX), -ENOMEM. */
int har_parse(const char *text, size_t len, struct page *page, struct har_count *count,
              char message[HAR_MESSAGE_MAX]);

#endif
