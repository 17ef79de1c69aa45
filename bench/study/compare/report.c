/*
 * study/compare/report.c: the comparison on a terminal and as a page.
 */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "report/html.h"
#include "report/text.h"
#include "study/compare/parts.h"
#include "study/environment.h"

enum { COLUMNS_MAX = 1 + COMPARE_WORDS_MAX + 2 * COMPARE_RUNS_MAX, HEADING_MAX = 96 };

/* The columns of one table: its rows' numbers, the words, a figure per run, and each run beside the
 * first. */
struct layout {
    struct table_column columns[COLUMNS_MAX];
    char headings[COLUMNS_MAX][HEADING_MAX];
    size_t count;
    int runs[COMPARE_RUNS_MAX]; /* that have this figure */
    int run_count;
};

static bool has_study(const struct compare *c, int study)
{
    for (size_t i = 0; i < c->row_count; i++) {
        if (c->rows[i].study == study)
            return true;
    }
    return false;
}

static void add_column(struct layout *l, bool right, unsigned spare, const char *first,
                       const char *second)
{
    (void)snprintf(l->headings[l->count], HEADING_MAX, "%.40s%s%.40s", first, second[0] ? "\n" : "",
                   second);
    l->columns[l->count] = (struct table_column){l->headings[l->count], right, spare};
    l->count++;
}

/* Whether a run has this figure in any row. */
static bool has_run(const struct compare *c, int study, int figure, int run)
{
    for (size_t i = 0; i < c->row_count; i++) {
        if (c->rows[i].study == study && isfinite(c->rows[i].figures[run][figure].estimate))
            return true;
    }
    return false;
}

/* Whether any row has it: that of a server, say, only runs of several servers have. */
static bool has_word(const struct compare *c, int study, int word)
{
    for (size_t i = 0; i < c->row_count; i++) {
        if (c->rows[i].study == study && c->rows[i].words[word][0])
            return true;
    }
    return false;
}

static void add_run(struct layout *l, const struct compare *c, int run, const char *second)
{
    char name[HEADING_MAX];

    if (c->runs[run].shared)
        (void)snprintf(name, sizeof(name), "%d: %.32s", run + 1, c->runs[run].name);
    else
        (void)snprintf(name, sizeof(name), "%.36s", c->runs[run].name);
    add_column(l, true, second[0] ? 1 : 0, name, second);
}

/* Only of those that have it. */
static void lay_out(const struct compare *c, int study, int figure, struct layout *l)
{
    const struct compare_study *s = &compare_studies[study];

    l->count = 0;
    l->run_count = 0;
    add_column(l, true, 2, "", "");
    for (int i = 0; i < COMPARE_WORDS_MAX && s->words[i].member; i++) {
        if (has_word(c, study, i))
            add_column(l, false, 0, s->words[i].heading, "");
    }
    for (int run = 0; run < c->run_count; run++) {
        if (has_run(c, study, figure, run)) {
            l->runs[l->run_count++] = run;
            add_run(l, c, run, "");
        }
    }
    for (int i = 1; i < l->run_count; i++)
        add_run(l, c, l->runs[i], s->figures[figure].differs ? "less the first" : "to the first");
}

/* Whether the intervals, where there are any, say that the two differ. */
static bool surely_differ(const struct stats_interval *a, const struct stats_interval *b)
{
    return isfinite(a->lo) && isfinite(a->hi) && isfinite(b->lo) && isfinite(b->hi) &&
           (a->hi < b->lo || b->hi < a->lo);
}

/* One run beside the first: by which factor, or by how much. Of the interval each end is the worst
 * that both intervals allow. */
static struct stats_interval beside(const struct compare_figure *figure,
                                    const struct stats_interval *first,
                                    const struct stats_interval *other)
{
    if (figure->differs)
        return (struct stats_interval){other->estimate - first->estimate, other->lo - first->hi,
                                       other->hi - first->lo};
    return (struct stats_interval){other->estimate / first->estimate, other->lo / first->hi,
                                   other->hi / first->lo};
}

static void put_beside(const struct compare_figure *figure, struct report_table *table,
                       const struct stats_interval *first, const struct stats_interval *other)
{
    double value = beside(figure, first, other).estimate;
    const char *mark = surely_differ(first, other) ? "" : "~";

    if (!isfinite(value))
        report_table_cell(table, "-");
    else if (figure->differs)
        report_table_cell(table, "%s%+.*f", mark, figure->decimals, value);
    else
        report_table_cell(table, "%s%.2f", mark, value);
}

