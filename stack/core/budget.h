/*
 * core/budget.h: a token bucket: so many per second, and a burst.
 */
#ifndef TLSYN_CORE_BUDGET_H
#define TLSYN_CORE_BUDGET_H

#include <tlsyn/types.h>

struct budget {
    uint32_t per_second; /* 0: none is ever allowed */
    uint32_t burst;
    uint64_t tokens; /* in millionths */
    tlsyn_time filled;
};

/** `burst`: the most at once, but never more than a second's. */
void budget_init(struct budget *b, uint32_t per_second, uint32_t burst, tlsyn_time now);

/** Takes one if there is one. */
bool budget_take(struct budget *b, tlsyn_time now);

#endif
