/*
 * study/fallback/analyse.c: what each row costs, and whether that is more than it says.
 */
#include <errno.h>
#include <math.h>
#include <stdlib.h>

#include "study/fallback/fallback.h"

double fallback_allowed(const struct fallback_bound *bound, double rtt_ms)
{
    return bound->trips * rtt_ms + bound->ms;
}

struct columns {
    double cost[FALLBACK_ROUNDS_MAX], rtt[FALLBACK_ROUNDS_MAX], sequential[FALLBACK_ROUNDS_MAX];
    size_t n;
};

static bool is_whole(const struct fallback_sample *sample)
{
    bool whole = sample->done && sample->error == 0;

    for (int i = 0; i < FALLBACK_CONTACTS; i++)
        whole = whole && isfinite(sample->embedded[i].us) && isfinite(sample->sequential[i].us);
    return whole;
}

static int judge(struct fallback_study *s, uint32_t row, int contact, struct columns *c)
{
    const struct stats_plan plan = STATS_PLAN(s->options.seed);
    struct fallback_result *result = &s->result[row];
    struct fallback_cost *cost = &result->cost[contact];

    *cost = (struct fallback_cost){.ms = {NAN, NAN, NAN}, .trips = NAN};
    c->n = 0;
    for (uint32_t round = 0; round < s->options.rounds; round++) {
        const struct fallback_sample *sample = &s->samples[round * s->row_count + row];

        if (!is_whole(sample))
            continue;
        c->rtt[c->n] = sample->rtt_us / 1e3;
        c->sequential[c->n] = sample->sequential[contact].us / 1e3;
        c->cost[c->n++] = (sample->embedded[contact].us - sample->sequential[contact].us) / 1e3;
        cost->embedding = sample->embedded[contact].embedding;
        cost->opens = sample->embedded[contact].opens;
    }
    result->n = c->n;
    if (c->n == 0)
        return 0;
    result->rtt_ms = stats_median(c->rtt, c->n);
    result->sequential_ms = stats_median(c->sequential, c->n);
    int error = stats_bootstrap_median(c->cost, c->n, &plan, &cost->ms);
    cost->trips = cost->ms.estimate / result->rtt_ms;
    cost->within =
        cost->ms.estimate <= fallback_allowed(&s->rows[row].bound[contact], result->rtt_ms) +
                                 FALLBACK_TOLERANCE * result->rtt_ms;
    return error;
}

int fallback_analyse(struct fallback_study *study)
{
    struct columns *c = calloc(1, sizeof(*c));
    int error = c ? 0 : -ENOMEM;

    for (uint32_t row = 0; error == 0 && row < study->row_count; row++) {
        struct fallback_result *result = &study->result[row];

        *result = (struct fallback_result){.rtt_ms = NAN, .sequential_ms = NAN};
        for (int i = 0; error == 0 && i < FALLBACK_CONTACTS; i++)
            error = judge(study, row, i, c);
        for (uint32_t round = 0; round < study->options.rounds; round++) {
            result->failed += study->samples[round * study->row_count + row].error < 0;
            result->missed += study->samples[round * study->row_count + row].missed;
        }
    }
    free(c);
    return error;
}
