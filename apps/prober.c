/*
 * prober.c: single observations of servers. See prober.h.
 *
 * A kind of session has a configuration of its own, so that what one resumes is never what another
 * was given. The stack's time stands still during an event, and computing is part of what is
 * observed: a clock is read here.
 */
#include "prober.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "measure/clock.h"
#include "say.h"

enum { ECHO_ID = 0x7470, ECHO_PAYLOAD = 56 };

/* The last ACKs of a connection that is over anyway. */
#define FAREWELL_MAX TLSYN_MS(500)

/* --- one visit -------------------------------------------------------------------------------- */

static struct prober *of_visit(struct tlsyn_handler *handler)
{
    return (struct prober *)((char *)handler - offsetof(struct prober, visit.handler));
}

static void end(struct prober_visit *v, int error, const char *reason)
{
    if (v->error == 0 && error < 0) {
        v->error = error;
        (void)snprintf(v->reason, sizeof(v->reason), "%.*s", STORE_REASON_MAX - 1, reason);
    }
    v->done = true;
}

/* The request, where it may leave; short enough to be taken whole. */
static void send_request(struct prober *p)
{
    struct prober_visit *v = &p->visit;
    const char *request = p->server->request;
    size_t len = strlen(request);

    if (v->sent || tlsyn_tls_write(v->tls, request, len) != (ssize_t)len)
        return;
    v->sent = true;
    v->handshake = clock_us(CLOCK_MONOTONIC) - v->started;
}

static int on_open(struct tlsyn_handler *handler, struct tlsyn_conn *conn)
{
    struct prober *p = of_visit(handler);

    p->visit.conn = conn;
    if (!p->visit.is_tcp && p->visit.way.session == STUDY_EARLY)
        send_request(p);
    return 0;
}

/* What was asked for, and what it became: one that is of another kind must not be averaged in. */
static void check_way(struct prober_visit *v, const struct tlsyn_tls_info *tls,
                      const struct tlsyn_conn_info *conn)
{
    static const enum tlsyn_tls_session due[STUDY_SESSIONS] = {
        [STUDY_NEW] = TLSYN_TLS_NEW,       [STUDY_ID] = TLSYN_TLS_ID,
        [STUDY_TICKET] = TLSYN_TLS_TICKET, [STUDY_PSK] = TLSYN_TLS_PSK,
        [STUDY_EARLY] = TLSYN_TLS_PSK,
    };
    char reason[STORE_REASON_MAX] = "";

    if (tls->session != due[v->way.session])
        (void)snprintf(reason, sizeof(reason), "the session was %s",
                       tlsyn_tls_session_name(tls->session));
    else if (v->way.session == STUDY_EARLY && tls->early != TLSYN_TLS_EARLY_ACCEPTED)
        (void)snprintf(reason, sizeof(reason), "early data was not accepted");
    else if (v->way.mode == STUDY_EMBEDDED &&
             (conn->syn_text == 0 || conn->syn_text_acked != conn->syn_text))
        (void)snprintf(reason, sizeof(reason), "the server did not take the SYN's text");
    if (reason[0] && v->error == 0) {
        v->error = -ENOTSUP;
        memcpy(v->reason, reason, sizeof(reason));
    }
}

static void on_established(struct tlsyn_handler *handler, struct tlsyn_conn *conn)
{
    struct prober *p = of_visit(handler);
    struct prober_visit *v = &p->visit;
    struct tlsyn_conn_info info;
    struct tlsyn_tls_info tls;

    if (v->is_tcp) {
        v->handshake = clock_us(CLOCK_MONOTONIC) - v->started;
        v->done = true;
        return;
    }
    tlsyn_tls_info(v->tls, &tls);
    tlsyn_conn_info(conn, &info);
    v->syn_bytes = info.syn_text;
    v->synack_bytes = info.synack_text;
    if (tls.early == TLSYN_TLS_EARLY_REJECTED)
        v->sent = false;
    send_request(p);
    check_way(v, &tls, &info);
}

/* "HTTP/1.1 200": 200; -1 if it is anything else. */
static int64_t status_of(const struct prober_visit *v)
{
    int status = -1;

    (void)sscanf(v->answer, "HTTP/%*1d.%*1d %3d", &status);
    return status;
}

