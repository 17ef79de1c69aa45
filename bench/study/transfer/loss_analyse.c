/*
 * study/transfer/loss_analyse.c: rows and summary of the samples.
 */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "study/transfer/loss.h"

/* Room for one row's samples. */
struct values {
    double *own, *base, *paired, *retransmits;
};

static bool counts(const struct loss_sample *sample)
{
    return sample->done && sample->outcome.error == 0;
}

static void describe(const struct loss_study *s, struct loss_row *row, const struct values *v)
{
    for (uint32_t round = 0; round < s->options.rounds_max; round++) {
        const struct loss_sample *sample = loss_sample(s, round, row->cell, row->pair);

        if (!sample->done)
            continue;
        row->missed += sample->missed;
        if (sample->outcome.error < 0) {
            if (row->failed++ == 0)
                memcpy(row->reason, sample->outcome.reason, sizeof(row->reason));
            continue;
        }
        v->own[row->n] = sample->outcome.seconds;
        v->retransmits[row->n++] = sample->outcome.retransmits;
    }
    stats_sort(v->own, row->n);
    row->seconds = stats_quantile(v->own, row->n, 0.5);
    row->least = stats_quantile(v->own, row->n, 0);
    row->most = stats_quantile(v->own, row->n, 1);
    row->retransmits = stats_median(v->retransmits, row->n);
}

/* Pair 0 is kernel to kernel. */
static int compare(const struct loss_study *s, struct loss_row *row, const struct values *v)
{
    const struct stats_plan plan = STATS_PLAN(s->options.seed);
    size_t n = 0;

    for (uint32_t round = 0; round < s->options.rounds_max; round++) {
        const struct loss_sample *own = loss_sample(s, round, row->cell, row->pair);
        const struct loss_sample *base = loss_sample(s, round, row->cell, 0);

        if (!counts(own) || !counts(base))
            continue;
        v->base[n] = base->outcome.seconds;
        v->paired[n++] = own->outcome.seconds;
    }
    return stats_bootstrap_paired(v->paired, v->base, n, STATS_RATIO, &plan, &row->ratio);
}

/* Rows with the kernel at one end and ours at the other are what is judged. */
static bool is_judged(const struct loss_study *s, const struct loss_row *row)
{
    return s->pairs[row->pair].sender != s->pairs[row->pair].receiver;
}

static bool holds_bound(const struct loss_row *row)
{
    return row->ratio.lo <= LOSS_BOUND && row->ratio.hi > LOSS_BOUND;
}

bool loss_undecided(const struct loss_study *s, uint32_t cell)
{
    for (uint32_t i = cell * s->pair_count; i < (cell + 1) * s->pair_count; i++)
        if (is_judged(s, &s->rows[i]) && holds_bound(&s->rows[i]))
            return true;
    return false;
}

static void summarise(struct loss_study *s, double *ratios)
{
    struct loss_summary *sum = &s->summary;

    *sum = (struct loss_summary){.worst = NAN};
    for (uint32_t i = 0; i < s->row_count; i++) {
        const struct loss_row *row = &s->rows[i];

        if (!is_judged(s, row) || !isfinite(row->ratio.estimate))
            continue;
        if (sum->rows == 0 || row->ratio.estimate > sum->worst) {
            sum->worst = row->ratio.estimate;
            sum->worst_row = i;
        }
        sum->above += row->ratio.estimate > LOSS_BOUND;
        sum->surely += row->ratio.lo > LOSS_BOUND;
        sum->undecided += holds_bound(row);
        ratios[sum->rows++] = row->ratio.estimate;
    }
    sum->median = stats_median(ratios, sum->rows);
}

int loss_analyse(struct loss_study *study)
{
    size_t rounds = study->options.rounds_max;
    double *room = calloc(4 * rounds + study->row_count, sizeof(*room));
    const struct values v = {room, room + rounds, room + 2 * rounds, room + 3 * rounds};
    int error = room ? 0 : -ENOMEM;

    for (uint32_t i = 0; error == 0 && i < study->row_count; i++) {
        struct loss_row *row = &study->rows[i];

        *row = (struct loss_row){.cell = i / study->pair_count, .pair = i % study->pair_count};
        describe(study, row, &v);
        error = compare(study, row, &v);
    }
    if (error == 0)
        summarise(study, room + 4 * rounds);
    free(room);
    return error;
}
