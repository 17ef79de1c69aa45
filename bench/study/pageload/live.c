/*
 * study/pageload/live.c: the rounds, and what comes of them.
 */
#include "study/pageload/live.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "measure/schedule.h"

#define PINGS      5
#define GRACE_MS   10000
#define RESAMPLES  1000
#define CONFIDENCE 0.95

const char *live_verdict_name(enum live_verdict verdict)
{
    static const char *const names[] = {"agrees", "differs", "no claim", "not loaded"};

    return names[verdict];
}

const char *live_handshake_name(const struct live_kind *kind)
{
    return browser_handshakes[kind->handshake].name;
}

void live_sum_up(const struct live_study *s, char text[LIVE_SENTENCE_MAX])
{
    int agree = 0, judged = 0;
    size_t failed = 0;

    for (int i = 0; i < s->kinds * s->options.rtts; i++) {
        agree += s->cell[i].verdict == LIVE_AGREES;
        judged += s->cell[i].verdict == LIVE_AGREES || s->cell[i].verdict == LIVE_DIFFERS;
        failed += s->cell[i].failed;
    }
    (void)snprintf(text, LIVE_SENTENCE_MAX,
                   "%d of %d cells of %g ms and more agree with the model; %zu loads failed.",
                   agree, judged, LIVE_RTT_MIN, failed);
}

struct live_cell *live_cell(const struct live_study *study, int rtt, int kind)
{
    return &study->cell[rtt * study->kinds + kind];
}

/* --- the plan --------------------------------------------------------------------------------- */

static bool exists(enum study_stack stack, int handshake)
{
    const struct browser_handshake *h = &browser_handshakes[handshake];

    return stack == STUDY_TLSYN || (h->tcp > 0 && !h->kept);
}

static int add_kind(struct live_study *s, enum study_stack stack, int handshake, int visit)
{
    static struct browser_load load; /* large, and read at once */
    struct live_kind *kind = &s->kind[s->kinds];
    int error;

    if (!(s->options.stacks >> stack & 1) || !exists(stack, handshake) ||
        (s->options.handshake >= 0 && s->options.handshake != handshake) ||
        (s->options.visit >= 0 && s->options.visit != visit))
        return 0;
    *kind = (struct live_kind){
        .stack = stack, .handshake = handshake, .visit = (enum browser_visit)visit};
    error = browser_load_page(s->page, &browser_handshakes[handshake], kind->visit, &load);
    kind->model = load.round_trips;
    s->kinds++;
    return error;
}

int live_plan(const struct page *page, const struct live_options *options,
              struct live_study **study)
{
    struct live_study *s;
    int error = 0;

    if (options->rtts < 1 || options->rtts > LIVE_RTTS_MAX || options->rounds < 1 ||
        options->rounds > LIVE_ROUNDS_MAX)
        return -EINVAL;
    s = calloc(1, sizeof(*s));
    if (!s)
        return -ENOMEM;
    s->options = *options;
    s->page = page;
    for (int i = 0; error == 0 && i < LIVE_KINDS_MAX; i++)
        error = add_kind(s, (enum study_stack)(i / BROWSER_VISITS / BROWSER_HANDSHAKES),
                         i / BROWSER_VISITS % BROWSER_HANDSHAKES, i % BROWSER_VISITS);
    if (error == 0 && s->kinds == 0)
        error = -EINVAL;
    if (error == 0)
        s->cell = calloc((size_t)(s->kinds * options->rtts), sizeof(*s->cell));
    if (error == 0 && !s->cell)
        error = -ENOMEM;
    for (int i = 0; i < LIVE_RTTS_MAX; i++)
        s->ping_ms[i] = (double)NAN;
    if (error < 0) {
        live_free(s);
        return error;
    }
    *study = s;
    return 0;
}

double live_duration(const struct live_study *study)
{
    double seconds = 0;

    for (int r = 0; r < study->options.rtts; r++) {
        for (int k = 0; k < study->kinds; k++)
            seconds += study->options.rtt_ms[r] / 1000 * study->kind[k].model + 0.05;
        seconds += (PINGS + 1) * study->options.rtt_ms[r] / 1000;
    }
    return seconds * study->options.rounds;
}

void live_free(struct live_study *study)
{
    if (!study)
        return;
    for (int k = 0; k < study->kinds; k++)
        free(study->kind[k].sample);
    free(study->cell);
    free(study);
}

/* --- the rounds ------------------------------------------------------------------------------- */

/* The link of a block, and how long a ping takes over it. The first one fills neighbour caches. */
static int begin_block(struct live_study *s, int rtt)
{
    double asked = s->options.rtt_ms[rtt], ms[PINGS];
    size_t n = 0;
    int error = pagelab_set_link(s->lab, asked);

    for (int i = -1; error == 0 && i < PINGS; i++) {
        double one = 0;

        error = pagelab_ping(s->lab, &one);
        if (error == -ETIMEDOUT || i < 0) {
            error = error == -ETIMEDOUT ? 0 : error;
            continue;
        }
        ms[n++] = one;
        if (fabs(one - asked) > s->ping_off_ms[rtt])
            s->ping_off_ms[rtt] = fabs(one - asked);
    }
    if (error == 0 && n > 0)
        s->ping_ms[rtt] = stats_median(ms, n);
    return error;
}

static void keep_sample(struct live_study *s, int rtt, struct live_kind *kind)
{
    double asked = s->options.rtt_ms[rtt];

    if (!kind->sample)
        kind->sample = malloc(sizeof(*kind->sample));
    if (!kind->sample || asked < kind->sample_rtt_ms)
        return;
    *kind->sample = s->answer;
    kind->sample_rtt_ms = asked;
}

