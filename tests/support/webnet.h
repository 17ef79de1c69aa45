/*
 * support/webnet.h: a network for page loads, with a clock of its own: a carrier (web/carrier.h)
 * behind which servers of HTTP/1.1 or HTTP/2 (web/server.h) answer as a test says.
 *
 *     webnet_new -> webnet_host... -> { a loader over webnet_carrier() } -> webnet_run
 *         -> webnet_free, which expects that everything was closed
 *
 * A round trip takes WEBNET_RTT. Looking up a name, TCP and TLS take one each; a request and its
 * response take one, and one more for each 64 KiB. What is due at the same time happens in the
 * order in which it was caused.
 */
#ifndef TEST_SUPPORT_WEBNET_H
#define TEST_SUPPORT_WEBNET_H

#include "web/carrier.h"

#define WEBNET_RTT 100000.0 /* microseconds */

struct webnet;

/** What a server answers to one target; what it has no file for gets 404. */
struct webnet_file {
    const char *target;
    const char *type; /* NULL: text/html */
    const char *body;
    uint64_t length;      /* the body is repeated up to so many bytes; 0: it is there once */
    const char *location; /* a redirection to there: 302 */
    int spoilt;           /* `status` and what follows hold for the first so many answers; 0: all */
    int status;           /* 0: 200, or 302 */
    size_t breaks_at;     /* after so many bytes of its body the connection is reset; 0: never */
    bool last;            /* the server says goodbye with it (Connection: close, GOAWAY) */
};

/** A server, under a name. A member that is not set means that nothing is wrong with that. */
struct webnet_host {
    const char *name;
    const struct webnet_file *files; /* up to one without a target */
    bool h2;                         /* it speaks HTTP/2 */
    bool unknown;                    /* the name has no address */
    bool nameless;                   /* nobody answers for the name */
    bool silent;                     /* SYNs are not answered */
    int refuses;                     /* the first so many connections are refused */
    int hangs_up;                    /* the first so many are closed during the handshake */
    bool early;                      /* sessions are kept: the first request leaves early */
};

/** The array of hosts ends with one without a name, and must outlive the network. */
struct webnet *webnet_new(const struct webnet_host *hosts);

struct carrier *webnet_carrier(struct webnet *net);

/** Runs until *done, or until nothing more is due, or for so many round trips. */
void webnet_run(struct webnet *net, const bool *done, double round_trips);

/** How long it has run. */
double webnet_round_trips(const struct webnet *net);

/** How many requests for this file arrived at this host; both are indices of their arrays. */
int webnet_asked(const struct webnet *net, int host, int file);

/** How many connections have been opened since the beginning. */
int webnet_opened(const struct webnet *net);

/** Fails the test if a connection is still open. */
void webnet_free(struct webnet *net);

#endif
