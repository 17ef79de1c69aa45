/*
 * study/testbed_lab.c: the laboratory as a testbed: actors in its two hosts.
 */
#include "study/testbed.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lab/lab.h"
#include "peer/quic.h"
#include "study/actors.h"

#define READY_MS 10000
#define SLACK_MS 3000 /* an actor answers this long after its own timeout at the latest */

static const struct {
    const char *name;
    enum lab_host host;
} parts[ACTORS] = {
    [ACTOR_STACK_CLIENT] = {"client on our stack", LAB_CLIENT},
    [ACTOR_STACK_SERVER] = {"server on our stack", LAB_SERVER},
    [ACTOR_KERNEL_CLIENT] = {"client on the kernel's stack", LAB_CLIENT},
    [ACTOR_KERNEL_SERVER] = {"server on the kernel's stack", LAB_SERVER},
    [ACTOR_QUIC_CLIENT] = {"client of QUIC", LAB_CLIENT},
    [ACTOR_QUIC_SERVER] = {"server of QUIC", LAB_SERVER},
};

static const enum actor_role clients[STUDY_STACKS] = {[STUDY_TLSYN] = ACTOR_STACK_CLIENT,
                                                      [STUDY_KERNEL] = ACTOR_KERNEL_CLIENT,
                                                      [STUDY_QUIC] = ACTOR_QUIC_CLIENT};
static const enum actor_role servers[STUDY_STACKS] = {[STUDY_TLSYN] = ACTOR_STACK_SERVER,
                                                      [STUDY_KERNEL] = ACTOR_KERNEL_SERVER,
                                                      [STUDY_QUIC] = ACTOR_QUIC_SERVER};

struct lab_testbed {
    struct testbed base;
    struct lab *lab;
    struct testbed_options options;
    int controls[ACTORS]; /* our ends */
    int opened;           /* how many of them */
};

static struct lab_testbed *of(struct testbed *testbed)
{
    return (struct lab_testbed *)testbed; /* first member */
}

static int ask(struct lab_testbed *t, enum actor_role role, const struct actor_request *request,
               struct actor_reply *reply)
{
    int timeout_ms = (int)(t->options.timeout / 1000) + SLACK_MS;
    int error = actor_send(t->controls[role], request, sizeof(*request));

    return error < 0 ? error : actor_receive(t->controls[role], reply, sizeof(*reply), timeout_ms);
}

static int set_link(struct testbed *testbed, const struct tlsyn_impairment path[2])
{
    return lab_set_link(of(testbed)->lab, &path[0], &path[1]);
}

/* What is still on its way (the reset, its like) arrives before the next begins. */
static void let_settle(double first_byte_us)
{
    (void)tlsyn_wait(NULL, 0, tlsyn_clock() + (tlsyn_time)(first_byte_us / 4) + TLSYN_MS(1) / 2);
}

/* A server says nothing after it has signed on; that its end is closed means that it has died. */
static int check_server(struct lab_testbed *t, enum study_stack stack)
{
    enum actor_role role = servers[stack];
    struct actor_reply unexpected;
    int error = actor_receive(t->controls[role], &unexpected, sizeof(unexpected), 0);

    return error == -ETIMEDOUT ? 0 : -EPIPE;
}

static int exchange(struct testbed *testbed, const struct study_order *order,
                    struct study_outcome *outcome)
{
    struct actor_request request = {.kind = ACTOR_EXCHANGE, .order = *order};
    struct actor_reply reply;
    int error = ask(of(testbed), clients[order->way.stack], &request, &reply);

    if (error < 0)
        return error;
    *outcome = reply.outcome;
    if (outcome->error < 0)
        return check_server(of(testbed), order->way.stack);
    let_settle(outcome->first_byte_us);
    return 0;
}

