/*
 * measure/rng.h: a small seeded generator for measurements: xoshiro256** (Blackman and Vigna),
 * seeded by splitmix64.
 *
 * The order of a schedule and the resamples of a bootstrap must replay from the seed that a report
 * prints, on every machine, so neither rand() nor the kernel's randomness will do. Not for keys:
 * the state can be guessed from its output.
 */
#ifndef MEASURE_RNG_H
#define MEASURE_RNG_H

#include <stddef.h>
#include <stdint.h>

struct rng {
    uint64_t s[4]; /* never all zero after rng_seed() */
};

/** Starts the sequence that belongs to `seed`; every seed is good, 0 included. */
void rng_seed(struct rng *rng, uint64_t seed);

/** The next 64 uniform bits. */
uint64_t rng_next(struct rng *rng);

/** A uniform number in [0, bound), without modulo bias. 0 when bound is 0. */
uint32_t rng_below(struct rng *rng, uint32_t bound);

/** Puts the n numbers of `items` into a uniformly random order (Fisher and Yates). */
void rng_shuffle(struct rng *rng, uint32_t *items, uint32_t n);

#endif
