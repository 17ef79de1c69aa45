/*
 * web/loader.h: loads a page as the browser of web/policy.h does: names are looked up, connections
 * opened, documents and style sheets parsed while they come, redirections followed, until
 * everything is there.
 *
 *     loader_new -> loader_start -> the carrier's events -> on_done -> loader_free
 *
 * What happened is kept as a list of steps with times, of the same kinds as the model's. Bounds:
 * POLICY_URLS_MAX URLs, POLICY_HOSTS_MAX servers, frames in frames and redirections in a row; what
 * goes beyond is passed over, and counted.
 */
#ifndef WEB_LOADER_H
#define WEB_LOADER_H

#include "web/carrier.h"
#include "web/http_client.h"
#include "web/load_step.h"
#include "web/policy.h"
#include "web/url.h"

#define LOADER_FRAMES_MAX    8 /* frames in frames, sheets that import sheets, scripts */
#define LOADER_REDIRECTS_MAX 8 /* in a row */
#define LOADER_STEPS_MAX     (2 * POLICY_URLS_MAX + 3 * POLICY_CONNECTIONS_MAX)
#define LOADER_NAME_MAX      64
#define LOADER_SENTENCE_MAX  256

/** Something that took time on a connection. */
struct load_event {
    enum load_step step;
    int connection;    /* numbered from 1, over all servers */
    int url;           /* of LOAD_GET, or for whose sake it was opened; -1: for none's */
    double start, end; /* microseconds since the beginning */
    uint64_t bytes;    /* of LOAD_GET: content */
    bool answered;     /* of LOAD_TCP and LOAD_GET: by the server; else it was given up */
};

/** What is known of a page from an earlier visit. */
struct known_url {
    struct url url;
    struct policy_url what; /* host is not read */
};

struct known_page {
    struct known_url url[POLICY_URLS_MAX];
    int urls;
};

struct loader_options {
    enum browser_visit visit;
    bool multiplexed;               /* HTTP/2 */
    int connections;                /* to the page's server, */
    int others;                     /* and to each other */
    const struct known_page *known; /* of BROWSER_REPEAT; good during loader_start() */
    /** Of the page's server, which is not looked up then; or unspecified. */
    struct tlsyn_addr address;
    /** Makes the client of a connection that is up. */
    int (*client)(const struct carrier_facts *, struct http_client_user *, struct http_client **);
};

struct loader_url {
    struct url url;
    int status;     /* of the response; 0: none */
    int depth;      /* of frames and imports */
    int redirects;  /* that led to it */
    uint64_t bytes; /* of content */
};

struct loader;

/** How a load ended. */
struct load_result {
    int error; /* 0, or -errno: what the first URL was given up for */
    char sentence[LOADER_SENTENCE_MAX];
    double us; /* until everything was there */
    bool page; /* itself is there, behind redirections */
    int urls, there, failed, passed_over;
    int connections;
    uint64_t bytes;
    struct load_event event[LOADER_STEPS_MAX]; /* in the order of their ends */
    int events;
};

struct loader_user {
    void (*on_done)(struct loader_user *);
};

/** The carrier, the user and what the options point to outlive it. NULL: no memory. */
struct loader *loader_new(struct carrier *carrier, struct loader_user *user,
                          const struct loader_options *options);

/** 0 or -errno: it could not even begin. */
int loader_start(struct loader *loader, const struct url *page);

/** Ends it where it stands, if it is not over: -ETIMEDOUT or -EINTR; what there is can be read. */
void loader_stop(struct loader *loader, int error);

const struct load_result *loader_result(const struct loader *loader);

/** What was loaded, in the order it was found: good until loader_free(). */
const struct loader_url *loader_url(const struct loader *loader, int url);

/** What an earlier visit knows of the page. */
void loader_remember(const struct loader *loader, struct known_page *known);

/** Closes its connections. NULL is allowed. */
void loader_free(struct loader *loader);

#endif
