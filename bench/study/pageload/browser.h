/*
 * study/pageload/browser.h: a browser of round trips: fetches a page (web/page.h) over connections
 * whose handshakes cost so many round trips, in a world where nothing else takes time. Read first:
 * the paper that web/page.h names, 5 to 8; docs/HANDSHAKE.md for the handshakes of today.
 *
 * Bytes take no time, but who sends them begins slowly (RFC 5681 3.1, RFC 6928): BROWSER_WINDOW
 * bytes in the first round trip, and in each next one what was sent before once more. Files as
 * short as the typical page's fit, one at a time; side by side on one connection (HTTP/2) they
 * don't. Nothing is lost, and no connection is idle for long enough to begin anew.
 *
 * The handshake's bytes count, too. The request rides in the segment that acknowledges the first of
 * the server's last flight; those behind it are acknowledged when the answer has filled the window,
 * and so open it by as much (RFC 5681 3.1; a window that is not full stays, RFC 7661).
 *
 * What it fetches next, and on which connection, is web/policy.h's to say. A later connection
 * resumes the TLS session of an earlier one to the same server, if that is known when its
 * ClientHello leaves: with its handshake, for a server may send the tickets of TLS 1.3 with its
 * Finished (RFC 8446 4.6.1).
 */
#ifndef STUDY_PAGELOAD_BROWSER_H
#define STUDY_PAGELOAD_BROWSER_H

#include "web/load_step.h"
#include "web/policy.h"

/** What a connection costs before the first request may leave, in round trips. */
struct browser_handshake {
    const char *name; /* "tls1.2-sequential" */
    int tcp;          /* before TLS begins; 0: TLS begins in the SYN */
    int full, resumed;
    bool kept; /* sessions of an earlier visit are still known at the next */
    struct {
        int bytes, tickets; /* those of tickets where they leave with it, as our server has them */
    } flight;               /* the server's last of a full handshake */
};

#define BROWSER_HANDSHAKES     6
#define BROWSER_TLS13_EMBEDDED 3 /* the newest that needs no visit before */

/** Six of today's; the first is the paper's. */
extern const struct browser_handshake browser_handshakes[BROWSER_HANDSHAKES];

/** Of an Ethernet and with timestamps (RFC 7323), and ten of them. */
#define BROWSER_SEGMENT 1448
#define BROWSER_WINDOW  14480

/** A response's bytes beside its content: its head, and what frames and records take. */
#define BROWSER_HEAD 160

/** Something that took time on a connection. */
struct browser_event {
    enum load_step step;
    int connection; /* numbered from 1, over all servers */
    int url;        /* of LOAD_GET, or for whose sake it was opened; -1: for none's */
    int start, end; /* in round trips since the beginning */
};

/* Each URL is fetched once, each connection set up in three steps at most. */
#define BROWSER_CONNECTIONS_MAX POLICY_CONNECTIONS_MAX
#define BROWSER_EVENTS_MAX      (PAGE_URLS_MAX + 3 * BROWSER_CONNECTIONS_MAX)

struct browser_load {
    int round_trips; /* until everything is there */
    int connections;
    struct browser_event event[BROWSER_EVENTS_MAX]; /* in the order of their ends, beginnings,
                                                       steps, connections */
    int events;
};

/** What HTTP it speaks: one request at a time on each of many connections, or any number on one per
 * server. */
enum browser_http { BROWSER_HTTP_1, BROWSER_HTTP_2, BROWSER_HTTPS };

/** "1.1", "2" */
const char *browser_http_name(enum browser_http http);

/** What kind of load. */
struct browser_kind {
    const struct browser_handshake *handshake;
    enum browser_visit visit;
    enum browser_http http;
    bool late_tickets; /* the server sends them behind the client's Finished, as OpenSSL does */
};

/** Loads the page. 0; -EINVAL: one that never gets loaded: a URL has no way to be found, or no
 * connection to be fetched on. */
int browser_load_page(const struct page *page, const struct browser_kind *kind,
                      struct browser_load *load);

#endif
