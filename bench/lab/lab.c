/*
 * lab/lab.c: the caller's side of a lab: its life, its children, its requests.
 */
#include "lab/lab.h"

#include "lab/control.h"
#include "lab/host.h"
#include "lab/init.h"
#include "lab/netns.h"
#include "lab/process.h"
#include "lab/processors.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define OPEN_TIMEOUT_MS    60000
#define REQUEST_TIMEOUT_MS 60000

struct lab {
    pid_t opener;
    pid_t init; /* the lab's first process */
    int pidfd;  /* and a descriptor of it */
    struct netns_owner owner;
    int control; /* to init */
    int netns[LAB_HOSTS];
    bool apart;
    cpu_set_t processors; /* the hosts', if apart */
    pid_t *children;      /* not waited for yet */
    size_t children_len, children_room;
};

static void reap(pid_t pid)
{
    while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
        ;
}

static void close_descriptors(const struct lab *lab)
{
    close(lab->control);
    close(lab->pidfd);
    for (int host = 0; host < LAB_HOSTS; host++) {
        if (lab->netns[host] >= 0)
            close(lab->netns[host]);
    }
}

/* --- life ------------------------------------------------------------------------------------- */

/* Which error it is that says "not allowed" depends on what forbids it: a capability, a limit, the
 * kernel's options. */
static bool is_refusal(int error)
{
    static const int refusals[] = {EPERM, EACCES, ENOSPC, EUSERS, EINVAL, ENOSYS};

    for (size_t i = 0; i < sizeof(refusals) / sizeof(refusals[0]); i++) {
        if (error == -refusals[i])
            return true;
    }
    return false;
}

/* Starts init. Everything in *lab but the namespaces' descriptors is set when it returns 0. */
static int start(struct lab *lab, const struct lab_options *options, struct lab_error *error)
{
    cpu_set_t emulators;
    int ends[2];
    int status = control_pair(ends);

    if (status < 0) {
        snprintf(error->text, sizeof(error->text), "the lab cannot open a socket pair: %s",
                 strerror(-status));
        return status;
    }
    lab->apart = options->apart && processors_part(&emulators, &lab->processors);
    fflush(NULL);
    lab->init = netns_fork(&lab->pidfd, &lab->owner);
    if (lab->init == 0) {
        close(ends[0]);
        init_main(options, lab->apart ? &emulators : NULL, &lab->owner, ends[1]);
    }
    close(ends[1]);
    lab->control = ends[0];
    if (lab->init > 0)
        return 0;
    close(ends[0]);
    if (is_refusal(lab->init)) {
        netns_explain(lab->init, error->text, sizeof(error->text));
        return -EPERM;
    }
    snprintf(error->text, sizeof(error->text), "the lab cannot start its first process: %s",
             strerror(-lab->init));
    return lab->init;
}

/* Waits until init has built the lab. */
static int await_birth(struct lab *lab, struct lab_error *error)
{
    struct control_reply reply = {.status = 0};
    int status = control_await_reply(lab->control, OPEN_TIMEOUT_MS, &reply, lab->netns);

    if (status == 0 && reply.status < 0) {
        *error = reply.error;
        return reply.status;
    }
    if (status < 0)
        snprintf(error->text, sizeof(error->text), "the lab's first process %s",
                 status == -ETIMEDOUT ? "does not answer" : "has died while it built the network");
    return status;
}

int lab_open(const struct lab_options *options, struct lab **lab, struct lab_error *error)
{
    struct lab_error unread;
    struct lab *l = calloc(1, sizeof(*l));

    if (!error)
        error = &unread;
    error->text[0] = '\0';
    if (!l) {
        snprintf(error->text, sizeof(error->text), "the lab is out of memory");
        return -ENOMEM;
    }
    l->opener = getpid();
    int status = start(l, options, error);
    if (status < 0) {
        free(l);
        return status;
    }
    if ((status = await_birth(l, error)) < 0) {
        lab_close(l);
        return status;
    }
    *lab = l;
    return 0;
}

void lab_close(struct lab *lab)
{
    if (!lab)
        return;
    if (lab->opener == getpid()) {
        syscall(SYS_pidfd_send_signal, lab->pidfd, SIGKILL, NULL, 0U);
        /* The first process can't end before all others of its PID namespace are reaped:
         * children first. */
        for (size_t i = 0; i < lab->children_len; i++)
            reap(lab->children[i]);
        reap(lab->init);
    }
    close_descriptors(lab);
    free(lab->children);
    free(lab);
}

