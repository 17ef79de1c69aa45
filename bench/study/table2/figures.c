/*
 * study/table2/figures.c: the study's figures.
 */
#include "study/table2/figures.h"

#include <assert.h>
#include <math.h>

#include "study/table2/published.h"

enum {
    CURVE = 60,  /* points of one series at most */
    SERIES = 16, /* in one figure at most */
    COLOUR_PUBLISHED = 3,
};

/* One thing keeps its colour from figure to figure. */
static unsigned colour_of(const struct study_way *way)
{
    static const unsigned colours[STUDY_STACKS][STUDY_MODES] = {
        [STUDY_TLSYN] = {0, 1}, [STUDY_KERNEL] = {2, 5}, [STUDY_QUIC] = {6, 6}};

    return colours[way->stack][way->mode];
}

/* A series and the memory of its points. */
struct curve {
    double x[CURVE], y[CURVE], lo[CURVE], hi[CURVE];
    char label[96];
};

struct drawing {
    struct figure_series series[SERIES];
    struct curve curves[SERIES];
    size_t count;
    double x_max;
};

static_assert((int)TABLE2_PINGS_MAX <= (int)CURVE && (int)PUBLISHED_ROWS <= (int)CURVE,
              "a point per ping fits");

/* The next series; its points are the caller's to fill in. */
static struct curve *add(struct drawing *d, struct figure_series series)
{
    struct curve *c = &d->curves[d->count];

    series.x = c->x;
    series.y = c->y;
    d->series[d->count++] = series;
    return c;
}

static void begin(const struct table2 *t, struct drawing *d)
{
    d->count = 0;
    d->x_max = 0;
    for (int i = 0; i < t->options.pings; i++)
        d->x_max = fmax(d->x_max, t->targets[i].ping_ms);
    d->x_max *= 1.05;
}

static size_t points_of(const struct figure_series *series)
{
    size_t points = 0;

    for (size_t i = 0; i < series->n; i++)
        points += isfinite(series->x[i]) && isfinite(series->y[i]);
    return points;
}

/* A run that was interrupted at once has nothing to show. */
static void draw(const struct drawing *d, struct figure *figure, struct html *html,
                 const char *caption)
{
    size_t points = 0;

    for (size_t i = 0; i < d->count; i++)
        points += points_of(&d->series[i]);
    figure->series_count = d->count;
    if (points > 0)
        html_figure(html, figure, caption);
    else
        html_paragraph(html, "There is nothing to draw: no round is complete.");
}

/* --- times ------------------------------------------------------------------------------------ */

static void add_measured(const struct table2 *t, const struct table2_fit *fit, struct drawing *d)
{
    struct figure_series points = {.style = FIGURE_POINTS, .colour = colour_of(&fit->way)};
    struct figure_series *kept = &d->series[d->count];
    struct curve *c = add(d, points);
    size_t n = 0;

    for (size_t i = 0; i < t->row_count; i++) {
        const struct table2_row *row = &t->rows[i];

        if (!study_way_equal(&row->member.way, &fit->way))
            continue;
        c->x[n] = row->ping_ms;
        c->y[n] = row->handshake_ms.estimate;
        c->lo[n] = row->handshake_ms.lo;
        c->hi[n++] = row->handshake_ms.hi;
    }
    (void)snprintf(c->label, sizeof(c->label), "%s",
                   study_stack_title(fit->way.stack, fit->way.mode));
    kept->label = c->label;
    kept->lo = c->lo;
    kept->hi = c->hi;
    kept->n = n;
}

static void add_line(const struct fit_line *line, struct figure_series style, struct drawing *d)
{
    struct figure_series *kept = &d->series[d->count];
    struct curve *c = NULL;

    style.style = FIGURE_LINE;
    c = add(d, style);
    for (size_t i = 0; i < 2; i++) {
        c->x[i] = i == 0 ? 0 : d->x_max;
        c->y[i] = fit_at(line, c->x[i]);
    }
    kept->n = 2;
}

static void add_published(const struct table2 *t, enum study_mode mode, struct drawing *d)
{
    const struct figure_series points = {.style = FIGURE_POINTS,
                                         .colour = COLOUR_PUBLISHED + (unsigned)mode,
                                         .hollow = true,
                                         .n = PUBLISHED_ROWS};
    struct figure_series *kept = &d->series[d->count];
    struct curve *c = add(d, points);

    for (int i = 0; i < PUBLISHED_ROWS; i++) {
        c->x[i] = published_rows[i].ping_ms;
        c->y[i] = mode == STUDY_EMBEDDED ? published_rows[i].embedded_ms
                                         : published_rows[i].sequential_ms;
    }
    kept->label = mode == STUDY_EMBEDDED ? "published, SSLmTCP" : "published, sequential";
    add_line(&t->published[mode],
             (struct figure_series){.colour = COLOUR_PUBLISHED + (unsigned)mode, .dashed = true},
             d);
}

