/*
 * study/webperf/json.c: the study for programs: JSON with everything but the observations (those
 * are in the database), CSV with the rows.
 */
#include <errno.h>

#include "report/csv.h"
#include "report/json.h"
#include "report/number.h"
#include "study/environment.h"
#include "study/webperf/tables.h"

/* The server's only where there are several: else two runs of one each could not be compared. */
static void words(struct json *j, const struct webperf *study, const struct observation *o)
{
    json_member_string(j, "url", study->server_count > 1 ? o->url : NULL);
    json_member_string(j, "stack", o->stack);
    json_member_string(j, "tls", o->tls);
    json_member_string(j, "mode", o->mode);
    json_member_string(j, "session", o->session);
}

static void write_rows(const struct webperf *study, struct json *j)
{
    json_key(j, "rows");
    json_array(j);
    for (size_t i = 0; i < study->row_count; i++) {
        const struct webperf_row *row = &study->rows[i];

        json_object(j);
        words(j, study, &row->cached->what);
        json_member_integer(j, "pairs", (int64_t)row->pairs);
        json_member_estimate(j, "tcp_ms", "tcp_ci95_ms", &row->t);
        json_member_estimate(j, "tls_new_ms", "tls_new_ci95_ms", &row->s_new);
        json_member_estimate(j, "tls_cached_ms", "tls_cached_ci95_ms", &row->s_cached);
        json_member_estimate(j, "get_ms", "get_ci95_ms", &row->h);
        json_member_estimate(j, "new_ms", "new_ci95_ms", &row->w);
        json_member_estimate(j, "cached_ms", "cached_ci95_ms", &row->c);
        json_member_estimate(j, "saving", "saving_ci95", &row->saving);
        json_end(j);
    }
    json_end(j);
}

static void write_cells(const struct webperf *study, struct json *j)
{
    json_key(j, "cells");
    json_array(j);
    for (size_t i = 0; i < study->cell_count; i++) {
        const struct webperf_cell *cell = &study->cells[i];

        json_object(j);
        json_member_string(j, "operation", cell->what.operation);
        words(j, study, &cell->what);
        json_member_integer(j, "n", (int64_t)cell->ok);
        json_member_integer(j, "failed", (int64_t)cell->failed);
        json_member_integer(j, "refused", (int64_t)cell->refused);
        json_member_integer(j, "outliers", (int64_t)cell->outliers);
        json_member_estimate(j, "median_ms", "ci95_ms", &cell->median);
        json_member_rounded(j, "p5_ms", cell->summary.p5);
        json_member_rounded(j, "p95_ms", cell->summary.p95);
        json_member_rounded(j, "p99_ms", cell->summary.p99);
        json_member_rounded(j, "max_ms", cell->summary.max);
        json_member_bool(j, "link_kept", webperf_link_kept(cell));
        json_member_string(j, "reason", cell->reason[0] ? cell->reason : NULL);
        json_end(j);
    }
    json_end(j);
}

static void write_servers(const struct webperf *study, struct json *j)
{
    json_key(j, "servers");
    json_array(j);
    for (size_t i = 0; i < study->server_count; i++) {
        const struct webperf_server *server = &study->servers[i];

        if (!server->url[0])
            continue;
        json_object(j);
        json_member_string(j, "url", server->url);
        json_member_string(j, "address", server->address);
        json_member_bool(j, "other_addresses", server->moved);
        json_key(j, "status");
        if (server->status < 0)
            json_null(j);
        else
            json_integer(j, server->status);
        json_end(j);
    }
    json_end(j);
}

static void write_claims(const struct webperf *study, struct json *j)
{
    json_key(j, "claims");
    json_array(j);
    for (size_t i = 0; i < study->claim_count; i++) {
        json_object(j);
        json_member_string(j, "claim", study->claims[i].claim);
        json_member_string(j, "of", study->claims[i].of);
        json_member_string(j, "seen", study->claims[i].seen);
        json_member_string(j, "verdict", webperf_verdict_name(study->claims[i].verdict));
        json_end(j);
    }
    json_end(j);
}

