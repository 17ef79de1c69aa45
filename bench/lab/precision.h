/*
 * lab/precision.h: how late things happened: a histogram whose buckets widen with the value. Pure.
 *
 * Each power of two of nanoseconds is cut into 32 equal buckets, and a percentile is its bucket's
 * middle, so it is right to within 1/64 of itself, from nanoseconds to minutes, in 9 KiB.
 */
#ifndef LAB_PRECISION_H
#define LAB_PRECISION_H

#include <stdint.h>

#define PRECISION_SUB 32 /* buckets per power of two */
/* The last one ends at 2^41 ns, 36 minutes; what is later counts as that. */
#define PRECISION_OCTAVES 36

struct precision {
    uint64_t count;
    uint64_t max_ns;
    uint64_t bucket[PRECISION_SUB * (PRECISION_OCTAVES + 1)];
};

/** Forgets everything; an all-zero structure is empty too. */
void precision_reset(struct precision *precision);

/** Notes one lateness; below zero (early) counts as 0. */
void precision_add(struct precision *precision, int64_t late_ns);

/** The smallest lateness, in nanoseconds, that a share of at least `share` (0 < share <= 1) of all
 * don't exceed; 0 when empty. Never more than max_ns. */
double precision_percentile(const struct precision *precision, double share);

#endif
