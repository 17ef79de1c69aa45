/*
 * web/policy.h: what a browser fetches next, and on which connection. A state machine that neither
 * waits nor sends: its driver tells what has happened, and takes from it what is to be done:
 *
 *     policy_want, policy_refer, policy_arrived,    --->   policy_next: open a connection,
 *     policy_moved, policy_up, policy_gone                              fetch a URL on one
 *
 * One driver counts round trips (study/pageload/browser.c), another loads pages (web/loader.c).
 * Read first: the paper that web/page.h names, 5 to 8.
 *
 * Rules of every visit: up to so many connections per server, kept open, one request at a time on
 * each; or one connection per server with as many requests as it takes (HTTP/2).
 *
 *   unoptimized  The parser begins when a document is there, and stops at each style sheet and
 *                script until that is, too. Each URL takes the idle connection with the lowest
 *                number; else a new one, and waits for it; else whichever becomes idle first. URLs
 *                that are found at the same instant are served by their position in the documents,
 *                these in turn.
 *   first        The parser goes on (quick parse), as bytes come. Once the first connection to a
 *                page's server is up, three more are opened ahead, and all that are allowed once a
 *                request waits (pool; what a document names that is still coming does not count as
 *                waiting, for its connection is about to be idle). A request waits for any
 *                connection, the more important kind first.
 *   repeat       As `first`, and every URL of the page is known from an earlier visit: all are
 *                wanted from the beginning, the page itself first (historical prefetch).
 */
#ifndef WEB_POLICY_H
#define WEB_POLICY_H

#include "web/page.h"

enum browser_visit { BROWSER_UNOPTIMIZED, BROWSER_FIRST, BROWSER_REPEAT, BROWSER_VISITS };

/** "unoptimized", "first", "repeat" */
const char *browser_visit_name(enum browser_visit visit);

#define POLICY_URLS_MAX        256
#define POLICY_HOSTS_MAX       32
#define POLICY_CONNECTIONS_MAX 64
#define POLICY_REFERENCES_MAX  1024 /* over all documents, one URL may be named in several */
#define POLICY_TRIES           3    /* for a URL, and for a server that lets no connection up */
#define POLICY_STREAMS         100  /* requests at a time on a connection of HTTP/2 */

struct policy_url {
    enum page_kind kind;
    int host;
    int position, frame; /* as in web/page.h */
};

enum policy_url_state {
    POLICY_UNKNOWN, /* nobody wants it yet */
    POLICY_WANTED,
    POLICY_BOUND, /* waits for the connection that was opened for it */
    POLICY_LOADING,
    POLICY_THERE,
    POLICY_FAILED,
};

enum policy_connection_state {
    POLICY_OPENING,
    POLICY_UP,
    POLICY_LEAVING, /* what is under way is finished, nothing else begun */
    POLICY_GONE,
};

/** To be read by its driver, and changed by the calls alone. */
struct policy {
    enum browser_visit visit;
    bool multiplexed; /* HTTP/2 */
    bool patient;     /* the driver's: what waits now may be served in a moment; no more
                         connections for its sake */
    struct {
        struct policy_url what;
        enum policy_url_state state;
        int connection; /* of BOUND and LOADING */
        int moved;      /* a redirection: the URL that it leads to; else -1 */
        int within;     /* the document that named it first, or -1 */
        int tries;
    } url[POLICY_URLS_MAX];
    int urls;
    struct {
        int document, url;
    } reference[POLICY_REFERENCES_MAX]; /* of each document in their order */
    int references;
    struct {
        int allowed;  /* connections at a time, one request on each */
        int most;     /* the same, or 1 where requests go side by side */
        int opened;   /* that are opening or up */
        int worth;    /* of the pool */
        int failures; /* connections in a row that did not come up */
        bool up, pooled;
    } host[POLICY_HOSTS_MAX];
    int hosts;
    struct {
        int host;
        enum policy_connection_state state;
        int requests; /* under way, */
        int room;     /* and so many at a time */
        int bound;    /* the URL that waits for it, or -1 */
    } connection[POLICY_CONNECTIONS_MAX];
    int connections;
};

void policy_init(struct policy *policy, enum browser_visit visit, bool multiplexed);

/** A server with so many connections at a time; its index. The first one's is the page's. -ENOBUFS.
 */
int policy_add_host(struct policy *policy, int connections);

/** A URL that is not wanted yet; its index. -ENOBUFS. */
int policy_add_url(struct policy *policy, const struct policy_url *url);

/** The page itself, or what an earlier visit knew. */
void policy_want(struct policy *policy, int url);

/** A reference was found in a document or style sheet, behind those of before; once more is no
 * more. -ENOBUFS. */
int policy_refer(struct policy *policy, int document, int url);

/** All of it is there; or (failed) will never be. */
void policy_arrived(struct policy *policy, int url, bool failed);

/** It is there, and was a redirection. */
void policy_moved(struct policy *policy, int url, int target);

/** It did not come, but another try may get it: it is wanted again. After POLICY_TRIES of them it
 * has failed. */
void policy_failed(struct policy *policy, int url);

/** The server has not processed it, and will not on this connection: it is wanted again, and that
 * does not count as a try. */
void policy_refused(struct policy *policy, int url);

/** A connection can take a request now. */
void policy_up(struct policy *policy, int connection);

/** So many requests at a time go on it, which the server has said, or the version of HTTP: to a
 * server that takes one of them there may be more connections. Without a word from the driver it is
 * POLICY_STREAMS of HTTP/2, and one of HTTP/1.1. */
void policy_room(struct policy *policy, int connection, int requests);

/** A connection takes no new request any more, but finishes those that are under way. */
void policy_leaving(struct policy *policy, int connection);

/** A connection is no more; what was under way on it has failed. */
void policy_gone(struct policy *policy, int connection);

struct policy_action {
    bool open;      /* a connection to `host`; else fetch `url` on it */
    int connection; /* numbered from 0, over all servers */
    int host;
    int url; /* opened for its sake; -1: ahead of any */
};

/** What is to be done next, as if it were done now. False: nothing until something happens. */
bool policy_next(struct policy *policy, struct policy_action *action);

/** A request waits for which more connections would be opened, were it not for patience. */
bool policy_waits(const struct policy *policy);

/** The page's own server, behind redirections; -1: there is no page yet. */
int policy_own_host(const struct policy *policy);

/** The page itself is there, behind redirections. */
bool policy_has_page(const struct policy *policy);

/** Whatever is wanted is there, or has failed. */
bool policy_is_done(const struct policy *policy);

#endif
