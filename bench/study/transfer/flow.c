/*
 * study/transfer/flow.c: the harness's side of a transfer.
 */
#include "study/transfer/flow.h"

#include <errno.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <tlsyn/loop.h>
#include <unistd.h>

#include "study/actors.h"
#include "study/transfer/flow_end.h"

#define LOOK_MS 100 /* how often the observer is asked */
#define END_MS  3000

static const char *const names[] = {
    [FLOW_TLSYN] = "tlsyn", [FLOW_KERNEL] = "kernel", [FLOW_LWIP] = "lwip"};

const char *flow_stack_name(enum flow_stack stack)
{
    return names[stack];
}

/* --- the ends' processes ---------------------------------------------------------------------- */

static void pin_to(int core)
{
    cpu_set_t set;

    CPU_ZERO(&set);
    CPU_SET((size_t)core, &set);
    (void)sched_setaffinity(0, sizeof(set), &set); /* one core only: then there is nothing to pin */
}

static int end_main(void *argument)
{
    static int (*const play[FLOW_STACKS])(const struct flow_end *) = {
        [FLOW_TLSYN] = flow_tlsyn, [FLOW_KERNEL] = flow_kernel, [FLOW_LWIP] = flow_lwip};
    const struct flow_end *end = argument;

    (void)signal(SIGINT, SIG_IGN); /* what is meant for all of us is the harness's to obey */
    (void)signal(SIGTERM, SIG_IGN);
    (void)signal(SIGPIPE, SIG_IGN);
    if (end->order.pin)
        pin_to(end->sends ? 0 : 1);
    return play[end->stack](end) < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}

struct child {
    struct flow_end end;
    int control; /* ours; -1: none */
    pid_t pid;   /* 0: none */
    bool done;   /* has told its report */
};

struct run {
    struct lab *lab;
    const struct flow_order *order;
    struct study_observer *observer;
    struct child sender, receiver;
    struct flow_outcome *outcome;
    tlsyn_time deadline;
};

static const char *address_of(enum lab_host host, enum flow_stack stack, int family)
{
    const struct lab_host_info *info = lab_host_info(host);

    if (family == AF_INET6)
        return stack == FLOW_KERNEL ? info->kernel_address6 : info->stack_address6;
    return stack == FLOW_KERNEL ? info->kernel_address : info->stack_address;
}

/* lwIP and the kernel meet on a TAP interface in the kernel's host. */
static void move_to_tap(struct flow_end *lwip, struct flow_end *kernel)
{
    lwip->host = kernel->host;
    lwip->own = kernel->peer = FLOW_LWIP_ADDRESS;
    lwip->peer = kernel->own = FLOW_TAP_ADDRESS;
}

static void describe(struct run *run, struct child *child, bool sends)
{
    const struct flow_order *order = run->order;
    enum flow_stack stack = sends ? order->sender : order->receiver;
    enum flow_stack other = sends ? order->receiver : order->sender;
    enum lab_host host = sends ? LAB_CLIENT : LAB_SERVER;

    *child = (struct child){.control = -1};
    child->end = (struct flow_end){
        .order = *order,
        .stack = stack,
        .host = host,
        .sends = sends,
        .opens = sends != order->receiver_opens,
        .own = address_of(host, stack, order->family),
        .peer = address_of(sends ? LAB_SERVER : LAB_CLIENT, other, order->family),
    };
}

static int start(struct run *run, struct child *child)
{
    int ends[2];

    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0)
        return -errno;
    child->control = ends[0];
    child->end.control = ends[1];
    child->pid = lab_spawn(run->lab, child->end.host, end_main, &child->end);
    (void)close(ends[1]);
    if (child->pid > 0)
        return 0;
    int error = child->pid;
    child->pid = 0;
    return error;
}

/* Gives it a moment to end by itself, so that a sanitizer can speak. */
static void end(struct run *run, struct child *child)
{
    int status;

    if (child->control >= 0)
        actor_hang_up(child->control);
    if (child->pid == 0)
        return;
    if (lab_wait(run->lab, child->pid, run->outcome->error < 0 ? 0 : END_MS, &status) < 0) {
        (void)kill(child->pid, SIGKILL);
        (void)lab_wait(run->lab, child->pid, END_MS, &status);
    }
}

/* --- the conversation ------------------------------------------------------------------------- */

static int fail(struct run *run, int error, const char *reason)
{
    run->outcome->error = error;
    (void)snprintf(run->outcome->reason, sizeof(run->outcome->reason), "%s", reason);
    return 0;
}

/* Waits until a child has spoken, a little at most; an end that speaks out of turn has failed. */
static struct child *await_speaker(struct child *child, struct child *other)
{
    struct pollfd fds[] = {{.fd = child->control, .events = POLLIN},
                           {.fd = other->done ? -1 : other->control, .events = POLLIN}};

    (void)poll(fds, 2, LOOK_MS);
    return fds[1].revents && !fds[0].revents ? other : child;
}

/* It has ended without a word, which its status has to make up for. */
static int died(struct run *run, struct child *child)
{
    const char *role = child->end.sends ? "sender" : "receiver";
    const char *stack = flow_stack_name(child->end.stack);
    char reason[FLOW_REASON_MAX];
    int status = 0;
    int error = lab_wait(run->lab, child->pid, END_MS, &status);

    if (error < 0)
        (void)snprintf(reason, sizeof(reason), "the %s on %s has hung up, and lives on (%s)", role,
                       stack, strerror(-error));
    else if (WIFSIGNALED(status))
        (void)snprintf(reason, sizeof(reason), "the %s on %s was killed: %s", role, stack,
                       strsignal(WTERMSIG(status)));
    else
        (void)snprintf(reason, sizeof(reason), "the %s on %s ended with status %d, without a word",
                       role, stack, WEXITSTATUS(status));
    if (error == 0)
        child->pid = 0;
    (void)fail(run, -EPIPE, reason);
    return -EPROTO;
}

