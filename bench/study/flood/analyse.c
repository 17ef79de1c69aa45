/*
 * study/flood/analyse.c: from the samples to the cells' figures.
 */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "study/flood/flood.h"

static const struct stats_plan plan = STATS_PLAN(1);

/* The cell of the pair without a flood: they are first. */
static const struct flood_cell *calm_of(const struct flood_study *s, const struct flood_cell *cell)
{
    const struct flood_cell *calm = s->cells;

    while (calm->pair != cell->pair)
        calm++;
    return calm;
}

/* Honest visits take the same bytes with and without a flood, or nearly. */
static double ratio(const struct flood_sample *all, const struct flood_sample *calm)
{
    double share = calm->succeeded ? (double)all->succeeded / calm->succeeded : 0;
    double in = (double)all->bytes_in - share * (double)calm->bytes_in;
    double out = (double)all->bytes_out - share * (double)calm->bytes_out;

    return in <= 0 ? (double)NAN : out > 0 ? out / in : 0;
}

/* --- rounds together -------------------------------------------------------------------------- */

static void add_memory(struct flood_sample *all, const struct flood_sample *one)
{
    bool first = all->rss_first == 0 || one->rss_first < all->rss_first;

    all->rss_first = first ? one->rss_first : all->rss_first;
    all->rss_most = one->rss_most > all->rss_most ? one->rss_most : all->rss_most;
    all->rss_last = one->rss_last > all->rss_last ? one->rss_last : all->rss_last;
}

/* A round that came to nothing is counted, and is in no figure. */
static void add_round(struct flood_cell *cell, const struct flood_sample *one)
{
    struct flood_sample *all = &cell->all;

    if (one->reason[0] && (!all->reason[0] || one->error < 0))
        memcpy(all->reason, one->reason, sizeof(all->reason));
    all->done = true;
    cell->failed += one->error < 0;
    if (one->error < 0)
        return;
    cell->rounds++;
    all->missed = all->missed || one->missed;
    all->visits += one->visits;
    all->succeeded += one->succeeded;
    all->embedded += one->embedded;
    all->seconds += one->seconds;
    all->bytes_in += one->bytes_in;
    all->bytes_out += one->bytes_out;
    all->cpu += one->cpu;
    all->forged += one->forged;
    all->forged_bytes += one->forged_bytes;
    all->forger_cpu += one->forger_cpu;
    all->cookie = all->cookie || one->cookie;
    add_memory(all, one);
}

/* All rounds' times into the cell; each round's median, in ms, into `medians`: how many. */
static size_t collect_times(const struct flood_study *s, uint32_t at, struct journal_list *times,
                            double *medians)
{
    size_t n = 0;

    for (uint32_t round = 0; round < s->options.rounds; round++) {
        const struct flood_sample *one = flood_sample_of(s, round, at);
        const struct journal_list *its = &one->handshake_us;
        double *into = times->value + times->count;

        if (!one->done || one->error < 0 || its->count == 0)
            continue;
        memcpy(into, its->value, its->count * sizeof(*into));
        medians[n++] = stats_median(into, its->count) / 1e3;
        times->count += its->count;
    }
    stats_sort(times->value, times->count);
    return n;
}

static int analyse_cell(struct flood_study *s, uint32_t at, double *medians)
{
    struct flood_cell *cell = &s->cells[at];
    struct journal_list *times = &cell->all.handshake_us;

    free(times->value);
    cell->rounds = cell->failed = 0;
    cell->all = (struct flood_sample){.done = false};
    for (uint32_t round = 0; round < s->options.rounds; round++) {
        if (flood_sample_of(s, round, at)->done)
            add_round(cell, flood_sample_of(s, round, at));
    }
    cell->all.error = cell->rounds == 0 && cell->failed > 0 ? -EIO : 0;
    times->value = calloc((size_t)cell->all.succeeded + 1, sizeof(*times->value));
    if (!times->value)
        return -ENOMEM;
    size_t n = collect_times(s, at, times, medians);
    cell->p90_ms = stats_quantile(times->value, times->count, 0.9) / 1e3;
    cell->p99_ms = stats_quantile(times->value, times->count, 0.99) / 1e3;
    cell->most_ms = stats_quantile(times->value, times->count, 1) / 1e3;
    return stats_bootstrap_median(medians, n, &plan, &cell->median_ms);
}

int flood_analyse(struct flood_study *s)
{
    double *medians = calloc(s->options.rounds, sizeof(*medians));
    int error = medians ? 0 : -ENOMEM;

    for (uint32_t i = 0; error == 0 && i < s->cell_count; i++)
        error = analyse_cell(s, i, medians);
    for (uint32_t i = 0; i < s->cell_count; i++) {
        struct flood_cell *cell = &s->cells[i];

        cell->out_per_in =
            cell->rate == 0 ? (double)NAN : ratio(&cell->all, &calm_of(s, cell)->all);
    }
    free(medians);
    return error;
}
