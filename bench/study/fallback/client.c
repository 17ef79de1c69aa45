/*
 * study/fallback/client.c: a client with a stack that remembers nothing yet, in a process of its
 * own: an echo, so that the neighbour's address is known, and two connections.
 */
#include "study/fallback/fallback.h"

#include <errno.h>
#include <math.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "lab/lab.h"
#include "study/node.h"

enum { ECHO_ID = 0x6662, ECHO_PAYLOAD = 56, OPENS_MAX = 2 };

struct client {
    struct tlsyn_handler handler;
    struct tlsyn_ping_handler echo;
    struct fallback_visit *visit;
    struct node node;
    struct tlsyn_tls_config *config;
    struct tlsyn_tls *tls;
    struct tlsyn_conn *conn;
    tlsyn_time began;
    struct fallback_contact *contact;
    bool done, swallowed;
    int error;
};

static void fail(struct client *c, int error, const char *reason)
{
    c->done = true;
    if (c->visit->error)
        return;
    c->visit->error = error;
    (void)snprintf(c->visit->reason, sizeof(c->visit->reason), "%s",
                   reason && reason[0] ? reason : strerror(-error));
}

/* --- events ----------------------------------------------------------------------------------- */

static struct client *of(struct tlsyn_handler *handler)
{
    return (struct client *)handler; /* first member */
}

static int on_open(struct tlsyn_handler *handler, struct tlsyn_conn *conn)
{
    of(handler)->conn = conn;
    return 0;
}

static void on_established(struct tlsyn_handler *handler, struct tlsyn_conn *conn)
{
    (void)conn;
    (void)tlsyn_tls_write(of(handler)->tls, STUDY_REQUEST, strlen(STUDY_REQUEST));
}

static void on_data(struct tlsyn_handler *handler, struct tlsyn_conn *conn)
{
    struct client *c = of(handler);
    struct tlsyn_conn_info info;
    char bytes[1024];

    if (tlsyn_tls_read(c->tls, bytes, sizeof(bytes)) <= 0 || c->done)
        return;
    c->contact->us = (double)(tlsyn_clock() - c->began);
    tlsyn_conn_info(conn, &info);
    c->contact->embedding = info.embedding;
    c->done = true;
}

static void on_closed(struct tlsyn_handler *handler, struct tlsyn_conn *conn, int error)
{
    struct client *c = of(handler);

    (void)conn;
    c->conn = NULL;
    if (c->done)
        return;
    c->swallowed = error == -EAGAIN;
    if (!c->swallowed)
        fail(c, error ? error : -ECONNRESET, tlsyn_tls_error(c->tls));
    c->done = true;
}

static const struct tlsyn_conn_events events = {.on_open = on_open,
                                                .on_established = on_established,
                                                .on_data = on_data,
                                                .on_closed = on_closed};

static void on_reply(struct tlsyn_ping_handler *echo, const struct tlsyn_addr *from,
                     uint16_t sequence, size_t size, uint8_t ttl, int error)
{
    struct client *c = (struct client *)((char *)echo - offsetof(struct client, echo));

    (void)from, (void)size, (void)ttl, (void)sequence;
    c->visit->rtt_us = (double)(tlsyn_clock() - c->began);
    c->error = error;
    c->done = true;
}

/* --- one thing after the other ---------------------------------------------------------------- */

static void turn_until_done(struct client *c)
{
    tlsyn_time deadline = tlsyn_clock() + c->visit->timeout;

    while (!c->done && tlsyn_clock() < deadline)
        (void)tlsyn_loop_run(c->node.loop, &c->done, deadline);
}

/* The second one finds the neighbour's address known. */
static int echoes(struct client *c)
{
    struct tlsyn_addr server = node_address(c->visit->server);

    for (uint16_t i = 0; i < 2; i++) {
        c->done = false;
        c->error = -ETIMEDOUT;
        c->began = tlsyn_clock();
        int error = tlsyn_ping(c->node.stack, &server, ECHO_ID, i, ECHO_PAYLOAD, &c->echo);
        if (error == 0)
            turn_until_done(c);
        tlsyn_ping_stop(c->node.stack);
        if (error < 0 || c->error < 0)
            return error < 0 ? error : c->error;
    }
    return 0;
}

