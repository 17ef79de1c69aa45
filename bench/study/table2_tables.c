/*
 * study/table2_tables.c: the study's tables.
 */
#include "study/table2_tables.h"

#include <math.h>

#include "study/published.h"

static const struct stats_interval none = {(double)NAN, (double)NAN, (double)NAN};

static double median_or_nothing(const struct table2_row *row)
{
    return row && row->n > 0 ? row->handshake_ms.estimate : (double)NAN;
}

/* As asked for: 6.0, 11.6, 0.25. */
static void add_target(struct report_table *table, double ms)
{
    if (fabs(ms * 10 - round(ms * 10)) < 1e-9)
        report_table_number(table, ms, 1);
    else
        report_table_cell(table, "%g", ms);
}

/* --- handshake times -------------------------------------------------------------------------- */

static void add_times(const struct table2 *t, int target, enum study_suite suite,
                      struct report_table *table)
{
    const struct table2_row *sequential =
        table2_row_of(t, target, STUDY_TLSYN, suite, STUDY_SEQUENTIAL);
    const struct table2_row *embedded =
        table2_row_of(t, target, STUDY_TLSYN, suite, STUDY_EMBEDDED);
    const struct table2_row *kernel =
        table2_row_of(t, target, STUDY_KERNEL, suite, STUDY_SEQUENTIAL);
    const struct table2_saving *saving = table2_saving_of(t, target, suite);
    const struct published_row *published =
        suite == STUDY_12_RSA ? published_row_at(t->targets[target].ping_ms) : NULL;
    const struct stats_interval per_rtt = saving ? saving->per_rtt : none;

    add_target(table, t->targets[target].ping_ms);
    report_table_number(table, sequential ? sequential->ping_ms : (double)NAN, 2);
    report_table_number(table, median_or_nothing(sequential), 2);
    report_table_number(table, median_or_nothing(embedded), 2);
    report_table_number(table, saving ? saving->ms.estimate : (double)NAN, 2);
    report_table_number(table, per_rtt.estimate, 3);
    report_table_interval(table, per_rtt.lo, per_rtt.hi, 3);
    report_table_number(table, saving ? saving->reduction.estimate * 100 : (double)NAN, 1);
    if (t->has_kernel)
        report_table_number(table, median_or_nothing(kernel), 2);
    report_table_number(table, published ? published->sequential_ms : (double)NAN, 1);
    report_table_number(table, published ? published->embedded_ms : (double)NAN, 1);
    report_table_number(table, published ? published->reduction_percent : (double)NAN, 1);
}

void table2_table_times(const struct table2 *t, struct report_table *table)
{
    static const struct table_column with_kernel[] = {
        {"ping\ntarget", true, 0},       {"ping\nmeasured", true, 0},
        {"sequen-\ntial", true, 0},      {"em-\nbedded", true, 0},
        {"saved\nms", true, 0},          {"saved\nper RTT", true, 0},
        {"95 %\ninterval", true, 3},     {"reduc-\ntion %", true, 0},
        {"kernel +\nOpenSSL", true, 0},  {"published\nsequential", true, 1},
        {"published\nSSLmTCP", true, 1}, {"published\nreduction %", true, 2},
    };
    static const struct table_column in_memory[] = {
        {"ping\ntarget", true, 0},
        {"ping\nmeasured", true, 0},
        {"sequen-\ntial", true, 0},
        {"em-\nbedded", true, 0},
        {"saved\nms", true, 0},
        {"saved\nper RTT", true, 0},
        {"95 %\ninterval", true, 3},
        {"reduc-\ntion %", true, 0},
        {"published\nsequential", true, 1},
        {"published\nSSLmTCP", true, 1},
        {"published\nreduction %", true, 2},
    };

    if (t->has_kernel)
        report_table_init(table, with_kernel, sizeof(with_kernel) / sizeof(with_kernel[0]));
    else
        report_table_init(table, in_memory, sizeof(in_memory) / sizeof(in_memory[0]));
    for (int suite = 0; suite < STUDY_SUITES; suite++) {
        report_table_section(table, study_suite_title((enum study_suite)suite));
        for (int target = 0; target < t->options.pings; target++)
            add_times(t, target, (enum study_suite)suite, table);
    }
}

