/*
 * study/ratio.h: how one of two things that were observed in the same rounds compares
 * with the other.
 */
#ifndef STUDY_RATIO_H
#define STUDY_RATIO_H

#include "measure/stats.h"

/** median(own) / median(base) with a 95 % interval that resamples whole rounds; own[i] and base[i]
 * were observed in one round. NaN where there is nothing to compare. 0 or -ENOMEM. */
int study_ratio(const double *own, const double *base, size_t n, uint64_t seed,
                struct stats_interval *ratio);

#endif