static void write_link_error(const struct webperf_noise *n, struct json *j)
{
    json_key(j, "link_error");
    json_object(j);
    json_member_rounded(j, "late_p50_us", n->link_p50_us);
    json_member_rounded(j, "late_p99_us", n->link_p99_us);
    json_member_rounded(j, "late_max_us", n->link_max_us);
    json_member_rounded(j, "ping_ms", n->ping_error_ms);
    json_member_integer(j, "observations", (int64_t)n->asked);
    json_member_integer(j, "not_kept", (int64_t)n->unkept);
    json_end(j);
}

/* The machine that measured; the one that reports may be another. */
static void write_run(const struct webperf *study, const struct webperf_report *report,
                      struct json *j)
{
    const struct store_run *run = &study->run;
    char begun[WEBPERF_BEGUN_MAX];

    json_key(j, "environment");
    json_object(j);
    json_member_string(j, "command", run->command);
    json_member_string(j, "when", webperf_begun(study, begun));
    json_member_string(j, "report", report->command);
    json_member_string(j, "tlsyn", run->version);
    json_member_string(j, "kernel", run->kernel);
    json_member_string(j, "system", run->system);
    json_member_string(j, "cpu", run->cpu);
    json_member_string(j, "target", run->target);
    json_member_string(j, "link", run->link[0] ? run->link : NULL);
    json_member_number(j, "rtt_ms", run->rtt_ms);
    json_member_string(j, "plan", run->plan);
    json_member_integer(j, "seed", (int64_t)run->seed);
    json_member_integer(j, "started_us", run->started_us);
    json_member_integer(j, "rounds", study->rounds);
    json_member_integer(j, "observations", (int64_t)study->observations);
    noise_json(&study->noise.machine, j);
    if (study->noise.links > 0)
        write_link_error(&study->noise, j);
    json_end(j);
}

int webperf_json(const struct webperf *study, const struct webperf_report *report, FILE *out)
{
    struct json j;

    json_init(&j, out);
    json_object(&j);
    json_member_string(&j, "study", "webperf");
    write_run(study, report, &j);
    write_servers(study, &j);
    write_rows(study, &j);
    write_cells(study, &j);
    write_claims(study, &j);
    json_end(&j);
    return json_finish(&j);
}

int webperf_csv(const struct webperf *study, FILE *out)
{
    static const char *const headings[] = {
        "stack",     "tls",        "mode",          "session",     "pairs",
        "tcp_ms",    "tls_new_ms", "tls_cached_ms", "get_ms",      "new_ms",
        "cached_ms", "saving",     "saving_low",    "saving_high", "url",
    };
    struct csv csv;

    csv_init(&csv, out);
    for (size_t i = 0; i < sizeof(headings) / sizeof(headings[0]); i++)
        csv_string(&csv, headings[i]);
    csv_end_row(&csv);
    for (size_t i = 0; i < study->row_count; i++) {
        const struct webperf_row *row = &study->rows[i];
        const double figures[] = {row->t.estimate,      row->s_new.estimate, row->s_cached.estimate,
                                  row->h.estimate,      row->w.estimate,     row->c.estimate,
                                  row->saving.estimate, row->saving.lo,      row->saving.hi};

        csv_string(&csv, row->cached->what.stack);
        csv_string(&csv, row->cached->what.tls);
        csv_string(&csv, row->cached->what.mode);
        csv_string(&csv, row->cached->what.session);
        csv_integer(&csv, (int64_t)row->pairs);
        for (size_t f = 0; f < sizeof(figures) / sizeof(figures[0]); f++)
            csv_number(&csv, number_rounded(figures[f]));
        csv_string(&csv, row->cached->what.url);
        csv_end_row(&csv);
    }
    return csv_finish(&csv);
}
