/*
 * study/fallback/ground.c: the laboratory's processes: two servers, which stay, and a client for
 * each visit.
 */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <tlsyn/loop.h>
#include <unistd.h>

#include "peer/server.h"
#include "study/actors.h"
#include "study/fallback/parts.h"
#include "study/node.h"
#include "study/responder.h"

#define READY_MS 10000
#define END_MS   3000

/* --- the servers' processes ------------------------------------------------------------------- */

struct server {
    const struct fallback_study *study;
    int control; /* the process's end; it ends with the other one */
};

static void sign_on(void *argument)
{
    const struct server *server = argument;

    (void)send(server->control, "", 1, MSG_NOSIGNAL);
}

static int ours(void *argument)
{
    struct server *server = argument;
    const struct lab_host_info *info = lab_host_info(LAB_SERVER);
    const struct responder_options options = {.credentials = &server->study->credentials,
                                              .sessions = 1u << STUDY_NEW,
                                              .level = TLSYN_LEVEL_OPEN};
    struct pollfd control = {.fd = server->control, .events = POLLIN};
    struct responder *responder = NULL;
    struct tlsyn_link *link = NULL;
    struct node node;
    char message[TLSYN_TLS_MESSAGE];
    int error = tlsyn_afpacket_open(info->interface, NULL, &link);

    (void)signal(SIGINT, SIG_IGN);
    if (error == 0)
        error = node_open(&node, link, info->stack_address, info->prefix_len);
    if (error < 0 || responder_open(&node, &options, &responder, message) < 0)
        return EXIT_FAILURE;
    sign_on(server);
    while (poll(&control, 1, 0) == 0)
        (void)tlsyn_loop_turn(node.loop, tlsyn_clock() + TLSYN_MS(50));
    node_close(&node);
    responder_free(responder);
    return EXIT_SUCCESS;
}

static int kernels(void *argument)
{
    struct server *server = argument;
    const struct tlsyn_certified *c = credentials_for(&server->study->credentials, STUDY_13);
    const struct peer_identity identity = {.chain = c->chain, .key = c->key};
    char message[PEER_MESSAGE_MAX];
    struct peer_service service = {.port = study_port(STUDY_13, STUDY_NEW),
                                   .context =
                                       peer_server_context(PEER_13, PEER_NEW, &identity, message)};
    const struct peer_server options = {
        .address = lab_host_info(LAB_SERVER)->kernel_address,
        .services = &service,
        .count = 1,
        .fast_open = true,
        .response = STUDY_RESPONSE,
        .timeout_ms = 2000,
        .control = server->control,
        .ready = sign_on,
        .ready_argument = server,
    };

    (void)signal(SIGINT, SIG_IGN);
    (void)signal(SIGPIPE, SIG_IGN);
    int error = service.context ? peer_serve(&options) : -EPROTO;
    peer_context_free(service.context);
    return error < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}

/* In the server's host: what its kernel does with SYNs that bring data. */
static int set_fast_open(void *argument)
{
    FILE *setting = fopen("/proc/sys/net/ipv4/tcp_fastopen", "we");
    bool done = setting && fputs(argument, setting) >= 0;

    if (setting && fclose(setting) != 0)
        done = false;
    return done ? EXIT_SUCCESS : EXIT_FAILURE;
}

/* --- visits ----------------------------------------------------------------------------------- */

static int spawn_and_wait(struct fallback_run *run, enum lab_host host, int (*main)(void *),
                          void *argument, int timeout_ms)
{
    pid_t child = lab_spawn(run->lab, host, main, argument);
    int status = 0;
    int error = child < 0 ? (int)child : lab_wait(run->lab, child, timeout_ms, &status);

    if (error == -ETIMEDOUT || error == -EINTR) {
        (void)kill(child, SIGKILL);
        (void)lab_wait(run->lab, child, END_MS, &status);
    }
    return error < 0 ? error : status == 0 ? 0 : -EPROTO;
}

