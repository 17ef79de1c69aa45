/*
 * study/transfer/loss_html.c: the study as one page.
 */
#include <errno.h>
#include <math.h>
#include <stdlib.h>

#include "measure/histogram.h"
#include "report/html.h"
#include "study/environment.h"
#include "study/transfer/loss.h"

#define BESIDE 0.15 /* of a row: what stands between the points of two pairs */

/* A pair's ratios by cell. Freed with the drawing. */
struct course {
    double *x, *y, *lo, *hi;
    struct histogram_steps steps; /* how they are distributed */
    char label[32];
};

struct drawing {
    struct course pair[LOSS_PAIRS_MAX];
    struct figure_series series[LOSS_PAIRS_MAX + 2];
    size_t count;
};

static int take(struct course *c, const struct loss_study *s, uint32_t pair)
{
    double *room = calloc(s->cell_count, 4 * sizeof(*room));

    *c = (struct course){room,
                         room + s->cell_count,
                         room + 2 * s->cell_count,
                         room + 3 * s->cell_count,
                         {NULL, NULL, 0},
                         ""};
    if (!room)
        return -ENOMEM;
    (void)snprintf(c->label, sizeof(c->label), "%s to %s", flow_stack_name(s->pairs[pair].sender),
                   flow_stack_name(s->pairs[pair].receiver));
    for (uint32_t i = 0; i < s->cell_count; i++) {
        const struct loss_row *row = &s->rows[i * s->pair_count + pair];

        c->x[i] = i + 1 + (pair - 1.5) * BESIDE;
        c->y[i] = row->ratio.estimate;
        c->lo[i] = row->ratio.lo;
        c->hi[i] = row->ratio.hi;
    }
    return histogram_ecdf(c->y, s->cell_count, LOSS_CELLS_MAX, &c->steps);
}

static bool has_points(const struct course *c)
{
    return c->steps.n > 0;
}

/* What no cell should exceed. */
static void add_bound(struct drawing *d, const double x[2], const double y[2])
{
    d->series[d->count++] = (struct figure_series){.label = "the bound, 1.3",
                                                   .style = FIGURE_LINE,
                                                   .dashed = true,
                                                   .colour = FIGURE_INK,
                                                   .x = x,
                                                   .y = y,
                                                   .n = 2};
}

static void put_rows(struct drawing *d, const struct loss_study *s, struct html *html)
{
    const double ends[] = {0.5, s->cell_count + 0.5}, bound[] = {LOSS_BOUND, LOSS_BOUND};
    struct figure figure = {.name = "ratios",
                            .title = "Time through the kernel's, by row of the table",
                            .x_label = "row of the table",
                            .y_label = "time through kernel to kernel's",
                            .x_min = ends[0],
                            .x_max = ends[1],
                            .y_min = 0,
                            .y_max = (double)NAN,
                            .series = d->series};

    d->count = 0;
    for (uint32_t p = 1; p < s->pair_count; p++)
        d->series[d->count++] = (struct figure_series){.label = d->pair[p].label,
                                                       .style = FIGURE_POINTS,
                                                       .colour = p - 1,
                                                       .x = d->pair[p].x,
                                                       .y = d->pair[p].y,
                                                       .lo = d->pair[p].lo,
                                                       .hi = d->pair[p].hi,
                                                       .n = s->cell_count};
    add_bound(d, ends, bound);
    figure.series_count = d->count;
    html_figure(html, &figure,
                "The ratio of medians in each row, with its interval of 95 %, which resamples "
                "rounds; below 1, the transfer took less time than from kernel to kernel.");
}

static void put_distribution(struct drawing *d, const struct loss_study *s, struct html *html)
{
    const double ends[] = {0, 1}, bound[] = {LOSS_BOUND, LOSS_BOUND};
    struct figure figure = {.name = "distribution",
                            .title = "Distribution of the ratios",
                            .x_label = "time through kernel to kernel's",
                            .y_label = "share of the rows",
                            .x_min = 0,
                            .x_max = (double)NAN,
                            .y_min = 0,
                            .y_max = 1,
                            .series = d->series};

    d->count = 0;
    for (uint32_t p = 1; p < s->pair_count; p++)
        d->series[d->count++] = (struct figure_series){.label = d->pair[p].label,
                                                       .style = FIGURE_STEPS,
                                                       .colour = p - 1,
                                                       .x = d->pair[p].steps.x,
                                                       .y = d->pair[p].steps.y,
                                                       .n = d->pair[p].steps.n};
    add_bound(d, bound, ends);
    figure.series_count = d->count;
    html_figure(html, &figure, "In which share of the rows the ratio is at most so large.");
}

static int put_figures(const struct loss_study *s, struct html *html)
{
    struct drawing d = {.count = 0};
    bool any = false;
    int error = 0;

    for (uint32_t p = 1; p < s->pair_count && error == 0; p++) {
        error = take(&d.pair[p], s, p);
        any = any || has_points(&d.pair[p]);
    }
    html_section(html, "Beside the kernel's");
    if (error == 0 && any) {
        put_rows(&d, s, html);
        put_distribution(&d, s, html);
    } else if (error == 0) {
        html_paragraph(html, "There is nothing to draw: nothing was compared.");
    }
    for (uint32_t p = 1; p < s->pair_count; p++) {
        free(d.pair[p].x);
        histogram_free(&d.pair[p].steps);
    }
    return error;
}

static void put_remarks(const struct loss_study *s, struct html *html)
{
    char text[FLOW_REASON_MAX + 160];

    if (s->measured.interrupted)
        html_warning(html, "The run was interrupted; this is what there was by then.");
    for (uint32_t i = 0; i < s->row_count; i++) {
        const struct loss_row *row = &s->rows[i];
        const struct loss_pair *pair = &s->pairs[row->pair];

        if (row->failed == 0)
            continue;
        (void)snprintf(text, sizeof(text), "Row %u, %s to %s: %zu of %zu failed; the first: %s",
                       row->cell + 1, flow_stack_name(pair->sender),
                       flow_stack_name(pair->receiver), row->failed, row->failed + row->n,
                       row->reason);
        html_warning(html, text);
    }
}

int loss_html(const struct loss_study *s, FILE *out)
{
    const struct environment_run run = {.study = "loss",
                                        .command = s->options.command,
                                        .version = s->options.version,
                                        .seconds = s->measured.seconds,
                                        .noise = &s->measured.noise,
                                        .interrupted = s->measured.interrupted};
    char text[LOSS_SENTENCE_MAX];
    struct report_table table;
    struct html html;
    int error;

    html_begin(&html, out, "How well this TCP recovers",
               "Bulk transfers through loss, delay and reordering: this stack with the kernel's as "
               "its peer, beside the kernel's to itself over the same path.");
    put_remarks(s, &html);
    html_section(&html, "The table");
    loss_table(s, &table);
    html_table(&html, &table, loss_conditions(s, text));
    report_table_fini(&table);
    loss_sentence(s, text, sizeof(text));
    html_paragraph(&html, text);
    error = put_figures(s, &html);
    (void)snprintf(text, sizeof(text), "seed %llu, from which follow order and losses",
                   (unsigned long long)s->options.seed);
    return error < 0 ? error : environment_end_page(&run, text, &html);
}
