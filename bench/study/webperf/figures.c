/*
 * study/webperf/figures.c: histograms, distribution functions, and times over time.
 */
#include "study/webperf/figures.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "measure/histogram.h"

enum {
    SERIES = 8,   /* in one figure: TCP, and each kind of session */
    POINTS = 400, /* of a distribution function, and of a course over time */
};

/* The cells of one protocol, mode and stack, that stack's TCP connect before them. */
struct group {
    const struct webperf_cell *cells[SERIES];
    size_t count;
};

struct drawing {
    struct figure_series series[SERIES];
    struct histogram_steps steps[SERIES];
    size_t count;
};

static const double *times_of(const struct webperf_cell *cell)
{
    return strcmp(cell->what.operation, "get") == 0 ? cell->first_byte : cell->connect;
}

static const char *label_of(const struct webperf_cell *cell)
{
    return cell->what.session[0] ? cell->what.session : "TCP connect";
}

/* Takes the steps, which are freed with the drawing. */
static void add(struct drawing *d, enum figure_style style, const char *label,
                const struct histogram_steps *steps)
{
    d->steps[d->count] = *steps;
    d->series[d->count] = (struct figure_series){.label = label,
                                                 .style = style,
                                                 .colour = (unsigned)d->count,
                                                 .x = steps->x,
                                                 .y = steps->y,
                                                 .n = steps->n};
    d->count++;
}

static void put(struct drawing *d, struct figure *figure, struct html *html, const char *caption)
{
    size_t points = 0;

    for (size_t i = 0; i < d->count; i++)
        points += d->series[i].n;
    figure->series = d->series;
    figure->series_count = d->count;
    if (points > 0)
        html_figure(html, figure, caption);
    else
        html_paragraph(html, "There is nothing to draw: none of these was observed.");
    for (size_t i = 0; i < d->count; i++)
        histogram_free(&d->steps[i]);
}

static void failed(struct html *html)
{
    html_warning(html, "A figure is missing here: its bins are too many (give a wider --bin), or "
                       "memory is short.");
}

/* --- distributions ---------------------------------------------------------------------------- */

static void put_histogram(const struct webperf *study, const struct group *g, double bin_ms,
                          const char *name, struct html *html)
{
    struct drawing d = {.count = 0};
    char caption[160], title[64];
    struct figure figure = {.name = title,
                            .title = "Histogram of connection times",
                            .x_label = "until the first byte, ms",
                            .y_label = "share of the observations",
                            .x_min = (double)NAN,
                            .x_max = (double)NAN,
                            .y_min = 0,
                            .y_max = (double)NAN};

    (void)snprintf(title, sizeof(title), "bins%s", name);
    (void)snprintf(caption, sizeof(caption),
                   "Histograms in bins of %g ms; of a TCP connect, the time until it was there.",
                   bin_ms);
    for (size_t i = 0; i < g->count; i++) {
        struct histogram_steps steps;

        if (histogram_bins(times_of(g->cells[i]), study->rounds, bin_ms, &steps) < 0)
            failed(html);
        else
            add(&d, FIGURE_STEPS, label_of(g->cells[i]), &steps);
    }
    put(&d, &figure, html, caption);
}

/* The longest hundredth would squeeze the rest against the left edge. */
static double longest_shown(const struct group *g)
{
    double longest = 0;

    for (size_t i = 0; i < g->count; i++)
        longest = fmax(longest, g->cells[i]->summary.p99);
    return longest > 0 ? longest * 1.05 : (double)NAN;
}

static void put_ecdf(const struct webperf *study, const struct group *g, const char *name,
                     struct html *html)
{
    struct drawing d = {.count = 0};
    char title[64];
    struct figure figure = {.name = title,
                            .title = "Distribution functions of connection times",
                            .x_label = "until the first byte, ms",
                            .y_label = "share that was as fast",
                            .x_min = 0,
                            .x_max = longest_shown(g),
                            .y_min = 0,
                            .y_max = 1};