int fallback_see(struct fallback_run *run, const struct fallback_row *row, bool embedded,
                 struct fallback_sample *sample, const char *capture)
{
    const struct lab_host_info *server = lab_host_info(LAB_SERVER);
    struct fallback_visit *v = run->visit;
    int timeout_ms = (int)(run->study->options.timeout / 1000) * (FALLBACK_CONTACTS + 1);
    bool missed;

    *v = (struct fallback_visit){.credentials = &run->study->credentials,
                                 .server = row->fast_open ? server->kernel_address
                                                          : server->stack_address,
                                 .embedded = embedded,
                                 .bare = row->bare,
                                 .timeout = run->study->options.timeout};
    (void)snprintf(v->capture, sizeof(v->capture), "%s", capture ? capture : "");
    int error = lab_set_middlebox(run->lab, row->rules);
    if (error == 0)
        error = spawn_and_wait(run, LAB_CLIENT, fallback_client, v, timeout_ms);
    if (error == -EINTR)
        return error;
    if (sample->error == 0 && (error < 0 || v->error < 0)) {
        sample->error = error < 0 ? error : v->error;
        (void)snprintf(sample->reason, sizeof(sample->reason), "%s",
                       v->reason[0] ? v->reason : strerror(-sample->error));
    }
    memcpy(embedded ? sample->embedded : sample->sequential, v->contact, sizeof(v->contact));
    sample->rtt_us = v->rtt_us;
    if (error == -EPIPE)
        return error;
    error = study_link_ask(run->lab, run->study->options.link.rtt_ms, &missed);
    sample->missed = sample->missed || missed;
    return error;
}

int fallback_settle(struct fallback_run *run)
{
    (void)tlsyn_wait(NULL, 0,
                     tlsyn_clock() + (tlsyn_time)(run->study->options.link.rtt_ms * 1000) +
                         TLSYN_MS(2));
    return run->observer->interrupted(run->observer) ? -EINTR : 0;
}

void fallback_prepare(struct fallback_run *run, const struct fallback_row *row,
                      struct fallback_sample *sample)
{
    if (!row->fast_open || spawn_and_wait(run, LAB_SERVER, set_fast_open,
                                          (void *)(uintptr_t)row->fast_open, END_MS) == 0)
        return;
    sample->error = -EACCES;
    (void)snprintf(sample->reason, sizeof(sample->reason),
                   "net.ipv4.tcp_fastopen can't be set here");
}

static int start(struct fallback_run *run, int which, struct server *server)
{
    static int (*const mains[2])(void *) = {ours, kernels};
    int ends[2];

    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0)
        return -errno;
    run->control[which] = ends[0];
    server->control = ends[1];
    run->pid[which] = lab_spawn(run->lab, LAB_SERVER, mains[which], server);
    (void)close(ends[1]);
    struct pollfd ready = {.fd = ends[0], .events = POLLIN};
    char byte;
    if (run->pid[which] < 0)
        return (int)run->pid[which];
    return poll(&ready, 1, READY_MS) == 1 && recv(ends[0], &byte, 1, 0) == 1 ? 0 : -EPIPE;
}

void fallback_servers_stop(struct fallback_run *run)
{
    int status;

    for (int i = 0; i < 2; i++) {
        if (run->control[i] >= 0)
            actor_hang_up(run->control[i]);
        if (run->pid[i] <= 0 || lab_wait(run->lab, run->pid[i], END_MS, &status) >= 0)
            continue;
        (void)kill(run->pid[i], SIGKILL);
        (void)lab_wait(run->lab, run->pid[i], END_MS, &status);
    }
}

int fallback_servers_start(struct fallback_run *run)
{
    struct server server[2] = {{.study = run->study}, {.study = run->study}};
    int error = start(run, 0, &server[0]);

    return error < 0 ? error : start(run, 1, &server[1]);
}
