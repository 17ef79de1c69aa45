/*
 * study/actor_stack.c: client and server on our stack, over the host's interface.
 */
#include "study/actor_parts.h"

#include <errno.h>

#include "study/lab_node.h"
#include "study/opener.h"
#include "study/probe.h"
#include "study/responder.h"

/* --- server ----------------------------------------------------------------------------------- */

int actor_stack_server(const struct actor_part *part)
{
    const struct responder_options options = {.credentials = part->options->credentials,
                                              .level = part->options->level,
                                              .sessions = part->options->sessions,
                                              .pad = part->options->pad};
    struct node node = {.link = NULL};
    struct responder *responder = NULL;
    char message[TESTBED_MESSAGE_MAX] = "";
    int error = lab_node_open(&node, LAB_SERVER, true, message, sizeof(message));

    if (error == 0)
        error = responder_open(&node, &options, &responder, message);
    (void)actor_ready(part->control, error, message);
    if (error == 0)
        error = node_await(&node, part->control);
    node_close(&node);
    responder_free(responder);
    return error;
}

/* --- client ----------------------------------------------------------------------------------- */

struct client {
    const struct actor_part *part;
    struct node node;
    struct opener *opener;
    struct probe probe;
};

/* What went wrong in turning the loop shows in what comes of it. */
static void answer(struct client *c, const struct actor_request *request, struct actor_reply *reply)
{
    tlsyn_time deadline = tlsyn_clock() + c->part->options->timeout;

    *reply = (struct actor_reply){.error = 0};
    if (request->kind == ACTOR_PROBE) {
        probe_start(&c->probe, request->probe);
        (void)node_run(&c->node, &c->probe.done, deadline);
        reply->error = probe_finish(&c->probe, &reply->probe_us);
    } else {
        opener_start(c->opener, &request->order);
        (void)node_run(&c->node, opener_done(c->opener), deadline);
        opener_finish(c->opener, &reply->outcome);
    }
    (void)tlsyn_loop_turn(c->node.loop, 0); /* the RST leaves */
}

static int serve_harness(struct client *c)
{
    struct actor_request request = {.kind = ACTOR_PROBE};
    struct actor_reply reply;
    int control = c->part->control, error = 0;

    for (;;) {
        error = node_await(&c->node, control);
        if (error == 0)
            error = actor_receive(control, &request, sizeof(request), 0);
        if (error < 0)
            return error == -EPIPE ? 0 : error;
        answer(c, &request, &reply);
        error = actor_send(control, &reply, sizeof(reply));
        if (error < 0)
            return error;
    }
}

int actor_stack_client(const struct actor_part *part)
{
    const char *server = lab_host_info(LAB_SERVER)->stack_address;
    const struct opener_options options = {
        .credentials = part->options->credentials, .level = part->options->level, .server = server};
    struct client c = {.part = part};
    char message[TESTBED_MESSAGE_MAX] = "";
    int error = lab_node_open(&c.node, LAB_CLIENT, true, message, sizeof(message));

    if (error == 0)
        error = opener_open(&c.node, &options, &c.opener, message);
    (void)actor_ready(part->control, error, message);
    probe_init(&c.probe, &c.node, server);
    if (error == 0)
        error = serve_harness(&c);
    opener_free(c.opener);
    node_close(&c.node);
    return error;
}