/* The next word of a child. 0, or -errno; -EPROTO: an end said that it failed, and the
 * outcome has why. */
static int hear(struct run *run, struct child *child, enum flow_word word,
                struct flow_report *report)
{
    struct child *other = child == &run->sender ? &run->receiver : &run->sender, *speaker;
    struct flow_message message;
    int error;

    do {
        if (run->observer && run->observer->interrupted(run->observer))
            return -EINTR;
        speaker = await_speaker(child, other);
        error = actor_receive(speaker->control, &message, sizeof(message), 0);
    } while (error == -ETIMEDOUT && tlsyn_clock() < run->deadline);
    if (error < 0)
        return error == -EPIPE ? died(run, speaker) : error;
    if (message.error < 0 || message.word != word) {
        (void)fail(run, message.error < 0 ? message.error : -EPROTO, message.reason);
        return -EPROTO;
    }
    child->done = word == FLOW_REPORT;
    *report = message.report;
    return 0;
}

static int say_word(const struct child *child, enum flow_word word)
{
    const struct flow_message message = {.word = word};

    return actor_send(child->control, &message, sizeof(message));
}

static int set_link(struct run *run, bool impaired)
{
    static const struct tlsyn_impairment perfect;

    if (!run->order->impaired)
        return 0;
    return lab_set_link(run->lab, impaired ? &run->order->to_server : &perfect,
                        impaired ? &run->order->to_client : &perfect);
}

static double per_gb(const struct flow_report *report)
{
    return report->mark_bytes ? report->mark_cpu / ((double)report->mark_bytes / 1e9) : 0;
}

static int judge(struct run *run, const struct flow_report *sent,
                 const struct flow_report *received)
{
    struct flow_outcome *o = run->outcome;
    uint8_t digest[PEER_DIGEST_LEN];

    o->seconds = (double)(received->ended - sent->opened - received->opened) / 1e6;
    o->bytes = received->bytes;
    o->steady_bytes = received->mark_bytes;
    o->steady_seconds = (double)(received->marked_until - received->mark) / 1e6;
    o->sender_cpu_per_gb = per_gb(sent);
    o->receiver_cpu_per_gb = per_gb(received);
    o->retransmits = sent->retransmits;
    o->timeouts = sent->timeouts;
    if (received->bytes != sent->bytes)
        return fail(run, -EBADMSG, "the receiver has not as many bytes as the sender sent");
    if (received->wrong)
        return fail(run, -EBADMSG, "the receiver has other bytes than the sender sent");
    if (!run->order->digest)
        return 0;
    int error = flow_digest(sent->bytes, digest);
    if (error == 0 && memcmp(digest, received->digest, sizeof(digest)) != 0)
        return fail(run, -EBADMSG, "the receiver's SHA-256 is another than the sender's");
    return error;
}

static int converse(struct run *run)
{
    struct child *opener = run->order->receiver_opens ? &run->receiver : &run->sender;
    struct child *listener = run->order->receiver_opens ? &run->sender : &run->receiver;
    struct flow_report sent, received;
    int error = set_link(run, false);

    if (error == 0)
        error = start(run, listener);
    if (error == 0)
        error = hear(run, listener, FLOW_READY, &received);
    if (error == 0)
        error = start(run, opener);
    if (error == 0)
        error = hear(run, opener, FLOW_READY, &sent);
    if (error == 0)
        error = set_link(run, true);
    run->deadline = tlsyn_clock() + run->order->timeout;
    if (error == 0)
        error = say_word(opener, FLOW_GO);
    if (error == 0)
        error = hear(run, &run->receiver, FLOW_REPORT, &received);
    (void)say_word(&run->sender, FLOW_STOP); /* one that has ended has left a word */
    if (error == 0)
        error = hear(run, &run->sender, FLOW_REPORT, &sent);
    (void)say_word(&run->receiver, FLOW_STOP);
    return error == 0 ? judge(run, &sent, &received) : error;
}

int flow_run(struct lab *lab, const struct flow_order *order, struct study_observer *observer,
             struct flow_outcome *outcome)
{
    struct run run = {.lab = lab, .order = order, .observer = observer, .outcome = outcome};
    int error;

    *outcome = (struct flow_outcome){.error = 0};
    run.deadline = tlsyn_clock() + order->timeout;
    describe(&run, &run.sender, true);
    describe(&run, &run.receiver, false);
    if (order->sender == FLOW_LWIP)
        move_to_tap(&run.sender.end, &run.receiver.end);
    else if (order->receiver == FLOW_LWIP)
        move_to_tap(&run.receiver.end, &run.sender.end);
    error = converse(&run);
    if (error == -ETIMEDOUT)
        error = fail(&run, error, "it takes too long");
    else if (error == -EPIPE)
        error = fail(&run, error, "an end has died before it was told to begin");
    else if (error == -EPROTO && outcome->error < 0)
        error = 0;
    if (error < 0)
        outcome->error = error;
    end(&run, &run.sender);
    end(&run, &run.receiver);
    return error;
}
