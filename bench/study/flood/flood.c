/*
 * study/flood/flood.c: the study's plan, its cells and their figures.
 */
#include "study/flood/flood.h"

#include <errno.h>
#include <math.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <tlsyn/loop.h>
#include <unistd.h>

#include "measure/stats.h"
#include "peer/hello.h"
#include "study/actors.h"
#include "study/flood/parts.h"

#define SETTLE    TLSYN_MS(500) /* of a flood, before anybody is counted */
#define READY_MS  10000
#define OVERHEAD  0.5 /* s per cell for processes and their warming up */
#define GAUGE     TLSYN_MS(100)
#define LAST_CALL TLSYN_SECONDS(6) /* for visits under way at the end */

const char *flood_server_name(enum flood_pair pair)
{
    return pair == FLOOD_NGINX_STOCK ? "nginx" : "tlsyn";
}

const char *flood_client_name(enum flood_pair pair)
{
    return pair == FLOOD_TLSYN_OURS ? "tlsyn" : "openssl";
}

const char *flood_kind_name(enum flood_kind kind)
{
    static const char *const names[] = {"none", "spoofed", "stolen"};

    return names[kind];
}

void flood_defaults(struct flood_options *options)
{
    *options = (struct flood_options){.rates = {1000, 3000, 10000},
                                      .rate_count = 3,
                                      .visits = 40,
                                      .span = TLSYN_SECONDS(4),
                                      .pairs = {true, true, true},
                                      .kinds = {true, true, true},
                                      .link = study_link_perfect(),
                                      .seed = 1};
}

bool flood_is_linked(const struct flood_options *options)
{
    return options->link.rtt_ms > 0 || study_link_impairs(&options->link);
}

/* --- the plan --------------------------------------------------------------------------------- */

bool flood_has_nginx(void)
{
    return access("/usr/sbin/nginx", X_OK) == 0 || access("/usr/bin/nginx", X_OK) == 0;
}

static void plan_pair(struct flood_study *s, enum flood_pair pair)
{
    const struct flood_options *o = &s->options;

    s->cells[s->cell_count++] = (struct flood_cell){.pair = pair};
    for (int kind = FLOOD_SPOOFED; kind <= FLOOD_STOLEN; kind++)
        for (int rate = 0; o->kinds[kind] && rate < o->rate_count; rate++)
            s->cells[s->cell_count++] = (struct flood_cell){
                .pair = pair, .kind = (enum flood_kind)kind, .rate = o->rates[rate]};
}

int flood_plan(const struct flood_options *options, struct flood_study **study)
{
    struct flood_study *s = NULL;

    if (options->rate_count < 0 || options->rate_count > FLOOD_RATES_MAX || options->visits < 1 ||
        options->span <= 0)
        return -EINVAL;
    s = calloc(1, sizeof(*s));
    if (!s)
        return -ENOMEM;
    s->options = *options;
    for (int pair = 0; pair < FLOOD_PAIRS; pair++)
        if (options->pairs[pair])
            plan_pair(s, (enum flood_pair)pair);
    if (s->cell_count == 0) {
        flood_free(s);
        return -EINVAL;
    }
    *study = s;
    return 0;
}

double flood_estimate(const struct flood_study *study)
{
    return study->cell_count * ((double)(study->options.span + SETTLE) / 1e6 + OVERHEAD);
}

void flood_free(struct flood_study *study)
{
    for (uint32_t i = 0; study && i < study->cell_count; i++)
        free(study->cells[i].handshake_us);
    free(study);
}

/* --- processes -------------------------------------------------------------------------------- */

/* A cell that is being measured. */
struct stage {
    struct flood_ground *ground;
    struct flood_study *study;
    struct flood_cell *cell;
    struct study_observer *observer;
    pid_t server;
    struct flood_process visitor[FLOOD_VISITORS], forger;
    struct flood_gauge begin, end;
    size_t room; /* of the cell's handshake_us */
};

int flood_tell(int control, const struct flood_message *message)
{
    return actor_send(control, message, sizeof(*message));
}

