/*
 * serve.h: what an https server is asked to be, and running it until a signal.
 */
#ifndef SERVE_H
#define SERVE_H

#include "host.h"
#include "identity.h"

enum serve_http { SERVE_HTTP_ANY, SERVE_HTTP_1 };

struct serve_settings {
    /* what is served */
    const char *folder; /* its files, */
    bool has_folder;    /* which was named; */
    const char *page;   /* or a page instead (page_option.h), */
    bool dns;           /* with answers about its names */
    bool upload;        /* clients may write files */
    uint64_t upload_max;
    /* as whom, and how */
    struct identity_options identity; /* without the names, which are put together here */
    const char *name;                 /* one more for the certificate, or NULL */
    int suite;                        /* enum tlsyn_tls_suite */
    int http;                         /* enum serve_http */
    int64_t port;
    bool no_open, no_cookies, paper;
    int64_t early_data; /* bytes; 0: none is taken */
    bool no_tickets;
    int64_t session_cache;
    tlsyn_time session_lifetime;
    /* how much */
    int64_t connections; /* at a time */
    int64_t handshakes;  /* per second; 0: the engine's default */
    tlsyn_time idle;
    bool quiet;
    struct host_options network;
};

/** Serves until a signal. A cli_exit; what fails is said. */
int serve_run(const struct serve_settings *settings);

#endif
