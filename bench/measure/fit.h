/*
 * measure/fit.h: straight lines T = a * R + b: how many round trips a mode takes (a) and what it
 * computes (b).
 *
 * Two fits, for two kinds of data:
 *
 *   fit_ols    ordinary least squares through single points, with intervals of Student's t (n - 2
 * degrees of freedom). For published tables of five numbers, where nothing else can be said.
 *   fit_cells  for our own measurements: many rounds at each of a few RTTs. Each cell is reduced to
 * its median, the line is Theil-Sen through the medians (a = median of the slopes of all pairs of
 * cells with different x; b = median of y - a x), and the interval is a percentile bootstrap that
 * resamples the rounds *within* each cell: what varies from round to round is in it. That the cells
 * lie on a line at all is not; `residual`, the largest distance of a median from the line, says how
 * well they do. Cells of one observation each are points: Theil-Sen's line without intervals.
 *
 * x and y may have any unit; a is y per x and b is in y's unit. Give milliseconds for both to read
 * a as round trips.
 */
#ifndef MEASURE_FIT_H
#define MEASURE_FIT_H

#include <stddef.h>

#include "measure/stats.h"

struct fit_line {
    struct stats_interval a, b; /* NaN intervals where the data allow none */
    double r2;                  /* share of variance explained (fit_ols); NaN from fit_cells */
    double residual;            /* largest |y - (a x + b)| over the points or medians */
};

/** The observations of one cell: all at x. */
struct fit_cell {
    double x;
    const double *y;
    size_t n;
};

enum { FIT_POINTS_MAX = 256 };

/** Least squares with t intervals of confidence `level`. Two points give a line without intervals.
 * -EINVAL: level, or a value that is not finite; -EDOM: fewer than two different x. */
int fit_ols(const double *x, const double *y, size_t n, double level, struct fit_line *out);

/** Theil-Sen through the cells' medians with bootstrap intervals. Cells with n = 0 are left out.
 * -EINVAL: the plan, or a value that is not finite; -EDOM: fewer than two different x among cells
 * that have observations; -E2BIG: more than FIT_POINTS_MAX cells; -ENOMEM. */
int fit_cells(const struct fit_cell *cells, size_t n, const struct stats_plan *plan,
              struct fit_line *out);

/** The line's value at x. */
double fit_at(const struct fit_line *line, double x);

#endif
