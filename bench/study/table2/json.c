/*
 * study/table2/json.c: the study for programs: JSON with everything, CSV with the rows.
 */
#include <errno.h>

#include "peer/context.h"
#include "peer/quic.h"
#include "report/csv.h"
#include "report/json.h"
#include "report/number.h"
#include "report/raw.h"
#include "study/environment.h"
#include "study/table2/published.h"
#include "study/table2/table2.h"

static void write_way(struct json *j, const struct study_way *way)
{
    json_member_string(j, "stack", study_stack_name(way->stack));
    json_member_string(j, "tls", study_suite_name(way->suite));
    json_member_string(j, "mode", study_mode_name(way->mode));
    json_member_string(j, "session", study_session_name(way->session));
}

static void write_rows(const struct table2 *t, struct json *j)
{
    json_key(j, "rows");
    json_array(j);
    for (size_t i = 0; i < t->row_count; i++) {
        const struct table2_row *row = &t->rows[i];

        json_object(j);
        json_member_number(j, "ping_target_ms", t->targets[row->target].ping_ms);
        json_member_rounded(j, "ping_ms", row->ping_ms);
        json_member_rounded(j, "ping_own_ms", row->stack_ping_ms);
        write_way(j, &row->member.way);
        json_member_string(j, "level", row->level);
        json_member_integer(j, "n", (int64_t)row->n);
        json_member_integer(j, "failed", (int64_t)row->failed);
        json_member_estimate(j, "median_ms", "ci95_ms", &row->handshake_ms);
        json_member_estimate(j, "first_byte_median_ms", "first_byte_ci95_ms", &row->first_byte_ms);
        json_member_bool(j, "link_kept", table2_target_kept(&t->targets[row->target]));
        json_member_string(j, "reason", row->reason[0] ? row->reason : NULL);
        json_end(j);
    }
    json_end(j);
}

static void write_savings(const struct table2 *t, struct json *j)
{
    json_key(j, "savings");
    json_array(j);
    for (size_t i = 0; i < t->saving_count; i++) {
        const struct table2_saving *s = &t->savings[i];

        json_object(j);
        json_member_number(j, "ping_target_ms", t->targets[s->target].ping_ms);
        json_member_string(j, "tls", study_suite_name(s->suite));
        json_member_string(j, "session", study_session_name(s->session));
        json_member_integer(j, "pairs", (int64_t)s->pairs);
        json_member_estimate(j, "saved_ms", "saved_ci95_ms", &s->ms);
        json_member_estimate(j, "saved_per_rtt", "saved_per_rtt_ci95", &s->per_rtt);
        json_member_estimate(j, "reduction", "reduction_ci95", &s->reduction);
        json_member_estimate(j, "shift_ms", "shift_ci95_ms", &s->shift_ms);
        json_end(j);
    }
    json_end(j);
}

static void write_line(struct json *j, const struct fit_line *line)
{
    json_member_estimate(j, "a", "a_ci95", &line->a);
    json_member_estimate(j, "b_ms", "b_ci95_ms", &line->b);
    json_member_rounded(j, "residual_ms", line->residual);
}

static void write_fits(const struct table2 *t, struct json *j)
{
    json_key(j, "fits");
    json_array(j);
    for (size_t i = 0; i < t->fit_count; i++) {
        const struct table2_fit *fit = &t->fits[i];

        if (!fit->valid)
            continue;
        json_object(j);
        write_way(j, &fit->way);
        json_member_integer(j, "predicted", study_round_trips(&fit->way));
        write_line(j, &fit->line);
        json_key(j, "first_byte");
        json_object(j);
        json_member_integer(j, "predicted", study_round_trips(&fit->way) + 1);
        write_line(j, &fit->first_byte);
        json_end(j);
        json_end(j);
    }
    json_end(j);
}

static void write_published(const struct table2 *t, struct json *j)
{
    json_key(j, "published");
    json_object(j);
    json_member_string(j, "source", PUBLISHED_SOURCE);
    json_key(j, "rows");
    json_array(j);
    for (size_t i = 0; i < PUBLISHED_ROWS; i++) {
        json_object(j);
        json_member_number(j, "ping_ms", published_rows[i].ping_ms);
        json_member_number(j, "sequential_ms", published_rows[i].sequential_ms);
        json_member_number(j, "embedded_ms", published_rows[i].embedded_ms);
        json_member_number(j, "reduction_percent", published_rows[i].reduction_percent);
        json_end(j);
    }
    json_end(j);
    json_key(j, "fits");
    json_array(j);
    for (int mode = 0; mode < STUDY_MODES; mode++) {
        json_object(j);
        json_member_string(j, "mode", study_mode_name((enum study_mode)mode));
        write_line(j, &t->published[mode]);
        json_end(j);
    }
    json_end(j);
    json_end(j);
}

static void write_targets(const struct table2 *t, struct json *j)
{
    json_key(j, "targets");
    json_array(j);
    for (int i = 0; i < t->options.pings; i++) {
        const struct table2_target *target = &t->targets[i];

        json_object(j);
        json_member_number(j, "ping_target_ms", target->ping_ms);
        json_member_integer(j, "delay_to_server_us", target->to_server);
        json_member_integer(j, "delay_to_client_us", target->to_client);
        json_member_rounded(j, "calibrated_ms", target->calibrated_ms);
        json_member_rounded(j, "residual_ms", target->calibrated_ms - target->ping_ms);
        json_member_bool(j, "kept", table2_target_kept(target));
        json_end(j);
    }
    json_end(j);
}

