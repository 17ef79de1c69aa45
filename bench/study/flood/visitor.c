/*
 * study/flood/visitor.c: an honest client: a handshake and a small request, again and again at a
 * steady rate, on the kernel's stack or on ours.
 *
 * Ours is counted by what it got: a handshake that was to be embedded and became a sequential one,
 * for the server was busy, has succeeded.
 */
#include "study/flood/parts.h"

#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <tlsyn/loop.h>

#include "peer/client.h"
#include "study/opener.h"
#include "study/tap.h"

#define WARM_UP TLSYN_SECONDS(60) /* until the server must serve */

struct visitor {
    const struct flood_child *child;
    struct node node; /* of FLOOD_TLSYN_OURS */
    struct opener *opener;
};

/* --- one handshake ---------------------------------------------------------------------------- */

static void visit_stock(struct visitor *v, struct flood_message *m)
{
    const struct peer_target target = {.context = v->child->ground->client,
                                       .address = flood_server_address(v->child->cell->pair),
                                       .port = FLOOD_PORT,
                                       .name = STUDY_SERVER_NAME,
                                       .request = STUDY_REQUEST,
                                       .timeout_ms = (int)(FLOOD_PATIENCE / 1000)};
    struct peer_observation seen;

    m->error = peer_exchange(&target, &seen);
    m->handshake_us = seen.handshake_us;
    (void)snprintf(m->reason, sizeof(m->reason), "%s", seen.reason);
}

static void visit_ours(struct visitor *v, struct flood_message *m)
{
    const struct study_order order = {
        .way = {
            .stack = STUDY_TLSYN, .suite = STUDY_13, .mode = STUDY_EMBEDDED, .session = STUDY_NEW}};
    tlsyn_time deadline = tlsyn_clock() + FLOOD_PATIENCE;
    struct study_outcome outcome;

    opener_start(v->opener, &order);
    (void)node_run(&v->node, opener_done(v->opener), deadline); /* the outcome tells */
    opener_finish(v->opener, &outcome);
    (void)tlsyn_loop_turn(v->node.loop, 0); /* the RST leaves */
    m->error = outcome.first_byte_us > 0 ? 0 : outcome.error;
    m->handshake_us = outcome.handshake_us;
    m->embedded = outcome.error == 0;
    (void)snprintf(m->reason, sizeof(m->reason), "%s", outcome.reason);
}

static void visit(struct visitor *v, struct flood_message *m)
{
    *m = (struct flood_message){.word = FLOOD_VISIT};
    if (v->child->cell->pair == FLOOD_TLSYN_OURS)
        visit_ours(v, m);
    else
        visit_stock(v, m);
}

/* --- again and again -------------------------------------------------------------------------- */

/* Waits until it is time, turning the loop of our stack meanwhile; true: told to stop. */
static bool wait_until(struct visitor *v, tlsyn_time when)
{
    struct pollfd told = {.fd = v->child->control, .events = POLLIN};
    tlsyn_time now = tlsyn_clock();

    while (v->node.loop && now < when) {
        if (poll(&told, 1, 0) != 0)
            return true;
        (void)tlsyn_loop_turn(v->node.loop, when < now + 20000 ? when : now + 20000);
        now = tlsyn_clock();
    }
    return poll(&told, 1, now < when ? (int)((when - now) / 1000) : 0) != 0;
}

static void visit_until_told(struct visitor *v)
{
    tlsyn_time every = TLSYN_SECONDS(FLOOD_VISITORS) / v->child->visits;
    tlsyn_time next = tlsyn_clock() + every * v->child->number / FLOOD_VISITORS;
    struct flood_message m;

    while (!wait_until(v, next)) {
        visit(v, &m);
        if (flood_tell(v->child->control, &m) < 0)
            return;
        next += every;
        if (next < tlsyn_clock()) /* those that a slow one held up are left out */
            next = tlsyn_clock();
    }
}

/* Until the server serves, and twice then: both know each other, and a cookie is at hand. */
static int warm_up(struct visitor *v, struct flood_message *m)
{
    tlsyn_time until = tlsyn_clock() + WARM_UP;
    int good = 0;

    while (good < 2 && tlsyn_clock() < until) {
        visit(v, m);
        good += m->error == 0;
        if (m->error < 0)
            (void)poll(NULL, 0, 30);
    }
    return good == 2 ? 0 : m->error;
}

static int open_ours(struct visitor *v, struct flood_message *m)
{
    const struct lab_host_info *info = lab_host_info(LAB_CLIENT);
    const struct opener_options options = {
        .credentials = v->child->ground->credentials,
        .level = TLSYN_LEVEL_COOKIE,
        .server = flood_server_address(v->child->cell->pair),
    };
    struct tlsyn_link *link = NULL, *tap = NULL;
    char address[24], message[TLSYN_TLS_MESSAGE] = "";
    int error = tlsyn_afpacket_open(info->interface, NULL, &link);

    if (error == 0 && (error = tap_wrap(link, &tap)) < 0)
        tlsyn_link_close(link);
    (void)snprintf(address, sizeof(address), "10.77.0.%d", 101 + v->child->number);
    if (error == 0)
        error = node_open(&v->node, tap, address, info->prefix_len);
    if (error == 0)
        error = opener_open(&v->node, &options, &v->opener, message);
    if (error < 0)
        (void)snprintf(m->reason, sizeof(m->reason), "our client cannot be set up: %s",
                       message[0] ? message : strerror(-error));
    return error;
}

int flood_visitor(void *argument)
{
    struct visitor v = {.child = argument};
    struct flood_message m = {.word = FLOOD_READY};
    int error = 0;

    (void)signal(SIGINT, SIG_IGN); /* as of study/actors.h */
    (void)signal(SIGTERM, SIG_IGN);
    if (v.child->cell->pair == FLOOD_TLSYN_OURS)
        error = open_ours(&v, &m);
    if (error == 0)
        error = warm_up(&v, &m);
    m.word = FLOOD_READY;
    m.error = error;
    error = flood_tell(v.child->control, &m);
    if (error == 0 && m.error == 0)
        error = actor_receive(v.child->control, &m, sizeof(m), -1);
    if (error == 0 && m.error == 0)
        visit_until_told(&v);
    opener_free(v.opener);
    node_close(&v.node);
    return EXIT_SUCCESS;
}