    (void)snprintf(title, sizeof(title), "ecdf%s", name);
    for (size_t i = 0; i < g->count; i++) {
        struct histogram_steps steps;

        if (histogram_ecdf(times_of(g->cells[i]), study->rounds, POINTS, &steps) < 0)
            failed(html);
        else
            add(&d, FIGURE_STEPS, label_of(g->cells[i]), &steps);
    }
    put(&d, &figure, html,
        "Empirical distribution functions, up to the 99th percentile of the slowest.");
}

/* --- over time -------------------------------------------------------------------------------- */

/* Medians of as many consecutive rounds as make at most POINTS points. */
static int course_of(const struct webperf *study, const struct webperf_cell *cell,
                     struct histogram_steps *out)
{
    uint32_t per = (study->rounds + POINTS - 1) / POINTS;
    double *some = calloc(per, sizeof(*some));

    *out =
        (struct histogram_steps){calloc(POINTS, sizeof(double)), calloc(POINTS, sizeof(double)), 0};
    if (!some || !out->x || !out->y) {
        free(some);
        histogram_free(out);
        return -1;
    }
    for (uint32_t from = 0; from < study->rounds; from += per) {
        size_t n = 0;

        for (uint32_t i = from; i < from + per && i < study->rounds; i++) {
            if (isfinite(times_of(cell)[i]))
                some[n++] = times_of(cell)[i];
        }
        if (n == 0)
            continue;
        out->x[out->n] = (double)(study->when[from] - study->when[0]) / 60e6;
        out->y[out->n++] = stats_median(some, n);
    }
    free(some);
    return 0;
}

static void put_course(const struct webperf *study, const struct group *g, const char *name,
                       struct html *html)
{
    struct drawing d = {.count = 0};
    char title[64], caption[160];
    struct figure figure = {.name = title,
                            .title = "Connection times over the time of the run",
                            .x_label = "minutes since the first round",
                            .y_label = "until the first byte, ms",
                            .x_min = 0,
                            .x_max = (double)NAN,
                            .y_min = 0,
                            .y_max = (double)NAN};

    (void)snprintf(title, sizeof(title), "course%s", name);
    (void)snprintf(caption, sizeof(caption), "Over time: each point is the median of %u round%s.",
                   (study->rounds + POINTS - 1) / POINTS,
                   study->rounds > POINTS ? "s in a row" : "");
    for (size_t i = 0; i < g->count; i++) {
        struct histogram_steps steps;

        if (course_of(study, g->cells[i], &steps) < 0)
            failed(html);
        else
            add(&d, FIGURE_LINE, label_of(g->cells[i]), &steps);
    }
    put(&d, &figure, html, caption);
}

/* --- groups ----------------------------------------------------------------------------------- */

static bool of_group(const struct webperf_cell *head, const struct webperf_cell *cell)
{
    const struct observation *a = &head->what, *b = &cell->what;

    if (strcmp(a->stack, b->stack) != 0)
        return false;
    return strcmp(b->operation, "tcp") == 0 ||
           (strcmp(b->operation, "get") == 0 && strcmp(a->tls, b->tls) == 0 &&
            strcmp(a->mode, b->mode) == 0);
}

void webperf_figures(const struct webperf *study, double bin_ms, struct html *html)
{
    unsigned number = 0;

    for (size_t i = 0; i < study->cell_count; i++) {
        const struct webperf_cell *head = &study->cells[i];
        struct group g = {.count = 0};
        char name[16], title[96];

        if (strcmp(head->what.operation, "get") != 0 || strcmp(head->what.session, "new") != 0)
            continue;
        for (size_t c = 0; c < study->cell_count && g.count < SERIES; c++) {
            if (of_group(head, &study->cells[c]))
                g.cells[g.count++] = &study->cells[c];
        }
        (void)snprintf(name, sizeof(name), "%u", number++);
        html_section(html, webperf_title(head, title, sizeof(title)));
        put_histogram(study, &g, bin_ms, name, html);
        put_ecdf(study, &g, name, html);
        put_course(study, &g, name, html);
    }
}
