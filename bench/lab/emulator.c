/*
 * lab/emulator.c: the link emulator.
 *
 * A frame that came in at t (the kernel's receive time) has to leave at t + d. `impair` holds
 * frames back and hands each over from its due time on; what is left to do here is to ask at the
 * right moment. A timer wakes a process some 30-100 us late, so the emulator sleeps until 80 us
 * before the next frame is due and polls from there on: it leaves within a few microseconds, and an
 * idle or a slow link costs next to no CPU. A scheduler that lets others finish their slice first
 * would spoil that, by up to 4 ms; so the emulator asks for SCHED_FIFO, or else for a short slice.
 *
 * What remains is measured: each frame's lateness, from the time it was due until it is handed
 * to the kernel.
 */
#include "lab/emulator.h"

#include "lab/control.h"
#include "lab/precision.h"

#include <errno.h>
#include <linux/filter.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <time.h>
#include <tlsyn/loop.h>
#include <unistd.h>

#define SPIN           80 /* us: what a timer's wake-up may cost at worst, most of the time */
#define TURNS_PER_LOOK 64 /* a turn that found no reason to sleep looks for requests this seldom */

/* One wire's end here, and what is forwarded from it. */
struct wire {
    struct tlsyn_link *link; /* receives impaired */
    struct tlsyn_impairment how;
    struct tlsyn_impair_stats reported;
    uint64_t refused;
};

struct emulator {
    struct wire client, server;
    struct tlsyn_link *middlebox;      /* beneath the server's link */
    struct precision precision, whole; /* since the last report; since it was opened */
    bool realtime;
};

/* The kernels tell multicast routers, of which there are none here, which IPv6 groups they listen
 * to (RFC 3810), to 33:33:00:00:00:16, at times that they draw by lot. Such a frame would take
 * another one's place in the impairments' random sequences, and the same seed would do something
 * else each time. */
static int ignore_group_reports(struct tlsyn_link *raw)
{
    static struct sock_filter drop[] = {BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 0),
                                        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0x33330000, 0, 3),
                                        BPF_STMT(BPF_LD | BPF_H | BPF_ABS, 4),
                                        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0x0016, 0, 1),
                                        BPF_STMT(BPF_RET | BPF_K, 0),
                                        BPF_STMT(BPF_RET | BPF_K, UINT32_MAX)};
    const struct sock_fprog program = {sizeof(drop) / sizeof(drop[0]), drop};

    return setsockopt(tlsyn_link_fd(raw), SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof(program)) <
                   0
               ? -errno
               : 0;
}

/* `middlebox`: where to put one beneath; NULL: none. */
static int open_wire(struct wire *wire, const char *interface, const struct tlsyn_impairment *in,
                     struct tlsyn_link **middlebox, struct lab_error *error)
{
    static const struct tlsyn_afpacket_options bridge = {.promiscuous = true};
    struct tlsyn_link *raw = NULL;
    int status = tlsyn_afpacket_open(interface, &bridge, &raw);

    wire->how = *in;
    if (status == 0) {
        status = ignore_group_reports(raw);
        if (status == 0 && middlebox)
            status = tlsyn_middlebox_wrap(raw, middlebox);
        if (status == 0 && middlebox)
            raw = *middlebox;
        if (status == 0)
            status = tlsyn_impair_wrap(raw, NULL, in, &wire->link);
        if (status < 0)
            tlsyn_link_close(raw);
    }
    if (status < 0)
        snprintf(error->text, sizeof(error->text), "the lab's emulator cannot open %s: %s",
                 interface, strerror(-status));
    return status;
}

/* What sched_setattr(2) calls struct sched_attr, in its first version; libc and kernel headers
 * can't be had together. */
struct scheduling {
    uint32_t size, policy;
    uint64_t flags;
    int32_t nice;
    uint32_t priority;
    uint64_t runtime, deadline, period; /* ns; under SCHED_OTHER, runtime is the slice */
};

/*
 * Without the right to SCHED_FIFO there is still something to ask for: a short slice. A task that
 * runs for a short time at a time gets an early deadline when it wakes, and so comes before those
 * with a normal slice (Linux 6.12 on; older kernels take no notice). True if it is SCHED_FIFO.
 */
static bool ask_for_priority(void)
{
    static const struct sched_param low = {.sched_priority = 10};
    struct scheduling short_slice = {
        .size = sizeof(short_slice), .policy = SCHED_OTHER, .runtime = 100000};

    prctl(PR_SET_TIMERSLACK, 1000UL);
    if (sched_setscheduler(0, SCHED_FIFO, &low) == 0)
        return true;
    syscall(SYS_sched_setattr, 0, &short_slice, 0U);
    return false;
}

static void free_emulator(struct emulator *e)
{
    tlsyn_link_close(e->client.link);
    tlsyn_link_close(e->server.link);
    free(e);
}

int emulator_open(const struct lab_options *options, const char *to_client, const char *to_server,
                  struct emulator **emulator, struct lab_error *error)
{
    struct emulator *e = calloc(1, sizeof(*e));

    if (!e) {
        snprintf(error->text, sizeof(error->text), "the lab's emulator is out of memory");
        return -ENOMEM;
    }
    int status = open_wire(&e->client, to_client, &options->to_server, NULL, error);
    if (status == 0)
        status = open_wire(&e->server, to_server, &options->to_client, &e->middlebox, error);
    if (status < 0) {
        free_emulator(e);
        return status;
    }
    e->realtime = ask_for_priority();
    *emulator = e;
    return 0;
}