static int start(struct stage *st, struct flood_process *p, int (*run)(void *), int number)
{
    struct flood_child child = {.ground = st->ground,
                                .cell = st->cell,
                                .visits = st->study->options.visits,
                                .seed = st->study->options.seed,
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
        (void)close(p->control);
    p->control = -1;
    if (p->pid == 0)
        return;
    if (lab_wait(st->ground->lab, p->pid, 1000, &status) < 0) {
        (void)kill(p->pid, SIGKILL);
        (void)lab_wait(st->ground->lab, p->pid, 1000, &status);
    }
    p->pid = 0;
}

static int fail(struct flood_cell *cell, int error, const char *what, const char *reason)
{
    cell->error = error;
    (void)snprintf(cell->reason, sizeof(cell->reason), "%s: %s", what,
                   reason && reason[0] ? reason : strerror(-error));
    return error;
}

static int await_ready(struct stage *st, struct flood_process *p, const char *who)
{
    struct flood_message m;
    int error = actor_receive(p->control, &m, sizeof(m), READY_MS);

    if (error < 0)
        return fail(st->cell, error, who, NULL);
    if (p == &st->forger)
        st->cell->cookie = m.cookie;
    return m.error < 0 ? fail(st->cell, m.error, who, m.reason) : 0;
}

static int start_all(struct stage *st)
{
    int error = 0;

    st->server = flood_server_start(st->ground, st->cell->pair);
    if (st->server < 0)
        return fail(st->cell, (int)st->server, "the server cannot be started", NULL);
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
    struct flood_cell *cell = st->cell;

    cell->visits++;
    if (m->error < 0) {
        if (cell->reason[0] == '\0')
            (void)snprintf(cell->reason, sizeof(cell->reason), "a visit: %s",
                           m->reason[0] ? m->reason : strerror(-m->error));
        return 0;
    }
    if (cell->succeeded == st->room) {
        size_t room = st->room ? 2 * st->room : 256;
        double *more = realloc(cell->handshake_us, room * sizeof(*more));

        if (!more)
            return -ENOMEM;
        cell->handshake_us = more;
        st->room = room;
    }
    cell->handshake_us[cell->succeeded++] = m->handshake_us;
    cell->embedded += m->embedded;
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
    struct flood_cell *cell = st->cell;
    int error = flood_gauge_read(st->server, g);

    if (error < 0)
        return fail(cell, error, "the server has ended", NULL);
    cell->rss_first = cell->rss_first ? cell->rss_first : g->rss;
    cell->rss_most = cell->rss_most > g->rss ? cell->rss_most : g->rss;
    cell->rss_last = g->rss;
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
    tlsyn_time began = tlsyn_clock(), until = began + st->study->options.span, next = began + GAUGE;
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
    st->cell->seconds = (double)(tlsyn_clock() - began) / 1e6;
    st->cell->bytes_in = st->end.bytes_in - st->begin.bytes_in;
    st->cell->bytes_out = st->end.bytes_out - st->begin.bytes_out;
    st->cell->cpu = st->end.cpu - st->begin.cpu;
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
    st->cell->forged = m.forged;
    st->cell->forged_bytes = m.forged_bytes;
    st->cell->forger_cpu = m.cpu;
}

static int play(struct stage *st)
{
    const struct flood_message go = {.word = FLOOD_GO};
    int error = start_all(st);

    if (error == 0 && st->forger.pid > 0)
        error = flood_tell(st->forger.control, &go);
    if (error == 0 && st->forger.pid > 0)
        (void)poll(NULL, 0, (int)(SETTLE / 1000));
    if (error == 0)
        error = say_all(st, FLOOD_GO);
    if (error == 0)
        error = watch(st);
    if (error == 0)
        error = last_call(st);
    hear_forger(st);
    return error;
}

/* 0, -EINTR, or another -errno: the laboratory is broken. */
static int measure_cell(struct flood_ground *ground, struct flood_study *s, struct flood_cell *cell,
                        struct study_observer *observer)
{
    struct stage st = {.ground = ground,
                       .study = s,
                       .cell = cell,
                       .observer = observer,
                       .forger = {.control = -1}};
    int error;

    for (int i = 0; i < FLOOD_VISITORS; i++)
        st.visitor[i].control = -1;
    error = play(&st);
    stop_all(&st);
    if (error == 0)
        error = study_link_ask(ground->lab, s->options.link.rtt_ms, &cell->missed);
    cell->done = error == 0 || cell->error < 0;
    return cell->error < 0 ? 0 : error;
}

/* --- the rounds ------------------------------------------------------------------------------- */

static void tell_progress(const struct flood_study *s, uint32_t i, struct study_observer *observer)
{
    const struct flood_cell *cell = &s->cells[i];
    char text[FLOOD_REASON_MAX + 100];

    (void)snprintf(text, sizeof(text), "%s, %s at %u/s: %u of %u", flood_server_name(cell->pair),
                   flood_kind_name(cell->kind), cell->rate, cell->succeeded, cell->visits);
    if (cell->error < 0) {
        char note[sizeof(text) + 100];

        (void)snprintf(note, sizeof(note), "%s for %s, %s at %u/s: %s",
                       flood_server_name(cell->pair), flood_client_name(cell->pair),
                       flood_kind_name(cell->kind), cell->rate, cell->reason);
        observer->note(observer, note);
    }
    observer->progress(observer, i + 1, s->cell_count, text);
}

static int prepare(struct flood_ground *g, struct credentials *credentials,
                   char message[STUDY_MESSAGE_MAX])
{
    char why[PEER_MESSAGE_MAX] = "";
    int error = credentials_make(credentials);
    int n = 0;

    g->credentials = credentials;
    if (error == 0) {
        g->client =
            peer_client_context(PEER_13, PEER_NEW, credentials_for(credentials, STUDY_13)->ca, why);
        n = g->client ? peer_hello(g->client, STUDY_SERVER_NAME, g->hello, sizeof(g->hello))
                      : -EPROTO;
    }
    g->hello_len = n > 0 ? (size_t)n : 0;
    error = error < 0 ? error : n <= 0 ? -EPROTO : 0;
    if (error < 0)
        (void)snprintf(message, STUDY_MESSAGE_MAX, "TLS cannot be set up: %s",
                       why[0] ? why : strerror(-error));
    return error;
}

static int measure(struct flood_ground *ground, struct flood_study *s,
                   struct study_observer *observer)
{
    int error = 0;

    for (uint32_t i = 0; error == 0 && i < s->cell_count; i++) {
        error = measure_cell(ground, s, &s->cells[i], observer);
        if (error == 0)
            tell_progress(s, i, observer);
    }
    s->interrupted = error == -EINTR;
    return error == -EINTR ? 0 : error;
}

int flood_run(struct flood_study *study, struct study_observer *observer,
              char message[STUDY_MESSAGE_MAX])
{
    struct tlsyn_impairment path[2];
    struct lab_options options = {.direct = !flood_is_linked(&study->options)};
    struct credentials credentials;
    struct flood_ground ground = {.lab = NULL};
    struct lab_error why;
    tlsyn_time began = tlsyn_clock();
    int error;

    study_link_half(&study->options.link, study->options.seed, path);
    options.to_server = path[0];
    options.to_client = path[1];
    error = lab_open(&options, &ground.lab, &why);

    if (error < 0) {
        (void)snprintf(message, STUDY_MESSAGE_MAX, "%s", why.text);
        return error;
    }
    noise_begin(&study->noise);
    error = prepare(&ground, &credentials, message);
    if (error == 0)
        error = flood_ground_open(&ground, message);
    if (error == 0 && (error = measure(&ground, study, observer)) < 0)
        (void)snprintf(message, STUDY_MESSAGE_MAX, "the laboratory has broken down: %s",
                       strerror(-error));
    noise_end(&study->noise);
    study->seconds = (double)(tlsyn_clock() - began) / 1e6;
    flood_ground_close(&ground);
    peer_context_free(ground.client);
    lab_close(ground.lab);
    return error;
}

/* --- figures ---------------------------------------------------------------------------------- */

/* The cell of the pair without a flood: they are first. */
static const struct flood_cell *calm_of(const struct flood_study *s, const struct flood_cell *cell)
{
    const struct flood_cell *calm = s->cells;

    while (calm->pair != cell->pair)
        calm++;
    return calm;
}

/* Honest visits take the same bytes with and without a flood, or nearly. */
static double ratio(const struct flood_cell *cell, const struct flood_cell *calm)
{
    double share = calm->succeeded ? (double)cell->succeeded / calm->succeeded : 0;
    double in = (double)cell->bytes_in - share * (double)calm->bytes_in;
    double out = (double)cell->bytes_out - share * (double)calm->bytes_out;

    return cell->rate == 0 || in <= 0 ? (double)NAN : out > 0 ? out / in : 0;
}

int flood_analyse(struct flood_study *s)
{
    for (uint32_t i = 0; i < s->cell_count; i++) {
        struct flood_cell *cell = &s->cells[i];

        stats_sort(cell->handshake_us, cell->succeeded);
        cell->median_ms = stats_quantile(cell->handshake_us, cell->succeeded, 0.5) / 1e3;
        cell->p90_ms = stats_quantile(cell->handshake_us, cell->succeeded, 0.9) / 1e3;
        cell->p99_ms = stats_quantile(cell->handshake_us, cell->succeeded, 0.99) / 1e3;
        cell->most_ms = stats_quantile(cell->handshake_us, cell->succeeded, 1) / 1e3;
        cell->out_per_in = ratio(cell, calm_of(s, cell));
    }
    return 0;
}
