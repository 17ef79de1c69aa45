/*
 * study/table2/tables.c: the study's tables.
 */
#include "study/table2/tables.h"

#include <math.h>
#include <string.h>

#include "study/table2/published.h"

static const struct stats_interval none = {(double)NAN, (double)NAN, (double)NAN};

static double median_or_nothing(const struct table2_row *row)
{
    return row && row->n > 0 ? row->handshake_ms.estimate : (double)NAN;
}

/* As asked for: 6.0, 11.6, 0.25; "! 0.1" where that was not kept. */
static void add_target(struct report_table *table, const struct table2_target *target)
{
    bool short_of = fabs(target->ping_ms * 10 - round(target->ping_ms * 10)) < 1e-9;
    const char *mark = table2_target_kept(target) ? "" : "! ";

    if (short_of)
        report_table_cell(table, "%s%.1f", mark, target->ping_ms);
    else
        report_table_cell(table, "%s%g", mark, target->ping_ms);
}

/* --- handshake times -------------------------------------------------------------------------- */

void table2_title(const struct study_way *way, char *title, size_t size)
{
    bool is_new = way->session == STUDY_NEW;

    (void)snprintf(title, size, "%s%s%s", study_suite_title(way->suite), is_new ? "" : ", ",
                   is_new ? "" : study_session_title(way->session));
}

/* What stands in a column of medians. */
static const struct {
    enum study_stack stack;
    enum study_mode mode;
    const char *heading;
} beside[] = {
    {STUDY_KERNEL, STUDY_SEQUENTIAL, "kernel +\nOpenSSL"},
    {STUDY_KERNEL, STUDY_EMBEDDED, "with\nFast Open"},
    {STUDY_QUIC, STUDY_EMBEDDED, "QUIC"},
};
#define BESIDE (sizeof(beside) / sizeof(beside[0]))

/* Which of them there are, in any section. */
static bool is_beside(const struct table2 *t, size_t i)
{
    const struct study_way way = {
        .stack = beside[i].stack, .suite = STUDY_13, .mode = beside[i].mode};

    return table2_has(t, &way);
}

/* `way` says the suite and the session. */
static void add_times(const struct table2 *t, int target, struct study_way way,
                      struct report_table *table)
{
    const struct table2_row *sequential = table2_row_of(t, target, &way);
    const struct table2_saving *saving = table2_saving_of(t, target, &way);
    bool is_published = way.suite == STUDY_12_RSA && way.session == STUDY_NEW;
    const struct published_row *published =
        is_published ? published_row_at(t->targets[target].ping_ms) : NULL;
    const struct stats_interval per_rtt = saving ? saving->per_rtt : none;
    const struct stats_interval shift = saving ? saving->shift_ms : none;

    way.mode = STUDY_EMBEDDED;
    add_target(table, &t->targets[target]);
    report_table_number(table, sequential ? sequential->ping_ms : (double)NAN, 2);
    report_table_number(table, median_or_nothing(sequential), 2);
    report_table_number(table, median_or_nothing(table2_row_of(t, target, &way)), 2);
    report_table_number(table, saving ? saving->ms.estimate : (double)NAN, 2);
    report_table_number(table, per_rtt.estimate, 3);
    report_table_interval(table, per_rtt.lo, per_rtt.hi, 3);
    report_table_number(table, saving ? saving->reduction.estimate * 100 : (double)NAN, 1);
    report_table_number(table, shift.estimate, 2);
    report_table_interval(table, shift.lo, shift.hi, 2);
    for (size_t i = 0; i < BESIDE; i++) {
        way.stack = beside[i].stack;
        way.mode = beside[i].mode;
        if (is_beside(t, i))
            report_table_number(table, median_or_nothing(table2_row_of(t, target, &way)), 2);
    }
    report_table_number(table, published ? published->sequential_ms : (double)NAN, 1);
    report_table_number(table, published ? published->embedded_ms : (double)NAN, 1);
    report_table_number(table, published ? published->reduction_percent : (double)NAN, 1);
}

void table2_table_times(const struct table2 *t, struct table2_columns *columns,
                        struct report_table *table)
{
    static const struct table_column first[] = {
        {"ping\ntarget", true, 0},   {"ping\nmeasured", true, 0}, {"sequen-\ntial", true, 0},
        {"em-\nbedded", true, 0},    {"saved\nms", true, 0},      {"saved\nper RTT", true, 0},
        {"95 %\ninterval", true, 3}, {"reduc-\ntion %", true, 0}, {"shift\nms", true, 4},
        {"95 %\ninterval", true, 5},
    };
    static const struct table_column last[] = {
        {"published\nsequential", true, 1},
        {"published\nSSLmTCP", true, 1},
        {"published\nreduction %", true, 2},
    };
    size_t n = sizeof(first) / sizeof(first[0]);

    memcpy(columns->column, first, sizeof(first));
    for (size_t i = 0; i < BESIDE; i++) {
        if (is_beside(t, i))
            columns->column[n++] = (struct table_column){beside[i].heading, true, 0};
    }
    memcpy(&columns->column[n], last, sizeof(last));
    report_table_init(table, columns->column, n + sizeof(last) / sizeof(last[0]));
    for (int i = 0; i < STUDY_SUITES * STUDY_SESSIONS; i++) {
        const struct study_way way = {.suite = (enum study_suite)(i / STUDY_SESSIONS),
                                      .session = (enum study_session)(i % STUDY_SESSIONS)};
        char title[96];

        if (!table2_has(t, &way))
            continue;
        table2_title(&way, title, sizeof(title));
        report_table_section(table, title);
        for (int target = 0; target < t->options.pings; target++)
            add_times(t, target, way, table);
    }
}

