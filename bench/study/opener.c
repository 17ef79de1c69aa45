/*
 * study/opener.c: the client on our stack.
 *
 * The stack's time is frozen during a call, and computing is part of what is measured, so the
 * events read a clock of their own. An embedded handshake that was none (the SYN's payload not
 * taken, or nothing in the SYN-ACK) is a failed observation, not a slow one: it must not be
 * averaged into the embedded column.
 */
#include "study/opener.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "measure/clock.h"
#include "study/pocket.h"
#include "study/tap.h"

/* Only captured connections log their keys, so that the timed ones don't pay for it. */
enum purpose { TIMED, CAPTURED, PURPOSES };

/* What the connections of one kind share. */
struct kind {
    struct tlsyn_tls_config *config;
    struct pocket pocket;
};

struct opener {
    struct tlsyn_handler handler;
    struct tlsyn_tls_keylog keylog;
    struct node *node;
    struct tlsyn_addr server;
    enum tlsyn_level level; /* of embedded opens */
    const struct credentials *credentials;
    struct kind *kinds[PURPOSES][STUDY_MODES][STUDY_SUITES][STUDY_SESSIONS]; /* made when needed */
    struct kind *kind;                                                       /* of this one */
    struct study_order order;
    struct study_outcome outcome;
    struct tlsyn_conn *conn; /* while it lives */
    struct tlsyn_tls *tls;
    double started_us;
    bool written;  /* as early data */
    bool answered; /* the first byte was read */
    bool kept;     /* a session for the next connection has come */
    bool done;
};

static void fail(struct opener *o, int error, const char *reason)
{
    if (o->outcome.error == 0) {
        o->outcome.error = error;
        (void)snprintf(o->outcome.reason, sizeof(o->outcome.reason), "%s", reason);
    }
    o->done = true;
}

/* --- events of the connection ----------------------------------------------------------------- */

static struct opener *of_handler(struct tlsyn_handler *handler)
{
    return (struct opener *)handler; /* first member */
}

static bool write_request(struct opener *o)
{
    return tlsyn_tls_write(o->tls, STUDY_REQUEST, strlen(STUDY_REQUEST)) > 0;
}

static int on_open(struct tlsyn_handler *handler, struct tlsyn_conn *conn)
{
    struct opener *o = of_handler(handler);

    o->conn = conn;
    if (o->order.way.session == STUDY_EARLY)
        o->written = write_request(o);
    if (o->written)
        o->outcome.handshake_us = clock_us(CLOCK_MONOTONIC) - o->started_us;
    return 0;
}

static void on_established(struct tlsyn_handler *handler, struct tlsyn_conn *conn)
{
    struct opener *o = of_handler(handler);
    struct tlsyn_tls_info tls;
    struct tlsyn_conn_info info;

    tlsyn_tls_info(o->tls, &tls);
    if (!o->written)
        o->outcome.handshake_us = clock_us(CLOCK_MONOTONIC) - o->started_us;
    if (!o->written || tls.early == TLSYN_TLS_EARLY_REJECTED)
        (void)write_request(o);
    tlsyn_conn_info(conn, &info);
    if (o->written && info.syn_text == 0) /* it waited for the SYN-ACK */
        o->outcome.handshake_us = (double)(info.established - info.opened);
    o->outcome.syn_text = info.syn_text;
    o->outcome.syn_text_acked = info.syn_text_acked;
    o->outcome.synack_text = info.synack_text;
    o->outcome.cookie_used = info.cookie_used;
    o->outcome.session = tls.session;
    o->outcome.early = tls.early;
    (void)snprintf(o->outcome.version, sizeof(o->outcome.version), "%s", tls.version);
    (void)snprintf(o->outcome.cipher, sizeof(o->outcome.cipher), "%s", tls.ciphersuite);
}

/* With the first byte, and a ticket where each is good once; a capture when it is closed. */
static void end_if_all_is_there(struct opener *o)
{
    bool by_ticket = o->order.way.session == STUDY_PSK || o->order.way.session == STUDY_EARLY;

    if (!o->order.capture[0] && o->answered && (o->kept || !by_ticket))
        o->done = true;
}

