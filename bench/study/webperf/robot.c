/*
 * study/webperf/robot.c: the robot: rounds of observations into a database, for as long as asked.
 *
 * The order within a round follows from the seed and the round's number alone, so that a run which
 * was interrupted goes on as if it had not been.
 */
#include <assert.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "measure/clock.h"
#include "measure/rng.h"
#include "study/noise.h"
#include "study/webperf/kinds.h"

enum {
    FEWEST_ROUNDS = 10, /* before intervals are believed */
    RESAMPLES = 400,    /* to see whether they are narrow: the report draws more */
    NAP_MS = 50,        /* in which an interruption is noticed */
    STATUS_MAX = STORE_URL_MAX + 4 * STORE_WORD_MAX + 64,
};

static_assert((int)STORE_MESSAGE_MAX <= (int)STUDY_MESSAGE_MAX, "a sentence of the store fits");

/* The times of one kind so far. */
struct series {
    double *ms;
    size_t n, room;
};

struct robot {
    const struct webperf_options *options;
    struct webperf_prober *prober;
    struct study_observer *observer;
    struct store *store;
    struct series series[WEBPERF_CELLS_MAX];
    struct observation round[WEBPERF_CELLS_MAX];
    uint32_t found;  /* rounds that were there */
    double began;    /* microseconds, when this run began to observe */
    uint32_t done;   /* whole rounds */
    uint32_t judged; /* of which the intervals were looked at */
    bool narrow;     /* and found narrow enough */
    char *message;
};

/* --- what was seen ---------------------------------------------------------------------------- */

static double time_of(const struct observation *o)
{
    return (strcmp(o->operation, "get") == 0 ? o->first_byte_us : o->connect_us) / 1e3;
}

static int append(struct series *s, double ms)
{
    if (s->n == s->room) {
        size_t room = s->room ? 2 * s->room : 64;
        double *more = realloc(s->ms, room * sizeof(*more));

        if (!more)
            return -ENOMEM;
        s->ms = more;
        s->room = room;
    }
    s->ms[s->n++] = ms;
    return 0;
}

static size_t kind_of(const struct webperf_options *options, const struct observation *o)
{
    size_t i = 0;

    while (i < options->kind_count && !webperf_same_kind(&options->kinds[i], o))
        i++;
    return i;
}

static int remember(void *context, const struct observation *o)
{
    struct robot *robot = context;
    size_t kind = kind_of(robot->options, o);

    if (kind == robot->options->kind_count || strcmp(o->verdict, "ok") != 0)
        return 0;
    return append(&robot->series[kind], time_of(o));
}

/* stats_median() sorts its way through: on a copy. -1: memory is short, and nobody minds. */
static double running_median(const struct series *s)
{
    double *copy = s->n > 0 ? malloc(s->n * sizeof(*copy)) : NULL;
    double median = -1;

    if (copy) {
        memcpy(copy, s->ms, s->n * sizeof(*copy));
        median = stats_median(copy, s->n);
    }
    free(copy);
    return median;
}

static bool is_narrow(const struct series *s, double precision)
{
    const struct stats_plan plan = {.resamples = RESAMPLES, .level = 0.95, .seed = 1};
    struct stats_interval i;

    return s->n >= FEWEST_ROUNDS && stats_bootstrap_median(s->ms, s->n, &plan, &i) == 0 &&
           stats_is_narrow(&i, i.estimate, precision);
}

/* Looked at again when there is a tenth more, for it takes its time. */
static bool is_precise(struct robot *robot)
{
    const struct webperf_options *o = robot->options;

    if (o->precision <= 0 || robot->done < FEWEST_ROUNDS)
        return false;
    if (robot->judged > 0 && robot->done < robot->judged + (robot->judged + 9) / 10)
        return robot->narrow;
    robot->judged = robot->done;
    robot->narrow = true;
    for (size_t i = 0; i < o->kind_count && robot->narrow; i++)
        robot->narrow = is_narrow(&robot->series[i], o->precision);
    return robot->narrow;
}

/* --- rounds ----------------------------------------------------------------------------------- */

static bool interrupted(struct robot *robot)
{
    return robot->observer->interrupted(robot->observer);
}

