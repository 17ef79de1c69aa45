/*
 * study/pageload/live_figures.c: time against round-trip time, a figure for each visit and version
 * of HTTP: what was measured, the model's line, and what the paper has printed.
 */
#include <assert.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>

#include "report/html.h"
#include "study/pageload/page_published.h"
#include "study/pageload/pageload.h"

enum {
    POINTS = 16, /* of one series at most */
    SERIES = LIVE_STACKS * BROWSER_HANDSHAKES + BROWSER_HANDSHAKES + 1,
};

static_assert((int)LIVE_RTTS_MAX <= (int)POINTS && (int)PAGE_NETWORKS <= (int)POINTS,
              "a point per round-trip time fits");
static_assert((int)SERIES <= (int)FIGURE_SERIES_MAX, "all of them fit into a figure");

/* A series and the memory of its points. */
struct curve {
    double x[POINTS], y[POINTS], lo[POINTS], hi[POINTS];
    char label[48];
};

struct drawing {
    struct figure_series series[SERIES];
    struct curve curve[SERIES];
    size_t count;
};

/* The next series, whose points are in the curve. */
static struct curve *add(struct drawing *d, struct figure_series series)
{
    struct curve *c = &d->curve[d->count];

    series.label = c->label[0] ? c->label : NULL;
    series.x = c->x;
    series.y = c->y;
    d->series[d->count++] = series;
    return c;
}

static void add_measured(const struct live_study *s, int k, struct drawing *d)
{
    const struct live_kind *kind = &s->kind[k];
    bool kernel = kind->stack == STUDY_KERNEL;
    struct curve *c = &d->curve[d->count];
    const struct figure_series points = {.style = FIGURE_POINTS,
                                         .colour = (unsigned)kind->handshake,
                                         .hollow = kernel,
                                         .lo = c->lo,
                                         .hi = c->hi,
                                         .n = (size_t)s->options.rtts};

    (void)snprintf(c->label, sizeof(c->label), "%s%s", kind->kind.handshake->name,
                   kernel ? ", kernel" : "");
    (void)add(d, points);
    for (int r = 0; r < s->options.rtts; r++) {
        const struct live_cell *cell = live_cell(s, r, k);

        c->x[r] = s->options.rtt_ms[r];
        c->y[r] = cell->median;
        c->lo[r] = cell->interval.lo;
        c->hi[r] = cell->interval.hi;
    }
}

static void add_model(const struct live_study *s, int k, double x_max, struct drawing *d)
{
    const struct figure_series line = {
        .style = FIGURE_LINE, .colour = (unsigned)s->kind[k].handshake, .n = 2};
    struct curve *c = add(d, line);

    c->x[1] = x_max;
    c->y[1] = s->kind[k].model * x_max / 1000;
}

static void add_published(enum browser_visit visit, struct drawing *d)
{
    const struct figure_series points = {
        .style = FIGURE_POINTS, .colour = FIGURE_INK, .hollow = true, .n = PAGE_NETWORKS};
    struct curve *c = &d->curve[d->count];

    (void)snprintf(c->label, sizeof(c->label), "published, 2004");
    (void)add(d, points);
    for (int n = 0; n < PAGE_NETWORKS; n++) {
        c->x[n] = page_networks[n].rtt_ms;
        c->y[n] = page_networks[n].seconds[visit];
    }
}

/* Whether a line of the same handshake is there already: that of the other stack. */
static bool has_line(const struct drawing *d, unsigned colour)
{
    bool found = false;

    for (size_t i = 0; i < d->count; i++)
        found = found || (d->series[i].style == FIGURE_LINE && d->series[i].colour == colour);
    return found;
}

static size_t fill(const struct live_study *s, const struct browser_kind *what, double x_max,
                   struct drawing *d)
{
    size_t loads = 0;

    for (int k = 0; k < s->kinds; k++) {
        const struct live_kind *kind = &s->kind[k];

        if (kind->kind.visit != what->visit || kind->kind.http != what->http)
            continue;
        for (int r = 0; r < s->options.rtts; r++)
            loads += live_cell(s, r, k)->loads;
        if (!has_line(d, (unsigned)kind->handshake))
            add_model(s, k, x_max, d);
        add_measured(s, k, d);
    }
    if (loads > 0 && s->options.typical && what->http == BROWSER_HTTP_1)
        add_published(what->visit, d);
    return loads;
}

static void put_figure(const struct live_study *s, const struct browser_kind *what, double x_max,
                       struct html *html)
{
    struct drawing *d = calloc(1, sizeof(*d));
    char name[32], caption[240];
    struct figure figure = {.name = name,
                            .title = "Time of a whole page against round-trip time",
                            .x_label = "round-trip time, ms",
                            .y_label = "until everything is there, s",
                            .x_min = 0,
                            .x_max = x_max,
                            .y_min = 0,
                            .y_max = (double)NAN};

    if (!d) {
        html->error = html->error ? html->error : -ENOMEM;
        return;
    }
    (void)snprintf(name, sizeof(name), "rtt%d%s", what->http + 1, browser_visit_name(what->visit));
    (void)snprintf(
        caption, sizeof(caption),
        "Time against round-trip time, %s, HTTP/%s: medians with their intervals of 95 %%; "
        "lines are the model's round trips; hollow are the kernel's%s.",
        browser_visit_name(what->visit), browser_http_name(what->http),
        what->http == BROWSER_HTTP_1 && s->options.typical
            ? ", and without colour what was published for TLS of 2004"
            : "");
    figure.series = d->series;
    if (fill(s, what, x_max, d) > 0) {
        figure.series_count = d->count;
        html_figure(html, &figure, caption);
    }
    free(d);
}

void live_figures(const struct live_study *s, struct html *html)
{
    double x_max = 0;

    for (int r = 0; r < s->options.rtts; r++)
        x_max = fmax(x_max, s->options.rtt_ms[r] * 1.05);
    for (int i = 0; i < BROWSER_HTTPS * BROWSER_VISITS; i++) {
        const struct browser_kind what = {.visit = (enum browser_visit)(i % BROWSER_VISITS),
                                          .http = (enum browser_http)(i / BROWSER_VISITS)};

        put_figure(s, &what, x_max, html);
    }
}