static int probe(struct testbed *testbed, enum study_stack stack, enum study_probe kind, double *us,
                 int *why)
{
    const struct actor_request request = {.kind = ACTOR_PROBE, .probe = kind};
    struct actor_reply reply;
    int error = ask(of(testbed), clients[stack], &request, &reply);

    if (error < 0)
        return error;
    *us = reply.probe_us;
    *why = reply.error;
    return 0;
}

static int precision(struct testbed *testbed, struct testbed_precision *p)
{
    struct lab_report report;
    int error = lab_report(of(testbed)->lab, &report);

    if (error < 0)
        return error;
    *p = (struct testbed_precision){.known = true,
                                    .frames = report.whole.frames,
                                    .p50_us = report.whole.p50_us,
                                    .p99_us = report.whole.p99_us,
                                    .max_us = report.whole.max_us,
                                    .realtime = report.realtime,
                                    .lately = study_link_seen_of(&report)};
    return 0;
}

static void close_lab(struct testbed *testbed)
{
    struct lab_testbed *t = of(testbed);

    for (int i = 0; i < t->opened; i++)
        actor_hang_up(t->controls[i]);
    lab_close(t->lab); /* also kills what doesn't end by itself */
    free(t);
}

static const struct testbed_ops ops = {.set_link = set_link,
                                       .exchange = exchange,
                                       .probe = probe,
                                       .precision = precision,
                                       .close = close_lab};

static int start_actor(struct lab_testbed *t, enum actor_role role)
{
    int ends[2];
    struct actor_part part = {.role = role, .options = &t->options};
    pid_t child;

    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0)
        return -errno;
    t->controls[t->opened++] = ends[0];
    part.control = ends[1];
    child = lab_spawn(t->lab, parts[role].host, actor_main, &part);
    (void)close(ends[1]);
    return child < 0 ? (int)child : 0;
}

static int await_ready(struct lab_testbed *t, enum actor_role role, char *message)
{
    struct actor_reply reply = {.error = 0};
    int error = actor_receive(t->controls[role], &reply, sizeof(reply), READY_MS);

    if (error == 0 && reply.error < 0)
        (void)snprintf(message, TESTBED_MESSAGE_MAX, "%s", reply.message);
    else if (error < 0)
        (void)snprintf(message, TESTBED_MESSAGE_MAX, "the %s %s", parts[role].name,
                       error == -ETIMEDOUT ? "does not start" : "has died while it started");
    return error < 0 ? error : reply.error;
}

static int start_actors(struct lab_testbed *t, char *message)
{
    int count = t->options.quic && testbed_has_quic() ? ACTORS : ACTOR_QUIC_CLIENT;
    int error = 0;

    for (int i = 0; error == 0 && i < count; i++) {
        error = start_actor(t, (enum actor_role)i);
        if (error < 0)
            (void)snprintf(message, TESTBED_MESSAGE_MAX, "the %s cannot be started: %s",
                           parts[i].name, strerror(-error));
    }
    for (int i = 0; error == 0 && i < count; i++)
        error = await_ready(t, (enum actor_role)i, message);
    return error;
}

bool testbed_has_quic(void)
{
    return peer_quic_is_there();
}

int testbed_open_lab(const struct testbed_options *options, struct testbed **testbed,
                     char message[TESTBED_MESSAGE_MAX])
{
    const struct lab_options perfect = {.apart = true};
    struct lab_testbed *t = calloc(1, sizeof(*t));
    struct lab_error why;
    int error = 0;

    if (!t) {
        (void)snprintf(message, TESTBED_MESSAGE_MAX, "out of memory");
        return -ENOMEM;
    }
    t->base = (struct testbed){.ops = &ops, .name = "lab", .has_kernel = true};
    t->options = *options;
    error = lab_open(&perfect, &t->lab, &why);
    if (error < 0) {
        (void)snprintf(message, TESTBED_MESSAGE_MAX, "%s", why.text);
        free(t);
        return error;
    }
    error = start_actors(t, message);
    if (error < 0) {
        close_lab(&t->base);
        return error;
    }
    *testbed = &t->base;
    return 0;
}
