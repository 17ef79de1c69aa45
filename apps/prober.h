/*
 * prober.h: the observations of tlsyn bench webperf made of any https servers, over our stack on
 * this host's interface, politely.
 *
 *     prober_open -> prober.base.observe for each -> prober_close
 *
 * The servers are somebody's: no two connections begin within PROBER_PAUSE, each asks for one page
 * and is closed in order, and what fails is recorded, not repeated. What is no success (RFC 9110
 * 15.3, 15.4) was refused: it is another page than others measured. Before the first observation of
 * a kind that needs a session or a cookie there is one visit more, which gets them. A server that
 * has no address to be asked at when the run begins fails in each observation.
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
    char answer[16]; /* the beginning of the response: "HTTP/1.1 200" */
    size_t answered;
};

/* One of those that are asked. */
struct prober_server {
    char text[STORE_URL_MAX]; /* as the observations' kinds name it */
    struct url url;
    struct client_target target;
    char address[CLI_ADDRESS_TEXT]; /* "": none that can be asked, */
    char why[RESOLVE_WHY_MAX];      /* because its name led to none */
    char request[4096];
    struct tlsyn_tls_config *configs[STUDY_SUITES][STUDY_SESSIONS]; /* NULL: not used yet */
    bool met[STUDY_SUITES][STUDY_MODES][STUDY_SESSIONS];            /* was visited so */
};

struct prober {
    struct webperf_prober base;
    struct host *host;
    const struct client_options *client;
    struct prober_server servers[WEBPERF_SERVERS_MAX];
    size_t server_count;
    struct prober_server *server; /* which is asked now */
    struct prober_visit visit;
    struct tlsyn_ping_handler echo;
    bool echoed;
    int echo_error;
    uint16_t sequence;
    tlsyn_time next;  /* no connection begins before */
    bool interrupted; /* a signal came while it ran */
};

/** The host is open, and it and the options outlive the prober. Neither fails. */
void prober_open(struct prober *prober, struct host *host, const struct client_options *client);
/** One more, WEBPERF_SERVERS_MAX at most; `text` is the URL as it was given. CLI_OK, also where it
 * has no address that can be asked, which is said; or says why not. */
int prober_add(struct prober *prober, const char *text, const struct url *url);
/** Whether one of them at least can be asked. */
bool prober_has_server(const struct prober *prober);
void prober_close(struct prober *prober);

#endif