/* --- processes in the hosts ------------------------------------------------------------------- */

static int reserve_child(struct lab *lab)
{
    if (lab->children_len < lab->children_room)
        return 0;
    size_t room = lab->children_room == 0 ? 8 : 2 * lab->children_room;
    pid_t *children = realloc(lab->children, room * sizeof(*children));
    if (!children)
        return -ENOMEM;
    lab->children = children;
    lab->children_room = room;
    return 0;
}

/* In the child: `lab` is of no use there. */
static int leave_lab(void *argument)
{
    close_descriptors(argument);
    return 0;
}

static pid_t start_child(struct lab *lab, enum lab_host host, const struct process_work *work)
{
    struct process_place place = {.pidfd = lab->pidfd,
                                  .owner = lab->owner,
                                  .net = lab->netns[host],
                                  .processors = lab->apart ? &lab->processors : NULL};
    int status = reserve_child(lab);

    if (status < 0)
        return status;
    pid_t child = process_start(&place, work);
    if (child > 0)
        lab->children[lab->children_len++] = child;
    return child;
}

pid_t lab_spawn(struct lab *lab, enum lab_host host, int (*run)(void *), void *argument)
{
    struct process_work work = {
        .prepare = leave_lab, .prepare_argument = lab, .run = run, .run_argument = argument};

    return start_child(lab, host, &work);
}

static int prepare_command(void *host)
{
    signal(SIGPIPE, SIG_DFL); /* ignoring it is the caller's choice, not the command's */
    return host_environment(*(const enum lab_host *)host);
}

pid_t lab_exec(struct lab *lab, enum lab_host host, char *const argv[])
{
    struct process_work work = {
        .prepare = prepare_command, .prepare_argument = &host, .argv = argv};

    return start_child(lab, host, &work);
}

static int await_exit(pid_t child, int timeout_ms)
{
    int fd = (int)syscall(SYS_pidfd_open, child, 0U);
    struct pollfd ended = {.fd = fd, .events = POLLIN};

    if (fd < 0)
        return errno == ESRCH ? 0 : -errno;
    int n = poll(&ended, 1, timeout_ms);
    int error = errno;
    close(fd);
    if (n == 0)
        return -ETIMEDOUT;
    return n < 0 ? -error : 0;
}

int lab_wait(struct lab *lab, pid_t child, int timeout_ms, int *status)
{
    size_t i = 0;

    while (i < lab->children_len && lab->children[i] != child)
        i++;
    if (i == lab->children_len)
        return -ECHILD;
    int waited = await_exit(child, timeout_ms);
    if (waited < 0)
        return waited;
    pid_t ended = waitpid(child, status, 0);
    if (ended < 0 && errno == EINTR)
        return -EINTR;
    int error = errno;
    lab->children[i] = lab->children[--lab->children_len];
    return ended < 0 ? -error : 0;
}

/* --- the link --------------------------------------------------------------------------------- */

static int ask(struct lab *lab, const struct control_request *request, struct control_reply *reply)
{
    int status = control_send_request(lab->control, request);

    if (status == 0)
        status = control_await_reply(lab->control, REQUEST_TIMEOUT_MS, reply, NULL);
    if (status == -ETIMEDOUT)
        shutdown(lab->control, SHUT_RDWR); /* or a late reply would answer the next request */
    return status < 0 ? status : reply->status;
}

int lab_set_link(struct lab *lab, const struct tlsyn_impairment *to_server,
                 const struct tlsyn_impairment *to_client)
{
    struct control_request request = {
        .what = CONTROL_SET_LINK, .to_server = *to_server, .to_client = *to_client};
    struct control_reply reply = {.status = 0};

    return ask(lab, &request, &reply);
}

int lab_set_middlebox(struct lab *lab, unsigned rules)
{
    struct control_request request = {.what = CONTROL_SET_MIDDLEBOX, .middlebox = rules};
    struct control_reply reply = {.status = 0};

    return ask(lab, &request, &reply);
}

int lab_report(struct lab *lab, struct lab_report *report)
{
    struct control_request request = {.what = CONTROL_REPORT};
    struct control_reply reply = {.status = 0};
    int status = ask(lab, &request, &reply);

    if (status == 0)
        *report = reply.report;
    return status;
}
