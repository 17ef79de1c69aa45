/*
 * answers.c: random data sets and what bench/measure says of each, one question per line, for
 * check.R to ask R the same.
 *
 *     answers FROM COUNT
 *
 * A line is the name of the question, then groups of numbers with "|" between them: what was
 * given, and last what was answered. %.17g loses nothing of a double.
 */
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "measure/distribution.h"
#include "measure/fit.h"
#include "measure/histogram.h"
#include "measure/rng.h"
#include "measure/stats.h"

#define LEVEL 0.95

enum { LARGEST = 120, PAIRS = 300, POINTS = 40, RESAMPLES = 41, FEW = 30, CELLS = 6 };

static void say(const char *question)
{
    printf("%s", question);
}

static void give(const double *x, size_t n)
{
    printf(" |");
    for (size_t i = 0; i < n; i++)
        printf(" %.17g", x[i]);
}

/* The answer, and the line's end. */
static void answer(size_t n, ...)
{
    va_list list;

    va_start(list, n);
    printf(" |");
    for (size_t i = 0; i < n; i++)
        printf(" %.17g", va_arg(list, double));
    printf("\n");
    va_end(list);
}

static double uniform(struct rng *rng)
{
    return ((double)(rng_next(rng) >> 11) + 0.5) / 9007199254740992.0;
}

/* From 1: one time in eight it is one or two, where answers are scarce. */
static size_t size(struct rng *rng, uint32_t most)
{
    return 1 + rng_below(rng, rng_below(rng, 8) == 0 ? 2 : most);
}

/* Latencies look like this: a floor, a bulk, a long tail. */
static double latency(struct rng *rng, double floor)
{
    return floor + exp(2 * normal_quantile(uniform(rng)));
}

enum kind { PLAIN, TIES, ZEROS, IDENTICAL, KINDS };

static double value(struct rng *rng, enum kind kind, double floor)
{
    double x = kind == IDENTICAL ? floor : latency(rng, kind == ZEROS ? 0 : floor);

    if (kind == ZEROS)
        x = rng_below(rng, 2) == 0 ? 0 : x;
    return kind == TIES ? 0.5 * round(x / 0.5) : x;
}

/* Half of the samples are plain. */
static void draw(struct rng *rng, double *x, size_t n)
{
    enum kind kind = rng_below(rng, 2) == 0 ? PLAIN : (enum kind)rng_below(rng, KINDS);
    double floor = 100 * uniform(rng);

    for (size_t i = 0; i < n; i++)
        x[i] = value(rng, kind, floor);
}

static void describe(const double *x, size_t n)
{
    struct stats_summary s;

    if (stats_describe(x, n, &s) < 0)
        exit(1);
    say("describe");
    give(x, n);
    answer(12, s.min, s.p5, s.p25, s.median, s.p75, s.p90, s.p95, s.p99, s.max, s.mean, s.stddev,
           s.mad);
}

static void percentile_interval(const double *x, size_t n)
{
    struct stats_interval interval = {0, 0, 0};
    double copy[LARGEST];

    for (size_t i = 0; i < n; i++)
        copy[i] = x[i];
    stats_percentile_interval(copy, n, LEVEL, &interval);
    say("interval");
    give(x, n);
    answer(2, interval.lo, interval.hi);
}

/* R's own answer there is only where no two differences are alike, and none is zero. */
static void shift(struct rng *rng, enum kind kind, size_t most)
{
    size_t n = size(rng, (uint32_t)most);
    double first[PAIRS], second[PAIRS];
    struct stats_interval interval;

    for (size_t i = 0; i < n; i++) {
        double common = latency(rng, 10);

        first[i] = common + value(rng, kind, 3);
        second[i] = common + (kind == IDENTICAL ? 1 : value(rng, kind, 1));
    }
    if (stats_hodges_lehmann(first, second, n, LEVEL, &interval) < 0)
        exit(1);
    say(kind == PLAIN ? "shift" : "shift-ties");
    give(first, n);
    give(second, n);
    answer(3, interval.estimate, interval.lo, interval.hi);
}

/* --- what resamples: R is told what was drawn ------------------------------------------------- */

static struct stats_plan plan_of(unsigned long seed)
{
    return (struct stats_plan){.resamples = RESAMPLES, .level = LEVEL, .seed = seed};
}

/* Which of n values each resample takes, counted from 1. */
static void give_picks(struct rng *rng, size_t n)
{
    for (size_t i = 0; i < n; i++)
        printf(" %u", rng_below(rng, (uint32_t)n) + 1);
}

static void give_draws(unsigned long seed, size_t n)
{
    struct rng rng;

    rng_seed(&rng, seed);
    printf(" |");
    for (int r = 0; r < RESAMPLES; r++)
        give_picks(&rng, n);
}