/* Done, as soon as the response says how it turned out. */
static void take_answer(struct prober_visit *v, const char *bytes, size_t n)
{
    size_t room = sizeof("HTTP/1.1 200") - 1 - v->answered;
    size_t taken = n < room ? n : room;
    int64_t status;
    char reason[64];

    memcpy(v->answer + v->answered, bytes, taken);
    v->answered += taken;
    if (taken < room)
        return;
    status = status_of(v);
    (void)snprintf(reason, sizeof(reason), "the server answered with status %d", (int)status);
    if (status < 0)
        end(v, -EPROTO, "what the server answered is no HTTP");
    else if (status < 200 || status > 399)
        end(v, -ENOTSUP, reason);
    v->done = true;
}

static void on_data(struct tlsyn_handler *handler, struct tlsyn_conn *conn)
{
    struct prober_visit *v = &of_visit(handler)->visit;
    char bytes[16384];
    ssize_t n;

    (void)conn;
    if (v->is_tcp)
        return; /* the end of its stream */
    while ((n = tlsyn_tls_read(v->tls, bytes, sizeof(bytes))) > 0) {
        if (isnan(v->first_byte))
            v->first_byte = clock_us(CLOCK_MONOTONIC) - v->started;
        take_answer(v, bytes, (size_t)n);
    }
    if (n == 0 && !v->done)
        end(v, -ECONNRESET, "the server closed without a response");
}

static void on_closed(struct tlsyn_handler *handler, struct tlsyn_conn *conn, int error)
{
    struct prober_visit *v = &of_visit(handler)->visit;
    const char *sentence = v->tls ? tlsyn_tls_error(v->tls) : "";

    (void)conn;
    v->conn = NULL;
    v->closed = true;
    if (v->done)
        return;
    error = error < 0 ? error : -ECONNRESET;
    end(v, error, sentence[0] ? sentence : strerror(-error));
}

static const struct tlsyn_conn_events events = {.on_open = on_open,
                                                .on_established = on_established,
                                                .on_data = on_data,
                                                .on_closed = on_closed};

/* --- configurations --------------------------------------------------------------------------- */

static int config_for(struct prober *p, struct prober_server *server, const struct study_way *way)
{
    static const char *const alpn[] = {"http/1.1", NULL};
    struct client_options options = *p->client;

    if (server->configs[way->suite][way->session])
        return CLI_OK;
    options.suite = (int)study_suite_tls(way->suite);
    options.early_data = way->session == STUDY_EARLY;
    options.no_tickets = way->session == STUDY_ID;
    return client_config(p->host, &options, alpn, NULL, &server->configs[way->suite][way->session]);
}

/* --- observations ----------------------------------------------------------------------------- */

static int begin_tls(struct prober *p)
{
    struct prober_visit *v = &p->visit;
    struct client_options options = *p->client;

    if (v->way.mode == STUDY_SEQUENTIAL)
        options.level = TLSYN_LEVEL_NONE;
    options.new_session = v->way.session == STUDY_NEW;
    return client_open(p->host, p->server->configs[v->way.suite][v->way.session], &options,
                       &p->server->target, &v->handler, &v->tls) == CLI_OK
               ? 0
               : -ECONNREFUSED;
}

static int begin_tcp(struct prober *p)
{
    const struct tlsyn_connect_options options = {
        .remote = p->server->target.remote,
        .conn = {.syn_timeout = p->host->options->timeout},
    };

    return tlsyn_conn_open(p->host->stack, &options, &p->visit.handler, &p->visit.conn);
}

/* In order, if the server still answers: it is somebody's. -EINTR: it was told to end meanwhile. */
static int leave(struct prober *p)
{
    struct prober_visit *v = &p->visit;
    int error = 0;

    if (v->tls && v->conn)
        tlsyn_tls_close(v->tls);
    else if (v->conn)
        tlsyn_conn_close(v->conn);
    if (v->conn)
        error = host_run(p->host, &v->closed, tlsyn_clock() + FAREWELL_MAX);
    if (v->conn && !v->tls)
        tlsyn_conn_abort(v->conn, 0);
    tlsyn_tls_free(v->tls);
    v->tls = NULL;
    v->conn = NULL;
    return error == -EINTR ? error : 0;
}

