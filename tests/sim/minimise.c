/*
 * sim/minimise.c: each number of the plan is tried at the value at which it does nothing; then
 * halfway there, again and again. Rounds go on until one changes nothing.
 */
#include "sim/minimise.h"

#include <stdlib.h>
#include <string.h>

#include "sim/runner.h"

#define TRIES_MAX 3000

/* What goes wrong has a name, and behind it in brackets where. */
static bool same(const char *a, const char *b)
{
    size_t len = strcspn(a, "(");

    return len == strcspn(b, "(") && strncmp(a, b, len) == 0;
}

static bool still_fails(const struct plan *plan, const struct outcome *first, int *tried)
{
    struct outcome outcome;

    (*tried)++;
    runner_probe(plan, &outcome);
    return outcome.failed && same(outcome.wrong, first->wrong);
}

static bool try_value(struct plan *plan, enum plan_key key, int64_t value,
                      const struct outcome *first, int *tried)
{
    struct plan smaller = *plan;

    *plan_value(&smaller, key) = value;
    if (!plan_is_sane(&smaller) || !still_fails(&smaller, first, tried))
        return false;
    *plan = smaller;
    return true;
}

/* True if it became smaller. */
static bool shrink(struct plan *plan, enum plan_key key, const struct outcome *first, int *tried)
{
    int64_t off = plan_off_value(key);
    bool any = false;

    if (key == PLAN_seed || *plan_value(plan, key) == off)
        return false;
    if (try_value(plan, key, off, first, tried))
        return true;
    while (llabs(*plan_value(plan, key) - off) > 1) {
        int64_t value = *plan_value(plan, key);

        if (!try_value(plan, key, off + (value - off) / 2, first, tried))
            break;
        any = true;
    }
    return any;
}

/* One flow alone, if that is enough. */
static bool pick_flow(struct plan *plan, const struct outcome *first, int *tried)
{
    for (int64_t i = 1; i <= plan->flows && i <= 100 && plan->only == 0; i++)
        if (try_value(plan, PLAN_only, i, first, tried))
            return true;
    return false;
}

bool minimise(struct plan *plan, struct outcome *outcome, int *tried)
{
    bool smaller = true;

    *tried = 0;
    runner_probe(plan, outcome);
    if (!outcome->failed)
        return false;
    if (plan->flows > 1)
        pick_flow(plan, outcome, tried);
    while (smaller && *tried < TRIES_MAX) {
        smaller = false;
        for (int k = 0; k < PLAN_KEYS; k++)
            if (k != PLAN_only)
                smaller = shrink(plan, (enum plan_key)k, outcome, tried) || smaller;
    }
    runner_probe(plan, outcome);
    return true;
}
