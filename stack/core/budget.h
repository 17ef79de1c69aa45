/*
 * core/budget.h: a token bucket: so many per second, with a burst of the same number.
 */
#ifndef TLSYN_CORE_BUDGET_H
#define TLSYN_CORE_BUDGET_H

#include <tlsyn/types.h>

struct budget {
    uint32_t per_second; /* 0: none is ever allowed */
    uint64_t tokens;     /* in millionths */
    tlsyn_time filled;
};

void budget_init(struct budget *b, uint32_t per_second, tlsyn_time now);

/** Takes one if there is one. */
bool budget_take(struct budget *b, tlsyn_time now);

/** True if budget_take() would succeed. */
bool budget_has(const struct budget *b, tlsyn_time now);

#endif
