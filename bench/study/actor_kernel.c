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

/* --- server ----------------------------------------------------------------------------------- */

static void sign_on(void *argument)
{
    const struct actor_part *part = argument;

    (void)actor_ready(part->control, 0, NULL);
}

static int make_services(const struct actor_part *part, struct peer_service services[STUDY_SUITES],
                         char *message)
{
    for (int i = 0; i < STUDY_SUITES; i++) {
        const struct tlsyn_certified *c =
            credentials_for(part->options->credentials, (enum study_suite)i);

        services[i].port = study_port((enum study_suite)i);
        services[i].context = peer_server_context((enum peer_suite)i, c->chain, c->key, message);
        if (!services[i].context)
            return -EPROTO;
    }
    return 0;
}

int actor_kernel_server(const struct actor_part *part)
{
    struct actor_part passed = *part;
    struct peer_service services[STUDY_SUITES] = {{.port = 0}};
    const struct peer_server server = {
        .address = lab_host_info(LAB_SERVER)->kernel_address,
        .services = services,
        .count = STUDY_SUITES,
        .response = STUDY_RESPONSE,
        .pad_us = part->options->pad,
        .timeout_ms = (int)(part->options->timeout / 1000),
        .control = part->control,
        .ready = sign_on,
        .ready_argument = &passed,
    };
    char message[TESTBED_MESSAGE_MAX] = "";
    int error = make_services(part, services, message);

    if (error == 0) {
        error = peer_serve(&server);
        (void)snprintf(message, sizeof(message), "the kernel's server cannot listen: %s",
                       strerror(-error));
    }
    if (error < 0)
        (void)actor_ready(part->control, error, message);
    for (int i = 0; i < STUDY_SUITES; i++)
        peer_context_free(services[i].context);
    return error;
}

/* --- client ----------------------------------------------------------------------------------- */

struct kernel_client {
    struct peer_context *contexts[STUDY_SUITES];
    struct peer_echo echo;
    int timeout_ms;
};

static int open_client(const struct actor_part *part, struct kernel_client *client, char *message)
{
    int error = peer_echo_open(&client->echo, lab_host_info(LAB_SERVER)->kernel_address);

    if (error < 0)
        (void)snprintf(message, TESTBED_MESSAGE_MAX, "the kernel's ping cannot be opened: %s",
                       strerror(-error));
    for (int i = 0; error == 0 && i < STUDY_SUITES; i++) {
        const struct tlsyn_certified *c =
            credentials_for(part->options->credentials, (enum study_suite)i);

        client->contexts[i] = peer_client_context((enum peer_suite)i, c->ca, message);
        if (!client->contexts[i])
            error = -EPROTO;
    }
    return error;
}

static void exchange(const struct kernel_client *client, const struct study_order *order,
                     struct study_outcome *outcome)
{
    const struct peer_target target = {
        .context = client->contexts[order->suite],
        .address = lab_host_info(LAB_SERVER)->kernel_address,
        .port = study_port(order->suite),
        .name = STUDY_SERVER_NAME,
        .request = STUDY_REQUEST,
        .timeout_ms = client->timeout_ms,
    };
    struct peer_observation seen;

    outcome->error = peer_exchange(&target, &seen);
    outcome->handshake_us = seen.handshake_us;
    outcome->first_byte_us = seen.first_byte_us;
    (void)snprintf(outcome->version, sizeof(outcome->version), "%s", seen.version);
    (void)snprintf(outcome->cipher, sizeof(outcome->cipher), "%s", seen.cipher);
    (void)snprintf(outcome->group, sizeof(outcome->group), "%s", seen.group);
    (void)snprintf(outcome->reason, sizeof(outcome->reason), "%.*s",
                   (int)sizeof(outcome->reason) - 1, seen.reason);
}

static int probe(struct kernel_client *client, enum study_probe kind, double *us)
{
    const struct peer_target target = {
        .address = lab_host_info(LAB_SERVER)->kernel_address,
        .port = study_port(STUDY_13),
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
    for (int i = 0; i < STUDY_SUITES; i++)
        peer_context_free(client.contexts[i]);
    peer_echo_close(&client.echo);
    return error;
}
