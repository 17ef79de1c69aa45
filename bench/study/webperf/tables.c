/*
 * study/webperf/tables.c: the study's tables.
 */
#include "study/webperf/tables.h"

#include <math.h>
#include <string.h>

static bool same_heading(const struct webperf_cell *a, const struct webperf_cell *b)
{
    return strcmp(a->what.tls, b->what.tls) == 0 && strcmp(a->what.mode, b->what.mode) == 0 &&
           strcmp(a->what.stack, b->what.stack) == 0;
}

void webperf_table_savings(const struct webperf *study, size_t server, struct report_table *table)
{
    static const struct table_column columns[] = {
        {"cached key", false, 0}, {"pairs", true, 3},
        {"T", true, 0},           {"S new", true, 0},
        {"S cached", true, 0},    {"H", true, 1},
        {"W", true, 0},           {"C", true, 0},
        {"saved\n%", true, 0},    {"95 %\ninterval", true, 2}};
    const struct webperf_cell *before = NULL;

    report_table_init(table, columns, sizeof(columns) / sizeof(columns[0]));
    for (size_t i = 0; i < study->row_count; i++) {
        const struct webperf_row *row = &study->rows[i];
        char title[WEBPERF_TITLE_MAX];

        if (row->cached->server != server)
            continue;
        if (!before || !same_heading(before, row->cached))
            report_table_section(table, webperf_title(row->cached, title));
        before = row->cached;
        report_table_cell(table, "%s%s", row->cached->what.session,
                          webperf_link_kept(row->cached) ? "" : " !");
        report_table_cell(table, "%zu", row->pairs);
        report_table_number(table, row->t.estimate, 1);
        report_table_number(table, row->s_new.estimate, 1);
        report_table_number(table, row->s_cached.estimate, 1);
        report_table_number(table, row->h.estimate, 1);
        report_table_number(table, row->w.estimate, 1);
        report_table_number(table, row->c.estimate, 1);
        report_table_number(table, row->saving.estimate * 100, 1);
        report_table_interval(table, row->saving.lo * 100, row->saving.hi * 100, 1);
    }
}

static void name_cell(struct report_table *table, const struct webperf_cell *cell)
{
    const struct observation *o = &cell->what;
    const char *mark = webperf_link_kept(cell) ? "" : " !";

    if (o->tls[0])
        report_table_cell(table, "TLS %s, %s, %s%s", o->tls, o->mode, o->session, mark);
    else
        report_table_cell(table, "%s%s", strcmp(o->operation, "tcp") == 0 ? "TCP connect" : "ping",
                          mark);
    report_table_cell(table, "%s", o->stack);
}

void webperf_table_cells(const struct webperf *study, size_t server, struct report_table *table)
{
    static const struct table_column columns[] = {
        {"what", false, 0},         {"stack", false, 1},  {"n", true, 0},
        {"failed", true, 2},        {"refused", true, 3}, {"median", true, 0},
        {"95 % interval", true, 4}, {"p5", true, 6},      {"p95", true, 5},
        {"p99", true, 5},           {"max", true, 6},     {"outliers", true, 0}};

    report_table_init(table, columns, sizeof(columns) / sizeof(columns[0]));
    for (size_t i = 0; i < study->cell_count; i++) {
        const struct webperf_cell *cell = &study->cells[i];

        if (cell->server != server)
            continue;
        name_cell(table, cell);
        report_table_cell(table, "%zu", cell->ok);
        report_table_cell(table, "%zu", cell->failed);
        report_table_cell(table, "%zu", cell->refused);
        report_table_number(table, cell->median.estimate, 2);
        report_table_interval(table, cell->median.lo, cell->median.hi, 2);
        report_table_number(table, cell->summary.p5, 2);
        report_table_number(table, cell->summary.p95, 2);
        report_table_number(table, cell->summary.p99, 2);
        report_table_number(table, cell->summary.max, 2);
        report_table_cell(table, "%zu", cell->outliers);
    }
}

void webperf_table_claims(const struct webperf *study, struct report_table *table)
{
    static const struct table_column columns[] = {
        {"the paper says", false, 0}, {"seen here", false, 0}, {"verdict", false, 0}};

    report_table_init(table, columns, sizeof(columns) / sizeof(columns[0]));
    for (size_t i = 0; i < study->claim_count; i++) {
        const struct webperf_claim *claim = &study->claims[i];

        if (i == 0 || strcmp(claim->of, claim[-1].of) != 0)
            report_table_section(table, claim->of);
        report_table_cell(table, "%s", claim->claim);
        report_table_cell(table, "%s", claim->seen);
        report_table_cell(table, "%s", webperf_verdict_name(claim->verdict));
    }
}

static void remark_link(const struct webperf *study, char text[WEBPERF_REMARK_MAX])
{
    size_t marked = 0;

    text[0] = '\0';
    for (size_t c = 0; c < study->cell_count; c++)
        marked += !webperf_link_kept(&study->cells[c]);
    if (marked > 0)
        (void)snprintf(text, WEBPERF_REMARK_MAX,
                       "The link did not keep what was asked for in most observations of %zu of "
                       "%zu kinds, which are marked \"!\": frames left too late or were refused, "
                       "or a ping took another time when the link was set.",
                       marked, study->cell_count);
}

static void remark_failures(const struct webperf *study, char text[WEBPERF_REMARK_MAX])
{
    size_t failed = 0, refused = 0, kinds = 0;

    text[0] = '\0';
    for (size_t c = 0; c < study->cell_count; c++) {
        const struct webperf_cell *cell = &study->cells[c];

        failed += cell->failed;
        refused += cell->refused;
        kinds += cell->failed + cell->refused > 0;
    }
    if (kinds > 0)
        (void)snprintf(text, WEBPERF_REMARK_MAX,
                       "Of %zu observations %zu failed and %zu were refused, in %zu of %zu kinds: "
                       "they are counted, and in no figure.",
                       study->observations, failed, refused, kinds, study->cell_count);
}

const char *webperf_remark(const struct webperf *study, size_t i, char text[WEBPERF_REMARK_MAX])
{
    static void (*const remarks[])(const struct webperf *,
                                   char[WEBPERF_REMARK_MAX]) = {remark_link, remark_failures};

    for (size_t r = 0; r < sizeof(remarks) / sizeof(remarks[0]); r++) {
        remarks[r](study, text);
        if (text[0] && i-- == 0)
            return text;
    }
    return NULL;
}

bool webperf_table_failures(const struct webperf *study, struct report_table *table)
{
    static const struct table_column columns[] = {{"what", false, 0},
                                                  {"stack", false, 1},
                                                  {"failed", true, 0},
                                                  {"refused", true, 0},
                                                  {"the first, because", false, 0}};
    const struct webperf_cell *before = NULL;

    report_table_init(table, columns, sizeof(columns) / sizeof(columns[0]));
    for (size_t c = 0; c < study->cell_count; c++) {
        const struct webperf_cell *cell = &study->cells[c];

        if (cell->failed + cell->refused == 0)
            continue;
        if (study->server_count > 1 && (!before || before->server != cell->server))
            report_table_section(table, cell->what.url);
        before = cell;
        name_cell(table, cell);
        report_table_cell(table, "%zu", cell->failed);
        report_table_cell(table, "%zu", cell->refused);
        report_table_cell(table, "%s", cell->reason);
    }
    return before != NULL;
}
