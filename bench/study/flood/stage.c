/*
 * study/flood/stage.c: one flood: its processes, and what they report.
 */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <tlsyn/loop.h>
#include <unistd.h>

#include "study/flood/parts.h"

#define READY_MS  10000
#define GAUGE     TLSYN_MS(100)
#define LAST_CALL TLSYN_SECONDS(6) /* for visits under way at the end */

/* --- processes -------------------------------------------------------------------------------- */

/* A cell that is being measured. */
struct stage {
    const struct flood_ground *ground;
    const struct flood_options *options;
    const struct flood_cell *cell;
    struct flood_sample *sample;
    struct study_observer *observer;
    pid_t server;
    struct flood_process visitor[FLOOD_VISITORS], forger;
    struct flood_gauge begin, end;
    size_t room; /* of the sample's handshake_us */
};

static int start(struct stage *st, struct flood_process *p, int (*run)(void *), int number)
{
    struct flood_child child = {.ground = st->ground,
                                .cell = st->cell,
                                .visits = st->options->visits,
                                .seed = st->options->seed,
                                .number = number};
    int ends[2];

    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0)
        return -errno;
    child.control = ends[1];
    p->pid = lab_spawn(st->ground->lab, LAB_CLIENT, run, &child);
    (void)close(ends[1]);
    p->control = ends[0];
    if (p->pid > 0)
        return 0;
    int error = p->pid;
    p->pid = 0;
    return error;
}

static void end(struct stage *st, struct flood_process *p)
{
    int status;

    if (p->control >= 0)
        actor_hang_up(p->control);
    p->control = -1;
    if (p->pid == 0)
        return;
    if (lab_wait(st->ground->lab, p->pid, 1000, &status) < 0) {
        (void)kill(p->pid, SIGKILL);
        (void)lab_wait(st->ground->lab, p->pid, 1000, &status);
    }
    p->pid = 0;
}

static int fail(struct flood_sample *sample, int error, const char *what, const char *reason)
{
    sample->error = error;
    (void)snprintf(sample->reason, sizeof(sample->reason), "%s: %s", what,
                   reason && reason[0] ? reason : strerror(-error));
    return error;
}

static int await_ready(struct stage *st, struct flood_process *p, const char *who)
{
    struct flood_message m;
    int error = actor_receive(p->control, &m, sizeof(m), READY_MS);

    if (error < 0)
        return fail(st->sample, error, who, NULL);
    if (p == &st->forger)
        st->sample->cookie = m.cookie;
    return m.error < 0 ? fail(st->sample, m.error, who, m.reason) : 0;
}

static int start_all(struct stage *st)
{
    int error = 0;

    st->server = flood_server_start(st->ground, st->cell->pair);
    if (st->server < 0)
        return fail(st->sample, (int)st->server, "the server cannot be started", NULL);
    for (int i = 0; error == 0 && i < FLOOD_VISITORS; i++)
        error = start(st, &st->visitor[i], flood_visitor, i);
    for (int i = 0; error == 0 && i < FLOOD_VISITORS; i++)
        error = await_ready(st, &st->visitor[i], "an honest client");
    if (error == 0 && st->cell->rate > 0)
        error = start(st, &st->forger, flood_forger, 0);
    if (error == 0 && st->cell->rate > 0)
        error = await_ready(st, &st->forger, "the forger");
    return error;
}

/* The visitors first: they end their last visit while the flood goes on. */
static void stop_all(struct stage *st)
{
    for (int i = 0; i < FLOOD_VISITORS; i++)
        end(st, &st->visitor[i]);
    end(st, &st->forger);
    if (st->server > 0)
        flood_server_stop(st->ground, st->server);
}

/* --- what they report ------------------------------------------------------------------------- */

static int keep_visit(struct stage *st, const struct flood_message *m)
{
    struct flood_sample *sample = st->sample;
    struct journal_list *times = &sample->handshake_us;

    sample->visits++;
    if (m->error < 0) {
        if (sample->reason[0] == '\0')
            (void)snprintf(sample->reason, sizeof(sample->reason), "a visit: %s",
                           m->reason[0] ? m->reason : strerror(-m->error));
        return 0;
    }
    if (times->count == st->room) {
        size_t room = st->room ? 2 * st->room : 256;
        double *more = realloc(times->value, room * sizeof(*more));

        if (!more)
            return -ENOMEM;
        times->value = more;
        st->room = room;
    }
    times->value[times->count++] = m->handshake_us;
    sample->succeeded++;
    sample->embedded += m->embedded;
    return 0;
}