/* --- first byte ------------------------------------------------------------------------------- */

void table2_table_first_byte(const struct table2 *t, struct report_table *table)
{
    static const struct table_column columns[] = {
        {"TLS", false, 0},
        {"stack", false, 0},
        {"mode", false, 0},
        {"ping\ntarget", true, 0},
        {"first byte\nms", true, 0},
        {"95 % interval", true, 0},
        {"n", true, 0},
        {"failed", true, 0},
    };

    report_table_init(table, columns, sizeof(columns) / sizeof(columns[0]));
    for (size_t i = 0; i < t->row_count; i++) {
        const struct table2_row *row = &t->rows[i];

        report_table_cell(table, "%s", study_suite_name(row->member.suite));
        report_table_cell(table, "%s", study_stack_name(row->member.stack));
        report_table_cell(table, "%s", study_mode_name(row->member.mode));
        add_target(table, t->targets[row->target].ping_ms);
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

/* How many round trips there should be before the client holds the server's Finished
 * (docs/HANDSHAKE.md). */
static int round_trips(enum study_suite suite, enum study_mode mode)
{
    return (suite == STUDY_13 ? 2 : 3) - (mode == STUDY_EMBEDDED ? 1 : 0);
}

void table2_table_fits(const struct table2 *t, struct report_table *table)
{
    static const struct table_column columns[] = {
        {"TLS", false, 0},   {"stack", false, 0},         {"mode", false, 0},
        {"theory", true, 1}, {"a\nround trips", true, 0}, {"95 %\ninterval", true, 0},
        {"b\nms", true, 0},  {"95 %\ninterval", true, 2}, {"farthest\nms", true, 3},
    };

    report_table_init(table, columns, sizeof(columns) / sizeof(columns[0]));
    for (int suite = 0; suite < STUDY_SUITES; suite++) {
        for (size_t i = 0; i < t->fit_count; i++) {
            const struct table2_fit *fit = &t->fits[i];

            if (fit->member.suite != (enum study_suite)suite)
                continue;
            report_table_cell(table, "%s", study_suite_name(fit->member.suite));
            report_table_cell(table, "%s", study_stack_name(fit->member.stack));
            report_table_cell(table, "%s", study_mode_name(fit->member.mode));
            report_table_cell(table, "%d", round_trips(fit->member.suite, fit->member.mode));
            add_line(table, fit->valid ? &fit->line : NULL);
        }
    }
    for (int mode = 0; mode < STUDY_MODES; mode++) {
        report_table_cell(table, "%s", study_suite_name(STUDY_12_RSA));
        report_table_cell(table, "published");
        report_table_cell(table, "%s", study_mode_name((enum study_mode)mode));
        report_table_cell(table, "%d", round_trips(STUDY_12_RSA, (enum study_mode)mode));
        add_line(table, &t->published[mode]);
    }
}

/* --- link ------------------------------------------------------------------------------------- */

static double stack_ping(const struct table2 *t, int target, enum study_stack stack)
{
    const struct table2_row *row = table2_row_of(t, target, stack, STUDY_12_RSA, STUDY_SEQUENTIAL);

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
        add_target(table, t->targets[i].ping_ms);
        report_table_cell(table, "%lld", (long long)t->targets[i].to_server);
        report_table_cell(table, "%lld", (long long)t->targets[i].to_client);
        report_table_number(table, t->targets[i].calibrated_ms, 3);
        report_table_number(table, stack_ping(t, i, STUDY_KERNEL), 3);
        report_table_number(table, stack_ping(t, i, STUDY_TLSYN), 3);
    }
}