/* --- first byte ------------------------------------------------------------------------------- */

static void add_way(struct report_table *table, const struct study_way *way)
{
    report_table_cell(table, "%s", study_suite_name(way->suite));
    report_table_cell(table, "%s", study_session_name(way->session));
    report_table_cell(table, "%s", study_stack_name(way->stack));
    report_table_cell(table, "%s", study_mode_name(way->mode));
}

void table2_table_first_byte(const struct table2 *t, struct report_table *table)
{
    static const struct table_column columns[] = {
        {"TLS", false, 0},          {"session", false, 0},
        {"stack", false, 0},        {"mode", false, 0},
        {"ping\ntarget", true, 0},  {"first byte\nms", true, 0},
        {"95 % interval", true, 0}, {"n", true, 0},
        {"failed", true, 0},
    };

    report_table_init(table, columns, sizeof(columns) / sizeof(columns[0]));
    for (size_t i = 0; i < t->row_count; i++) {
        const struct table2_row *row = &t->rows[i];

        add_way(table, &row->member.way);
        add_target(table, &t->targets[row->target]);
        report_table_number(table, row->first_byte_ms.estimate, 2);
        report_table_interval(table, row->first_byte_ms.lo, row->first_byte_ms.hi, 2);
        report_table_cell(table, "%zu", row->n);
        report_table_cell(table, "%zu", row->failed);
    }
}

/* --- fits ------------------------------------------------------------------------------------- */

static void add_line(struct report_table *table, const struct fit_line *line)
{
    report_table_number(table, line ? line->a.estimate : (double)NAN, 2);
    report_table_interval(table, line ? line->a.lo : (double)NAN, line ? line->a.hi : (double)NAN,
                          2);
    report_table_number(table, line ? line->b.estimate : (double)NAN, 2);
    report_table_interval(table, line ? line->b.lo : (double)NAN, line ? line->b.hi : (double)NAN,
                          2);
    report_table_number(table, line ? line->residual : (double)NAN, 2);
}

static void add_interval(struct report_table *table, const struct stats_interval *interval)
{
    report_table_number(table, interval->estimate, 2);
    report_table_interval(table, interval->lo, interval->hi, 2);
}

static void add_fit(struct report_table *table, const struct table2_fit *fit)
{
    const struct stats_interval *first_byte = fit->valid ? &fit->first_byte.a : &none;

    add_way(table, &fit->way);
    report_table_cell(table, "%d", study_round_trips(&fit->way));
    add_line(table, fit->valid ? &fit->line : NULL);
    report_table_cell(table, "%d", study_round_trips(&fit->way) + 1);
    add_interval(table, first_byte);
}

static void add_published(struct report_table *table, enum study_mode mode,
                          const struct fit_line *line)
{
    const struct study_way way = {.suite = STUDY_12_RSA, .mode = mode};

    report_table_cell(table, "%s", study_suite_name(way.suite));
    report_table_cell(table, "%s", study_session_name(way.session));
    report_table_cell(table, "published");
    report_table_cell(table, "%s", study_mode_name(mode));
    report_table_cell(table, "%d", study_round_trips(&way));
    add_line(table, line);
    report_table_cell(table, "-");
    add_interval(table, &none);
}

void table2_table_fits(const struct table2 *t, struct report_table *table)
{
    static const struct table_column columns[] = {
        {"TLS", false, 0},
        {"session", false, 1},
        {"stack", false, 0},
        {"mode", false, 0},
        {"predicted", true, 1},
        {"a\nround trips", true, 0},
        {"95 %\ninterval", true, 0},
        {"b\nms", true, 0},
        {"95 %\ninterval", true, 3},
        {"farthest\nms", true, 4},
        {"first byte\npredicted", true, 2},
        {"first byte\na", true, 1},
        {"95 %\ninterval", true, 2},
    };

    report_table_init(table, columns, sizeof(columns) / sizeof(columns[0]));
    for (int suite = 0; suite < STUDY_SUITES; suite++) {
        for (size_t i = 0; i < t->fit_count; i++) {
            if (t->fits[i].way.suite == (enum study_suite)suite)
                add_fit(table, &t->fits[i]);
        }
    }
    for (int mode = 0; mode < STUDY_MODES; mode++)
        add_published(table, (enum study_mode)mode, &t->published[mode]);
}

/* --- link ------------------------------------------------------------------------------------- */

static double stack_ping(const struct table2 *t, int target, enum study_stack stack)
{
    const struct study_way way = {.stack = stack};
    const struct table2_row *row = table2_row_of(t, target, &way);

    return row ? row->stack_ping_ms : (double)NAN;
}

void table2_table_link(const struct table2 *t, struct report_table *table)
{
    static const struct table_column columns[] = {
        {"ping\ntarget", true, 0},
        {"delay there\nus", true, 0},
        {"delay back\nus", true, 0},
        {"ping when\ncalibrated", true, 0},
        {"kernel's ping\nin the rounds", true, 0},
        {"tlsyn's ping\nin the rounds", true, 0},
    };

    report_table_init(table, columns, sizeof(columns) / sizeof(columns[0]));
    for (int i = 0; i < t->options.pings; i++) {
        add_target(table, &t->targets[i]);
        report_table_cell(table, "%lld", (long long)t->targets[i].to_server);
        report_table_cell(table, "%lld", (long long)t->targets[i].to_client);
        report_table_number(table, t->targets[i].calibrated_ms, 3);
        report_table_number(table, stack_ping(t, i, STUDY_KERNEL), 3);
        report_table_number(table, stack_ping(t, i, STUDY_TLSYN), 3);
    }
}
