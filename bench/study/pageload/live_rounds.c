/*
 * study/pageload/live_rounds.c: the rounds of live loads: a block per round-trip time, and one over
 * a link that takes no time, where what both hosts compute is all there is.
 */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "study/pageload/live.h"

#define GRACE_MS 10000

struct run {
    struct live_study *study;
    double ping_ms; /* of the block that has just begun; 0: of none */
};

static const struct journal_field fields[] = {
    JOURNAL_FIELD(live_sample, error, JOURNAL_INT),
    JOURNAL_FIELD(live_sample, seconds, JOURNAL_DOUBLE),
    JOURNAL_FIELD(live_sample, missed, JOURNAL_BOOL),
    JOURNAL_FIELD(live_sample, ping_ms, JOURNAL_DOUBLE),
    JOURNAL_FIELD(live_sample, reason, JOURNAL_TEXT),
    JOURNAL_FIELD(live_sample, steps, JOURNAL_LIST),
    JOURNAL_FIELD(live_sample, urls, JOURNAL_WORDS),
};

static void *sample_of(void *context, const struct schedule_slot *slot)
{
    const struct live_study *s = ((struct run *)context)->study;

    return live_sample(s, slot->round, (int)slot->block, (int)slot->member);
}

/* The link of a block, and how long a ping takes over it. */
static int begin_block(struct run *run, int block)
{
    double ms[LIVE_PINGS];
    size_t n = 0;
    int error = pagelab_set_link(run->study->lab, live_rtt(run->study, block));

    run->ping_ms = 0;
    if (error == 0)
        error = pagelab_introduce(run->study->lab);
    for (int i = 0; error == 0 && i < LIVE_PINGS; i++) {
        double one = 0;

        error = pagelab_ping(run->study->lab, &one);
        if (error == -ETIMEDOUT) {
            error = 0;
            continue;
        }
        ms[n++] = one;
    }
    if (error == 0 && n > 0)
        run->ping_ms = stats_median(ms, n);
    return error;
}

static int load(struct live_study *s, const struct schedule_slot *slot, struct live_sample *sample)
{
    const struct live_kind *kind = &s->kind[slot->member];
    double rtt_ms = live_rtt(s, (int)slot->block);
    const struct page_order order = {
        .stack = kind->stack,
        .handshake = kind->handshake,
        .visit = kind->kind.visit,
        .h2 = kind->kind.http == BROWSER_HTTP_2,
        .timeout = (tlsyn_time)(3 * kind->model * rtt_ms + GRACE_MS) * 1000,
    };
    int error = pagelab_load(s->lab, &order, &s->answer);

    if (error == 0)
        error = pagelab_missed(s->lab, rtt_ms, &sample->missed);
    if (error < 0)
        return error;
    sample->error = s->answer.load.error;
    sample->seconds = s->answer.load.us / 1e6;
    (void)snprintf(sample->reason, sizeof(sample->reason), "%s",
                   sample->error < 0 ? s->answer.load.sentence : "");
    return sample->error == 0 && rtt_ms > 0 && rtt_ms >= kind->longest_ms
               ? live_keep_steps(&s->answer, sample)
               : 0;
}

static int observe(void *context, const struct schedule_slot *slot, void *into)
{
    struct run *run = context;
    struct live_sample *sample = into;
    int error = slot->block_start ? begin_block(run, (int)slot->block) : 0;

    *sample = (struct live_sample){.ping_ms = run->ping_ms};
    run->ping_ms = 0; /* the first of a block has it */
    return error < 0 ? error : load(run->study, slot, sample);
}

