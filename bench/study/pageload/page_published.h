/*
 * study/pageload/page_published.h: what the paper that web/page.h names has printed: round trips
 * and seconds of the typical page, and the events by which it counts them, to be put beside the
 * browser's.
 */
#ifndef STUDY_PAGELOAD_PAGE_PUBLISHED_H
#define STUDY_PAGELOAD_PAGE_PUBLISHED_H

#include "study/pageload/browser.h"

#define PAGE_PUBLISHED_SOURCE                                                                      \
    "Dillon, Singh Butalia, Kumar Joshi: Secure Web Browsing over Long-Delay Broadband Networks, " \
    "ICETE 2004; doi 10.5220/0001391901600168"

/** Tables 1 and 4. */
struct page_network {
    const char *name;
    double rtt_ms;
    double seconds[BROWSER_VISITS]; /* as printed */
};

#define PAGE_NETWORKS 6

extern const struct page_network page_networks[PAGE_NETWORKS];

/** One line of tables 5 to 7: something that happens on several connections at a time, after other
 * lines have happened. */
struct page_event {
    int id;
    int after[3]; /* ids; 0: no more */
    struct {
        int first, last; /* 0: no more */
    } connections[2];
    int cost;   /* round trips */
    int prints; /* the round trip at its end, in the paper */
};

struct page_events {
    const struct page_event *event;
    int count;
};

/** The table of a visit. Table 7's event 10 stands behind 6, for the time that is printed can't be
 * had behind 2, which the paper says. */
const struct page_events *page_published_events(enum browser_visit visit);

/** Adds the costs up from the beginning. The round trips of the table; -EINVAL: a line's sum is not
 * what is printed. */
int page_replay(const struct page_events *events);

/**
 * Puts a load beside a table: for each connection and round trip, whether both have something
 * that ends there. How many are in one alone: `missing` from the table, `extra` in it.
 */
void page_compare(const struct page_events *events, const struct browser_load *load, int *missing,
                  int *extra);

#endif