/* "1.3 embedded psk"; of servers outside, their names before it. */
static void name_kind(const struct observation *kind, char *name, size_t size)
{
    const char *space = kind->url[0] ? " " : "";

    if (strcmp(kind->operation, "get") == 0)
        (void)snprintf(name, size, "%s%s%s %s %s", kind->url, space, kind->tls, kind->mode,
                       kind->session);
    else
        (void)snprintf(name, size, "%s%s%s", kind->url, space, kind->operation);
}

/* The median of the whole rounds first: a narrow terminal cuts what it has no room for. */
static void write_status(const struct robot *robot, const struct observation *seen,
                         char status[STATUS_MAX])
{
    const struct series *s = &robot->series[kind_of(robot->options, seen)];
    char name[STORE_URL_MAX + 4 * STORE_WORD_MAX];
    double median = running_median(s);

    name_kind(seen, name, sizeof(name));
    if (strcmp(seen->verdict, "ok") != 0)
        (void)snprintf(status, STATUS_MAX, "%s: %s", seen->verdict, name);
    else if (median >= 0)
        (void)snprintf(status, STATUS_MAX, "%.1f ms, median of %zu: %s", median, s->n, name);
    else
        (void)snprintf(status, STATUS_MAX, "%.1f ms: %s", time_of(seen), name);
}

/* The part of what this run is to make that is made: of its rounds, or of its time, if that is
 * going to be up before. */
static double made_of(const struct robot *robot, uint32_t place)
{
    const struct webperf_options *o = robot->options;
    double us = clock_us(CLOCK_MONOTONIC) - robot->began;
    double made = robot->done - robot->found + (double)place / (double)o->kind_count;
    double due = o->rounds > robot->found ? o->rounds - robot->found : 1;

    return fmin(1, fmax(made / due, o->duration_us > 0 ? us / (double)o->duration_us : 0));
}

/* `seen` is the last of `place` observations of this round; NULL: nothing was observed yet. */
static void tell(struct robot *robot, uint32_t place, const struct observation *seen)
{
    const struct webperf_options *o = robot->options;
    uint32_t kinds = (uint32_t)o->kind_count, found = robot->found * kinds;
    uint32_t total = robot->found < o->rounds ? o->rounds * kinds : found;
    char status[STATUS_MAX] = "";

    if (seen)
        write_status(robot, seen, status);
    robot->observer->progress(robot->observer,
                              found + (uint32_t)(made_of(robot, place) * (total - found)), total,
                              status);
}

/* What the prober is asked for, and how much the machine disturbs meanwhile. */
static int observe(struct robot *robot, struct observation *seen)
{
    struct noise_ticks before, after;
    int error;

    seen->timer_late_us = noise_sleep();
    seen->cpu_ticks = seen->stolen_ticks = -1;
    bool told = noise_read(&before);
    seen->when_us = (int64_t)clock_us(CLOCK_REALTIME);
    error = robot->prober->observe(robot->prober, seen, robot->message);
    if (told && noise_read(&after) && after.total >= before.total &&
        after.stolen >= before.stolen) {
        seen->cpu_ticks = (int64_t)(after.total - before.total);
        seen->stolen_ticks = (int64_t)(after.stolen - before.stolen);
    }
    return error;
}

/* 1: interrupted, and the round is dropped. */
static int observe_round(struct robot *robot)
{
    const struct webperf_options *o = robot->options;
    uint32_t order[WEBPERF_CELLS_MAX];
    struct rng rng;

    rng_seed(&rng, o->run.seed + robot->done);
    for (uint32_t i = 0; i < o->kind_count; i++)
        order[i] = i;
    rng_shuffle(&rng, order, (uint32_t)o->kind_count);
    for (uint32_t place = 0; place < o->kind_count; place++) {
        struct observation *seen = &robot->round[place];
        int error;

        if (interrupted(robot))
            return 1;
        *seen = o->kinds[order[place]];
        seen->round = robot->done;
        seen->place = place;
        error = observe(robot, seen);
        if (error == -EINTR)
            return 1;
        if (error < 0)
            return error;
        if (place + 1 < o->kind_count)
            tell(robot, place + 1, seen);
    }
    return 0;
}

static int keep_round(struct robot *robot)
{
    const struct webperf_options *o = robot->options;
    int error = store_add_round(robot->store, robot->round, o->kind_count, robot->message);

    for (size_t i = 0; i < o->kind_count && error == 0; i++)
        error = remember(robot, &robot->round[i]);
    robot->done += error == 0;
    return error;
}

