/*
 * study/webperf/figures.c: histograms, distribution functions, and times over time.
 */
#include "study/webperf/figures.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

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

/* What the run's length is told in, so that the axis has numbers that are read at a glance. */
struct time_unit {
    const char *name;
    double us;
};

static struct time_unit unit_of(double us)
{
    static const struct time_unit units[] = {
        {"seconds", 1e6}, {"minutes", 60e6}, {"hours", 3600e6}, {"days", 86400e6}};
    size_t i = 0;

    while (i + 1 < sizeof(units) / sizeof(*units) && us > 2 * units[i + 1].us)
        i++;
    return units[i];
}

/* The round after which the run stood still, for it was interrupted or the machine slept: the line
 * ends, and begins anew. */
static bool stood_still(const struct webperf *study, uint32_t before, uint32_t after, double usual)
{
    return (double)(study->when[after] - study->when[before]) > 10 * usual * (after - before);
}

static double usual_interval(const struct webperf *study)
{
    double *each = calloc(study->rounds, sizeof(*each)), usual = (double)INFINITY;

    for (uint32_t i = 1; each && i < study->rounds; i++)
        each[i - 1] = (double)(study->when[i] - study->when[i - 1]);
    if (each && study->rounds > 1)
        usual = stats_median(each, study->rounds - 1);
    free(each);
    return usual;
}

/* Medians of as many consecutive rounds as make at most POINTS points; where the run stood still
 * there is a point without a value. */
static int course_of(const struct webperf *study, const struct webperf_cell *cell,
                     const struct time_unit *unit, struct histogram_steps *out)
{
    uint32_t per = (study->rounds + POINTS - 1) / POINTS;
    double *some = calloc(per, sizeof(*some)), usual = usual_interval(study);

    *out = (struct histogram_steps){calloc((size_t)2 * POINTS, sizeof(double)),
                                    calloc((size_t)2 * POINTS, sizeof(double)), 0};
    if (!some || !out->x || !out->y) {
        free(some);
        histogram_free(out);
        return -1;
    }
    for (uint32_t from = 0; from < study->rounds; from += per) {
        double when = (double)(study->when[from] - study->when[0]) / unit->us;
        size_t n = 0;

        for (uint32_t i = from; i < from + per && i < study->rounds; i++) {
            if (isfinite(times_of(cell)[i]))
                some[n++] = times_of(cell)[i];
        }
        if (from > 0 && stood_still(study, from - per, from, usual)) {
            out->x[out->n] = when;
            out->y[out->n++] = (double)NAN;
        }
        if (n == 0)
            continue;
        out->x[out->n] = when;
        out->y[out->n++] = stats_median(some, n);
    }
    free(some);
    return 0;
}

/* "2026-11-22 01:05 UTC" */
static const char *begun(const struct webperf *study, char text[32])
{
    time_t first = (time_t)(study->when[0] / 1000000);
    struct tm utc;

    text[0] = '\0';
    if (gmtime_r(&first, &utc))
        (void)strftime(text, 32, "%Y-%m-%d %H:%M UTC", &utc);
    return text;
}

static void put_course(const struct webperf *study, const struct group *g, const char *name,
                       struct html *html)
{
    const double length = (double)(study->when[study->rounds - 1] - study->when[0]);
    const struct time_unit unit = unit_of(length);
    uint32_t per = (study->rounds + POINTS - 1) / POINTS;
    struct drawing d = {.count = 0};
    char title[64], caption[240], label[96], when[32];
    struct figure figure = {.name = title,
                            .title = "Connection times over the time of the run",
                            .x_label = label,
                            .y_label = "until the first byte, ms",
                            .x_min = 0,
                            .x_max = length > 0 ? length / unit.us : (double)NAN,
                            .y_min = 0,
                            .y_max = (double)NAN};

    (void)snprintf(title, sizeof(title), "course%s", name);
    (void)snprintf(label, sizeof(label), "%s since %s", unit.name, begun(study, when));
    if (per == 1)
        (void)snprintf(caption, sizeof(caption),
                       "Over time: each round, one after the other. A line is broken where the run "
                       "stood still.");
    else
        (void)snprintf(caption, sizeof(caption),
                       "Over time: each point is the median of %u rounds in a row. A line is "
                       "broken where the run stood still.",
                       per);
    for (size_t i = 0; i < g->count; i++) {
        struct histogram_steps steps;

        if (course_of(study, g->cells[i], &unit, &steps) < 0)
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

    if (head->server != cell->server || strcmp(a->stack, b->stack) != 0)
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
        char name[16], title[WEBPERF_TITLE_MAX];

        if (strcmp(head->what.operation, "get") != 0 || strcmp(head->what.session, "new") != 0)
            continue;
        for (size_t c = 0; c < study->cell_count && g.count < SERIES; c++) {
            if (of_group(head, &study->cells[c]))
                g.cells[g.count++] = &study->cells[c];
        }
        (void)snprintf(name, sizeof(name), "%u", number++);
        html_section(html, webperf_full_title(study, head, title));
        put_histogram(study, &g, bin_ms, name, html);
        put_ecdf(study, &g, name, html);
        put_course(study, &g, name, html);
    }
}
