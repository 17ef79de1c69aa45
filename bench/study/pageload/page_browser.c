/*
 * study/pageload/page_browser.c: visits. They need what an earlier one has left behind: a cookie of
 * the server's where TLS rides in the SYN; one again also the page's URLs, and, where the handshake
 * says so, sessions. If that is not there, a first visit that nobody times leaves it.
 */
#include "study/pageload/page_browser.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <tlsyn/loop.h>

#include "study/pageload/history.h"
#include "web/site.h"

struct visit {
    struct loader_user user; /* first member */
    bool done;
};

static void on_done(struct loader_user *user)
{
    ((struct visit *)user)->done = true;
}

static int make_client(const struct carrier_facts *facts, struct http_client_user *user,
                       struct http_client **client)
{
    return facts->h2 ? h2_client_new(user, client) : h1_client_new(user, client);
}

static int page_url(const struct page *page, struct url *url)
{
    char target[SITE_TARGET_MAX], text[PAGE_HOST_NAME + SITE_TARGET_MAX + 16];

    site_target(page, 0, target);
    (void)snprintf(text, sizeof(text), "https://%s%s", page->host[page->url[0].host].name, target);
    return url_parse(text, url);
}

/* The page's own server, or the others, which are alike. */
static int connections_to(const struct page *page, bool own)
{
    int most = 1;

    for (int i = 0; i < page->hosts; i++) {
        if ((i == page->url[0].host) == own && page->host[i].connections > most)
            most = page->host[i].connections;
    }
    return most;
}

/* --- memory of the page ----------------------------------------------------------------------- */

/* Whether it was visited before. */
static bool recall(struct page_browser *b, const struct url *page)
{
    if (b->part->history)
        return history_load(b->part->history, page, b->known) == 0 && b->known->urls > 0;
    return b->known->urls > 0;
}

static int remember(struct page_browser *b, const struct url *page, const struct loader *loader,
                    char message[LOADER_SENTENCE_MAX])
{
    int error = 0;

    loader_remember(loader, b->known);
    if (b->part->history)
        error = history_save(b->part->history, page, b->known);
    if (error < 0)
        (void)snprintf(message, LOADER_SENTENCE_MAX,
                       "what was learned of the page cannot be "
                       "written to %s: %s",
                       b->part->history, strerror(-error));
    return error;
}

/* --- one load --------------------------------------------------------------------------------- */

static void put_labels(const struct loader *loader, struct page_answer *answer)
{
    for (int i = 0; i < answer->load.urls; i++) {
        const char *target = loader_url(loader, i)->url.target;

        (void)snprintf(answer->label[i], PAGE_LABEL_MAX, "%.*s", PAGE_LABEL_MAX - 1,
                       target[1] ? target + 1 : "/");
    }
}

static void take_result(const struct loader *loader, struct page_answer *answer)
{
    answer->load = *loader_result(loader);
    put_labels(loader, answer);
    answer->full = answer->resumed = 0;
    for (int i = 0; i < answer->load.events; i++) {
        answer->full += answer->load.event[i].step == LOAD_FULL;
        answer->resumed += answer->load.event[i].step == LOAD_RESUMED;
    }
}

static void fail(struct page_answer *answer, int error, const char *sentence)
{
    answer->load.error = error;
    (void)snprintf(answer->load.sentence, sizeof(answer->load.sentence), "%s", sentence);
}

static int load(struct page_browser *b, const struct page_order *order, bool again,
                const struct url *page, struct page_answer *answer)
{
    struct visit visit = {.user = {on_done}};
    struct loader_options options = {.visit = order->visit,
                                     .multiplexed = order->h2,
                                     .connections = connections_to(b->part->page, true),
                                     .others = connections_to(b->part->page, false),
                                     .known = b->known,
                                     .address = b->address,
                                     .client = make_client};
    struct carrier *carrier = NULL;
    struct loader *loader = NULL;
    char message[LOADER_SENTENCE_MAX] = "";
    int error = b->ops->carrier(b, order, again, &carrier, message);

    if (error == 0)
        loader = loader_new(carrier, &visit.user, &options);
    if (error == 0)
        error = loader ? loader_start(loader, page) : -ENOMEM;
    if (error == 0)
        error = b->ops->run(b, &visit.done, tlsyn_clock() + order->timeout);
    if (error == -ETIMEDOUT || error == 0) {
        loader_stop(loader, -ETIMEDOUT);
        take_result(loader, answer);
        error = answer->load.error;
        if (error == 0 && order->visit != BROWSER_UNOPTIMIZED)
            error = remember(b, page, loader, message);
    }
    if (error < 0 && answer->load.error == 0)
        fail(answer, error, message[0] ? message : strerror(-error));
    loader_free(loader);
    b->ops->release(b, carrier);
    return error;
}

static void visit(struct page_browser *b, const struct page_order *order,
                  struct page_answer *answer)
{
    const struct browser_handshake *handshake = &browser_handshakes[order->handshake];
    bool again = order->visit == BROWSER_REPEAT, kept = again && handshake->kept;
    struct page_order first = *order;
    struct url page;
    int error = page_url(b->part->page, &page);

    first.visit = BROWSER_FIRST;
    if (error == 0 && ((again && !recall(b, &page)) || !b->ops->prepared(b, order, kept)))
        error = load(b, &first, kept, &page, answer);
    if (error == 0)
        (void)load(b, order, kept, &page, answer);
}

void page_browser_obey(struct page_browser *browser, const struct page_order *order,
                       struct page_answer *answer)
{
    memset(answer, 0, sizeof(*answer));
    if (order->ping)
        answer->error = browser->ops->ping(browser, order->timeout, &answer->ping_us);
    else
        visit(browser, order, answer);
}
