/*
 * study/webperf/saving.c: what caching saves against the round-trip time.
 *
 * A connection takes n round trips R and what both ends compute, X. The counts follow from the
 * handshake (study_round_trips()), X = T - n R from the run, whose R is a TCP connect. So the curve
 * through the run's own point is (W - C) / W with W = n R + X of a new key, and C likewise.
 */
#include <math.h>

#include "study/webperf/figures.h"
#include "study/webperf/kinds.h"

enum { POINTS = 60, LABEL = WEBPERF_TITLE_MAX + STORE_WORD_MAX, ROWS = FIGURE_SERIES_MAX / 2 - 1 };

#define FARTHEST_MS 100.0 /* at least: what a curve of one continent needs */

struct drawing {
    struct figure_series series[FIGURE_SERIES_MAX];
    size_t count;
    double rtt[POINTS], saved[ROWS][POINTS]; /* the curves */
    double x[ROWS], y[ROWS], lo[ROWS], hi[ROWS];
    char label[ROWS][LABEL];
    size_t rows;
};

/* A time over any round trip, from what it took over the run's. */
struct course {
    double trips, computing;
};

static struct course course_of(const struct webperf_cell *cell, double rtt)
{
    const struct study_way way = webperf_way_of(&cell->what);
    double trips = study_round_trips(&way) + 1;

    return (struct course){trips, fmax(cell->median.estimate - trips * rtt, 0)};
}

static void add_curve(struct drawing *d, const struct webperf_row *row, double rtt)
{
    const struct course w = course_of(row->fresh, rtt), c = course_of(row->cached, rtt);

    for (int i = 0; i < POINTS; i++) {
        double whole = w.trips * d->rtt[i] + w.computing;

        d->saved[d->rows][i] = (1 - (c.trips * d->rtt[i] + c.computing) / whole) * 100;
    }
    d->series[d->count++] = (struct figure_series){.style = FIGURE_LINE,
                                                   .dashed = true,
                                                   .colour = (unsigned)(d->rows % FIGURE_COLOURS),
                                                   .x = d->rtt,
                                                   .y = d->saved[d->rows],
                                                   .n = POINTS};
}

static void add_point(struct drawing *d, const struct webperf_row *row, double rtt)
{
    size_t i = d->rows;
    char title[WEBPERF_TITLE_MAX];

    d->x[i] = rtt;
    d->y[i] = row->saving.estimate * 100;
    d->lo[i] = row->saving.lo * 100;
    d->hi[i] = row->saving.hi * 100;
    (void)snprintf(d->label[i], LABEL, "%s, %s", webperf_title(row->cached, title),
                   row->cached->what.session);
    d->series[d->count++] = (struct figure_series){.label = d->label[i],
                                                   .style = FIGURE_POINTS,
                                                   .colour = (unsigned)(i % FIGURE_COLOURS),
                                                   .x = &d->x[i],
                                                   .y = &d->y[i],
                                                   .lo = &d->lo[i],
                                                   .hi = &d->hi[i],
                                                   .n = 1};
}

/* At NYU, by a clock of 10 ms. */
static void add_published(struct drawing *d)
{
    static const double rtt = 10, saved = 42.9;

    d->series[d->count++] = (struct figure_series){.label = "published: NYU, 1998",
                                                   .style = FIGURE_POINTS,
                                                   .colour = FIGURE_INK,
                                                   .hollow = true,
                                                   .x = &rtt,
                                                   .y = &saved,
                                                   .n = 1};
}

static void put_passed_over(size_t count, struct html *html)
{
    char text[96];

    (void)snprintf(text, sizeof(text), "Of %zu more kinds there is no room here: see the table.",
                   count);
    html_paragraph(html, text);
}

static void put_heading(const struct webperf *study, size_t server, struct html *html)
{
    char text[WEBPERF_TITLE_MAX];

    (void)snprintf(text, sizeof(text), "What it saves, near and far: %s",
                   study->servers[server].url);
    html_section(html, study->server_count > 1 ? text : "What it saves, near and far");
}

void webperf_figure_saving(const struct webperf *study, size_t server, struct html *html)
{
    struct drawing d = {.count = 0};
    double farthest = FARTHEST_MS, lowest = 0;
    size_t passed_over = 0;
    char name[24];
    struct figure figure = {.name = name,
                            .title = "What a cached key saves against the round-trip time",
                            .x_label = "TCP connect, ms",
                            .y_label = "saved, %",
                            .x_min = 0,
                            .y_max = (double)NAN,
                            .series = d.series};

    (void)snprintf(name, sizeof(name), "saving%zu", server);
    for (size_t i = 0; i < study->row_count; i++) {
        if (study->rows[i].cached->server == server)
            farthest = fmax(farthest, 2 * study->rows[i].t.estimate);
    }
    for (int i = 0; i < POINTS; i++)
        d.rtt[i] = farthest * i / (POINTS - 1);
    for (size_t i = 0; i < study->row_count; i++) {
        const struct webperf_row *row = &study->rows[i];

        if (row->cached->server != server || !isfinite(row->t.estimate) ||
            !isfinite(row->saving.estimate))
            continue;
        if (d.rows == ROWS) {
            passed_over++;
            continue;
        }
        add_curve(&d, row, row->t.estimate);
        add_point(&d, row, row->t.estimate);
        lowest = fmin(lowest, fmin(d.y[d.rows], d.lo[d.rows]));
        d.rows++;
    }
    if (d.rows == 0)
        return;
    add_published(&d);
    figure.x_max = farthest;
    figure.y_min = lowest < 0 ? (double)NAN : 0; /* some cached key costs more than it saves */
    figure.series_count = d.count;
    put_heading(study, server, html);
    html_figure(html, &figure,
                "Points: this run, with 95 % intervals. Dashed: the same handshakes over other "
                "distances: their round trips, and this run's computing. Near by a cached key "
                "saves computing, far away round trips, where it spares any.");
    if (passed_over > 0)
        put_passed_over(passed_over, html);
}