static int load(struct live_study *s, int rtt, int k)
{
    struct live_kind *kind = &s->kind[k];
    struct live_cell *cell = live_cell(s, rtt, k);
    const struct page_order order = {
        .stack = kind->stack,
        .handshake = kind->handshake,
        .visit = kind->visit,
        .timeout = (tlsyn_time)(3 * kind->model * s->options.rtt_ms[rtt] + GRACE_MS) * 1000,
    };
    bool missed = false;
    int error = pagelab_load(s->lab, &order, &s->answer);

    if (error == 0)
        error = pagelab_missed(s->lab, s->options.rtt_ms[rtt], &missed);
    if (error < 0)
        return error;
    if (s->answer.load.error < 0) {
        cell->failed++;
        (void)snprintf(cell->reason, sizeof(cell->reason), "%s", s->answer.load.sentence);
        return 0;
    }
    cell->seconds[cell->loads++] = s->answer.load.us / 1e6;
    cell->missed += missed;
    keep_sample(s, rtt, kind);
    return 0;
}

static void tell(const struct live_study *s, struct study_observer *observer,
                 const struct schedule_slot *slot, uint32_t total)
{
    const struct live_kind *kind = &s->kind[slot->member];
    const struct live_cell *cell = live_cell(s, (int)slot->block, (int)slot->member);
    double rtt = s->options.rtt_ms[slot->block];
    char status[160];

    if (cell->loads > 0)
        (void)snprintf(status, sizeof(status), "%s: %s, %s at %g ms: %.2f round trips for %d",
                       study_stack_name(kind->stack), browser_handshakes[kind->handshake].name,
                       browser_visit_name(kind->visit), rtt,
                       cell->seconds[cell->loads - 1] * 1000 / rtt, kind->model);
    else
        (void)snprintf(status, sizeof(status), "%s: %s, %s at %g ms: failed",
                       study_stack_name(kind->stack), browser_handshakes[kind->handshake].name,
                       browser_visit_name(kind->visit), rtt);
    observer->progress(observer, slot->order + 1, total, status);
}

static int run_rounds(struct live_study *s, struct study_observer *observer, char *message)
{
    const struct schedule_plan plan = {.blocks = (uint32_t)s->options.rtts,
                                       .cells_per_block = (uint32_t)s->kinds,
                                       .rounds = s->options.rounds,
                                       .seed = s->options.seed};
    struct schedule schedule;
    struct schedule_slot slot;
    int error = schedule_init(&schedule, &plan);

    if (error < 0) {
        (void)snprintf(message, STUDY_MESSAGE_MAX, "the rounds can't be planned: %s",
                       strerror(-error));
        return error;
    }
    while (error == 0 && !observer->interrupted(observer) && schedule_next(&schedule, &slot)) {
        if (slot.block_start)
            error = begin_block(s, (int)slot.block);
        if (error == 0)
            error = load(s, (int)slot.block, (int)slot.member);
        if (error == 0)
            tell(s, observer, &slot, schedule.total);
        else
            (void)snprintf(message, STUDY_MESSAGE_MAX, "the laboratory broke down: %s",
                           strerror(-error));
    }
    schedule_fini(&schedule);
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
    };
    int error = pagelab_open(&options, &study->lab, message);

    if (error < 0)
        return error;
    noise_begin(&study->noise);
    error = run_rounds(study, observer, message);
    noise_end(&study->noise);
    pagelab_close(study->lab);
    study->lab = NULL;
    return error;
}

/* --- what comes of them ----------------------------------------------------------------------- */

static void judge(const struct live_study *s, int rtt, int k)
{
    struct live_cell *cell = live_cell(s, rtt, k);
    double asked = s->options.rtt_ms[rtt] / 1000, due = asked * s->kind[k].model;
    double copy[LIVE_ROUNDS_MAX];

    cell->median = cell->round_trips = (double)NAN;
    cell->allowed = LIVE_TOLERANCE * due + s->ping_off_ms[rtt] / 1000;
    cell->verdict = LIVE_NOTHING;
    if (cell->loads == 0)
        return;
    memcpy(copy, cell->seconds, cell->loads * sizeof(copy[0]));
    cell->median = stats_median(copy, cell->loads);
    cell->round_trips = asked > 0 ? cell->median / asked : (double)NAN;
    if (s->options.rtt_ms[rtt] < LIVE_RTT_MIN || study_link_impairs(&s->options.link))
        cell->verdict = LIVE_NO_CLAIM;
    else
        cell->verdict = fabs(cell->median - due) <= cell->allowed ? LIVE_AGREES : LIVE_DIFFERS;
}

static int fit(struct live_study *s, int k)
{
    const struct stats_plan plan = {
        .resamples = RESAMPLES, .level = CONFIDENCE, .seed = s->options.seed};
    struct fit_cell cells[LIVE_RTTS_MAX];
    int error;

    for (int r = 0; r < s->options.rtts; r++)
        cells[r] = (struct fit_cell){.x = s->options.rtt_ms[r] / 1000,
                                     .y = live_cell(s, r, k)->seconds,
                                     .n = live_cell(s, r, k)->loads};
    error = fit_cells(cells, (size_t)s->options.rtts, &plan, &s->kind[k].fit);
    if (error != -EDOM)
        return error;
    s->kind[k].fit = (struct fit_line){.a = {(double)NAN, (double)NAN, (double)NAN},
                                       .b = {(double)NAN, (double)NAN, (double)NAN}};
    return 0;
}

int live_analyse(struct live_study *study)
{
    int error = 0;

    for (int k = 0; k < study->kinds && error == 0; k++) {
        for (int r = 0; r < study->options.rtts; r++)
            judge(study, r, k);
        error = fit(study, k);
    }
    return error;
}
