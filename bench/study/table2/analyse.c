/*
 * study/table2/analyse.c: from samples to rows, savings and fits.
 *
 * Every figure is a median, every interval a bootstrap over rounds at 95 %. The ping of a row is
 * the median of the pings of the same rounds, and it is the kernel's for both stacks: the round
 * trip that ping(8) shows, as in the published study, and one abscissa on which the stacks can be
 * compared. In memory there is no kernel, and our own echo stands in.
 */
#include "study/table2/table2.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "study/table2/published.h"

/* Room for one cell's values, twice. */
struct scratch {
    double *first, *second;
    size_t room;
};

static const struct stats_plan plan = STATS_PLAN(1);

static const struct stats_interval nothing = {(double)NAN, (double)NAN, (double)NAN};

static struct stats_interval scaled(struct stats_interval i, double factor)
{
    return (struct stats_interval){i.estimate * factor, i.lo * factor, i.hi * factor};
}

static int median_of(const struct table2 *t, uint32_t cell, enum sample_value value,
                     struct scratch *s, struct stats_interval *ms)
{
    size_t n = sample_table_select(&t->samples, cell, value, s->first, s->room);
    int error = 0;

    *ms = nothing;
    if (n > 0)
        error = stats_bootstrap_median(s->first, n, &plan, ms);
    *ms = scaled(*ms, 1e-3);
    return error;
}

static uint32_t find_member(const struct table2 *t, const struct table2_member *m)
{
    uint32_t i = 0;

    while (i < t->member_count &&
           (t->members[i].ping != m->ping || !study_way_equal(&t->members[i].way, &m->way)))
        i++;
    return i;
}

/* A median ping over the rounds, in ms. */
static int ping_of(const struct table2 *t, int target, enum study_stack stack, struct scratch *s,
                   double *ms)
{
    const struct table2_member m = {.ping = true, .way = {.stack = stack}};
    struct stats_interval interval;
    int error = median_of(t, (uint32_t)target * t->member_count + find_member(t, &m),
                          SAMPLE_HANDSHAKE, s, &interval);

    *ms = interval.estimate;
    return error;
}

static void find_reason(const struct table2 *t, uint32_t cell, char reason[SAMPLE_REASON_MAX])
{
    reason[0] = '\0';
    for (size_t i = 0; i < t->samples.count && !reason[0]; i++) {
        const struct sample *sample = &t->samples.samples[i];

        if (sample->cell == cell && sample->failed && !sample->warmup)
            memcpy(reason, sample->reason, SAMPLE_REASON_MAX);
    }
}

static int analyse_row(struct table2 *t, int target, uint32_t member, struct scratch *s)
{
    struct table2_row *row = &t->rows[t->row_count++];
    uint32_t cell = (uint32_t)target * t->member_count + member;
    const struct sample_counts counts = sample_table_count(&t->samples, cell);
    int error = 0;

    row->target = target;
    row->member = t->members[member];
    row->level = t->samples.cells[cell].level;
    row->n = counts.ok;
    row->failed = counts.failed;
    find_reason(t, cell, row->reason);
    error = ping_of(t, target, t->has_kernel ? STUDY_KERNEL : STUDY_TLSYN, s, &row->ping_ms);
    if (error == 0)
        error =
            ping_of(t, target, row->member.way.stack == STUDY_TLSYN ? STUDY_TLSYN : STUDY_KERNEL, s,
                    &row->stack_ping_ms);
    if (error == 0)
        error = median_of(t, cell, SAMPLE_HANDSHAKE, s, &row->handshake_ms);
    return error < 0 ? error : median_of(t, cell, SAMPLE_FIRST_BYTE, s, &row->first_byte_ms);
}

/* Of the pairs that are in `s`; of the first ones, where they are too many for all their averages.
 */
static int shift_of(const struct scratch *s, size_t pairs, struct stats_interval *ms)
{
    size_t n = pairs < STATS_PAIRS_MAX ? pairs : STATS_PAIRS_MAX;
    int error = stats_hodges_lehmann(s->first, s->second, n, plan.level, ms);

    *ms = scaled(*ms, 1e-3);
    return error;
}

/* Of our stack, with the suite and session of `sequential`. */
static int analyse_saving(struct table2 *t, int target, const struct study_way *sequential,
                          struct scratch *s)
{
    struct table2_saving *saving = &t->savings[t->saving_count++];
    struct table2_member members[2] = {{.way = *sequential}, {.way = *sequential}};
    uint32_t base = (uint32_t)target * t->member_count;
    const struct table2_row *row = table2_row_of(t, target, sequential);
    uint32_t cells[2];
    int error = 0;

    members[1].way.mode = STUDY_EMBEDDED;
    for (int i = 0; i < 2; i++)
        cells[i] = base + find_member(t, &members[i]);
    *saving = (struct table2_saving){.target = target,
                                     .suite = sequential->suite,
                                     .session = sequential->session,
                                     .ms = nothing,
                                     .reduction = nothing,
                                     .per_rtt = nothing,
                                     .shift_ms = nothing};
    saving->pairs =
        sample_table_pairs(&t->samples, cells, SAMPLE_HANDSHAKE, s->first, s->second, s->room);
    if (saving->pairs == 0 || !row)
        return 0;
    error = stats_bootstrap_paired(s->first, s->second, saving->pairs, STATS_DIFFERENCE, &plan,
                                   &saving->ms);
    if (error == 0)
        error = stats_bootstrap_paired(s->first, s->second, saving->pairs, STATS_REDUCTION, &plan,
                                       &saving->reduction);
    if (error == 0)
        error = shift_of(s, saving->pairs, &saving->shift_ms);
    saving->ms = scaled(saving->ms, 1e-3);
    saving->per_rtt = scaled(saving->ms, 1 / row->ping_ms);
    return error;
}

