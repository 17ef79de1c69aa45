/*
 * study/ratio.c: how one of two things that were observed in the same rounds compares
 * with the other.
 */
#include "study/ratio.h"

#include <math.h>
#include <stdlib.h>

#define RESAMPLES 2000

int study_ratio(const double *own, const double *base, size_t n, uint64_t seed,
                struct stats_interval *ratio)
{
    const struct stats_plan plan = {.resamples = RESAMPLES, .level = 0.95, .seed = seed};
    struct stats_interval reduction; /* (base - own) / base */
    int error = stats_bootstrap_paired(base, own, n, STATS_REDUCTION, &plan, &reduction);

    *ratio = (struct stats_interval){
        .estimate = 1 - reduction.estimate, .lo = 1 - reduction.hi, .hi = 1 - reduction.lo};
    return error;
}
