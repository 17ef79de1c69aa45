/*
 * measure/stats.h: robust statistics of small samples: quantiles, spread, bootstrap intervals.
 *
 * Latencies have a hard floor and a long tail, so the figures to quote are medians and percentiles,
 * and their intervals come from resampling, not from a normal law. Definitions:
 *
 *   quantile   type 7 of Hyndman and Fan 1996 (R's and numpy's default): h = (n - 1) p, and between
 *              the neighbours floor(h) and floor(h) + 1 of the sorted sample by straight line.
 *   MAD        median of |x - median(x)|, not scaled (times 1.4826 it estimates a normal standard
 *              deviation).
 *   bootstrap  percentile bootstrap: the statistic of `resamples` samples drawn with replacement;
 *              the interval is the type-7 quantiles (1 - level) / 2 and (1 + level) / 2 of these.
 *              It replays from the seed.
 *   Hodges-Lehmann  median of the Walsh averages (d_i + d_j) / 2, i <= j, of paired differences:
 *              the shift between two modes, with the distribution-free interval that belongs to
 *              Wilcoxon's signed-rank test. With ties it is wider than it need be, never narrower.
 *
 * Values must be finite. One that is not makes the answer NaN (never an error, never a silent
 * drop), as does a sample that is too small for the question: no values; for an interval, one
 * value. Nothing here keeps state or does I/O.
 */
#ifndef MEASURE_STATS_H
#define MEASURE_STATS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** An estimate and its interval; lo and hi are NaN where there is no interval. */
struct stats_interval {
    double estimate, lo, hi;
};

/** How to bootstrap. */
struct stats_plan {
    uint32_t resamples; /* 1 .. STATS_RESAMPLES_MAX; 2000 is ample for a 95 % interval */
    double level;       /* confidence, in (0, 1): 0.95 */
    uint64_t seed;
};

/** What the studies' figures have, for an initializer. */
#define STATS_PLAN(s)                                                                              \
    {                                                                                              \
        .resamples = 2000, .level = 0.95, .seed = (s)                                              \
    }

enum { STATS_RESAMPLES_MAX = 1000000, STATS_PAIRS_MAX = 4096 };

/** One sample described. stddev has divisor n - 1. */
struct stats_summary {
    size_t n;
    double min, p5, p25, median, p75, p90, p95, p99, max;
    double mean, stddev, mad;
};

/** What to say of two paired samples. */
enum stats_contrast {
    STATS_DIFFERENCE, /* median(first) - median(second) */
    STATS_REDUCTION, /* (median(first) - median(second)) / median(first): a fraction, not percent */
    STATS_RATIO,     /* median(first) / median(second) */
};

/** Sorts ascending, in place; NaNs go last. */
void stats_sort(double *x, size_t n);

/** Type-7 quantile of a sorted sample; p in [0, 1]. */
double stats_quantile(const double *sorted, size_t n, double p);

/** Median of a sample in any order, without sorting it whole. Reorders x. */
double stats_median(double *x, size_t n);

double stats_mean(const double *x, size_t n);

/** Median absolute deviation of a sorted sample. */
double stats_mad(const double *sorted, size_t n);

/** Describes a sample in any order (it is copied). -ENOMEM. */
int stats_describe(const double *x, size_t n, struct stats_summary *out);

/** Median with its bootstrap interval. -EINVAL: the plan breaks its bounds; -ENOMEM. */
int stats_bootstrap_median(const double *x, size_t n, const struct stats_plan *plan,
                           struct stats_interval *out);

/** Two samples observed in the same n rounds (first[i] pairs with second[i]): their contrast with a
 * bootstrap interval. Whole rounds are resampled, so what a round has in common cancels. -EINVAL as
 * above; -ENOMEM. */
int stats_bootstrap_paired(const double *first, const double *second, size_t n,
                           enum stats_contrast contrast, const struct stats_plan *plan,
                           struct stats_interval *out);

/** Hodges-Lehmann estimate of the shift first - second with its interval of confidence `level`
 * (exact null distribution up to 100 pairs; above, an approximation that is the exact one at 0.95
 * up to 836, and beyond a rank beside it at the most). lo and hi are NaN where so few pairs cannot
 * reach the level (n < 6 at 0.95). -E2BIG: more than STATS_PAIRS_MAX pairs (the
 * Walsh averages grow with n^2); -EINVAL: level; -ENOMEM. */
int stats_hodges_lehmann(const double *first, const double *second, size_t n, double level,
                         struct stats_interval *out);

/** Whether the interval reaches no farther than so much of `whole` to either side of the estimate.
 * False where there is no interval. */
bool stats_is_narrow(const struct stats_interval *interval, double whole, double precision);

/** The interval that `resamples` bootstrap statistics give at confidence `level`; sorts them. For
 * modules that draw their own resamples. */
void stats_percentile_interval(double *statistics, size_t n, double level,
                               struct stats_interval *out);

/** 0, or -EINVAL if the plan breaks a bound. */
int stats_plan_check(const struct stats_plan *plan);

#endif
