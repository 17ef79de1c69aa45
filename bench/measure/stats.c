/*
 * measure/stats.c: quantiles, spread, bootstrap intervals of the median, and the Hodges-Lehmann
 * shift.
 */
#include "measure/stats.h"

#include <errno.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "measure/distribution.h"
#include "measure/rng.h"

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a;
    double y = *(const double *)b;

    if (isnan(x) || isnan(y))
        return (isnan(x) != 0) - (isnan(y) != 0);
    return (x > y) - (x < y);
}

static bool all_finite(const double *x, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (!isfinite(x[i]))
            return false;
    }
    return true;
}

void stats_sort(double *x, size_t n)
{
    if (n > 1)
        qsort(x, n, sizeof *x, compare);
}

double stats_quantile(const double *sorted, size_t n, double p)
{
    /* Sorted puts NaN and infinities at the ends, so two looks find any. */
    if (n == 0 || !(p >= 0 && p <= 1) || !isfinite(sorted[0]) || !isfinite(sorted[n - 1]))
        return NAN;
    double h = (double)(n - 1) * p;
    size_t below = (size_t)h;
    if (below + 1 >= n)
        return sorted[n - 1];
    return sorted[below] + (h - (double)below) * (sorted[below + 1] - sorted[below]);
}

static void swap(double *a, double *b)
{
    double t = *a;
    *a = *b;
    *b = t;
}

/* Part x[*lo..*hi] around a pivot: afterwards x[*lo..j] <= pivot <= x[i..*hi], what lies between j
 * and i equals the pivot, and *lo and *hi are the bounds of the part that holds place `want`. */
static void partition(double *x, ptrdiff_t want, ptrdiff_t *lo, ptrdiff_t *hi)
{
    double pivot = x[want];
    ptrdiff_t i = *lo;
    ptrdiff_t j = *hi;

    while (i <= j) {
        while (x[i] < pivot)
            i++;
        while (x[j] > pivot)
            j--;
        if (i <= j)
            swap(&x[i++], &x[j--]);
    }
    *lo = j < want ? i : *lo;
    *hi = want < i ? j : *hi;
}

/* Hoare's selection: the value that sorting would put at place k, and there it is afterwards, with
 * nothing greater before it and nothing smaller behind it. */
static double select_kth(double *x, size_t n, size_t k)
{
    ptrdiff_t lo = 0;
    ptrdiff_t hi = (ptrdiff_t)n - 1;

    while (lo < hi)
        partition(x, (ptrdiff_t)k, &lo, &hi);
    return x[k];
}

double stats_median(double *x, size_t n)
{
    if (n == 0 || !all_finite(x, n))
        return NAN;
    double upper = select_kth(x, n, n / 2);
    if (n % 2 == 1)
        return upper;
    double lower = x[0];
    for (size_t i = 1; i < n / 2; i++)
        lower = x[i] > lower ? x[i] : lower;
    return lower + (upper - lower) / 2;
}

double stats_mean(const double *x, size_t n)
{
    if (n == 0 || !all_finite(x, n))
        return NAN;
    double mean = 0;
    for (size_t i = 0; i < n; i++)
        mean += (x[i] - mean) / (double)(i + 1);
    return mean;
}

/* With divisor n - 1; NaN for fewer than two values. */
static double standard_deviation(const double *x, size_t n)
{
    double mean = stats_mean(x, n);
    double sum = 0;

    if (n < 2)
        return NAN;
    for (size_t i = 0; i < n; i++)
        sum += (x[i] - mean) * (x[i] - mean);
    return sqrt(sum / (double)(n - 1));
}

double stats_mad(const double *sorted, size_t n)
{
    double median = stats_quantile(sorted, n, 0.5);
    double upper = 0;
    double before = 0;

    if (isnan(median))
        return NAN;
    /* The deviations of a sorted sample grow towards both ends, so the smallest n / 2 + 1 of them
     * come off by merging outwards from the median; the last of these (and for even n the one
     * before) is their median. */
    size_t right = 0;
    while (right < n && sorted[right] < median)
        right++;
    size_t left = right;
    for (size_t taken = 0; taken <= n / 2; taken++) {
        double down = left > 0 ? median - sorted[left - 1] : INFINITY;
        double up = right < n ? sorted[right] - median : INFINITY;
        before = upper;
        upper = down < up ? down : up;
        if (down < up)
            left--;
        else
            right++;
    }
    return n % 2 == 1 ? upper : before + (upper - before) / 2;
}

