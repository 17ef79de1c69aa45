/*
 * core/budget.c: a token bucket. A token is a million millionths, so that a microsecond adds
 * `per_second` of them and nothing is ever rounded away.
 */
#include "core/budget.h"

#define TOKEN 1000000

static uint64_t tokens_at(const struct budget *b, tlsyn_time now)
{
    uint64_t full = (uint64_t)b->burst * TOKEN;
    uint64_t elapsed, more;

    if (now <= b->filled)
        return b->tokens;
    elapsed = (uint64_t)now - (uint64_t)b->filled;
    if (elapsed >= TLSYN_SECONDS(1))
        return full;
    more = elapsed * b->per_second;
    return more < full - b->tokens ? b->tokens + more : full;
}

void budget_init(struct budget *b, uint32_t per_second, uint32_t burst, tlsyn_time now)
{
    b->per_second = per_second;
    b->burst = burst < per_second ? burst : per_second;
    b->tokens = (uint64_t)b->burst * TOKEN;
    b->filled = now;
}

bool budget_take(struct budget *b, tlsyn_time now)
{
    b->tokens = tokens_at(b, now);
    if (now > b->filled)
        b->filled = now;
    if (b->tokens < TOKEN)
        return false;
    b->tokens -= TOKEN;
    return true;
}