static void bootstraps(struct rng *rng, unsigned long seed)
{
    static const struct {
        const char *question;
        enum stats_contrast contrast;
    } paired[] = {{"paired-difference", STATS_DIFFERENCE},
                  {"paired-reduction", STATS_REDUCTION},
                  {"paired-ratio", STATS_RATIO}};
    const struct stats_plan plan = plan_of(seed);
    size_t n = size(rng, FEW);
    double first[FEW], second[FEW];
    struct stats_interval i;

    draw(rng, first, n);
    draw(rng, second, n);
    if (stats_bootstrap_median(first, n, &plan, &i) < 0)
        exit(1);
    say("bootstrap-median");
    give(first, n);
    give_draws(seed, n);
    answer(3, i.estimate, i.lo, i.hi);
    for (size_t k = 0; k < sizeof(paired) / sizeof(*paired); k++) {
        if (stats_bootstrap_paired(first, second, n, paired[k].contrast, &plan, &i) < 0)
            exit(1);
        say(paired[k].question);
        give(first, n);
        give(second, n);
        give_draws(seed, n);
        answer(3, i.estimate, i.lo, i.hi);
    }
}

/* Single points, for which there are no intervals. */
static void theil_sen(const double *x, const double *y, size_t n)
{
    const struct stats_plan plan = plan_of(1);
    struct fit_cell cells[POINTS];
    struct fit_line line;

    for (size_t i = 0; i < n; i++)
        cells[i] = (struct fit_cell){x[i], &y[i], 1};
    if (fit_cells(cells, n, &plan, &line) < 0)
        exit(1);
    say("theil-sen");
    give(x, n);
    give(y, n);
    answer(3, line.a.estimate, line.b.estimate, line.residual);
}

static void lines(struct rng *rng)
{
    size_t n = 2 + rng_below(rng, POINTS - 2);
    double x[POINTS], y[POINTS], slope = 4 * uniform(rng);
    struct fit_line line;

    for (size_t i = 0; i < n; i++) {
        x[i] = i < 2 ? (double)i : round(50 * uniform(rng)) / 4; /* some x twice */
        y[i] = slope * x[i] + latency(rng, 1);
    }
    if (fit_ols(x, y, n, LEVEL, &line) < 0)
        exit(1);
    say("least-squares");
    give(x, n);
    give(y, n);
    answer(7, line.a.estimate, line.a.lo, line.a.hi, line.b.estimate, line.b.lo, line.b.hi,
           line.r2);
    theil_sen(x, y, n);
}

/* Cells of as many observations each, one behind the other in y. */
static void cells(struct rng *rng, unsigned long seed)
{
    const struct stats_plan plan = plan_of(seed);
    size_t n = 2 + rng_below(rng, CELLS - 2), each = size(rng, 11);
    double x[CELLS], y[CELLS * 12], slope = 4 * uniform(rng);
    struct fit_cell cell[CELLS];
    struct fit_line line;
    struct rng draws;

    for (size_t i = 0; i < n; i++) {
        x[i] = (double)i + uniform(rng);
        for (size_t k = 0; k < each; k++)
            y[i * each + k] = slope * x[i] + latency(rng, 1);
        cell[i] = (struct fit_cell){x[i], &y[i * each], each};
    }
    if (fit_cells(cell, n, &plan, &line) < 0)
        exit(1);
    say("cells");
    give(x, n);
    give(y, n * each);
    rng_seed(&draws, seed);
    printf(" |");
    for (size_t i = 0; i < RESAMPLES * n; i++)
        give_picks(&draws, each);
    answer(7, line.a.estimate, line.a.lo, line.a.hi, line.b.estimate, line.b.lo, line.b.hi,
           line.residual);
}

/* --- distributions, as they are drawn --------------------------------------------------------- */

/* The steps' ends, and then how high they are. */
static void answer_steps(const struct histogram_steps *steps)
{
    give(steps->x, steps->n);
    for (size_t i = 0; i < steps->n; i++)
        printf(" %.17g", steps->y[i]);
    printf("\n");
}

static void distributions(struct rng *rng, const double *x, size_t n)
{
    const double points = 2 + rng_below(rng, 2 * LARGEST);
    const double width = 0.25 * (1 + rng_below(rng, 40));
    struct histogram_steps steps;

    if (histogram_ecdf(x, n, (size_t)points, &steps) < 0)
        exit(1);
    say("ecdf");
    give(x, n);
    give(&points, 1);
    answer_steps(&steps);
    histogram_free(&steps);
    if (histogram_bins(x, n, width, &steps) < 0)
        exit(1);
    say("bins");
    give(x, n);
    give(&width, 1);
    answer_steps(&steps);
    histogram_free(&steps);
}

static void quantiles(struct rng *rng)
{
    double p = uniform(rng), df = 1 + rng_below(rng, 60);
    const double asked[] = {p, df};

    say("quantiles");
    give(asked, 2);
    answer(2, normal_quantile(p), student_quantile(p, df));
}

int main(int argc, char **argv)
{
    unsigned long from = argc > 1 ? strtoul(argv[1], NULL, 10) : 1;
    unsigned long count = argc > 2 ? strtoul(argv[2], NULL, 10) : 1000;

    for (unsigned long seed = from; seed < from + count; seed++) {
        double x[LARGEST];
        struct rng rng;
        size_t n;

        rng_seed(&rng, seed);
        n = size(&rng, LARGEST);
        draw(&rng, x, n);
        describe(x, n);
        percentile_interval(x, n);
        shift(&rng, PLAIN, seed % 10 == 0 ? PAIRS : LARGEST);
        shift(&rng, (enum kind)(TIES + rng_below(&rng, KINDS - TIES)), LARGEST);
        lines(&rng);
        quantiles(&rng);
        bootstraps(&rng, seed);
        cells(&rng, seed);
        distributions(&rng, x, n);
    }
    return 0;
}