int stats_describe(const double *x, size_t n, struct stats_summary *out)
{
    *out = (struct stats_summary){.n = n};
    double *sorted = calloc(n > 0 ? n : 1, sizeof *sorted);
    if (sorted == NULL)
        return -ENOMEM;
    if (n > 0)
        memcpy(sorted, x, n * sizeof *sorted);
    stats_sort(sorted, n);
    out->min = stats_quantile(sorted, n, 0);
    out->p5 = stats_quantile(sorted, n, 0.05);
    out->p25 = stats_quantile(sorted, n, 0.25);
    out->median = stats_quantile(sorted, n, 0.5);
    out->p75 = stats_quantile(sorted, n, 0.75);
    out->p90 = stats_quantile(sorted, n, 0.90);
    out->p95 = stats_quantile(sorted, n, 0.95);
    out->p99 = stats_quantile(sorted, n, 0.99);
    out->max = stats_quantile(sorted, n, 1);
    out->mean = stats_mean(sorted, n);
    out->stddev = standard_deviation(sorted, n);
    out->mad = stats_mad(sorted, n);
    free(sorted);
    return 0;
}

int stats_plan_check(const struct stats_plan *plan)
{
    bool good = plan->resamples >= 1 && plan->resamples <= STATS_RESAMPLES_MAX && plan->level > 0 &&
                plan->level < 1;
    return good ? 0 : -EINVAL;
}

void stats_percentile_interval(double *statistics, size_t n, double level,
                               struct stats_interval *out)
{
    stats_sort(statistics, n);
    out->lo = stats_quantile(statistics, n, (1 - level) / 2);
    out->hi = stats_quantile(statistics, n, (1 + level) / 2);
}

/* One resample of rounds: the same draws pick from both samples, so pairs stay together. */
static void resample(struct rng *rng, const double *const from[2], double *const to[2], size_t n)
{
    for (size_t i = 0; i < n; i++) {
        uint32_t pick = rng_below(rng, (uint32_t)n);
        to[0][i] = from[0][pick];
        if (from[1] != NULL)
            to[1][i] = from[1][pick];
    }
}

/* The statistic of one (re)sample; reorders both. */
static double contrast_of(double *const x[2], size_t n, bool paired, enum stats_contrast contrast)
{
    double first = stats_median(x[0], n);
    if (!paired)
        return first;
    double second = stats_median(x[1], n);
    if (contrast == STATS_RATIO)
        return first / second;
    return contrast == STATS_REDUCTION ? (first - second) / first : first - second;
}

/* Both public bootstraps: from[1] is NULL for the plain median. */
static int bootstrap(const double *const from[2], size_t n, enum stats_contrast contrast,
                     const struct stats_plan *plan, struct stats_interval *out)
{
    *out = (struct stats_interval){NAN, NAN, NAN};
    if (stats_plan_check(plan) < 0 || n > UINT32_MAX)
        return -EINVAL;
    if (n == 0)
        return 0;
    bool paired = from[1] != NULL;
    double *statistics = calloc(plan->resamples, sizeof *statistics);
    double *scratch = calloc(n, 2 * sizeof *scratch);
    if (statistics == NULL || scratch == NULL) {
        free(statistics);
        free(scratch);
        return -ENOMEM;
    }
    double *const to[2] = {scratch, scratch + n};
    memcpy(to[0], from[0], n * sizeof *scratch);
    if (paired)
        memcpy(to[1], from[1], n * sizeof *scratch);
    double estimate = contrast_of(to, n, paired, contrast);
    out->estimate = isfinite(estimate) ? estimate : (double)NAN; /* not of nothing's parts */

    struct rng rng;
    rng_seed(&rng, plan->seed);
    for (uint32_t r = 0; n > 1 && isfinite(out->estimate) && r < plan->resamples; r++) {
        resample(&rng, from, to, n);
        statistics[r] = contrast_of(to, n, paired, contrast);
    }
    if (n > 1 && isfinite(out->estimate))
        stats_percentile_interval(statistics, plan->resamples, plan->level, out);
    free(statistics);
    free(scratch);
    return 0;
}