static void on_keep(struct pocket *pocket)
{
    struct opener *o = pocket->owner;

    o->kept = true;
    end_if_all_is_there(o);
}

static void take_first_byte(struct opener *o)
{
    o->outcome.first_byte_us = clock_us(CLOCK_MONOTONIC) - o->started_us;
    o->answered = true;
    if (o->order.capture[0])
        tlsyn_tls_close(o->tls);
    end_if_all_is_there(o);
}

static void on_data(struct tlsyn_handler *handler, struct tlsyn_conn *conn)
{
    struct opener *o = of_handler(handler);
    char bytes[1024];
    ssize_t n;

    (void)conn;
    while ((n = tlsyn_tls_read(o->tls, bytes, sizeof(bytes))) > 0) {
        if (!o->answered)
            take_first_byte(o);
    }
    if (n == 0 && !o->answered)
        fail(o, -ECONNRESET, "the server closed without a response");
}

static void on_closed(struct tlsyn_handler *handler, struct tlsyn_conn *conn, int error)
{
    struct opener *o = of_handler(handler);
    const char *sentence = tlsyn_tls_error(o->tls);

    (void)conn;
    o->conn = NULL;
    if (error == 0 && !o->answered)
        error = -ECONNRESET;
    if (error < 0 && !o->answered)
        fail(o, error, sentence[0] ? sentence : strerror(-error));
    o->done = true;
}

static const struct tlsyn_conn_events events = {.on_open = on_open,
                                                .on_established = on_established,
                                                .on_data = on_data,
                                                .on_closed = on_closed};

static enum tlsyn_level level_for(const struct opener *o, enum study_mode mode)
{
    return mode == STUDY_EMBEDDED ? o->level : TLSYN_LEVEL_NONE;
}

/* --- what connections share ------------------------------------------------------------------- */

static void log_key(struct tlsyn_tls_keylog *keylog, const char *line)
{
    struct opener *o = (struct opener *)((char *)keylog - offsetof(struct opener, keylog));

    tap_secret(o->node->link, line);
}

static void kind_free(struct kind *kind)
{
    if (kind)
        tlsyn_tls_config_free(kind->config);
    free(kind);
}

/* Before the clock runs. 0, or the outcome is a failure. */
static int find_kind(struct opener *o, const struct study_order *order)
{
    const struct study_way *way = &order->way;
    enum purpose purpose = order->capture[0] ? CAPTURED : TIMED;
    struct kind **kind = &o->kinds[purpose][way->mode][way->suite][way->session];
    struct credentials_use use = {
        .role = TLSYN_TLS_CLIENT,
        .suite = way->suite,
        .session = way->session,
        .level = level_for(o, way->mode),
        .keylog = purpose == CAPTURED ? &o->keylog : NULL,
        .now = tlsyn_clock(),
    };
    char message[TLSYN_TLS_MESSAGE] = "out of memory";
    int error = 0;

    if (!*kind && (*kind = calloc(1, sizeof(**kind))) != NULL) {
        pocket_init(&(*kind)->pocket, on_keep, o);
        use.store = way->session == STUDY_NEW ? NULL : &(*kind)->pocket.store;
        error = credentials_config(o->credentials, &use, &(*kind)->config, message);
    }
    if (*kind && error == 0) {
        o->kind = *kind;
        return 0;
    }
    kind_free(*kind);
    *kind = NULL;
    fail(o, error < 0 ? error : -ENOMEM, message);
    return -1;
}

/* --- one connection --------------------------------------------------------------------------- */

static int begin(struct opener *o, const struct study_order *order)
{
    const struct tlsyn_connect_options options = {
        .remote = {.addr = o->server, .port = study_port(order->way.suite, order->way.session)},
        .level = level_for(o, order->way.mode),
    };
    int error = tlsyn_tls_attach(o->kind->config, NULL, STUDY_SERVER_NAME, &o->handler, &o->tls);

    if (error == 0)
        error = tlsyn_conn_open(o->node->stack, &options, tlsyn_tls_handler(o->tls), &o->conn);
    return error;
}

