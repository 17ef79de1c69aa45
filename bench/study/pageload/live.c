/*
 * study/pageload/live.c: the plan, and what comes of the rounds (live_rounds.c).
 */
#include "study/pageload/live.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define RESAMPLES  1000
#define CONFIDENCE 0.95

const char *live_verdict_name(enum live_verdict verdict)
{
    static const char *const names[] = {"agrees", "differs", "no claim", "not loaded"};

    return names[verdict];
}

const char *live_kind_name(const struct live_kind *kind, char text[LIVE_NAME_MAX])
{
    (void)snprintf(text, LIVE_NAME_MAX, "%s: HTTP/%s, %s, %s", study_stack_name(kind->stack),
                   browser_http_name(kind->kind.http), kind->kind.handshake->name,
                   browser_visit_name(kind->kind.visit));
    return text;
}

void live_sum_up(const struct live_study *s, char text[LIVE_SENTENCE_MAX])
{
    int agree = 0, apart = 0, judged = 0;
    size_t failed = 0;

    for (int i = 0; i < s->kinds * s->options.rtts; i++) {
        const struct live_cell *cell = &s->cell[i];

        agree += cell->verdict == LIVE_AGREES;
        apart += cell->verdict_apart == LIVE_AGREES;
        judged += cell->verdict == LIVE_AGREES || cell->verdict == LIVE_DIFFERS;
        failed += cell->failed;
    }
    (void)snprintf(text, LIVE_SENTENCE_MAX,
                   "Of %d cells of %g ms and more, %d agree with the model as they are, %d with "
                   "computing apart; %zu loads failed.",
                   judged, LIVE_RTT_MIN, agree, apart, failed);
}

struct live_cell *live_cell(const struct live_study *study, int block, int kind)
{
    return &study->cell[block * study->kinds + kind];
}

struct live_sample *live_sample(const struct live_study *study, uint32_t round, int block, int kind)
{
    return &study->sample[((int)round * study->blocks + block) * study->kinds + kind];
}

/* --- the plan --------------------------------------------------------------------------------- */

static bool exists(enum study_stack stack, int handshake)
{
    const struct browser_handshake *h = &browser_handshakes[handshake];

    return stack == STUDY_TLSYN || h->tcp > 0;
}

static int add_kind(struct live_study *s, enum study_stack stack, int handshake,
                    const struct browser_kind *what)
{
    static struct browser_load load; /* large, and read at once */
    struct live_kind *kind = &s->kind[s->kinds];
    int error;

    if (!(s->options.stacks >> stack & 1) || !exists(stack, handshake) ||
        !(s->options.http >> what->http & 1) ||
        (s->options.handshake >= 0 && s->options.handshake != handshake) ||
        (s->options.visit >= 0 && s->options.visit != (int)what->visit))
        return 0;
    *kind = (struct live_kind){.stack = stack, .handshake = handshake, .kind = *what};
    error = browser_load_page(s->page, what, &load);
    kind->model = load.round_trips;
    s->kinds++;
    return error;
}

static size_t samples_of(const struct live_study *s)
{
    return (size_t)(s->kinds * s->blocks) * s->options.rounds;
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
    for (int i = 0; error == 0 && i < LIVE_KINDS_MAX; i++) {
        int handshake = i / BROWSER_VISITS % BROWSER_HANDSHAKES;
        int protocols = i / BROWSER_VISITS / BROWSER_HANDSHAKES; /* a stack and HTTP */
        enum study_stack stack = (enum study_stack)(protocols / BROWSER_HTTPS);
        const struct browser_kind what = {
            &browser_handshakes[handshake], (enum browser_visit)(i % BROWSER_VISITS),
            (enum browser_http)(protocols % BROWSER_HTTPS), .late_tickets = stack == STUDY_KERNEL};

        error = add_kind(s, stack, handshake, &what);
    }
    if (error == 0 && s->kinds == 0)
        error = -EINVAL;
    s->blocks = options->rtts + !study_link_impairs(&options->link);
    if (error == 0) {
        s->cell = calloc((size_t)(s->kinds * s->blocks), sizeof(*s->cell));
        s->sample = calloc(samples_of(s), sizeof(*s->sample));
        error = s->cell && s->sample ? 0 : -ENOMEM;
    }
    if (error < 0) {
        live_free(s);
        return error;
    }
    *study = s;
    return 0;
}

double live_rtt(const struct live_study *study, int block)
{
    return block < study->options.rtts ? study->options.rtt_ms[block] : 0;
}

double live_duration(const struct live_study *study)
{
    double seconds = 0;

    for (int r = 0; r < study->blocks; r++) {
        for (int k = 0; k < study->kinds; k++)
            seconds += live_rtt(study, r) / 1000 * study->kind[k].model + 0.05;
        seconds += (LIVE_PINGS + 1) * live_rtt(study, r) / 1000;
    }
    return seconds * study->options.rounds;
}

