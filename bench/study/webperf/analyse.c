/*
 * study/webperf/analyse.c: from cells to rows: who is compared with whom, and by how much
 * they differ.
 *
 * Everything is paired by rounds, as they were observed back to back: S is the median over rounds
 * of a handshake less that round's TCP connect, H of a first byte less that same connection's
 * handshake. So T + S + H need not add up to W, which is the median of what was seen.
 */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "study/webperf/webperf.h"

static const struct stats_interval unknown = {(double)NAN, (double)NAN, (double)NAN};
static const struct stats_plan plan = STATS_PLAN(1);

/* Room for one value per round of two samples. */
struct scratch {
    double *first, *second;
};

static bool is_get(const struct webperf_cell *cell)
{
    return strcmp(cell->what.operation, "get") == 0;
}

/* first[i] - second[i] (second may be NULL) of the rounds that have both. */
static size_t differences(const double *first, const double *second, uint32_t rounds, double *out)
{
    size_t n = 0;

    for (uint32_t i = 0; i < rounds; i++) {
        double d = second ? first[i] - second[i] : first[i];

        if (isfinite(d))
            out[n++] = d;
    }
    return n;
}

static int median_of(const struct webperf *study, const double *first, const double *second,
                     struct scratch *s, struct stats_interval *out)
{
    size_t n = differences(first, second, study->rounds, s->first);

    return stats_bootstrap_median(s->first, n, &plan, out);
}

static int describe(const struct webperf *study, struct webperf_cell *cell, struct scratch *s)
{
    const double *times = is_get(cell) ? cell->first_byte : cell->connect;
    size_t n = differences(times, NULL, study->rounds, s->first);
    int error = stats_describe(s->first, n, &cell->summary);
    double far = cell->summary.p75 + 3 * (cell->summary.p75 - cell->summary.p25);

    if (error == 0)
        error = stats_bootstrap_median(s->first, n, &plan, &cell->median);
    for (size_t i = 0; i < n; i++)
        cell->outliers += s->first[i] > far;
    return error;
}

static int fill_row(const struct webperf *study, struct webperf_row *row, struct scratch *s)
{
    const struct webperf_cell *fresh = row->fresh, *cached = row->cached;
    int error = median_of(study, fresh->first_byte, fresh->handshake, s, &row->h);

    row->t = row->s_new = row->s_cached = unknown;
    if (error == 0 && row->tcp)
        error = median_of(study, row->tcp->connect, NULL, s, &row->t);
    if (error == 0 && row->tcp)
        error = median_of(study, fresh->handshake, row->tcp->connect, s, &row->s_new);
    if (error == 0 && row->tcp)
        error = median_of(study, cached->handshake, row->tcp->connect, s, &row->s_cached);
    row->w = fresh->median;
    row->c = cached->median;
    for (uint32_t i = 0; i < study->rounds; i++) {
        if (!isfinite(fresh->first_byte[i]) || !isfinite(cached->first_byte[i]))
            continue;
        s->first[row->pairs] = fresh->first_byte[i];
        s->second[row->pairs++] = cached->first_byte[i];
    }
    if (error == 0)
        error = stats_bootstrap_paired(s->first, s->second, row->pairs, STATS_REDUCTION, &plan,
                                       &row->saving);
    return error;
}

/* Whom a cached key is compared with; and whose TCP connect is the T of both, if there is TCP. */
static bool find_partners(struct webperf *study, const struct webperf_cell *cached,
                          struct webperf_row *row)
{
    struct observation fresh = cached->what, tcp = {.operation = "tcp"};

    (void)snprintf(fresh.session, sizeof(fresh.session), "new");
    memcpy(tcp.stack, cached->what.stack, sizeof(tcp.stack));
    memcpy(tcp.url, cached->what.url, sizeof(tcp.url));
    *row = (struct webperf_row){.cached = cached,
                                .fresh = webperf_cell_of(study, &fresh),
                                .tcp = webperf_cell_of(study, &tcp)};
    return row->fresh && row->fresh != cached;
}

static int fill_rows(struct webperf *study, struct scratch *s)
{
    int error = 0;

    for (size_t i = 0; i < study->cell_count && error == 0; i++)
        error = describe(study, &study->cells[i], s);
    for (size_t i = 0; i < study->cell_count && error == 0; i++) {
        struct webperf_row *row = &study->rows[study->row_count];

        if (!is_get(&study->cells[i]) || !find_partners(study, &study->cells[i], row))
            continue;
        error = fill_row(study, row, s);
        study->row_count++;
    }
    return error;
}

int webperf_analyse(struct webperf *study)
{
    struct scratch s = {calloc(study->rounds, sizeof(double)),
                        calloc(study->rounds, sizeof(double))};
    int error = s.first && s.second ? fill_rows(study, &s) : -ENOMEM;

    free(s.first);
    free(s.second);
    if (error < 0)
        return error;
    webperf_analyse_noise(study);
    webperf_claim(study);
    return 0;
}