static int open_one(struct client *c)
{
    const struct tlsyn_connect_options options = {
        .remote = {.addr = node_address(c->visit->server), .port = study_port(STUDY_13, STUDY_NEW)},
        .level = c->visit->embedded ? TLSYN_LEVEL_COOKIE : TLSYN_LEVEL_NONE,
        .conn = {.syn_timeout = c->visit->timeout}};
    int error = tlsyn_tls_attach(c->config, NULL, STUDY_SERVER_NAME, &c->handler, &c->tls);

    c->done = c->swallowed = false;
    c->contact->opens++;
    if (error == 0)
        error = tlsyn_conn_open(c->node.stack, &options, tlsyn_tls_handler(c->tls), &c->conn);
    if (error < 0)
        fail(c, error, "");
    return error;
}

/* Whoever is swallowed opens anew, as a user would; its time is part of the contact's. */
static void contact(struct client *c, struct fallback_contact *into)
{
    bool never = false;

    c->contact = into;
    c->contact->us = NAN;
    c->began = tlsyn_clock();
    do {
        if (open_one(c) == 0)
            turn_until_done(c);
        if (!c->done)
            fail(c, -ETIMEDOUT, "no answer in time");
        tlsyn_tls_free(c->tls); /* and with it the connection */
        c->tls = NULL;
    } while (c->swallowed && c->contact->opens < OPENS_MAX);
    if (c->swallowed)
        fail(c, -EAGAIN, "swallowed again");
    (void)tlsyn_loop_run(c->node.loop, &never, tlsyn_clock() + TLSYN_MS(5)); /* the RST leaves */
}

static int open_link(struct client *c, const char *interface, struct tlsyn_link **link)
{
    struct tlsyn_link *wire = NULL;
    int error = tlsyn_afpacket_open(interface, NULL, &wire);

    if (error < 0)
        return error;
    *link = wire;
    if (c->visit->capture[0])
        error = tlsyn_capture_wrap(wire, c->visit->capture, link);
    if (error < 0)
        tlsyn_link_close(wire);
    return error;
}

static int open_client(struct client *c)
{
    const struct lab_host_info *info = lab_host_info(LAB_CLIENT);
    const struct credentials_use use = {.role = TLSYN_TLS_CLIENT,
                                        .suite = STUDY_13,
                                        .level = c->visit->bare ? TLSYN_LEVEL_COOKIE
                                                                : TLSYN_LEVEL_OPEN, /* which pads */
                                        .now = tlsyn_clock()};
    char message[TLSYN_TLS_MESSAGE] = "";
    struct tlsyn_link *link = NULL;
    struct tlsyn_limits limits;
    int error = open_link(c, info->interface, &link);

    tlsyn_limits_default(&limits);
    if (error == 0)
        error = node_open_bounded(&c->node, link, info->stack_address, info->prefix_len, &limits);
    if (error == 0)
        error = credentials_config(c->visit->credentials, &use, &c->config, message);
    if (error < 0)
        fail(c, error, message);
    return error;
}

int fallback_client(void *argument)
{
    struct client *c = calloc(1, sizeof(*c));

    (void)signal(SIGINT, SIG_IGN); /* what is meant for all of us is the harness's to obey */
    if (!c)
        return EXIT_FAILURE;
    c->handler.events = &events;
    c->echo.on_reply = on_reply;
    c->visit = argument;
    int error = open_client(c);
    if (error == 0)
        error = echoes(c);
    if (error < 0)
        fail(c, error, "");
    for (int i = 0; error == 0 && i < FALLBACK_CONTACTS; i++)
        contact(c, &c->visit->contact[i]);
    node_close(&c->node);
    tlsyn_tls_config_free(c->config);
    free(c);
    return EXIT_SUCCESS;
}
