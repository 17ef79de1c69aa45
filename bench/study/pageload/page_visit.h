/*
 * study/pageload/page_visit.h: a page server's connection between its TLS and HTTP: what came in,
 * and what is on its way out.
 */
#ifndef STUDY_PAGELOAD_PAGE_VISIT_H
#define STUDY_PAGELOAD_PAGE_VISIT_H

#include <sys/types.h>

#include "web/server.h"

#define PAGE_VISIT_CHUNK 16384

struct page_visit;

struct page_visit_ops {
    /** The count; 0 of reading: the client has ended; -errno: not now, or never again. */
    ssize_t (*read)(struct page_visit *, char *bytes, size_t n);
    ssize_t (*write)(struct page_visit *, const char *bytes, size_t n);
    /** Whether HTTP/2 was agreed on; once something can be read. */
    bool (*speaks_h2)(const struct page_visit *);
    /** Nothing more leaves. */
    void (*end)(struct page_visit *);
};

struct page_visit {
    const struct page_visit_ops *ops;
    struct web_service *service;
    struct web_server *http; /* once there was something to be read */
    size_t in_at, in_len, out_at, out_len;
    char in[PAGE_VISIT_CHUNK], out[PAGE_VISIT_CHUNK];
};

/** The chunks are left as they are: who made the memory need not clear it. */
void page_visit_init(struct page_visit *visit, const struct page_visit_ops *ops,
                     struct web_service *service);

/** Answers what can be read, as far as there is room. */
void page_visit_pump(struct page_visit *visit);

/** The connection is over. */
void page_visit_fini(struct page_visit *visit, int error);

#endif