static void put_row(const struct compare *c, const struct layout *l, const struct compare_row *row,
                    int figure, struct report_table *table)
{
    const struct compare_study *study = &compare_studies[row->study];
    const struct compare_figure *f = &study->figures[figure];

    report_table_cell(table, "%zu", table->count + 1);
    for (int i = 0; i < COMPARE_WORDS_MAX && study->words[i].member; i++) {
        if (has_word(c, row->study, i))
            report_table_cell(table, "%s", row->words[i]);
    }
    for (int i = 0; i < l->run_count; i++)
        report_table_number(table, row->figures[l->runs[i]][figure].estimate, f->decimals);
    for (int i = 1; i < l->run_count; i++)
        put_beside(f, table, &row->figures[l->runs[0]][figure], &row->figures[l->runs[i]][figure]);
}

static bool has_figure(const struct compare *c, const struct compare_row *row, int figure)
{
    for (int run = 0; run < c->run_count; run++) {
        if (isfinite(row->figures[run][figure].estimate))
            return true;
    }
    return false;
}

/* Free with report_table_fini(); false: no row has this figure. */
static bool fill(const struct compare *c, int study, int figure, struct layout *l,
                 struct report_table *table)
{
    lay_out(c, study, figure, l);
    report_table_init(table, l->columns, l->count);
    for (size_t i = 0; i < c->row_count; i++) {
        if (c->rows[i].study == study && has_figure(c, &c->rows[i], figure))
            put_row(c, l, &c->rows[i], figure, table);
    }
    return table->count > 0;
}

static const char note[] = "Each run is compared with the first that has the figure; with ~ before "
                           "what came out, the intervals overlap, or there are none: no difference "
                           "is shown.";

/* --- terminal --------------------------------------------------------------------------------- */

static int print_study(const struct compare *c, int study, FILE *out, unsigned width)
{
    const struct compare_study *s = &compare_studies[study];
    struct report_table table;
    struct layout l;
    int error = 0;

    for (int f = 0; f < COMPARE_FIGURES_MAX && s->figures[f].member && error == 0; f++) {
        if (fill(c, study, f, &l, &table)) {
            (void)fprintf(out, "\n%s. %s\n\n", s->title, s->figures[f].heading);
            error = text_table(out, &table, width);
        }
        report_table_fini(&table);
    }
    return error;
}

int compare_text(const struct compare *c, FILE *out, unsigned width)
{
    int error = 0;

    for (int run = 0; run < c->run_count; run++)
        (void)fprintf(out, "%d: %s: %s (%s, tlsyn %s)\n", run + 1, c->runs[run].folder,
                      c->runs[run].command, c->runs[run].kernel, c->runs[run].version);
    for (int study = 0; study < compare_study_count && error == 0; study++) {
        if (has_study(c, study))
            error = print_study(c, study, out, width);
    }
    (void)fputc('\n', out);
    text_paragraph(out, note, 0, width);
    return text_end(out, error);
}

/* --- page ------------------------------------------------------------------------------------- */

static void put_runs(const struct compare *c, struct html *html)
{
    static const struct table_column columns[] = {{"run", true, 0},      {"folder", false, 0},
                                                  {"command", false, 0}, {"kernel", false, 0},
                                                  {"tlsyn", false, 0},   {"when", false, 0}};
    struct report_table table;

    report_table_init(&table, columns, sizeof(columns) / sizeof(columns[0]));
    for (int i = 0; i < c->run_count; i++) {
        const struct compare_run *run = &c->runs[i];

        report_table_cell(&table, "%d", i + 1);
        report_table_cell(&table, "%s", run->folder);
        report_table_cell(&table, "%s", run->command);
        report_table_cell(&table, "%s", run->kernel);
        report_table_cell(&table, "%s", run->version);
        report_table_cell(&table, "%s", run->written);
    }
    html_section(html, "The runs");
    html_table(
        html, &table,
        "In the order in which they were given; the first that has a figure is compared with.");
    report_table_fini(&table);
}

/* The points of a run, one per row that both it and the first have. */
struct points {
    double *x, *y, *lo, *hi;
    size_t n;
};