/* True: go on. */
static bool wait_until(struct robot *robot, int64_t when_us)
{
    const struct timespec nap = {.tv_nsec = NAP_MS * 1000000L};

    while ((int64_t)clock_us(CLOCK_MONOTONIC) < when_us) {
        if (interrupted(robot))
            return false;
        (void)nanosleep(&nap, NULL);
    }
    return !interrupted(robot);
}

static int observe_all(struct robot *robot)
{
    const struct webperf_options *o = robot->options;
    int64_t next = (int64_t)clock_us(CLOCK_MONOTONIC);
    int64_t end = o->duration_us > 0 ? next + o->duration_us : INT64_MAX;
    int r = 0;

    robot->found = robot->done;
    robot->began = (double)next;
    tell(robot, 0, NULL);
    while (r == 0 && robot->done < o->rounds && next < end && !is_precise(robot) &&
           wait_until(robot, next)) {
        next = (int64_t)clock_us(CLOCK_MONOTONIC) + o->interval_us;
        r = observe_round(robot);
        if (r == 0)
            r = keep_round(robot);
        if (r == 0)
            tell(robot, 0, &robot->round[o->kind_count - 1]);
    }
    return r < 0 ? r : 0;
}

/* --- the run ---------------------------------------------------------------------------------- */

static_assert(WEBPERF_KINDS_MAX * (5 * STORE_WORD_MAX + 2) <= STORE_PLAN_MAX,
              "all kinds that a round can have of a server fit into its plan");

/* "ping tlsyn; tcp tlsyn; get tlsyn 1.3 embedded psk; ...": what makes two runs the same. It is the
 * same of each server, and who they are is the run's target. */
static void write_plan(const struct webperf_options *options, char plan[STORE_PLAN_MAX])
{
    size_t len = 0;

    plan[0] = '\0';
    for (size_t i = 0; i < options->kind_count; i++) {
        const struct observation *k = &options->kinds[i];

        if (strcmp(k->url, options->kinds[0].url) != 0)
            continue;
        len +=
            (size_t)snprintf(plan + len, STORE_PLAN_MAX - len, "%s%s %s%s%s%s%s%s%s", i ? "; " : "",
                             k->operation, k->stack, k->tls[0] ? " " : "", k->tls,
                             k->mode[0] ? " " : "", k->mode, k->session[0] ? " " : "", k->session);
    }
}

static int begin(struct robot *robot, struct webperf_options *options)
{
    char note[96];
    int error;

    write_plan(options, options->run.plan);
    options->run.started_us = (int64_t)clock_us(CLOCK_REALTIME);
    error = store_open(options->database, STORE_WRITE, &robot->store, robot->message);
    if (error == 0)
        error = store_begin(robot->store, &options->run, &robot->done, robot->message);
    if (error == 0)
        error = store_each(robot->store, remember, robot, robot->message);
    if (error == 0 && robot->done > 0) {
        (void)snprintf(note, sizeof(note), "%u rounds are there already; going on behind them",
                       robot->done);
        robot->observer->note(robot->observer, note);
    }
    return error;
}

int webperf_try(const struct webperf_options *options, char message[STUDY_MESSAGE_MAX])
{
    struct webperf_options own = *options;
    struct store *store = NULL;
    uint32_t done;
    int error = 0;

    if (access(options->database, F_OK) < 0)
        return 0;
    write_plan(&own, own.run.plan);
    error = store_open(own.database, STORE_WRITE, &store, message);
    if (error == 0)
        error = store_begin(store, &own.run, &done, message);
    store_close(store);
    return error;
}

int webperf_run(const struct webperf_options *options, struct webperf_prober *prober,
                struct study_observer *observer, char message[STUDY_MESSAGE_MAX])
{
    struct webperf_options own = *options; /* the seed may be the database's */
    struct robot *robot = calloc(1, sizeof(*robot));
    int error;

    if (!robot) {
        (void)snprintf(message, STUDY_MESSAGE_MAX, "out of memory");
        return -ENOMEM;
    }
    *robot =
        (struct robot){.options = &own, .prober = prober, .observer = observer, .message = message};
    error = begin(robot, &own);
    if (error == 0)
        error = observe_all(robot);
    store_close(robot->store);
    for (size_t i = 0; i < WEBPERF_CELLS_MAX; i++)
        free(robot->series[i].ms);
    free(robot);
    return error;
}
