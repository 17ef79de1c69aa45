/*
 * prober.h: the observations of tlsyn bench webperf made of any https server, over our stack on
 * this host's interface, politely.
 *
 *     prober_open -> prober.base.observe for each -> prober_close
 *
 * The server is somebody's: no two connections begin within PROBER_PAUSE, each asks for one page
 * and is closed in order, and what fails is recorded, not repeated. Before the first observation of
 * a kind that needs a session or a cookie there is one visit more, which gets them.
 */
#ifndef PROBER_H
#define PROBER_H

#include "client.h"
#include "study/webperf/lab.h"
#include "web/url.h"

#define PROBER_PAUSE TLSYN_SECONDS(1)

struct prober_visit {
    struct tlsyn_handler handler;
    bool is_tcp;             /* no TLS: over when it is connected */
    struct study_way way;    /* else */
    struct tlsyn_conn *conn; /* while it lives */
    struct tlsyn_tls *tls;
    bool sent, done, closed;
    double started, handshake, first_byte; /* microseconds; the latter two since started */
    int error;
    char reason[STORE_REASON_MAX];
    int64_t syn_bytes, synack_bytes;
};

struct prober {
    struct webperf_prober base;
    struct host *host;
    const struct client_options *client;
    struct url url;
    struct client_target target;
    struct tlsyn_tls_config *configs[STUDY_SUITES][STUDY_SESSIONS]; /* NULL: not used yet */
    bool met[STUDY_SUITES][STUDY_MODES][STUDY_SESSIONS];            /* was visited so */
    struct prober_visit visit;
    struct tlsyn_ping_handler echo;
    bool echoed;
    int echo_error;
    uint16_t sequence;
    char request[4096];
    tlsyn_time next;  /* no connection begins before */
    bool interrupted; /* a signal came while it ran */
};

/** The host is open, and it and the options outlive the prober. CLI_OK, or says why not. */
int prober_open(struct prober *prober, struct host *host, const struct client_options *client,
                const struct url *url);
void prober_close(struct prober *prober);

#endif
