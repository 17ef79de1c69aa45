/*
 * study/actor_stack.c: client and server on our stack, over the host's interface.
 */
#include "study/actor_parts.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>

#include "lab/lab.h"
#include "study/responder.h"
#include "study/tap.h"

/* The control descriptor as the loop sees it. */
struct control {
    struct tlsyn_loop_watch watch;
    bool ready;
};

static void on_control(struct tlsyn_loop_watch *watch, int fd, short revents)
{
    (void)fd;
    (void)revents;
    ((struct control *)watch)->ready = true;
}

static int open_host(enum lab_host host, struct node *node, char *message)
{
    const struct lab_host_info *info = lab_host_info(host);
    struct tlsyn_link *link = NULL;
    struct tlsyn_link *tap = NULL;
    int error = tlsyn_afpacket_open(info->interface, NULL, &link);

    if (error == 0) {
        error = tap_wrap(link, &tap);
        if (error < 0)
            tlsyn_link_close(link);
    }
    if (error == 0)
        error = node_open(node, tap, info->stack_address, info->prefix_len);
    if (error < 0)
        (void)snprintf(message, TESTBED_MESSAGE_MAX, "our stack cannot be put on %s of the %s: %s",
                       info->interface, info->name, strerror(-error));
    return error;
}

/* Turns until the flag is set or time is up. A signal is no reason to stop. */
static int turns(struct node *node, const bool *done, tlsyn_time deadline)
{
    int error;

    do
        error = tlsyn_loop_run(node->loop, done, deadline);
    while (error == -EINTR);
    return error;
}

/* --- server ----------------------------------------------------------------------------------- */

int actor_stack_server(const struct actor_part *part)
{
    const struct responder_options options = {.credentials = part->options->credentials,
                                              .level = part->options->level,
                                              .sessions = part->options->sessions,
                                              .pad = part->options->pad};
    struct control control = {.watch = {.on_ready = on_control}};
    struct node node = {.link = NULL};
    struct responder *responder = NULL;
    char message[TESTBED_MESSAGE_MAX] = "";
    int error = open_host(LAB_SERVER, &node, message);

    if (error == 0)
        error = responder_open(&node, &options, &responder, message);
    if (error == 0)
        error = tlsyn_loop_watch(node.loop, part->control, POLLIN, &control.watch);
    (void)actor_ready(part->control, error, message);
    if (error == 0)
        error = turns(&node, &control.ready, TLSYN_NEVER);
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
    (void)turns(node, opener_done(opener), deadline); /* what went wrong shows in the outcome */
    if (is_probe)
        reply->error = opener_probed(opener, &reply->probe_us);
    else
        opener_finish(opener, &reply->outcome);
    (void)tlsyn_loop_turn(node->loop, 0); /* the RST leaves */
}

static int serve_harness(const struct actor_part *part, struct node *node, struct opener *opener)
{
    struct control control = {.watch = {.on_ready = on_control}};
    struct actor_request request = {.kind = ACTOR_PROBE};
    struct actor_reply reply;
    int error = 0;

    for (;;) {
        /* Watched only while nothing is under way: the loop would find it ready again and again. */
        control.ready = false;
        error = tlsyn_loop_watch(node->loop, part->control, POLLIN, &control.watch);
        if (error == 0)
            error = turns(node, &control.ready, TLSYN_NEVER);
        tlsyn_loop_unwatch(node->loop, part->control);
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
    int error = open_host(LAB_CLIENT, &node, message);

    if (error == 0)
        error = opener_open(&node, &options, &opener, message);
    (void)actor_ready(part->control, error, message);
    if (error == 0)
        error = serve_harness(part, &node, opener);
    opener_free(opener);
    node_close(&node);
    return error;
}