static int visit(struct prober *p, struct prober_visit start)
{
    struct prober_visit *v = &p->visit;
    int error;

    *v = start;
    v->handler.events = &events;
    v->syn_bytes = v->synack_bytes = -1;
    v->handshake = v->first_byte = (double)NAN;
    v->started = clock_us(CLOCK_MONOTONIC);
    error = v->is_tcp ? begin_tcp(p) : begin_tls(p);
    if (error < 0)
        end(v, error, strerror(-error));
    else
        error = host_run(p->host, &v->done, tlsyn_clock() + p->host->options->timeout);
    if (!v->done)
        end(v, -ETIMEDOUT, "no answer in time");
    if (leave(p) == -EINTR || error == -EINTR)
        return -EINTR;
    return error == -ETIMEDOUT || v->error < 0 ? 0 : error;
}

static void on_reply(struct tlsyn_ping_handler *echo, const struct tlsyn_addr *from,
                     uint16_t sequence, size_t size, uint8_t ttl, int error)
{
    struct prober *p = (struct prober *)((char *)echo - offsetof(struct prober, echo));

    (void)from;
    (void)size;
    (void)ttl;
    if (sequence != p->sequence)
        return;
    p->echo_error = error;
    p->echoed = true;
}

static int ping(struct prober *p, struct observation *o)
{
    double started = clock_us(CLOCK_MONOTONIC);
    int error;

    p->echoed = false;
    p->echo_error = tlsyn_ping(p->host->stack, &p->server->target.remote.addr, ECHO_ID,
                               ++p->sequence, ECHO_PAYLOAD, &p->echo);
    if (p->echo_error < 0)
        return 0; /* no way leads there */
    error = host_run(p->host, &p->echoed, tlsyn_clock() + p->host->options->timeout);
    tlsyn_ping_stop(p->host->stack);
    p->echo_error = error == -ETIMEDOUT ? error : p->echo_error;
    if (p->echo_error == 0)
        o->connect_us = clock_us(CLOCK_MONOTONIC) - started;
    return error == -ETIMEDOUT ? 0 : error;
}

static void judge(struct observation *o, int error, const char *reason)
{
    const char *verdict = error == 0 ? "ok" : error == -ENOTSUP ? "refused" : "failed";

    (void)snprintf(o->verdict, sizeof(o->verdict), "%s", verdict);
    (void)snprintf(o->reason, sizeof(o->reason), "%s", error < 0 ? reason : "");
}

/* Not before so long after the last connection. */
static int keep_distance(struct prober *p)
{
    bool never = false;
    int error = host_run(p->host, &never, p->next);

    p->next = tlsyn_clock() + PROBER_PAUSE;
    return error == -ETIMEDOUT ? 0 : error;
}

/* Whoever has never been there has no session to resume, and no cookie for the SYN's text, for
 * which the server can do nothing: such a kind begins with a visit that nobody counts. */
static int meet(struct prober *p, const struct study_way *way)
{
    bool *met = &p->server->met[way->suite][way->mode][way->session];
    int error = 0;

    if (!*met && (way->session != STUDY_NEW || way->mode == STUDY_EMBEDDED)) {
        error = visit(p, (struct prober_visit){.way = *way});
        if (error == 0)
            error = keep_distance(p);
    }
    *met = true;
    return error;
}

static int observe_get(struct prober *p, struct observation *o)
{
    struct prober_visit start = {.way = webperf_way_of(o)};
    int error = config_for(p, p->server, &start.way) == CLI_OK ? meet(p, &start.way) : -EIO;
    const struct prober_visit *v = &p->visit;

    if (error == 0) {
        o->when_us = (int64_t)clock_us(CLOCK_REALTIME);
        error = visit(p, start);
    }
    if (error < 0)
        return error;
    o->syn_bytes = v->syn_bytes;
    o->synack_bytes = v->synack_bytes;
    o->link_kept = -1; /* not ours */
    o->handshake_us = v->handshake;
    o->first_byte_us = v->first_byte;
    o->status = v->answer[0] ? status_of(v) : -1;
    judge(o, v->error, v->reason);
    return 0;
}

