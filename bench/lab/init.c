/*
 * lab/init.c: the first process of a lab.
 *
 * As process 1 of its PID namespace it outlives every other process of the lab, signals with
 * default action don't reach it (so Ctrl-C ends the caller, and it follows), and when it ends the
 * kernel ends the rest. It inherits orphans; ignoring SIGCHLD reaps them. Read first:
 * pid_namespaces(7).
 */
#include "lab/init.h"

#include "lab/control.h"
#include "lab/emulator.h"
#include "lab/host.h"
#include "lab/process.h"
#include "lab/veth.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#define CONTROL 3 /* its number from detach() on */

/* Keeps the control socket and standard error (for a sanitizer's last words) and nothing else: a
 * pipe's or socket's end kept here would keep others waiting for it to close. */
static void detach(int control)
{
    dup2(control, CONTROL);
    process_close_from(CONTROL + 1);
    int null = open("/dev/null", O_RDWR);
    if (null >= 0) {
        dup2(null, STDIN_FILENO);
        dup2(null, STDOUT_FILENO);
    }
    if (null > CONTROL)
        close(null);
}

/* Dies with the caller, also when the caller died before this process could ask for it. */
static void bind_to_caller(void)
{
    struct pollfd caller = {.fd = CONTROL};

    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (poll(&caller, 1, 0) > 0)
        _exit(EXIT_FAILURE);
}

static int build(const struct lab_options *options, const struct netns_owner *owner,
                 struct host_wire wires[LAB_HOSTS], struct lab_error *error)
{
    int status = netns_settle(owner);
    int middle = status < 0 ? status : netns_current();

    if (middle < 0) {
        snprintf(error->text, sizeof(error->text), "the lab cannot settle in its namespaces: %s",
                 strerror(-middle));
        return middle;
    }
    veth_quiet_ipv6();
    if (options->direct)
        return host_build_direct(options, middle, wires, error);
    status = host_build(LAB_CLIENT, options, middle, &wires[LAB_CLIENT], error);
    return status < 0 ? status : host_build(LAB_SERVER, options, middle, &wires[LAB_SERVER], error);
}

/* Without an emulator: refuses every request until the caller is gone. */
static int stand_by(void)
{
    const struct control_reply refusal = {.status = -EOPNOTSUPP};
    struct pollfd caller = {.fd = CONTROL, .events = POLLIN};
    struct control_request request;
    int status = 0;

    while (status == 0) {
        (void)poll(&caller, 1, -1);
        status = control_take_request(CONTROL, &request);
        if (status == 0)
            status = control_send_reply(CONTROL, &refusal, NULL);
        else if (status == -EAGAIN)
            status = 0;
    }
    return status == -EPIPE ? 0 : status;
}

_Noreturn void init_main(const struct lab_options *options, const cpu_set_t *processors,
                         const struct netns_owner *owner, int control)
{
    struct host_wire wires[LAB_HOSTS] = {0};
    struct control_reply reply = {0};
    struct emulator *emulator = NULL;

    process_reset_signals();
    detach(control);
    bind_to_caller();
    signal(SIGCHLD, SIG_IGN);
    prctl(PR_SET_NAME, "tlsyn-lab");
    if (processors)
        (void)sched_setaffinity(0, sizeof(*processors), processors);

    reply.status = build(options, owner, wires, &reply.error);
    if (reply.status == 0 && !options->direct)
        reply.status = emulator_open(options, wires[LAB_CLIENT].middle, wires[LAB_SERVER].middle,
                                     &emulator, &reply.error);
    if ((reply.status == -EPERM || reply.status == -EACCES) && owner->user_namespace)
        netns_explain(reply.status, reply.error.text, sizeof(reply.error.text));
    if (reply.status < 0) {
        control_send_reply(CONTROL, &reply, NULL);
        _exit(EXIT_FAILURE);
    }
    int netns[LAB_HOSTS];
    for (int host = 0; host < LAB_HOSTS; host++)
        netns[host] = wires[host].netns;
    if (control_send_reply(CONTROL, &reply, netns) < 0)
        _exit(EXIT_FAILURE);
    int status = emulator ? emulator_run(emulator, CONTROL) : stand_by();
    _exit(status < 0 ? EXIT_FAILURE : EXIT_SUCCESS);
}
