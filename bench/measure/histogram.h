/*
 * measure/histogram.h: histograms in bins of a chosen width, and empirical distribution functions,
 * as points to draw.
 *
 * Bins are multiples of the width: bin k holds k * width <= x < (k + 1) * width, so that histograms
 * of several samples can be laid over each other. Values that are not finite are left out.
 */
#ifndef MEASURE_HISTOGRAM_H
#define MEASURE_HISTOGRAM_H

#include <stddef.h>

/** Points of a line that holds each y until the next x. */
struct histogram_steps {
    double *x, *y;
    size_t n;
};

enum { HISTOGRAM_BINS_MAX = 20000 };

/** Left edges of the bins from the first that holds a value to the one behind the last, and how
 * many values each holds, as a share of all; before them the first edge once more, with 0, for the
 * line to climb from. No values give no points. -EINVAL: the width is not a positive number;
 * -E2BIG: more than HISTOGRAM_BINS_MAX bins; -ENOMEM. */
int histogram_bins(const double *x, size_t n, double width, struct histogram_steps *out);

/** The empirical distribution function in at most `points` steps: the share of values <= x; before
 * them the least value with 0, for the line to climb from. -EINVAL: fewer than two points;
 * -ENOMEM. */
int histogram_ecdf(const double *x, size_t n, size_t points, struct histogram_steps *out);

void histogram_free(struct histogram_steps *steps);

#endif