int stats_bootstrap_median(const double *x, size_t n, const struct stats_plan *plan,
                           struct stats_interval *out)
{
    const double *const from[2] = {x, NULL};
    return bootstrap(from, n, STATS_DIFFERENCE, plan, out);
}

int stats_bootstrap_paired(const double *first, const double *second, size_t n,
                           enum stats_contrast contrast, const struct stats_plan *plan,
                           struct stats_interval *out)
{
    const double *const from[2] = {first, second};
    return bootstrap(from, n, contrast, plan, out);
}

enum { EXACT_PAIRS = 100, EXACT_RANK_SUMS = EXACT_PAIRS * (EXACT_PAIRS + 1) / 2 + 1 };

/* The smallest w with P(W <= w) >= tail, W the signed-rank sum of n pairs without a shift: each
 * rank 1..n counts with probability one half, so the distribution grows rank by rank. */
static size_t signed_rank_exact(size_t n, double tail)
{
    double p[EXACT_RANK_SUMS] = {1};
    size_t top = 0;

    for (size_t rank = 1; rank <= n; rank++) {
        top += rank;
        for (size_t w = top + 1; w-- > 0;)
            p[w] = 0.5 * p[w] + (w >= rank ? 0.5 * p[w - rank] : 0);
    }
    double sum = p[0];
    size_t w = 0;
    while (sum < tail && w < top)
        sum += p[++w];
    return w;
}

/* The same of many pairs. W is nearly normal, with tails a little thinner: Cornish and Fisher's
 * first correction, by the fourth cumulant (a rank's is -rank^4 / 8, and they add up), and half a
 * step for W being whole. Without them the answer would be two or three ranks too small. */
static size_t signed_rank_many(double n, double tail)
{
    double mean = n * (n + 1) / 4;
    double variance = n * (n + 1) * (2 * n + 1) / 24;
    double excess = -2.4 * (3 * n * n + 3 * n - 1) / (n * (n + 1) * (2 * n + 1));
    double z = normal_quantile(tail);
    double w = ceil(mean + sqrt(variance) * (z + (z * z * z - 3 * z) * excess / 24) - 0.5);

    return w > 0 ? (size_t)w : 0;
}

static size_t signed_rank_critical(size_t n, double level)
{
    double tail = (1 - level) / 2;

    return n <= EXACT_PAIRS ? signed_rank_exact(n, tail) : signed_rank_many((double)n, tail);
}

int stats_hodges_lehmann(const double *first, const double *second, size_t n, double level,
                         struct stats_interval *out)
{
    *out = (struct stats_interval){NAN, NAN, NAN};
    if (!(level > 0 && level < 1))
        return -EINVAL;
    if (n > STATS_PAIRS_MAX)
        return -E2BIG;
    if (n == 0 || !all_finite(first, n) || !all_finite(second, n))
        return 0;
    size_t count = n * (n + 1) / 2;
    double *walsh = calloc(count, sizeof *walsh);
    if (walsh == NULL)
        return -ENOMEM;
    size_t k = 0;
    for (size_t i = 0; i < n; i++) {
        for (size_t j = i; j < n; j++)
            walsh[k++] = ((first[i] - second[i]) + (first[j] - second[j])) / 2;
    }
    out->estimate = stats_median(walsh, count);
    size_t w = signed_rank_critical(n, level);
    if (w >= 1) {
        out->lo = select_kth(walsh, count, w - 1);
        out->hi = select_kth(walsh, count, count - w);
    }
    free(walsh);
    return 0;
}

bool stats_is_narrow(const struct stats_interval *interval, double whole, double precision)
{
    double bound = precision * fabs(whole);

    return interval->hi - interval->estimate <= bound && interval->estimate - interval->lo <= bound;
}
