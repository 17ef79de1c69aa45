/*
 * web/page.h: a web page as a graph: what a browser has to fetch, where from, and by what it
 * learns of it.
 *
 * The typical page is table 2 of D. Dillon, G. Singh Butalia and P. Kumar Joshi, "Secure Web
 * Browsing over Long-Delay Broadband Networks", ICETE 2004, doi 10.5220/0001391901600168: 29 URLs,
 *
 *     the page --> two frames, each --> 1 style sheet --> background image
 *                                       2, 3 scripts
 *                                       4 redirection --> image on another server
 *                                       5 to 11 images
 */
#ifndef WEB_PAGE_H
#define WEB_PAGE_H

#include <stdbool.h>
#include <stdint.h>

#define PAGE_URLS_MAX  256
#define PAGE_HOSTS_MAX 32
#define PAGE_HOST_NAME 64 /* bytes of a host's name, with its end */

/** In the order of their importance to a browser that may choose. */
enum page_kind { PAGE_HTML, PAGE_FRAME, PAGE_CSS, PAGE_SCRIPT, PAGE_REDIRECT, PAGE_IMAGE };

struct page_url {
    char name[12];
    enum page_kind kind;
    int host;
    int parent;    /* the document, style sheet or redirection that names it; -1: the page itself */
    int position;  /* of its reference in the document, from 1; what is named elsewhere stands where
                     that stands */
    int frame;     /* which document of the page it belongs to */
    uint32_t size; /* bytes of its file; 0: as is typical of its kind */
};

struct page_host {
    char name[PAGE_HOST_NAME]; /* "www.page.test" */
    int connections;           /* at a time, at most */
    int dns;                   /* round trips that looking it up takes */
};

struct page {
    struct page_host host[PAGE_HOSTS_MAX];
    int hosts;
    struct page_url url[PAGE_URLS_MAX]; /* parents before their children */
    int urls;
};

/** The typical page: the main server's name is known, the image server's is to be looked up. */
void page_typical(struct page *page);

/** A parser that is not quick stops at it until it is there. */
static inline bool page_kind_blocks(enum page_kind kind)
{
    return kind == PAGE_CSS || kind == PAGE_SCRIPT;
}

/** Bytes of its file, of its own size or as is typical of its kind; a redirection has none. */
uint32_t page_url_bytes(const struct page_url *url);

/** "html", "frame", ... */
const char *page_kind_name(enum page_kind kind);

#endif
