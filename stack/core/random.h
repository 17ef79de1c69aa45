/*
 * core/random.h: randomness through one small interface: the kernel's, or a seeded
 * generator for tests.
 */
#ifndef TLSYN_CORE_RANDOM_H
#define TLSYN_CORE_RANDOM_H

#include <tlsyn/stack.h>

/** xoshiro256** seeded through splitmix64: repeatable, not secret. */
struct random_seeded {
    struct tlsyn_random base;
    uint64_t s[4];
};

void random_seed(struct random_seeded *r, uint64_t seed);

uint64_t random_u64(struct tlsyn_random *r);
uint32_t random_u32(struct tlsyn_random *r);

/** Uniform in [0, n); n > 0. */
uint32_t random_below(struct tlsyn_random *r, uint32_t n);

/** Uniform in [0, 1). */
double random_unit(struct tlsyn_random *r);

#endif