static void take_points(const struct compare *c, int study, int figure, const int runs[2],
                        struct points *p)
{
    double row = 0;

    p->n = 0;
    for (size_t i = 0; i < c->row_count; i++) {
        struct stats_interval b;

        if (c->rows[i].study != study || !has_figure(c, &c->rows[i], figure))
            continue;
        row++;
        b = beside(&compare_studies[study].figures[figure], &c->rows[i].figures[runs[0]][figure],
                   &c->rows[i].figures[runs[1]][figure]);
        if (!isfinite(b.estimate))
            continue;
        p->x[p->n] = row;
        p->y[p->n] = b.estimate;
        p->lo[p->n] = b.lo;
        p->hi[p->n++] = b.hi;
    }
}

/* Nothing where the runs have no row in common. */
static void draw(const struct compare *c, int study, int figure, const struct layout *l,
                 double *values, struct html *html)
{
    const struct compare_figure *f = &compare_studies[study].figures[figure];
    const double even[] = {f->differs ? 0 : 1, f->differs ? 0 : 1};
    double ends[] = {0.5, 0.5}, *at = values;
    struct figure_series series[COMPARE_RUNS_MAX];
    struct figure picture = {.title = "Each run beside the first",
                             .x_label = "row of the table",
                             .y_label = f->differs ? "less the first" : "to the first",
                             .x_min = 0.5,
                             .y_min = (double)NAN,
                             .y_max = (double)NAN,
                             .series = series};
    size_t points = 0;
    char name[32];

    for (int i = 1; i < l->run_count; i++, at += 4 * c->row_count) {
        struct points p = {at, at + c->row_count, at + 2 * c->row_count, at + 3 * c->row_count, 0};

        take_points(c, study, figure, (const int[]){l->runs[0], l->runs[i]}, &p);
        series[i] = (struct figure_series){.label = c->runs[l->runs[i]].folder,
                                           .style = FIGURE_POINTS,
                                           .colour = (unsigned)(i - 1) % FIGURE_COLOURS,
                                           .x = p.x,
                                           .y = p.y,
                                           .lo = p.lo,
                                           .hi = p.hi,
                                           .n = p.n};
        points += p.n;
        ends[1] = p.n > 0 ? fmax(ends[1], p.x[p.n - 1] + 0.5) : ends[1];
    }
    if (points == 0)
        return;
    series[0] = (struct figure_series){.label = c->runs[l->runs[0]].folder,
                                       .style = FIGURE_LINE,
                                       .colour = FIGURE_INK,
                                       .x = ends,
                                       .y = even,
                                       .n = 2};
    (void)snprintf(name, sizeof(name), "study%dfigure%d", study, figure);
    picture.name = name;
    picture.x_max = ends[1];
    picture.series_count = (size_t)l->run_count;
    html_figure(html, &picture,
                "Each run beside the first, row by row. Intervals are the widest that both runs' "
                "intervals allow.");
}

static int put_figure(const struct compare *c, int study, int figure, struct html *html)
{
    struct report_table table;
    struct layout l;
    double *values = calloc(c->row_count, 4 * COMPARE_RUNS_MAX * sizeof(*values));

    if (values && fill(c, study, figure, &l, &table)) {
        html_table(html, &table, compare_studies[study].figures[figure].heading);
        draw(c, study, figure, &l, values, html);
    }
    if (values)
        report_table_fini(&table);
    free(values);
    return values ? 0 : -ENOMEM;
}

static int put_study(const struct compare *c, int study, struct html *html)
{
    const struct compare_study *s = &compare_studies[study];
    int error = 0;

    html_section(html, s->title);
    for (int f = 0; f < COMPARE_FIGURES_MAX && s->figures[f].member && error == 0; f++)
        error = put_figure(c, study, f, html);
    return error;
}

int compare_html(const struct compare *c, const char *command, FILE *out)
{
    struct html html;
    int error = 0;

    html_begin(&html, out, "Runs compared", "Results of several runs side by side.");
    html_paragraph(&html, note);
    put_runs(c, &html);
    for (int study = 0; study < compare_study_count && error == 0; study++) {
        if (has_study(c, study))
            error = put_study(c, study, &html);
    }
    environment_again(command, &html);
    return error < 0 ? error : html_end(&html);
}
