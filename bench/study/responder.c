/*
 * study/responder.c: the server on our stack.
 *
 * The pad stands for computing on a slower host. It belongs before the server's first flight, when
 * the ClientHello has come: that is when a listener asks for the connection's handler. Embedded,
 * the SYN has brought it; in a sequential handshake it comes with the very segment that completes
 * the three-way handshake, as the client has it ready.
 */
#include "study/responder.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct service {
    struct tlsyn_acceptor acceptor;
    struct tlsyn_tls_config *config;
    tlsyn_time pad;
};

struct responder {
    struct service services[STUDY_SUITES][STUDY_SESSIONS];
};

struct visit {
    struct tlsyn_handler handler;
    struct tlsyn_tls *tls;
    bool answered;
};

static void on_data(struct tlsyn_handler *handler, struct tlsyn_conn *conn)
{
    struct visit *visit = (struct visit *)handler;
    char bytes[1024];
    ssize_t n;

    (void)conn;
    while ((n = tlsyn_tls_read(visit->tls, bytes, sizeof(bytes))) > 0) {
        if (!visit->answered) /* far smaller than the send ring, so that it is taken whole */
            (void)tlsyn_tls_write(visit->tls, STUDY_RESPONSE, strlen(STUDY_RESPONSE));
        visit->answered = true;
    }
    if (n == 0)
        tlsyn_tls_close(visit->tls);
}

static void on_closed(struct tlsyn_handler *handler, struct tlsyn_conn *conn, int error)
{
    struct visit *visit = (struct visit *)handler;

    (void)conn;
    /* the client resets when it has what it wants, and it is the one who counts failures */
    (void)error;
    tlsyn_tls_free(visit->tls);
    free(visit);
}

static const struct tlsyn_conn_events events = {.on_data = on_data, .on_closed = on_closed};

static struct tlsyn_handler *take_connection(struct tlsyn_acceptor *acceptor,
                                             struct tlsyn_conn *conn)
{
    struct service *service = (struct service *)acceptor; /* first member */
    struct visit *visit = calloc(1, sizeof(*visit));

    if (service->pad > 0)
        (void)tlsyn_wait(NULL, 0, tlsyn_clock() + service->pad);
    if (!visit)
        return NULL;
    visit->handler.events = &events;
    if (tlsyn_tls_attach(service->config, conn, NULL, &visit->handler, &visit->tls) < 0) {
        free(visit);
        return NULL;
    }
    return tlsyn_tls_handler(visit->tls);
}

static int open_service(struct node *node, const struct responder_options *options,
                        const struct study_way *way, struct service *service, char *message)
{
    const struct credentials_use use = {.role = TLSYN_TLS_SERVER,
                                        .suite = way->suite,
                                        .session = way->session,
                                        .level = options->level,
                                        .now = tlsyn_clock()};
    const struct tlsyn_listen_options listen = {
        .local = {.port = study_port(way->suite, way->session)},
        .open = options->level == TLSYN_LEVEL_OPEN,
        .cookies = options->level == TLSYN_LEVEL_COOKIE,
        .paper = options->level == TLSYN_LEVEL_PAPER};
    struct tlsyn_listener *listener = NULL;
    int error = credentials_config(options->credentials, &use, &service->config, message);

    if (error < 0)
        return error;
    service->acceptor.accept = take_connection;
    service->pad = options->pad;
    error = tlsyn_listener_open(node->stack, &listen, &service->acceptor, &listener);
    if (error < 0)
        (void)snprintf(message, TLSYN_TLS_MESSAGE, "the server cannot listen: %s",
                       strerror(-error));
    return error;
}

int responder_open(struct node *node, const struct responder_options *options,
                   struct responder **responder, char *message)
{
    int error = 0;
    struct responder *r = calloc(1, sizeof(*r));

    if (!r) {
        (void)snprintf(message, TLSYN_TLS_MESSAGE, "out of memory");
        return -ENOMEM;
    }
    *responder = r;
    for (int i = 0; error == 0 && i < STUDY_SUITES * STUDY_SESSIONS; i++) {
        const struct study_way way = {.suite = (enum study_suite)(i % STUDY_SUITES),
                                      .session = (enum study_session)(i / STUDY_SUITES)};

        if (study_way_exists(&way) && (options->sessions >> way.session & 1) != 0)
            error =
                open_service(node, options, &way, &r->services[way.suite][way.session], message);
    }
    return error; /* what is open goes with responder_free(), the listeners with the stack */
}

void responder_free(struct responder *responder)
{
    for (int i = 0; responder && i < STUDY_SUITES * STUDY_SESSIONS; i++)
        tlsyn_tls_config_free(responder->services[i % STUDY_SUITES][i / STUDY_SUITES].config);
    free(responder);
}
