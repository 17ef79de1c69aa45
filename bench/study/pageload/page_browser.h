/*
 * study/pageload/page_browser.h: a browser on one of the stacks: visits of a page, each with the
 * memory that it is to have, over the carrier that its stack makes.
 */
#ifndef STUDY_PAGELOAD_PAGE_BROWSER_H
#define STUDY_PAGELOAD_PAGE_BROWSER_H

#include "study/pageload/browser.h"
#include "study/pageload/page_actor.h"

struct page_browser;

struct page_browser_ops {
    /** A carrier for the order's handshake. `again`: with the sessions of the visits before;
     * else with none. 0 or -errno with a sentence. */
    int (*carrier)(struct page_browser *, const struct page_order *, bool again, struct carrier **,
                   char message[LOADER_SENTENCE_MAX]);
    void (*release)(struct page_browser *, struct carrier *);
    /** Whether it has what a visit begins with: the server's Fast Open cookie where TLS rides in
     * the SYN, and, with `sessions`, enough of them for every connection. */
    bool (*prepared)(struct page_browser *, const struct page_order *, bool sessions);
    /** Turns until *done or the deadline. 0, -ETIMEDOUT, -errno. */
    int (*run)(struct page_browser *, const bool *done, tlsyn_time deadline);
    int (*ping)(struct page_browser *, tlsyn_time timeout, double *us);
    /** Until the harness has something to say. 0 or -errno. */
    int (*await)(struct page_browser *, int control);
    void (*close)(struct page_browser *);
};

/** First member of each. */
struct page_browser {
    const struct page_browser_ops *ops;
    const struct page_part *part;
    struct tlsyn_addr address; /* of the page's server */
    struct known_page *known;  /* without a history file */
};

/** On our stack, in the laboratory's client. 0 or -errno with a sentence. */
int page_browser_stack(const struct page_part *part, struct page_browser **browser,
                       char message[LOADER_SENTENCE_MAX]);

/** On the kernel's, for handshakes that are sequential. */
int page_browser_kernel(const struct page_part *part, struct page_browser **browser,
                        char message[LOADER_SENTENCE_MAX]);

/** Does what was ordered. */
void page_browser_obey(struct page_browser *browser, const struct page_order *order,
                       struct page_answer *answer);

#endif