static void write_negotiated(const struct table2 *t, struct json *j)
{
    json_key(j, "negotiated");
    json_array(j);
    for (int i = 0; i < STUDY_STACKS * STUDY_SUITES; i++) {
        int stack = i / STUDY_SUITES;
        const struct table2_negotiated *n = &t->negotiated[stack][i % STUDY_SUITES];

        if (!n->version[0])
            continue;
        json_object(j);
        json_member_string(j, "stack", study_stack_name((enum study_stack)stack));
        json_member_string(j, "tls", study_suite_name((enum study_suite)(i % STUDY_SUITES)));
        json_member_string(j, "version", n->version);
        json_member_string(j, "cipher", n->cipher);
        json_member_string(j, "group", n->group[0] ? n->group : NULL);
        json_end(j);
    }
    json_end(j);
}

static void write_link(const struct table2 *t, struct json *j)
{
    json_key(j, "link");
    json_object(j);
    json_member_string(j, "kind", t->testbed);
    json_member_bool(j, "packets", t->options.link == TABLE2_LAB);
    study_link_members(&t->options.path, j);
    if (t->precision.known) {
        json_member_integer(j, "frames", (int64_t)t->precision.frames);
        json_member_number(j, "late_p50_us", t->precision.p50_us);
        json_member_number(j, "late_p99_us", t->precision.p99_us);
        json_member_number(j, "late_max_us", t->precision.max_us);
        json_member_bool(j, "realtime", t->precision.realtime);
    }
    json_end(j);
}

static void write_environment(const struct table2 *t, struct json *j)
{
    struct environment e;

    environment_read(&e);
    json_key(j, "environment");
    json_object(j);
    json_member_string(j, "written", e.when);
    json_member_string(j, "command", t->options.command);
    json_member_string(j, "tlsyn", t->options.version);
    json_member_string(j, "openssl", t->has_kernel ? peer_ssl_version() : NULL);
    json_member_string(j, "quic", table2_has_quic(t) ? peer_quic_version() : NULL);
    environment_json_machine(&e, j);
    json_member_integer(j, "seed", (int64_t)t->options.seed);
    json_member_integer(j, "rounds", t->options.rounds);
    json_member_integer(j, "warmup_rounds", t->options.warmup);
    json_member_string(j, "level", study_level_name(t->options.level));
    json_member_bool(j, "interrupted", t->interrupted);
    json_member_number(j, "seconds", t->seconds);
    noise_json(&t->noise, j);
    json_member_number(j, "emulated_cpu_pad_ms", (double)t->options.pad / 1e3);
    write_link(t, j);
    json_end(j);
}

static void write_remarks(const struct table2 *t, struct json *j)
{
    char text[TABLE2_REMARK_MAX];

    json_key(j, "remarks");
    json_array(j);
    for (size_t i = 0; table2_remark(t, i, text); i++)
        json_string(j, text);
    json_end(j);
}

static void write_captures(const struct table2 *t, struct json *j)
{
    json_key(j, "captures");
    json_array(j);
    for (size_t i = 0; i < t->capture_count; i++) {
        if (!t->captures[i].name[0])
            continue;
        json_object(j);
        write_way(j, &t->captures[i].way);
        json_member_string(j, "file", t->captures[i].name);
        json_end(j);
    }
    json_end(j);
}

int table2_json(const struct table2 *t, FILE *out)
{
    struct json j;
    int error = 0;

    json_init(&j, out);
    json_object(&j);
    json_member_string(&j, "study", "table2");
    write_rows(t, &j);
    write_savings(t, &j);
    write_fits(t, &j);
    write_published(t, &j);
    write_captures(t, &j);
    write_targets(t, &j);
    write_negotiated(t, &j);
    write_remarks(t, &j);
    write_environment(t, &j);
    json_end(&j);
    error = json_finish(&j);
    if (error == 0 && fputc('\n', out) == EOF)
        error = -EIO;
    return error;
}

int table2_csv(const struct table2 *t, FILE *out)
{
    static const char *const headings[] = {
        "ping_target_ms",
        "ping_ms",
        "ping_own_ms",
        "stack",
        "tls",
        "mode",
        "level",
        "n",
        "failed",
        "median_ms",
        "ci95_low_ms",
        "ci95_high_ms",
        "first_byte_median_ms",
        "remark",
        "session",
    };
    char label[TABLE2_REMARK_MAX];
    struct csv csv;

    csv_init(&csv, out);
    for (size_t i = 0; i < sizeof(headings) / sizeof(headings[0]); i++)
        csv_string(&csv, headings[i]);
    csv_end_row(&csv);
    for (size_t i = 0; i < t->row_count; i++) {
        const struct table2_row *row = &t->rows[i];

        csv_number(&csv, t->targets[row->target].ping_ms);
        csv_number(&csv, number_rounded(row->ping_ms));
        csv_number(&csv, number_rounded(row->stack_ping_ms));
        csv_string(&csv, study_stack_name(row->member.way.stack));
        csv_string(&csv, study_suite_name(row->member.way.suite));
        csv_string(&csv, study_mode_name(row->member.way.mode));
        csv_string(&csv, row->level);
        csv_integer(&csv, (int64_t)row->n);
        csv_integer(&csv, (int64_t)row->failed);
        csv_number(&csv, number_rounded(row->handshake_ms.estimate));
        csv_number(&csv, number_rounded(row->handshake_ms.lo));
        csv_number(&csv, number_rounded(row->handshake_ms.hi));
        csv_number(&csv, number_rounded(row->first_byte_ms.estimate));
        csv_string(&csv, table2_label(t, label));
        csv_string(&csv, study_session_name(row->member.way.session));
        csv_end_row(&csv);
    }
    return csv_finish(&csv);
}

int table2_samples(const struct table2 *t, FILE *out)
{
    char label[TABLE2_REMARK_MAX];

    return raw_write(out, &t->samples, table2_label(t, label));
}
