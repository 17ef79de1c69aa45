/*
 * measure/histogram.c: histograms and empirical distribution functions.
 */
#include "measure/histogram.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>

#include "measure/stats.h"

static int steps_alloc(struct histogram_steps *out, size_t n)
{
    out->x = calloc(n > 0 ? n : 1, sizeof *out->x);
    out->y = calloc(n > 0 ? n : 1, sizeof *out->y);
    if (out->x == NULL || out->y == NULL) {
        histogram_free(out);
        return -ENOMEM;
    }
    return 0;
}

void histogram_free(struct histogram_steps *steps)
{
    free(steps->x);
    free(steps->y);
    *steps = (struct histogram_steps){NULL, NULL, 0};
}

/* The finite values, sorted. */
static double *sorted_copy(const double *x, size_t n, size_t *kept)
{
    double *copy = calloc(n > 0 ? n : 1, sizeof *copy);

    *kept = 0;
    for (size_t i = 0; copy != NULL && i < n; i++) {
        if (isfinite(x[i]))
            copy[(*kept)++] = x[i];
    }
    if (copy != NULL)
        stats_sort(copy, *kept);
    return copy;
}

static int fill_bins(const double *sorted, size_t n, double width, struct histogram_steps *out)
{
    double first = floor(sorted[0] / width);
    double last = floor(sorted[n - 1] / width);

    if (!(last - first < HISTOGRAM_BINS_MAX))
        return -E2BIG;
    size_t bins = (size_t)(last - first) + 1;
    int error = steps_alloc(out, bins + 2);
    if (error < 0)
        return error;
    out->n = bins + 2; /* the last point brings the line down to 0 */
    out->x[0] = first * width;
    for (size_t i = 0; i <= bins; i++)
        out->x[i + 1] = (first + (double)i) * width;
    for (size_t i = 0; i < n; i++)
        out->y[(size_t)(floor(sorted[i] / width) - first) + 1] += 1 / (double)n;
    return 0;
}

int histogram_bins(const double *x, size_t n, double width, struct histogram_steps *out)
{
    size_t kept;

    *out = (struct histogram_steps){NULL, NULL, 0};
    if (!(width > 0) || !isfinite(width))
        return -EINVAL;
    double *sorted = sorted_copy(x, n, &kept);
    if (sorted == NULL)
        return -ENOMEM;
    int error = kept > 0 ? fill_bins(sorted, kept, width, out) : 0;
    free(sorted);
    return error;
}

static void fill_ecdf(const double *sorted, size_t n, size_t steps, struct histogram_steps *out)
{
    out->n = steps + 1;
    out->x[0] = sorted[0];
    for (size_t i = 1; i <= steps; i++) {
        /* The last step is the last value, so that the line reaches 1. */
        size_t at = i * n / steps - 1;
        while (at + 1 < n && !(sorted[at + 1] > sorted[at])) {
            at++; /* all that are equal, for they are <= x too */
        }
        out->x[i] = sorted[at];
        out->y[i] = (double)(at + 1) / (double)n;
    }
}

int histogram_ecdf(const double *x, size_t n, size_t points, struct histogram_steps *out)
{
    size_t kept;

    *out = (struct histogram_steps){NULL, NULL, 0};
    if (points < 2)
        return -EINVAL;
    double *sorted = sorted_copy(x, n, &kept);
    size_t steps = kept < points ? kept : points;
    int error = sorted == NULL ? -ENOMEM : steps_alloc(out, steps + 1);
    if (error == 0 && steps > 0)
        fill_ecdf(sorted, kept, steps, out);
    free(sorted);
    return error;
}
