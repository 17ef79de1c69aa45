/*
 * study/testbed_memory.c: both ends in one process, over a pipe in memory that an impairment
 * delays in real time.
 *
 * There is nobody to wake: while something is under way, the process turns both loops without
 * sleeping, which also keeps the delay exact. What this can't show is what a host adds: interfaces,
 * interrupts, wake-ups, two processes.
 */
#include "study/testbed.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "study/probe.h"
#include "study/responder.h"
#include "study/tap.h"

#define DEPTH 256 /* frames waiting in the pipe */

static const char *const addresses[] = {"10.77.0.11", "10.77.0.12"};

struct memory {
    struct testbed base;
    struct node client, server;
    struct tlsyn_link *impair; /* of the client's link, inside its tap */
    struct opener *opener;
    struct probe probe;
    struct responder *responder;
    tlsyn_time timeout;
};

static struct memory *of(struct testbed *testbed)
{
    return (struct memory *)testbed; /* first member */
}

static int turn_both(struct memory *m)
{
    int error = tlsyn_loop_turn(m->client.loop, 0); /* in the past: without waiting */

    return error < 0 && error != -EINTR ? error : tlsyn_loop_turn(m->server.loop, 0);
}

/* 0 when done or out of time. */
static int run(struct memory *m, const bool *done, tlsyn_time patience)
{
    tlsyn_time end = tlsyn_clock() + patience;
    int error = 0;

    while (error == 0 && !*done && tlsyn_clock() < end) {
        error = turn_both(m);
        if (error == -EINTR)
            error = 0;
    }
    return error;
}

static int set_link(struct testbed *testbed, const struct tlsyn_impairment path[2])
{
    return tlsyn_impair_set(of(testbed)->impair, &path[0], &path[1]);
}

/* The server hears of the reset before the next handshake begins. */
static int drain(struct memory *m, tlsyn_time duration)
{
    const bool never = false;

    return run(m, &never, duration);
}

static int exchange(struct testbed *testbed, const struct study_order *order,
                    struct study_outcome *outcome)
{
    struct memory *m = of(testbed);
    int error = 0;

    opener_start(m->opener, order);
    error = run(m, opener_done(m->opener), m->timeout);
    opener_finish(m->opener, outcome);
    return error < 0 ? error
                     : drain(m, outcome->error == 0 ? (tlsyn_time)outcome->first_byte_us / 2 : 0);
}

static int probe(struct testbed *testbed, enum study_stack stack, enum study_probe kind, double *us,
                 int *error)
{
    struct memory *m = of(testbed);
    int status = 0;

    (void)stack; /* there is one */
    probe_start(&m->probe, kind);
    status = run(m, &m->probe.done, m->timeout);
    *error = probe_finish(&m->probe, us);
    return status;
}

static int precision(struct testbed *testbed, struct testbed_precision *p)
{
    (void)testbed;
    *p = (struct testbed_precision){.known = false};
    return 0;
}

static void close_memory(struct testbed *testbed)
{
    struct memory *m = of(testbed);

    opener_free(m->opener);
    node_close(&m->client);
    node_close(&m->server);
    responder_free(m->responder);
    free(m);
}

static const struct testbed_ops ops = {.set_link = set_link,
                                       .exchange = exchange,
                                       .probe = probe,
                                       .precision = precision,
                                       .close = close_memory};

/* Takes both ends over, also on failure. */
static int open_nodes(struct memory *m, struct tlsyn_link *ends[2])
{
    struct tlsyn_link *tap = NULL;
    int error = node_open(&m->server, ends[1], addresses[1], 24);

    if (error == 0)
        error = tlsyn_impair_wrap(ends[0], NULL, NULL, &m->impair);
    if (error < 0) {
        tlsyn_link_close(ends[0]);
        return error;
    }
    error = tap_wrap(m->impair, &tap);
    if (error < 0) {
        tlsyn_link_close(m->impair);
        return error;
    }
    return node_open(&m->client, tap, addresses[0], 24);
}

static int build(struct memory *m, const struct testbed_options *options, char *message)
{
    const struct tlsyn_link_caps caps = {.mtu = 1500};
    const struct responder_options responder = {.credentials = options->credentials,
                                                .level = options->level,
                                                .sessions = options->sessions,
                                                .pad = options->pad};
    const struct opener_options opener = {
        .credentials = options->credentials, .level = options->level, .server = addresses[1]};
    struct tlsyn_link *ends[2];
    int error = tlsyn_pipe_open(&caps, DEPTH, ends);

    if (error == 0)
        error = open_nodes(m, ends);
    if (error < 0) {
        (void)snprintf(message, TESTBED_MESSAGE_MAX, "the link in memory cannot be made: %s",
                       strerror(-error));
        return error;
    }
    error = responder_open(&m->server, &responder, &m->responder, message);
    if (error == 0)
        error = opener_open(&m->client, &opener, &m->opener, message);
    probe_init(&m->probe, &m->client, addresses[1]);
    return error;
}

int testbed_open_memory(const struct testbed_options *options, struct testbed **testbed,
                        char message[TESTBED_MESSAGE_MAX])
{
    struct memory *m = calloc(1, sizeof(*m));
    int error = 0;

    if (!m) {
        (void)snprintf(message, TESTBED_MESSAGE_MAX, "out of memory");
        return -ENOMEM;
    }
    m->base = (struct testbed){.ops = &ops, .name = "memory"};
    m->timeout = options->timeout;
    error = build(m, options, message);
    if (error < 0) {
        close_memory(&m->base);
        return error;
    }
    *testbed = &m->base;
    return 0;
}