/* What visitors have to say within so many milliseconds; how many are still there. */
static int hear_visitors(struct stage *st, int timeout_ms)
{
    struct pollfd fds[FLOOD_VISITORS];
    int there = 0, error = 0;

    for (int i = 0; i < FLOOD_VISITORS; i++)
        fds[i] = (struct pollfd){.fd = st->visitor[i].control, .events = POLLIN};
    (void)poll(fds, FLOOD_VISITORS, timeout_ms);
    for (int i = 0; i < FLOOD_VISITORS && error == 0; i++) {
        struct flood_message m;

        if (fds[i].revents == 0) {
            there += fds[i].fd >= 0;
            continue;
        }
        if (actor_receive(fds[i].fd, &m, sizeof(m), 0) < 0) { /* it has ended */
            (void)close(fds[i].fd);
            st->visitor[i].control = -1;
            continue;
        }
        there++;
        error = keep_visit(st, &m);
    }
    return error < 0 ? error : there;
}

static int gauge(struct stage *st, struct flood_gauge *g)
{
    struct flood_sample *sample = st->sample;
    int error = flood_gauge_read(st->server, g);

    if (error < 0)
        return fail(sample, error, "the server has ended", NULL);
    sample->rss_first = sample->rss_first ? sample->rss_first : g->rss;
    sample->rss_most = sample->rss_most > g->rss ? sample->rss_most : g->rss;
    sample->rss_last = g->rss;
    return 0;
}

static int say_all(struct stage *st, enum flood_word word)
{
    const struct flood_message m = {.word = word};
    int error = 0;

    for (int i = 0; i < FLOOD_VISITORS; i++) {
        if (st->visitor[i].control >= 0 && flood_tell(st->visitor[i].control, &m) < 0)
            error = -EPIPE;
    }
    return error;
}

/* Bytes and CPU are counted from the first visit's begin to the end of the span. */
static int watch(struct stage *st)
{
    tlsyn_time began = tlsyn_clock(), until = began + st->options->span, next = began + GAUGE;
    int error = gauge(st, &st->begin);

    while (error >= 0 && tlsyn_clock() < until) {
        if (st->observer->interrupted(st->observer))
            return -EINTR;
        error = hear_visitors(st, 20);
        if (error >= 0 && tlsyn_clock() >= next) {
            error = gauge(st, &st->end);
            next += GAUGE;
        }
    }
    if (error >= 0)
        error = gauge(st, &st->end);
    st->sample->seconds = (double)(tlsyn_clock() - began) / 1e6;
    st->sample->bytes_in = st->end.bytes_in - st->begin.bytes_in;
    st->sample->bytes_out = st->end.bytes_out - st->begin.bytes_out;
    st->sample->cpu = st->end.cpu - st->begin.cpu;
    return error < 0 ? error : 0;
}

static int last_call(struct stage *st)
{
    tlsyn_time until = tlsyn_clock() + LAST_CALL;
    int there = say_all(st, FLOOD_STOP) < 0 ? 0 : 1;

    while (there > 0 && tlsyn_clock() < until)
        there = hear_visitors(st, 50);
    return there < 0 ? there : 0;
}

static void hear_forger(struct stage *st)
{
    const struct flood_message stop = {.word = FLOOD_STOP};
    struct flood_message m;

    if (st->forger.pid == 0 || flood_tell(st->forger.control, &stop) < 0 ||
        actor_receive(st->forger.control, &m, sizeof(m), 2000) < 0)
        return;
    st->sample->forged = m.forged;
    st->sample->forged_bytes = m.forged_bytes;
    st->sample->forger_cpu = m.cpu;
}

static int play(struct stage *st)
{
    const struct flood_message go = {.word = FLOOD_GO};
    int error = start_all(st);

    if (error == 0 && st->forger.pid > 0)
        error = flood_tell(st->forger.control, &go);
    if (error == 0 && st->forger.pid > 0)
        (void)poll(NULL, 0, (int)(FLOOD_SETTLE / 1000));
    if (error == 0)
        error = say_all(st, FLOOD_GO);
    if (error == 0)
        error = watch(st);
    if (error == 0)
        error = last_call(st);
    hear_forger(st);
    return error;
}

int flood_watch(const struct flood_ground *ground, const struct flood_options *options,
                const struct flood_cell *cell, struct flood_sample *sample,
                struct study_observer *observer)
{
    struct stage st = {.ground = ground,
                       .options = options,
                       .cell = cell,
                       .sample = sample,
                       .observer = observer,
                       .forger = {.control = -1}};
    int error;

    for (int i = 0; i < FLOOD_VISITORS; i++)
        st.visitor[i].control = -1;
    error = play(&st);
    stop_all(&st);
    if (error == 0)
        error = study_link_ask(ground->lab, options->link.rtt_ms, &sample->missed);
    sample->done = error == 0 || sample->error < 0;
    return sample->error < 0 ? 0 : error;
}