void live_free(struct live_study *study)
{
    if (!study)
        return;
    for (size_t i = 0; study->sample && i < samples_of(study); i++)
        live_forget_steps(&study->sample[i]);
    free(study->sample);
    free(study->cell);
    free(study);
}

/* --- what comes of them ----------------------------------------------------------------------- */

static double median_of(const struct live_cell *cell)
{
    double copy[LIVE_ROUNDS_MAX];

    if (cell->loads == 0)
        return (double)NAN;
    memcpy(copy, cell->seconds, cell->loads * sizeof(copy[0]));
    return stats_median(copy, cell->loads);
}

static enum live_verdict compare(double seconds, double due, double allowed)
{
    if (!isfinite(seconds))
        return LIVE_NOTHING;
    return fabs(seconds - due) <= allowed ? LIVE_AGREES : LIVE_DIFFERS;
}

static int estimate(const struct live_study *s, struct live_cell *cell)
{
    const struct stats_plan plan = {
        .resamples = RESAMPLES, .level = CONFIDENCE, .seed = s->options.seed};

    cell->interval = (struct stats_interval){(double)NAN, (double)NAN, (double)NAN};
    if (cell->loads == 0)
        return 0;
    return stats_bootstrap_median(cell->seconds, cell->loads, &plan, &cell->interval);
}

static void judge(const struct live_study *s, int rtt, int k)
{
    struct live_cell *cell = live_cell(s, rtt, k);
    double asked = s->options.rtt_ms[rtt] / 1000, due = asked * s->kind[k].model;

    cell->median = median_of(cell);
    cell->round_trips = cell->median / asked;
    cell->apart = (cell->median - s->kind[k].computing) / asked;
    cell->allowed = LIVE_TOLERANCE * due + s->ping_off_ms[rtt] / 1000;
    cell->verdict = compare(cell->median, due, cell->allowed);
    cell->verdict_apart = compare(cell->median - s->kind[k].computing, due, cell->allowed);
    if (cell->loads > 0 &&
        (s->options.rtt_ms[rtt] < LIVE_RTT_MIN || study_link_impairs(&s->options.link)))
        cell->verdict = cell->verdict_apart = LIVE_NO_CLAIM;
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

int live_is_narrow(struct live_study *s, double precision, bool *narrow)
{
    int error = 0;

    *narrow = true;
    for (int i = 0; error == 0 && *narrow && i < s->kinds * s->options.rtts; i++) {
        const struct stats_interval *median = &s->cell[i].interval;

        error = estimate(s, &s->cell[i]);
        *narrow = error == 0 && stats_is_narrow(median, median->estimate, precision);
    }
    return error;
}

/* The load that is the nearest to what is told of its cell. */
static void choose_shown(struct live_study *s, int k)
{
    struct live_kind *kind = &s->kind[k];
    int r = 0;

    while (r < s->options.rtts && s->options.rtt_ms[r] < kind->longest_ms)
        r++;
    kind->shown = NULL;
    for (uint32_t i = 0; r < s->options.rtts && i < s->options.rounds; i++) {
        const struct live_sample *one = live_sample(s, i, r, k);
        double median = live_cell(s, r, k)->median;

        if (live_steps(one) > 0 &&
            (!kind->shown || fabs(one->seconds - median) < fabs(kind->shown->seconds - median)))
            kind->shown = one;
    }
}

/* What the link itself adds. */
static void sum_up_pings(struct live_study *s, int r)
{
    double ms[LIVE_ROUNDS_MAX], off[LIVE_ROUNDS_MAX];
    size_t n = 0;

    for (uint32_t i = 0; i < s->options.rounds; i++) {
        for (int k = 0; k < s->kinds; k++) {
            double ping = live_sample(s, i, r, k)->ping_ms;

            if (ping > 0 && n < LIVE_ROUNDS_MAX) {
                off[n] = fabs(ping - s->options.rtt_ms[r]);
                ms[n++] = ping;
            }
        }
    }
    s->ping_ms[r] = n > 0 ? stats_median(ms, n) : (double)NAN;
    s->ping_off_ms[r] = n > 0 ? stats_median(off, n) : 0;
}

int live_analyse(struct live_study *study)
{
    int error = 0;

    for (int r = 0; r < study->options.rtts; r++)
        sum_up_pings(study, r);
    for (int k = 0; k < study->kinds && error == 0; k++) {
        study->kind[k].computing = (double)NAN;
        if (study->blocks > study->options.rtts)
            study->kind[k].computing = median_of(live_cell(study, study->options.rtts, k));
        for (int r = 0; r < study->options.rtts && error == 0; r++) {
            judge(study, r, k);
            error = estimate(study, live_cell(study, r, k));
        }
        choose_shown(study, k);
        if (error == 0)
            error = fit(study, k);
    }
    return error;
}