/* Every target's samples of one member, at the pings measured. */
static int fit_member(const struct table2 *t, uint32_t member, enum sample_value value,
                      struct scratch *s, struct fit_line *line)
{
    const struct study_way *way = &t->members[member].way;
    struct fit_cell cells[TABLE2_PINGS_MAX];
    size_t used = 0;
    size_t count = 0;

    for (int target = 0; target < t->options.pings; target++) {
        const struct table2_row *row = table2_row_of(t, target, way);
        double *y = s->first + used;
        size_t n = sample_table_select(&t->samples, (uint32_t)target * t->member_count + member,
                                       value, y, s->room - used);

        for (size_t i = 0; i < n; i++)
            y[i] /= 1e3;
        if (n > 0 && row && isfinite(row->ping_ms))
            cells[count++] = (struct fit_cell){.x = row->ping_ms, .y = y, .n = n};
        used += n;
    }
    return fit_cells(cells, count, &plan, line);
}

static int analyse_fit(struct table2 *t, uint32_t member, struct scratch *s)
{
    struct table2_fit *fit = &t->fits[t->fit_count++];
    int error = fit_member(t, member, SAMPLE_HANDSHAKE, s, &fit->line);

    fit->way = t->members[member].way;
    if (error == 0)
        error = fit_member(t, member, SAMPLE_FIRST_BYTE, s, &fit->first_byte);
    fit->valid = error == 0;
    return error == -ENOMEM ? error : 0; /* one ping gives no line */
}

/* How often the link was set to a target, and how often it did not keep that. */
static void count_turns(struct table2 *t)
{
    for (int i = 0; i < t->options.pings; i++)
        t->targets[i].turns = t->targets[i].missed = 0;
    for (size_t i = 0; i < t->samples.count; i++) {
        const struct sample *sample = &t->samples.samples[i];
        struct table2_target *target = &t->targets[sample->cell / t->member_count];

        target->turns += sample->cell % t->member_count == 0;
        target->missed += sample->missed;
    }
}

static int analyse_all(struct table2 *t, struct scratch *s)
{
    int error = 0;

    t->row_count = t->saving_count = t->fit_count = 0;
    for (int target = 0; target < t->options.pings; target++) {
        for (uint32_t m = 0; error == 0 && m < t->member_count; m++) {
            if (!t->members[m].ping)
                error = analyse_row(t, target, m, s);
        }
        for (uint32_t m = 0; error == 0 && m < t->member_count; m++) {
            if (!t->members[m].ping && t->members[m].way.stack == STUDY_TLSYN &&
                t->members[m].way.mode == STUDY_SEQUENTIAL)
                error = analyse_saving(t, target, &t->members[m].way, s);
        }
    }
    for (uint32_t m = 0; error == 0 && m < t->member_count; m++) {
        if (!t->members[m].ping)
            error = analyse_fit(t, m, s);
    }
    return error;
}

static void fit_published(struct table2 *t)
{
    double x[PUBLISHED_ROWS];
    double y[STUDY_MODES][PUBLISHED_ROWS];

    for (int i = 0; i < PUBLISHED_ROWS; i++) {
        x[i] = published_rows[i].ping_ms;
        y[STUDY_SEQUENTIAL][i] = published_rows[i].sequential_ms;
        y[STUDY_EMBEDDED][i] = published_rows[i].embedded_ms;
    }
    for (int mode = 0; mode < STUDY_MODES; mode++)
        (void)fit_ols(x, y[mode], PUBLISHED_ROWS, plan.level, &t->published[mode]);
}

int table2_analyse(struct table2 *t)
{
    struct scratch s = {.room = t->samples.count + 1};
    int error = -ENOMEM;

    s.first = calloc(s.room, sizeof(*s.first));
    s.second = calloc(s.room, sizeof(*s.second));
    fit_published(t);
    count_turns(t);
    if (s.first && s.second)
        error = analyse_all(t, &s);
    free(s.first);
    free(s.second);
    return error;
}

bool table2_target_kept(const struct table2_target *target)
{
    return study_link_kept(target->turns, target->missed) &&
           (isnan(target->calibrated_ms) ||
            study_link_is_near(target->ping_ms, target->calibrated_ms));
}

bool table2_has(const struct table2 *t, const struct study_way *way)
{
    const struct table2_member member = {.way = *way};

    return find_member(t, &member) < t->member_count;
}

bool table2_has_quic(const struct table2 *t)
{
    const struct study_way way = {.stack = STUDY_QUIC, .suite = STUDY_13, .mode = STUDY_EMBEDDED};

    return table2_has(t, &way);
}

const struct table2_row *table2_row_of(const struct table2 *t, int target,
                                       const struct study_way *way)
{
    for (size_t i = 0; i < t->row_count; i++) {
        if (t->rows[i].target == target && study_way_equal(&t->rows[i].member.way, way))
            return &t->rows[i];
    }
    return NULL;
}

const struct table2_saving *table2_saving_of(const struct table2 *t, int target,
                                             const struct study_way *way)
{
    for (size_t i = 0; i < t->saving_count; i++) {
        if (t->savings[i].target == target && t->savings[i].suite == way->suite &&
            t->savings[i].session == way->session)
            return &t->savings[i];
    }
    return NULL;
}

const struct table2_fit *table2_fit_of(const struct table2 *t, const struct study_way *way)
{
    for (size_t i = 0; i < t->fit_count; i++) {
        if (study_way_equal(&t->fits[i].way, way))
            return &t->fits[i];
    }
    return NULL;
}