static int take(void *context, const struct schedule_slot *slot, void *kept)
{
    struct live_study *s = ((struct run *)context)->study;
    struct live_cell *cell = live_cell(s, (int)slot->block, (int)slot->member);
    struct live_kind *kind = &s->kind[slot->member];
    const struct live_sample *sample = kept;

    if (sample->error < 0) {
        cell->failed++;
        (void)snprintf(cell->reason, sizeof(cell->reason), "%s", sample->reason);
        return 0;
    }
    kind->longest_ms = fmax(kind->longest_ms, live_rtt(s, (int)slot->block));
    cell->seconds[cell->loads++] = sample->seconds;
    cell->missed += sample->missed;
    return 0;
}

static int is_narrow(void *context, double precision, bool *narrow)
{
    return live_is_narrow(((struct run *)context)->study, precision, narrow);
}

/* The median first: a narrow terminal cuts what it has no room for. */
static void status(void *context, const struct schedule_slot *slot, char text[ROUNDS_STATUS_MAX])
{
    const struct live_study *s = ((struct run *)context)->study;
    const struct live_kind *kind = &s->kind[slot->member];
    const struct live_cell *cell = live_cell(s, (int)slot->block, (int)slot->member);
    double rtt = live_rtt(s, (int)slot->block), seconds[LIVE_ROUNDS_MAX], median;
    char name[LIVE_NAME_MAX];

    (void)live_kind_name(kind, name);
    if (cell->loads == 0) {
        (void)snprintf(text, ROUNDS_STATUS_MAX, "%s at %g ms: failed", name, rtt);
        return;
    }
    memcpy(seconds, cell->seconds, cell->loads * sizeof(seconds[0]));
    median = stats_median(seconds, cell->loads);
    if (rtt > 0)
        (void)snprintf(text, ROUNDS_STATUS_MAX,
                       "%.2f round trips for %d, median of %zu: %s at %g ms", median * 1000 / rtt,
                       kind->model, cell->loads, name, rtt);
    else
        (void)snprintf(text, ROUNDS_STATUS_MAX, "%.1f ms of computing, median of %zu: %s",
                       median * 1000, cell->loads, name);
}

static const struct rounds_ops ops = {
    .study = "pageload",
    .fields = fields,
    .field_count = sizeof(fields) / sizeof(*fields),
    .sample = sample_of,
    .observe = observe,
    .take = take,
    .is_narrow = is_narrow,
    .status = status,
};

/* Of a load, roughly: each URL is got, and a connection for most of them opened. */
static size_t steps_due(const struct live_study *s)
{
    return (size_t)s->page->urls * 3;
}

static int go(struct live_study *s, struct study_observer *observer,
              char message[STUDY_MESSAGE_MAX])
{
    struct run run = {.study = s};
    struct rounds rounds = {.ops = &ops,
                            .study = &run,
                            .plan = {.blocks = (uint32_t)s->blocks,
                                     .cells_per_block = (uint32_t)s->kinds,
                                     .rounds = s->options.rounds,
                                     .seed = s->options.seed},
                            .planned = (uint32_t)(s->blocks * s->kinds) * s->options.rounds,
                            .values = steps_due(s) * LIVE_STEP / (size_t)s->blocks,
                            .keep = &s->options.keep,
                            .observer = observer};
    int error = rounds_run(&rounds, message);

    s->interrupted = rounds.interrupted;
    if (error < 0 && !message[0])
        (void)snprintf(message, STUDY_MESSAGE_MAX, "the laboratory broke down: %s",
                       strerror(-error));
    return error;
}

int live_run(struct live_study *study, struct study_observer *observer,
             char message[STUDY_MESSAGE_MAX])
{
    const struct pagelab_options options = {
        .page = study->page,
        .stacks = study->options.stacks,
        .history = study->options.history,
        .link = study->options.link,
        .seed = study->options.seed,
        .observer = observer,
    };
    int error = pagelab_open(&options, &study->lab, message);

    if (error < 0)
        return error;
    noise_begin(&study->noise);
    noise_keep_awake(&study->noise);
    error = go(study, observer, message);
    noise_end(&study->noise);
    pagelab_close(study->lab);
    study->lab = NULL;
    return error;
}