static int observe_tcp(struct prober *p, struct observation *o)
{
    int error = visit(p, (struct prober_visit){.is_tcp = true});

    o->connect_us = p->visit.handshake;
    judge(o, p->visit.error, p->visit.reason);
    return error;
}

/* Kinds are made of the same URLs: one that is none of theirs would be a fault of ours. */
static struct prober_server *server_of(struct prober *p, const char *url)
{
    size_t i = 0;

    while (i + 1 < p->server_count && strcmp(p->servers[i].text, url) != 0)
        i++;
    return &p->servers[i];
}

static int observe(struct webperf_prober *base, struct observation *o,
                   char message[STUDY_MESSAGE_MAX])
{
    struct prober *p = (struct prober *)base;
    int error;

    p->server = server_of(p, o->url);
    memcpy(o->address, p->server->address, sizeof(o->address));
    if (!p->server->address[0]) {
        judge(o, -EADDRNOTAVAIL,
              p->server->why[0] ? p->server->why
                                : "it had no address that could be asked when the run began");
        return 0;
    }
    error = keep_distance(p);
    if (error == 0) {
        o->when_us = (int64_t)clock_us(CLOCK_REALTIME);
        if (strcmp(o->operation, "get") == 0) {
            error = observe_get(p, o);
        } else if (strcmp(o->operation, "tcp") == 0) {
            error = observe_tcp(p, o);
        } else {
            error = ping(p, o);
            judge(o, p->echo_error, strerror(-p->echo_error));
        }
    }
    p->interrupted = error == -EINTR;
    if (error < 0)
        (void)snprintf(message, STUDY_MESSAGE_MAX, "the network cannot be used any more: %s",
                       strerror(-error));
    return error;
}

/* --- life ------------------------------------------------------------------------------------- */

void prober_open(struct prober *prober, struct host *host, const struct client_options *client)
{
    *prober = (struct prober){
        .base = {.observe = observe},
        .host = host,
        .client = client,
        .echo = {.on_reply = on_reply},
    };
}

int prober_add(struct prober *prober, const char *text, const struct url *url)
{
    struct prober_server *server = &prober->servers[prober->server_count++];
    char authority[URL_AUTHORITY_MAX];
    int status;

    server->url = *url;
    (void)snprintf(server->text, sizeof(server->text), "%s", text);
    server->target =
        (struct client_target){.remote = {.port = url->port}, .name = server->url.host};
    (void)snprintf(server->request, sizeof(server->request),
                   "GET %s HTTP/1.1\r\nHost: %s\r\nUser-Agent: tlsyn/" TLSYN_VERSION
                   "\r\nConnection: close\r\n\r\n",
                   url->target, url_authority(url, authority, sizeof(authority)));
    status = resolve_try(prober->host, &prober->client->dns, url->host, &server->target.remote.addr,
                         server->why);
    if (server->why[0])
        say("%s", server->why);
    if (status == CLI_OK)
        status = host_check_remote(prober->host, &server->target.remote.addr);
    if (status == CLI_OK)
        (void)cli_address_text(&server->target.remote.addr, server->address);
    /* What is wrong with the options is told before anything is asked. */
    return status == CLI_OK || status == CLI_FAILURE
               ? config_for(prober, server,
                            &(struct study_way){.suite = STUDY_13, .session = STUDY_NEW})
               : status;
}

bool prober_has_server(const struct prober *prober)
{
    bool has = false;

    for (size_t i = 0; i < prober->server_count; i++)
        has = has || prober->servers[i].address[0];
    return has;
}

void prober_close(struct prober *prober)
{
    for (size_t s = 0; s < prober->server_count; s++) {
        for (int i = 0; i < STUDY_SUITES * STUDY_SESSIONS; i++)
            tlsyn_tls_config_free(
                prober->servers[s].configs[i / STUDY_SESSIONS][i % STUDY_SESSIONS]);
    }
}