void opener_start(struct opener *o, const struct study_order *order)
{
    int error = 0;

    o->order = *order;
    o->outcome = (struct study_outcome){.error = 0};
    o->conn = NULL;
    o->tls = NULL;
    o->written = o->answered = o->kept = o->done = false;
    if (find_kind(o, order) < 0)
        return;
    if (order->capture[0])
        error = tap_start(o->node->link, order->capture);
    if (error < 0) {
        fail(o, error, "the capture cannot be written");
        return;
    }
    o->started_us = clock_us(CLOCK_MONOTONIC);
    error = begin(o, order);
    if (error < 0)
        fail(o, error,
             o->tls && tlsyn_tls_error(o->tls)[0] ? tlsyn_tls_error(o->tls) : strerror(-error));
}

const bool *opener_done(const struct opener *o)
{
    return &o->done;
}

/* How the engine calls it. */
static const enum tlsyn_tls_session sessions[STUDY_SESSIONS] = {[STUDY_ID] = TLSYN_TLS_ID,
                                                                [STUDY_TICKET] = TLSYN_TLS_TICKET,
                                                                [STUDY_PSK] = TLSYN_TLS_PSK,
                                                                [STUDY_EARLY] = TLSYN_TLS_PSK};

/* The times say nothing about a mode that did not take place. */
static void check_mode(struct opener *o)
{
    const struct study_outcome *seen = &o->outcome;
    bool cookie = o->level == TLSYN_LEVEL_COOKIE;
    enum study_session session = o->order.way.session;

    if (session != STUDY_NEW && seen->session != sessions[session])
        fail(o, -ENOTSUP, "not resumed");
    else if (session == STUDY_EARLY && seen->early != TLSYN_TLS_EARLY_ACCEPTED)
        fail(o, -ENOTSUP, "early data was not accepted");
    if (o->order.way.mode == STUDY_SEQUENTIAL) {
        if (seen->syn_text > 0)
            fail(o, -ENOTSUP, "not sequential: the SYN carried text");
    } else if (seen->syn_text == 0) {
        fail(o, -ENOTSUP, "not embedded: the SYN carried no ClientHello");
    } else if (cookie && !seen->cookie_used) {
        fail(o, -ENOTSUP, "not embedded: no cookie was at hand");
    } else if (seen->syn_text_acked != seen->syn_text) {
        fail(o, -ENOTSUP, "not embedded: the server did not take the ClientHello from the SYN");
    } else if (seen->synack_text == 0) {
        fail(o, -ENOTSUP, "not embedded: the SYN-ACK carried nothing");
    }
}

void opener_finish(struct opener *o, struct study_outcome *outcome)
{
    int error = 0;

    if (!o->done && !o->answered)
        fail(o, -ETIMEDOUT, "no answer in time");
    if (o->outcome.error == 0)
        check_mode(o);
    tlsyn_tls_free(o->tls);
    o->tls = NULL;
    o->conn = NULL;
    if (o->order.capture[0])
        error = tap_stop(o->node->link);
    if (error < 0)
        fail(o, error, "the capture could not be written whole");
    *outcome = o->outcome;
}

/* --- life ------------------------------------------------------------------------------------- */

int opener_open(struct node *node, const struct opener_options *options, struct opener **opener,
                char *message)
{
    struct opener *o = calloc(1, sizeof(*o));

    if (!o) {
        (void)snprintf(message, TLSYN_TLS_MESSAGE, "out of memory");
        return -ENOMEM;
    }
    o->handler.events = &events;
    o->keylog.line = log_key;
    o->node = node;
    o->level = options->level;
    o->server = node_address(options->server);
    o->credentials = options->credentials;
    *opener = o;
    return 0;
}

void opener_free(struct opener *o)
{
    if (!o)
        return;
    tlsyn_tls_free(o->tls);
    for (struct kind **kind = &o->kinds[0][0][0][0];
         kind < &o->kinds[0][0][0][0] + sizeof(o->kinds) / sizeof(struct kind *); kind++)
        kind_free(*kind);
    free(o);
}
