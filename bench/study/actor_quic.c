/*
 * study/actor_quic.c: client and server of QUIC, on the kernel's UDP.
 */
#include "study/actor_parts.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "lab/lab.h"
#include "peer/quic.h"

/* The kinds of sessions that QUIC has and that are asked for, from *session on, which moves behind
 * it. */
static bool next_session(const struct actor_part *part, int *session, struct study_way *way)
{
    for (; *session < STUDY_SESSIONS; (*session)++) {
        *way = (struct study_way){.stack = STUDY_QUIC,
                                  .suite = STUDY_13,
                                  .mode = STUDY_EMBEDDED,
                                  .session = (enum study_session) * session};
        if (study_way_exists(way) && (part->options->sessions >> *session & 1) != 0) {
            (*session)++;
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

int actor_quic_server(const struct actor_part *part)
{
    struct actor_part passed = *part;
    const struct tlsyn_certified *c = credentials_for(part->options->credentials, STUDY_13);
    const struct peer_identity identity = {.chain = c->chain, .key = c->key};
    struct peer_quic_service services[PEER_SESSIONS];
    struct peer_quic_server server = {
        .address = lab_host_info(LAB_SERVER)->kernel_address,
        .identity = &identity,
        .services = services,
        .response = STUDY_RESPONSE,
        .pad_us = part->options->pad,
        .control = part->control,
        .ready = sign_on,
        .ready_argument = &passed,
    };
    char message[TESTBED_MESSAGE_MAX];
    struct study_way way;
    int session = 0;
    int error = 0;

    for (; next_session(part, &session, &way); server.count++)
        services[server.count] = (struct peer_quic_service){
            .port = study_port(STUDY_13, way.session), .session = (enum peer_session)way.session};
    error = peer_quic_serve(&server);
    if (error < 0) {
        (void)snprintf(message, sizeof(message), "the QUIC server cannot serve: %s",
                       strerror(-error));
        (void)actor_ready(part->control, error, message);
    }
    return error;
}

/* --- client ----------------------------------------------------------------------------------- */

static void exchange(struct peer_quic_client *client, const struct actor_part *part,
                     const struct study_order *order, struct study_outcome *outcome)
{
    const struct peer_target target = {
        .address = lab_host_info(LAB_SERVER)->kernel_address,
        .port = study_port(STUDY_13, order->way.session),
        .name = STUDY_SERVER_NAME,
        .request = STUDY_REQUEST,
        .timeout_ms = (int)(part->options->timeout / 1000),
    };
    struct peer_observation seen;

    outcome->error = peer_quic_exchange(client, &target, &seen);
    actor_keep_observation(&seen, outcome);
}

static int serve_harness(const struct actor_part *part, struct peer_quic_client *const clients[])
{
    struct actor_request request;
    int error = 0;

    while (error == 0) {
        struct actor_reply reply = {.error = 0};

        error = actor_receive(part->control, &request, sizeof(request), -1);
        if (error < 0)
            break;
        exchange(clients[request.order.way.session], part, &request.order, &reply.outcome);
        error = actor_send(part->control, &reply, sizeof(reply));
    }
    return error == -EPIPE ? 0 : error;
}

int actor_quic_client(const struct actor_part *part)
{
    struct peer_quic_client *clients[STUDY_SESSIONS] = {NULL};
    const char *ca = credentials_for(part->options->credentials, STUDY_13)->ca;
    char message[TESTBED_MESSAGE_MAX] = "";
    struct study_way way;
    int session = 0;
    int error = 0;

    while (error == 0 && next_session(part, &session, &way))
        error = peer_quic_client_new((enum peer_session)way.session, ca, &clients[way.session]);
    if (error < 0)
        (void)snprintf(message, sizeof(message), "the QUIC client cannot be set up: %s",
                       strerror(-error));
    (void)actor_ready(part->control, error, message);
    if (error == 0)
        error = serve_harness(part, clients);
    for (int i = 0; i < STUDY_SESSIONS; i++)
        peer_quic_client_free(clients[i]);
    return error;
}