/* The same clock as tlsyn_clock(), finer. */
static int64_t clock_ns(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static void note_lateness(struct emulator *e, int64_t ns)
{
    precision_add(&e->precision, ns);
    precision_add(&e->whole, ns);
}

/* Everything that is due from one wire to the other. The number of frames, or -errno. */
static int forward(struct emulator *e, struct wire *from, struct wire *to)
{
    struct tlsyn_frame frames[TLSYN_LINK_BATCH];
    int n = tlsyn_link_receive(from->link, frames, TLSYN_LINK_BATCH, tlsyn_clock());

    for (int i = 0; i < n; i++) {
        int64_t now = clock_ns();
        /* One by one: the kernel takes about 1.5 us for each however many it gets at once. */
        if (tlsyn_link_transmit(to->link, &frames[i], 1, now / 1000) != 1)
            from->refused++;
        else if (frames[i].when > 0)
            note_lateness(e, now - frames[i].when * 1000);
    }
    return n;
}

/* --- requests --------------------------------------------------------------------------------- */

static struct lab_direction report_direction(struct wire *wire)
{
    struct tlsyn_impair_stats out, in;

    tlsyn_impair_stats(wire->link, &out, &in);
    const struct tlsyn_impair_stats *old = &wire->reported;
    struct lab_direction direction = {
        .frames = {.in = in.in - old->in,
                   .out = in.out - old->out,
                   .lost = in.lost - old->lost,
                   .queue_full = in.queue_full - old->queue_full,
                   .reordered = in.reordered - old->reordered,
                   .duplicated = in.duplicated - old->duplicated,
                   .corrupted = in.corrupted - old->corrupted,
                   .marked = in.marked - old->marked,
                   .held = in.held},
        .refused = wire->refused,
    };
    wire->reported = in;
    wire->refused = 0;
    return direction;
}

static struct lab_precision report_precision(const struct precision *p)
{
    return (struct lab_precision){.frames = p->count,
                                  .p50_us = precision_percentile(p, 0.50) / 1000,
                                  .p99_us = precision_percentile(p, 0.99) / 1000,
                                  .max_us = (double)p->max_ns / 1000};
}

static struct lab_report report(struct emulator *e)
{
    struct lab_report r = {
        .to_server = report_direction(&e->client),
        .to_client = report_direction(&e->server),
        .precision = report_precision(&e->precision),
        .whole = report_precision(&e->whole),
        .realtime = e->realtime,
    };
    precision_reset(&e->precision);
    return r;
}

/* Both or none. */
static int set_link(struct emulator *e, const struct control_request *request)
{
    int status = tlsyn_impair_set(e->client.link, NULL, &request->to_server);

    if (status < 0)
        return status;
    status = tlsyn_impair_set(e->server.link, NULL, &request->to_client);
    if (status < 0) {
        tlsyn_impair_set(e->client.link, NULL, &e->client.how);
        return status;
    }
    e->client.how = request->to_server;
    e->server.how = request->to_client;
    return 0;
}

/* 0, or -errno when the caller is gone. */
static int answer_requests(struct emulator *e, int control)
{
    struct control_request request;
    struct control_reply reply;
    int status;

    while ((status = control_take_request(control, &request)) == 0) {
        memset(&reply, 0, sizeof(reply));
        if (request.what == CONTROL_SET_LINK)
            reply.status = set_link(e, &request);
        else if (request.what == CONTROL_SET_MIDDLEBOX)
            tlsyn_middlebox_set(e->middlebox, request.middlebox);
        else
            reply.report = report(e);
        if ((status = control_send_reply(control, &reply, NULL)) < 0)
            return status;
    }
    return status == -EAGAIN ? 0 : status;
}

/* --- the loop --------------------------------------------------------------------------------- */

/* Sleeps until shortly before the next frame is due, or something comes in. False: there was no
 * time to sleep. */
static bool sleep_until_due(struct emulator *e, int control)
{
    tlsyn_time a = tlsyn_link_next_timeout(e->client.link);
    tlsyn_time b = tlsyn_link_next_timeout(e->server.link);
    tlsyn_time due = a < b ? a : b;
    struct pollfd ready[] = {{.fd = tlsyn_link_fd(e->client.link), .events = POLLIN},
                             {.fd = tlsyn_link_fd(e->server.link), .events = POLLIN},
                             {.fd = control, .events = POLLIN}};

    if (due == TLSYN_NEVER) {
        ppoll(ready, 3, NULL, NULL);
        return true;
    }
    tlsyn_time rest = due - tlsyn_clock() - SPIN;
    if (rest <= 0)
        return false;
    struct timespec timeout = {.tv_sec = rest / 1000000, .tv_nsec = rest % 1000000 * 1000};
    ppoll(ready, 3, &timeout, NULL);
    return true;
}

int emulator_run(struct emulator *emulator, int control)
{
    unsigned turns = 0;
    bool slept = false;

    for (;;) {
        int there = forward(emulator, &emulator->client, &emulator->server);
        int back = forward(emulator, &emulator->server, &emulator->client);
        if (there < 0 || back < 0)
            return there < 0 ? there : back;
        if (slept || ++turns % TURNS_PER_LOOK == 0) {
            int status = answer_requests(emulator, control);
            if (status < 0)
                return status == -EPIPE ? 0 : status;
        }
        slept = there + back == 0 && sleep_until_due(emulator, control);
    }
}
