/*
 * measure/rng.c: xoshiro256** and splitmix64: the seeded generator behind schedules and bootstraps.
 */
#include "measure/rng.h"

static uint64_t rotate_left(uint64_t x, unsigned k)
{
    return (x << k) | (x >> (64 - k));
}

/* One step of splitmix64: spreads even seeds that differ in one bit over the whole state. */
static uint64_t splitmix64(uint64_t *state)
{
    *state += UINT64_C(0x9e3779b97f4a7c15);
    uint64_t z = *state;
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

void rng_seed(struct rng *rng, uint64_t seed)
{
    for (size_t i = 0; i < 4; i++)
        rng->s[i] = splitmix64(&seed);
}

uint64_t rng_next(struct rng *rng)
{
    uint64_t *s = rng->s;
    uint64_t result = rotate_left(s[1] * 5, 7) * 9;
    uint64_t t = s[1] << 17;

    s[2] ^= s[0];
    s[3] ^= s[1];
    s[1] ^= s[2];
    s[0] ^= s[3];
    s[2] ^= t;
    s[3] = rotate_left(s[3], 45);
    return result;
}

uint32_t rng_below(struct rng *rng, uint32_t bound)
{
    /* Lemire 2019: scale 32 bits to [0, bound) and reject the few low halves that are drawn once
     * too often. */
    if (bound == 0)
        return 0;
    uint32_t reject = (UINT32_MAX - bound + 1) % bound;
    for (;;) {
        uint64_t m = (rng_next(rng) >> 32) * bound;
        if ((uint32_t)m >= reject)
            return (uint32_t)(m >> 32);
    }
}

void rng_shuffle(struct rng *rng, uint32_t *items, uint32_t n)
{
    for (uint32_t left = n; left > 1; left--) {
        uint32_t pick = rng_below(rng, left);
        uint32_t last = items[left - 1];
        items[left - 1] = items[pick];
        items[pick] = last;
    }
}
