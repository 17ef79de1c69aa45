/*
 * study/table2/table2.c: what the study observes: members, cells, and how long it takes.
 */
#include "study/table2/parts.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "study/table2/published.h"

void table2_defaults(struct table2_options *options)
{
    *options = (struct table2_options){.rounds = 100,
                                       .warmup = 3,
                                       .level = TLSYN_LEVEL_COOKIE,
                                       .timeout = TLSYN_SECONDS(5),
                                       .seed = 1,
                                       .path = study_link_perfect(),
                                       .pings = PUBLISHED_ROWS};
    for (int i = 0; i < PUBLISHED_ROWS; i++)
        options->ping_ms[i] = published_rows[i].ping_ms;
}

/* --- cells ------------------------------------------------------------------------------------ */

/* Whether this is among what was asked for, where there is such a peer. */
static bool is_wanted(const struct table2_options *o, const struct study_way *way)
{
    const unsigned resumed = way->session == STUDY_NEW     ? 0
                             : way->session == STUDY_EARLY ? TABLE2_EARLY
                                                           : TABLE2_RESUMED;
    const unsigned stack = way->stack == STUDY_QUIC ? TABLE2_QUIC
                           : way->stack == STUDY_KERNEL && way->mode == STUDY_EMBEDDED
                               ? TABLE2_FAST_OPEN
                               : 0;

    return study_way_exists(way) && (o->modes & resumed) == resumed &&
           (o->modes & stack) == stack && (way->stack == STUDY_TLSYN || o->link == TABLE2_LAB) &&
           (way->stack != STUDY_QUIC || testbed_has_quic());
}

static uint32_t list_members(const struct table2_options *o,
                             struct table2_member members[TABLE2_MEMBERS])
{
    uint32_t n = 0;

    for (int stack = 0; stack < STUDY_STACKS; stack++) {
        for (int i = 0; i < STUDY_MODES * STUDY_SESSIONS * STUDY_SUITES; i++) {
            const struct study_way way = {
                .stack = (enum study_stack)stack,
                .suite = (enum study_suite)(i % STUDY_SUITES),
                .session = (enum study_session)(i / STUDY_SUITES % STUDY_SESSIONS),
                .mode = (enum study_mode)(i / STUDY_SUITES / STUDY_SESSIONS)};

            if (is_wanted(o, &way))
                members[n++] = (struct table2_member){.way = way};
        }
        if (stack == STUDY_TLSYN || (stack == STUDY_KERNEL && o->link == TABLE2_LAB))
            members[n++] =
                (struct table2_member){.ping = true, .way = {.stack = (enum study_stack)stack}};
    }
    return n;
}

/* Round trips until the response, and what is waited for between them (a quarter of each
 * exchange); then computing, which is of this order on machines of today. */
double table2_estimate(const struct table2_options *o)
{
    struct table2_member members[TABLE2_MEMBERS];
    uint32_t n = list_members(o, members);
    double round_trips = 0;
    double handshakes = 0;
    double ms = 0;

    for (uint32_t i = 0; i < n; i++) {
        round_trips += members[i].ping ? 1 : 1 + study_round_trips(&members[i].way);
        handshakes += members[i].ping ? 0 : 1;
    }
    for (int i = 0; i < o->pings; i++)
        ms += 1.25 * round_trips * o->ping_ms[i] + handshakes * (4.0 + (double)o->pad / 1e3 * 1.25);
    return 4 + ms / 1e3 * (o->rounds + o->warmup);
}

static struct sample_cell describe_cell(const struct table2 *t, const struct table2_member *m,
                                        double ping_ms)
{
    const struct study_way *way = &m->way;
    bool embedded = !m->ping && way->mode == STUDY_EMBEDDED;
    const char *level = way->stack == STUDY_TLSYN  ? study_level_name(t->options.level)
                        : way->stack == STUDY_QUIC ? NULL
                                                   : study_level_name(TLSYN_LEVEL_COOKIE);
    struct sample_cell cell = sample_cell_make(
        study_stack_name(way->stack), m->ping ? "" : study_suite_name(way->suite),
        m->ping ? "ping" : study_mode_name(way->mode), embedded ? level : NULL, ping_ms);

    (void)snprintf(cell.session, sizeof(cell.session), "%s",
                   m->ping ? "" : study_session_name(way->session));
    return cell;
}

int table2_list_cells(struct table2 *t)
{
    for (int target = 0; target < t->options.pings; target++) {
        for (uint32_t i = 0; i < t->member_count; i++) {
            const struct sample_cell cell =
                describe_cell(t, &t->members[i], t->targets[target].ping_ms);
            int index = sample_table_cell(&t->samples, &cell);

            if (index != target * (int)t->member_count + (int)i)
                return index < 0 ? index : -EINVAL; /* the same ping target twice */
        }
    }
    return 0;
}

struct table2 *table2_new(const struct table2_options *options, const struct testbed *testbed)
{
    struct table2 *t = calloc(1, sizeof(*t));
    size_t cells = 0;

    if (!t)
        return NULL;
    t->options = *options;
    t->testbed = testbed->name;
    t->has_kernel = testbed->has_kernel;
    t->member_count = list_members(options, t->members);
    cells = (size_t)options->pings * t->member_count;
    sample_table_init(&t->samples, cells, cells * (options->rounds + options->warmup));
    for (int i = 0; i < options->pings; i++)
        t->targets[i] =
            (struct table2_target){.ping_ms = options->ping_ms[i], .calibrated_ms = (double)NAN};
    return t;
}

void table2_free(struct table2 *table)
{
    if (!table)
        return;
    sample_table_fini(&table->samples);
    free(table);
}
