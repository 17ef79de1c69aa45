/*
 * study/actor_stack.c: client and server on our stack, over the host's interface.
 */
#include "study/actor_parts.h"

#include <errno.h>

#include "study/lab_node.h"
#include "study/opener.h"
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

static void answer(const struct actor_part *part, struct node *node, struct opener *opener,
                   const struct actor_request *request, struct actor_reply *reply)
{
    tlsyn_time deadline = tlsyn_clock() + part->options->timeout;
    bool is_probe = request->kind == ACTOR_PROBE;

    *reply = (struct actor_reply){.error = 0};
    if (is_probe)
        opener_probe(opener, request->probe);
    else
        opener_start(opener, &request->order);
    (void)node_run(node, opener_done(opener), deadline); /* what went wrong shows in the outcome */
    if (is_probe)
        reply->error = opener_probed(opener, &reply->probe_us);
    else
        opener_finish(opener, &reply->outcome);
    (void)tlsyn_loop_turn(node->loop, 0); /* the RST leaves */
}

static int serve_harness(const struct actor_part *part, struct node *node, struct opener *opener)
{
    struct actor_request request = {.kind = ACTOR_PROBE};
    struct actor_reply reply;
    int error = 0;

    for (;;) {
        error = node_await(node, part->control);
        if (error == 0)
            error = actor_receive(part->control, &request, sizeof(request), 0);
        if (error < 0)
            return error == -EPIPE ? 0 : error;
        answer(part, node, opener, &request, &reply);
        error = actor_send(part->control, &reply, sizeof(reply));
        if (error < 0)
            return error;
    }
}

int actor_stack_client(const struct actor_part *part)
{
    struct node node = {.link = NULL};
    const struct opener_options options = {.credentials = part->options->credentials,
                                           .level = part->options->level,
                                           .server = lab_host_info(LAB_SERVER)->stack_address};
    struct opener *opener = NULL;
    char message[TESTBED_MESSAGE_MAX] = "";
    int error = lab_node_open(&node, LAB_CLIENT, true, message, sizeof(message));

    if (error == 0)
        error = opener_open(&node, &options, &opener, message);
    (void)actor_ready(part->control, error, message);
    if (error == 0)
        error = serve_harness(part, &node, opener);
    opener_free(opener);
    node_close(&node);
    return error;
}
