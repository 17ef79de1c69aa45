/*
 * study/actor_kernel.c: client and server on the kernel's stack with OpenSSL, and the
 * kernel's ping.
 */
#include "study/actor_parts.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "lab/lab.h"
#include "peer/client.h"
#include "peer/echo.h"
#include "peer/server.h"

static_assert((int)PEER_12_RSA == (int)STUDY_12_RSA && (int)PEER_12_ECDHE == (int)STUDY_12_ECDHE &&
                  (int)PEER_13 == (int)STUDY_13,
              "the peer numbers the suites as the studies do");
static_assert((int)PEER_NEW == (int)STUDY_NEW && (int)PEER_ID == (int)STUDY_ID &&
                  (int)PEER_TICKET == (int)STUDY_TICKET && (int)PEER_PSK == (int)STUDY_PSK &&
                  (int)PEER_EARLY == (int)STUDY_EARLY,
              "and the sessions");

/* --- both ends -------------------------------------------------------------------------------- */

/* The next that exists and is asked for, from *i on, which moves behind it. */
static bool next_kind(const struct actor_part *part, int *i, struct study_way *way)
{
    for (; *i < PEER_SERVICES_MAX; (*i)++) {
        *way = (struct study_way){.stack = STUDY_KERNEL,
                                  .suite = (enum study_suite)(*i % STUDY_SUITES),
                                  .session = (enum study_session)(*i / STUDY_SUITES)};
        if (study_way_exists(way) && (part->options->sessions >> way->session & 1) != 0) {
            (*i)++;
            return true;
        }
    }
    return false;
}

/* --- server ----------------------------------------------------------------------------------- */

static void sign_on(void *argument)
{
    const struct actor_part *part = argument;

    (void)actor_ready(part->control, 0, NULL);
}

static int make_services(const struct actor_part *part, struct peer_server *server,
                         struct peer_service services[PEER_SERVICES_MAX], char *message)
{
    struct study_way way;
    int i = 0;

    for (server->count = 0; next_kind(part, &i, &way); server->count++) {
        const struct tlsyn_certified *c = credentials_for(part->options->credentials, way.suite);
        const struct peer_identity identity = {.chain = c->chain, .key = c->key};
        struct peer_service *service = &services[server->count];

        service->port = study_port(way.suite, way.session);
        service->context = peer_server_context((enum peer_suite)way.suite,
                                               (enum peer_session)way.session, &identity, message);
        if (!service->context)
            return -EPROTO;
    }
    return 0;
}

/* Client and server (ip-sysctl: bits 1 and 2); it is this network namespace's own. Where it can't
 * be written, the handshakes themselves will say what came of it. */
static void allow_fast_open(void)
{
    FILE *setting = fopen("/proc/sys/net/ipv4/tcp_fastopen", "we");

    if (!setting)
        return;
    (void)fputs("3", setting);
    (void)fclose(setting);
}

int actor_kernel_server(const struct actor_part *part)
{
    struct actor_part passed = *part;
    struct peer_service services[PEER_SERVICES_MAX] = {{.port = 0}};
    struct peer_server server = {
        .address = lab_host_info(LAB_SERVER)->kernel_address,
        .services = services,
        .fast_open = part->options->fast_open,
        .response = STUDY_RESPONSE,
        .pad_us = part->options->pad,
        .timeout_ms = (int)(part->options->timeout / 1000),
        .control = part->control,
        .ready = sign_on,
        .ready_argument = &passed,
    };
    char message[TESTBED_MESSAGE_MAX] = "";
    int error = make_services(part, &server, services, message);

    if (server.fast_open)
        allow_fast_open();
    if (error == 0) {
        error = peer_serve(&server);
        (void)snprintf(message, sizeof(message), "the kernel's server cannot listen: %s",
                       strerror(-error));
    }
    if (error < 0)
        (void)actor_ready(part->control, error, message);
    for (int i = 0; i < PEER_SERVICES_MAX; i++)
        peer_context_free(services[i].context);
    return error;
}

/* --- client ----------------------------------------------------------------------------------- */

struct kernel_client {
    struct peer_context *contexts[STUDY_SUITES][STUDY_SESSIONS];
    struct peer_echo echo;
    int timeout_ms;
};

static int open_client(const struct actor_part *part, struct kernel_client *client, char *message)
{
    struct study_way way;
    int i = 0;
    int error = peer_echo_open(&client->echo, lab_host_info(LAB_SERVER)->kernel_address);

    if (error < 0)
        (void)snprintf(message, TESTBED_MESSAGE_MAX, "the kernel's ping cannot be opened: %s",
                       strerror(-error));
    while (error == 0 && next_kind(part, &i, &way)) {
        struct peer_context **context = &client->contexts[way.suite][way.session];

        *context = peer_client_context((enum peer_suite)way.suite, (enum peer_session)way.session,
                                       credentials_for(part->options->credentials, way.suite)->ca,
                                       message);
        if (!*context)
            error = -EPROTO;
    }
    return error;
}

static void exchange(const struct kernel_client *client, const struct study_order *order,
                     struct study_outcome *outcome)
{
    const struct peer_target target = {
        .context = client->contexts[order->way.suite][order->way.session],
        .address = lab_host_info(LAB_SERVER)->kernel_address,
        .port = study_port(order->way.suite, order->way.session),
        .name = STUDY_SERVER_NAME,
        .request = STUDY_REQUEST,
        .timeout_ms = client->timeout_ms,
        .fast_open = order->way.mode == STUDY_EMBEDDED,
    };
    struct peer_observation seen;

    outcome->error = peer_exchange(&target, &seen);
    actor_keep_observation(&seen, outcome);
}

static int probe(struct kernel_client *client, enum study_probe kind, double *us)
{
    const struct peer_target target = {
        .address = lab_host_info(LAB_SERVER)->kernel_address,
        .port = study_port(STUDY_13, STUDY_NEW),
        .timeout_ms = client->timeout_ms,
    };

    if (kind == STUDY_CONNECT)
        return peer_connect(&target, us);
    return peer_echo(&client->echo, client->timeout_ms, us);
}

static int serve_harness(const struct actor_part *part, struct kernel_client *client)
{
    struct actor_request request;
    int error = 0;

    while (error == 0) {
        struct actor_reply reply = {.error = 0};

        error = actor_receive(part->control, &request, sizeof(request), -1);
        if (error < 0)
            break;
        if (request.kind == ACTOR_PROBE)
            reply.error = probe(client, request.probe, &reply.probe_us);
        else
            exchange(client, &request.order, &reply.outcome);
        error = actor_send(part->control, &reply, sizeof(reply));
    }
    return error == -EPIPE ? 0 : error;
}

int actor_kernel_client(const struct actor_part *part)
{
    struct kernel_client client = {.echo = {.fd = -1},
                                   .timeout_ms = (int)(part->options->timeout / 1000)};
    char message[TESTBED_MESSAGE_MAX] = "";
    int error = open_client(part, &client, message);

    (void)actor_ready(part->control, error, message);
    if (error == 0)
        error = serve_harness(part, &client);
    for (int i = 0; i < STUDY_SUITES * STUDY_SESSIONS; i++)
        peer_context_free(client.contexts[i / STUDY_SESSIONS][i % STUDY_SESSIONS]);
    peer_echo_close(&client.echo);
    return error;
}