/* Every stack and mode, with the suite and session of `way`. */
static void add_suite(const struct table2 *t, const struct study_way *way, struct drawing *d)
{
    for (size_t i = 0; i < t->fit_count; i++) {
        const struct table2_fit *fit = &t->fits[i];

        if (fit->way.suite != way->suite || fit->way.session != way->session)
            continue;
        add_measured(t, fit, d);
        if (fit->valid)
            add_line(&fit->line, (struct figure_series){.colour = colour_of(&fit->way)}, d);
    }
}

void table2_figure_times(const struct table2 *t, const struct study_way *way, struct html *html)
{
    bool is_published = way->suite == STUDY_12_RSA && way->session == STUDY_NEW;
    struct drawing d;
    char name[32];
    struct figure figure = {.name = name,
                            .title = "Handshake time against ping RTT",
                            .x_label = "ping RTT, ms",
                            .y_label = "until the client may send, ms",
                            .x_min = 0,
                            .x_max = (double)NAN,
                            .y_min = 0,
                            .y_max = (double)NAN,
                            .series = d.series};

    begin(t, &d);
    (void)snprintf(name, sizeof(name), "times%d%s", (int)way->suite,
                   study_session_name(way->session));
    add_suite(t, way, &d);
    if (is_published) {
        add_published(t, STUDY_SEQUENTIAL, &d);
        add_published(t, STUDY_EMBEDDED, &d);
    }
    draw(&d, &figure, html,
         is_published
             ? "Medians with 95 % intervals and the fitted lines. The slope is the number of "
               "round trips; where a line meets the left edge is computation, which was some "
               "43 ms on the published study's hosts."
             : "Medians with 95 % intervals and the fitted lines.");
}

/* --- reduction -------------------------------------------------------------------------------- */

static void add_savings(const struct table2 *t, enum study_suite suite, struct drawing *d)
{
    const struct figure_series points = {.style = FIGURE_POINTS, .colour = (unsigned)suite};
    struct figure_series *kept = &d->series[d->count];
    struct curve *c = add(d, points);
    size_t n = 0;

    for (int target = 0; target < t->options.pings; target++) {
        const struct study_way way = {.suite = suite};
        const struct table2_saving *s = table2_saving_of(t, target, &way);
        const struct table2_row *row = table2_row_of(t, target, &way);

        if (!s || !row || s->pairs == 0)
            continue;
        c->x[n] = row->ping_ms;
        c->y[n] = s->reduction.estimate * 100;
        c->lo[n] = s->reduction.lo * 100;
        c->hi[n++] = s->reduction.hi * 100;
    }
    (void)snprintf(c->label, sizeof(c->label), "TLS %s", study_suite_name(suite));
    kept->label = c->label;
    kept->lo = c->lo;
    kept->hi = c->hi;
    kept->n = n;
}

/* R / (round_trips R + X), in per cent. */
static void add_theory(double round_trips, double x_ms, unsigned colour, struct drawing *d)
{
    const struct figure_series line = {
        .style = FIGURE_LINE, .colour = colour, .dashed = true, .n = CURVE};
    struct curve *c = add(d, line);

    for (int i = 0; i < CURVE; i++) {
        double r = d->x_max * (i + 0.5) / CURVE;

        c->x[i] = r;
        c->y[i] = 100 * r / (round_trips * r + x_ms);
    }
}

static void add_published_reduction(const struct table2 *t, struct drawing *d)
{
    const struct figure_series points = {.style = FIGURE_POINTS,
                                         .colour = COLOUR_PUBLISHED,
                                         .hollow = true,
                                         .label = "published",
                                         .n = PUBLISHED_ROWS};
    struct curve *c = add(d, points);

    for (int i = 0; i < PUBLISHED_ROWS; i++) {
        c->x[i] = published_rows[i].ping_ms;
        c->y[i] = published_rows[i].reduction_percent;
    }
    add_theory(3, t->published[STUDY_SEQUENTIAL].b.estimate, COLOUR_PUBLISHED, d);
}

void table2_figure_reduction(const struct table2 *t, struct html *html)
{
    struct drawing d;
    struct figure figure = {.name = "reduction",
                            .title = "Reduction of handshake time against ping RTT",
                            .x_label = "ping RTT, ms",
                            .y_label = "reduction, %",
                            .x_min = 0,
                            .x_max = (double)NAN,
                            .y_min = 0,
                            .y_max = (double)NAN,
                            .series = d.series};

    begin(t, &d);
    for (int suite = 0; suite < STUDY_SUITES; suite++) {
        const struct study_way way = {.suite = (enum study_suite)suite};
        const struct table2_fit *fit = table2_fit_of(t, &way);

        add_savings(t, (enum study_suite)suite, &d);
        if (fit && fit->valid)
            add_theory(study_round_trips(&way), fit->line.b.estimate, (unsigned)suite, &d);
    }
    add_published_reduction(t, &d);
    draw(&d, &figure, html,
         "What embedding saves of the sequential handshake. Dashed: R / (3 R + X), for TLS 1.3 "
         "R / (2 R + X), with X the computation that the sequential line's fit gives. The less "
         "a host computes, the more of its handshake is waiting, and the more is saved.");
}
