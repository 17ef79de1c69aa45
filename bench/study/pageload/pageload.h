/*
 * study/pageload/pageload.h: what a whole page costs under each handshake: the model, whose round
 * trips are counted by the browser of browser.h and put beside what was published for the handshake
 * of 2004; and, where they were made, live loads (live.h) beside the model.
 */
#ifndef STUDY_PAGELOAD_H
#define STUDY_PAGELOAD_H

#include <stdio.h>

#include "study/pageload/browser.h"
#include "study/pageload/live.h"

struct pageload_options {
    int handshake; /* an index, or -1: all */
    int visit;     /* the same */
    uint32_t http; /* 1 << BROWSER_HTTP_1 and the like */
    bool events;   /* print them, too */
    const struct page
        *page; /* NULL: the typical one, which alone is held against what was published */
    const char *command, *version;
};

struct pageload_row {
    struct browser_kind kind;
    struct browser_load load;
};

/** The browser beside one of the published tables. */
struct pageload_check {
    int published; /* round trips that its events add up to */
    int counted;   /* by the browser */
    int missing, extra;
};

struct pageload {
    struct pageload_options options;
    struct page page;
    struct pageload_row row[BROWSER_HANDSHAKES * BROWSER_VISITS * BROWSER_HTTPS];
    int rows;
    struct pageload_check check[BROWSER_VISITS];
    struct live_study *live; /* NULL: the model alone */
};

/** Counts everything. 0 or -errno, as browser_load_page() and page_replay(). */
int pageload_count(struct pageload *pageload, const struct pageload_options *options);

/** The load of that kind; NULL: it was not asked for. */
const struct browser_load *pageload_find(const struct pageload *pageload,
                                         const struct browser_kind *kind);

/* Each 0 or -errno. */
int pageload_text(const struct pageload *pageload, FILE *out, unsigned width);
int pageload_json(const struct pageload *pageload, FILE *out);
int pageload_html(const struct pageload *pageload, FILE *out);

struct html;

/* What live loads add to each of them. */
int live_text(const struct live_study *study, FILE *out, unsigned width);
void live_json_rows(const struct live_study *study, struct json *j);
void live_json_members(const struct live_study *study, struct json *j);
void live_html(const struct live_study *study, struct html *html);
/** Time against round-trip time: a figure for each visit and version of HTTP. */
void live_figures(const struct live_study *study, struct html *html);

/** What a connection does at a time. */
struct waterfall_bar {
    enum load_step step;
    int connection;    /* from 1 */
    double start, end; /* in round trips */
    const char *label; /* of a GET: its URL */
};

struct waterfall {
    int connections;
    const struct waterfall_bar *bar;
    int bars;
};

/** A waterfall as an <svg> element, to be freed. 0 or -ENOMEM. */
int waterfall_svg(const struct waterfall *waterfall, char **svg);

/** "TCP", "TLS, resumed", ... */
const char *pageload_step_name(enum load_step step);

/** "4-9, 17": the connections of consecutive events from `from` on that took the same step at the
 * same time. The index behind the last of them. */
int pageload_group(const struct browser_load *load, int from, char *connections, size_t size);

#endif
