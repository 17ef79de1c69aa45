/*
 * measure/fit.c: least squares and Theil-Sen lines with their intervals.
 */
#include "measure/fit.h"

#include <errno.h>
#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>

#include "measure/distribution.h"
#include "measure/rng.h"

static const struct stats_interval no_interval = {NAN, NAN, NAN};

static bool points_finite(const double *x, const double *y, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (!isfinite(x[i]) || !isfinite(y[i]))
            return false;
    }
    return true;
}

static bool x_differs(const double *x, size_t n)
{
    for (size_t i = 1; i < n; i++) {
        if (x[i] < x[0] || x[i] > x[0])
            return true;
    }
    return false;
}

double fit_at(const struct fit_line *line, double x)
{
    return line->a.estimate * x + line->b.estimate;
}

static double largest_residual(const struct fit_line *line, const double *x, const double *y,
                               size_t n)
{
    double largest = 0;

    for (size_t i = 0; i < n; i++)
        largest = fmax(largest, fabs(y[i] - fit_at(line, x[i])));
    return largest;
}

int fit_ols(const double *x, const double *y, size_t n, double level, struct fit_line *out)
{
    *out = (struct fit_line){.a = no_interval, .b = no_interval, .r2 = NAN, .residual = NAN};
    if (!(level > 0 && level < 1) || !points_finite(x, y, n))
        return -EINVAL;
    if (!x_differs(x, n))
        return -EDOM;
    double mean_x = stats_mean(x, n);
    double mean_y = stats_mean(y, n);
    double sxx = 0;
    double sxy = 0;
    double syy = 0;
    for (size_t i = 0; i < n; i++) {
        sxx += (x[i] - mean_x) * (x[i] - mean_x);
        sxy += (x[i] - mean_x) * (y[i] - mean_y);
        syy += (y[i] - mean_y) * (y[i] - mean_y);
    }
    double a = sxy / sxx;
    double b = mean_y - a * mean_x;
    out->a.estimate = a;
    out->b.estimate = b;
    out->r2 = syy > 0 ? sxy * sxy / (sxx * syy) : NAN;
    out->residual = largest_residual(out, x, y, n);
    if (n > 2) {
        double df = (double)n - 2;
        double t = student_quantile((1 + level) / 2, df);
        double variance = fmax(0, syy - a * sxy) / df;
        double error_a = t * sqrt(variance / sxx);
        double error_b = t * sqrt(variance * (1 / (double)n + mean_x * mean_x / sxx));
        out->a = (struct stats_interval){a, a - error_a, a + error_a};
        out->b = (struct stats_interval){b, b - error_b, b + error_b};
    }
    return 0;
}

/* The Theil-Sen line of n points that have at least two different x; scratch holds n * n / 2 + n
 * values. */
static void theil_sen(const double *x, const double *y, size_t n, double *scratch, double *a,
                      double *b)
{
    size_t slopes = 0;

    for (size_t i = 0; i < n; i++) {
        for (size_t j = i + 1; j < n; j++) {
            /* Equal x give no slope: NaN or infinite, and overwritten by the next. */
            scratch[slopes] = (y[j] - y[i]) / (x[j] - x[i]);
            slopes += x[j] < x[i] || x[j] > x[i];
        }
    }
    *a = stats_median(scratch, slopes);
    for (size_t i = 0; i < n; i++)
        scratch[i] = y[i] - *a * x[i];
    *b = stats_median(scratch, n);
}

/* The working memory of fit_cells: one allocation, cut up. */
struct cell_work {
    double *block;
    double *x, *median;    /* one per cell that has observations */
    double *draw;          /* the largest cell's resample */
    double *pairs;         /* theil_sen()'s scratch */
    double *slopes, *cuts; /* one per resample */
};

static int cell_work_init(struct cell_work *work, size_t cells, size_t largest, size_t resamples)
{
    size_t pairs = cells * cells / 2 + cells;

    work->block = calloc(2 * cells + largest + pairs + 2 * resamples, sizeof *work->block);
    if (work->block == NULL)
        return -ENOMEM;
    work->x = work->block;
    work->median = work->x + cells;
    work->draw = work->median + cells;
    work->pairs = work->draw + largest;
    work->slopes = work->pairs + pairs;
    work->cuts = work->slopes + resamples;
    return 0;
}

/* The median of one cell as observed (rng NULL) or of one resample of its rounds. */
static double cell_median(const struct fit_cell *cell, struct rng *rng, double *draw)
{
    for (size_t i = 0; i < cell->n; i++)
        draw[i] = cell->y[rng == NULL ? i : rng_below(rng, (uint32_t)cell->n)];
    return stats_median(draw, cell->n);
}

/* Fill x and median; returns how many cells have observations. */
static size_t reduce(const struct fit_cell *cells, size_t n, struct rng *rng,
                     struct cell_work *work)
{
    size_t used = 0;

    for (size_t i = 0; i < n; i++) {
        if (cells[i].n > 0) {
            work->x[used] = cells[i].x;
            work->median[used++] = cell_median(&cells[i], rng, work->draw);
        }
    }
    return used;
}

/* Whether any cell has two observations: without, there is nothing to resample and so no interval.
 */
static bool varies(const struct fit_cell *cells, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (cells[i].n > 1)
            return true;
    }
    return false;
}

static void cells_bootstrap(const struct fit_cell *cells, size_t n, const struct stats_plan *plan,
                            struct cell_work *work, struct fit_line *out)
{
    struct rng rng;

    rng_seed(&rng, plan->seed);
    for (uint32_t r = 0; r < plan->resamples; r++) {
        size_t used = reduce(cells, n, &rng, work);
        theil_sen(work->x, work->median, used, work->pairs, &work->slopes[r], &work->cuts[r]);
    }
    stats_percentile_interval(work->slopes, plan->resamples, plan->level, &out->a);
    stats_percentile_interval(work->cuts, plan->resamples, plan->level, &out->b);
}

int fit_cells(const struct fit_cell *cells, size_t n, const struct stats_plan *plan,
              struct fit_line *out)
{
    struct cell_work work;
    size_t largest = 0;

    *out = (struct fit_line){.a = no_interval, .b = no_interval, .r2 = NAN, .residual = NAN};
    if (n > FIT_POINTS_MAX)
        return -E2BIG;
    for (size_t i = 0; i < n; i++)
        largest = cells[i].n > largest ? cells[i].n : largest;
    if (stats_plan_check(plan) < 0 || largest > UINT32_MAX)
        return -EINVAL;
    int error = cell_work_init(&work, n, largest, plan->resamples);
    if (error < 0)
        return error;
    size_t used = reduce(cells, n, NULL, &work);
    if (!points_finite(work.x, work.median, used)) {
        error = -EINVAL;
    } else if (!x_differs(work.x, used)) {
        error = -EDOM;
    } else {
        theil_sen(work.x, work.median, used, work.pairs, &out->a.estimate, &out->b.estimate);
        out->residual = largest_residual(out, work.x, work.median, used);
        if (varies(cells, n))
            cells_bootstrap(cells, n, plan, &work, out);
    }
    free(work.block);
    return error;
}
