/*
 * sim/plan.c: plans as numbers, as text, and back.
 */
#include "sim/plan.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

#include <tlsyn/link.h>

static const struct {
    const char *name;
    int64_t off;
    const char *meaning;
} keys[PLAN_KEYS] = {
#define KEY(name, off, meaning) {#name, off, meaning},
#include "sim/plan.def"
#undef KEY
};

static_assert(sizeof(struct plan) == PLAN_KEYS * sizeof(int64_t), "keys and members are the same");

int64_t *plan_value(struct plan *plan, enum plan_key key)
{
    return (int64_t *)(void *)plan + key;
}

int64_t plan_off_value(enum plan_key key)
{
    return keys[key].off;
}

const char *plan_name(enum plan_key key)
{
    return keys[key].name;
}

const char *plan_meaning(enum plan_key key)
{
    return keys[key].meaning;
}

void plan_off(struct plan *plan)
{
    for (int k = 0; k < PLAN_KEYS; k++)
        *plan_value(plan, (enum plan_key)k) = keys[k].off;
}

bool plan_is_rough(const struct plan *plan)
{
    return plan->oom || plan->oom_nth || plan->abort || plan->refuse || plan->deaf_at ||
           (plan->tls && plan->ring_bytes);
}

bool plan_gives_cookies(const struct plan *plan)
{
    return plan->syn_backlog >= 0 || plan->flood;
}

bool plan_swallows(const struct plan *plan)
{
    return plan->box & TLSYN_MIDDLEBOX_SWALLOW;
}

/* --- drawing ---------------------------------------------------------------------------------- */

void plan_draw(const struct plan *plan, enum plan_what what, uint64_t which,
               struct random_seeded *random)
{
    random_seed(random, (uint64_t)plan->seed * 1000003 + (uint64_t)what * 0x9e3779b97f4a7c15 +
                            which * 0xc2b2ae3d27d4eb4f);
}

bool plan_chance(struct random_seeded *random, int64_t chance)
{
    return random_below(&random->base, PLAN_MILLION) < chance;
}

int64_t plan_upto(struct random_seeded *random, int64_t most)
{
    return most > 0 ? (int64_t)(random_u64(&random->base) % ((uint64_t)most + 1)) : 0;
}

/* --- as text ---------------------------------------------------------------------------------- */

void plan_print(const struct plan *plan, char text[PLAN_TEXT_MAX])
{
    struct plan copy = *plan;
    size_t at = 0;

    text[0] = '\0';
    for (int k = 0; k < PLAN_KEYS && at < PLAN_TEXT_MAX; k++) {
        int64_t value = *plan_value(&copy, (enum plan_key)k);

        if (value != keys[k].off || k == PLAN_seed)
            at += (size_t)snprintf(text + at, PLAN_TEXT_MAX - at, "%s%s=%lld", at ? " " : "",
                                   keys[k].name, (long long)value);
    }
}

static bool read_word(struct plan *plan, const char *word)
{
    const char *equals = strchr(word, '=');
    char *end;

    if (!equals)
        return false;
    for (int k = 0; k < PLAN_KEYS; k++) {
        size_t len = strlen(keys[k].name);

        if (len != (size_t)(equals - word) || strncmp(keys[k].name, word, len) != 0)
            continue;
        *plan_value(plan, (enum plan_key)k) = strtoll(equals + 1, &end, 10);
        return end != equals + 1 && *end == '\0';
    }
    return false;
}

bool plan_is_sane(const struct plan *p)
{
    int64_t least = p->ip6 ? 1280 : 576; /* octets that every path takes */

    return p->hosts >= 2 && p->hosts <= PLAN_HOSTS_MAX && p->flows >= 0 &&
           p->flows <= PLAN_FLOWS_MAX && p->at_once >= 1 && p->tls >= 0 && p->tls <= 4 &&
           p->returning >= 0 && p->returning <= 3 && p->phase > 0 && p->batch >= 1 &&
           p->batch <= 32 && p->mtu <= 9000 && p->mtu - p->mtu_less >= least &&
           (p->middle_mtu == 0 || p->middle_mtu >= least) &&
           (p->rate == 0 || (p->rate >= 10000 && p->queue >= 3000)) && p->msl >= 1000 &&
           p->loss <= PLAN_MILLION / 2 && (p->oom == 0 || p->oom_for > 0) &&
           (p->ring_bytes == 0 || p->ring_bytes >= 32768) && p->flood >= 0 &&
           p->flood <= PLAN_MILLION && (!plan_swallows(p) || p->remember >= TLSYN_SECONDS(3600));
}

bool plan_read(struct plan *plan, const char *text, char word[64])
{
    plan_off(plan);
    while (*(text += strspn(text, " ")) != '\0') {
        size_t len = strcspn(text, " ");

        snprintf(word, 64, "%.*s", (int)len, text);
        if (!read_word(plan, word))
            return false;
        text += len;
    }
    snprintf(word, 64, "a number out of its bounds");
    return plan_is_sane(plan);
}
