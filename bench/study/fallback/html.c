/*
 * study/fallback/html.c: the study as one page.
 */
#include <math.h>
#include <stdlib.h>

#include "report/html.h"
#include "report/ladder.h"
#include "study/environment.h"
#include "study/fallback/fallback.h"

enum { SERIES = 2 * FALLBACK_CONTACTS, EVENTS = 40 };

static const char *const contact_names[FALLBACK_CONTACTS] = {"first contact", "next contact"};

/* Rows are numbered from 1 along x; each contact stands a little beside its number. */
struct drawing {
    double x[FALLBACK_CONTACTS][FALLBACK_ROWS_MAX];
    double cost[FALLBACK_CONTACTS][FALLBACK_ROWS_MAX];
    double lo[FALLBACK_CONTACTS][FALLBACK_ROWS_MAX];
    double hi[FALLBACK_CONTACTS][FALLBACK_ROWS_MAX];
    double allowed[FALLBACK_CONTACTS][FALLBACK_ROWS_MAX];
    struct figure_series series[SERIES];
    size_t points;
};

/* `unit_ms` NaN: in round trips of the row's own path. */
static void take_row(struct drawing *d, const struct fallback_study *s, uint32_t row,
                     double unit_ms)
{
    const struct fallback_result *result = &s->result[row];
    double unit = isfinite(unit_ms) ? unit_ms : result->rtt_ms;

    for (int i = 0; i < FALLBACK_CONTACTS; i++) {
        const struct stats_interval *ms = &result->cost[i].ms;

        d->x[i][d->points] = row + 1 + (i == 0 ? -0.12 : 0.12);
        d->cost[i][d->points] = ms->estimate / unit;
        d->lo[i][d->points] = ms->lo / unit;
        d->hi[i][d->points] = ms->hi / unit;
        d->allowed[i][d->points] = fallback_allowed(&s->rows[row].bound[i], result->rtt_ms) / unit;
    }
    d->points++;
}

static void draw(struct drawing *d, const struct fallback_study *s, struct figure *figure,
                 const char *caption, struct html *html)
{
    for (int i = 0; i < FALLBACK_CONTACTS; i++) {
        d->series[i] = (struct figure_series){.label = contact_names[i],
                                              .style = FIGURE_POINTS,
                                              .colour = (unsigned)i,
                                              .x = d->x[i],
                                              .y = d->cost[i],
                                              .lo = d->lo[i],
                                              .hi = d->hi[i],
                                              .n = d->points};
        d->series[FALLBACK_CONTACTS + i] =
            (struct figure_series){.label = i == 0 ? "what either may cost" : NULL,
                                   .style = FIGURE_POINTS,
                                   .colour = FIGURE_INK,
                                   .hollow = true,
                                   .x = d->x[i],
                                   .y = d->allowed[i],
                                   .n = d->points};
    }
    figure->x_label = "row of the table";
    figure->x_min = 0.5;
    figure->x_max = s->row_count + 0.5;
    figure->y_min = figure->y_max = (double)NAN;
    figure->series = d->series;
    figure->series_count = SERIES;
    html_figure(html, figure, caption);
}

static bool waits(const struct fallback_row *row)
{
    return row->bound[0].ms > 0 || row->bound[1].ms > 0;
}

static void put_figures(const struct fallback_study *s, struct html *html)
{
    struct figure trips = {.name = "trips",
                           .title = "Cost in round trips of rows that wait for no timeout",
                           .y_label = "cost against sequential, round trips"};
    struct figure times = {.name = "times",
                           .title = "Cost in milliseconds of every row",
                           .y_label = "cost against sequential, ms"};
    struct drawing quick = {.points = 0}, all = {.points = 0};

    for (uint32_t row = 0; row < s->row_count; row++) {
        if (s->result[row].n == 0)
            continue;
        if (!waits(&s->rows[row]))
            take_row(&quick, s, row, (double)NAN);
        take_row(&all, s, row, 1);
    }
    html_section(html, "What each row costs");
    if (all.points == 0) {
        html_paragraph(html, "There is nothing to draw: no row was measured.");
        return;
    }
    if (quick.points > 0)
        draw(&quick, s, &trips,
             "Rows in which no timeout is waited for; 95 % intervals of the medians. Below zero: "
             "round trips saved.",
             html);
    draw(&all, s, &times, "Every row, in milliseconds: those that wait for a timeout do so once.",
         html);
}

static void put_ladder(const struct fallback_study *s, uint32_t row, struct html *html)
{
    char path[FALLBACK_PATH_MAX], name[64], caption[192], why[LADDER_ERROR_MAX];
    struct ladder ladder;
    char *svg = NULL;

    (void)snprintf(name, sizeof(name), "%s.pcapng", s->rows[row].name);
    (void)snprintf(path, sizeof(path), "%s/%s", s->options.folder, name);
    (void)snprintf(caption, sizeof(caption), "%u. %s, first contact", row + 1, s->rows[row].title);
    if (ladder_read(&ladder, path, NULL, EVENTS, why) < 0) {
        html_warning(html, why);
        return;
    }
    if (ladder_svg(&ladder, &svg) == 0)
        html_svg(html, svg, caption, name);
    free(svg);
    ladder_free(&ladder);
}

static void put_ladders(const struct fallback_study *s, struct html *html)
{
    html_section(html, "Handshakes as captured");
    html_paragraph(html,
                   "One embedded visit to each row, apart from those that were timed, as its "
                   "client saw it: what a middlebox did to a segment shows in what came back.");
    for (uint32_t row = 0; row < s->row_count; row++) {
        if (s->captured[row])
            put_ladder(s, row, html);
    }
}

static void put_remarks(const struct fallback_study *s, struct html *html)
{
    char text[256];

    if (s->interrupted)
        html_warning(html, "The run was interrupted; this is what there was by then.");
    for (uint32_t row = 0; row < s->row_count; row++) {
        if (s->result[row].failed == 0)
            continue;
        (void)snprintf(text, sizeof(text), "Row %u, %s: %zu of %u visits failed.", row + 1,
                       s->rows[row].title, s->result[row].failed, s->options.rounds);
        html_warning(html, text);
    }
}

static void put_table(const struct fallback_study *s, struct html *html)
{
    struct report_table table;
    char text[FALLBACK_SUM_MAX];

    html_section(html, "The matrix");
    fallback_table(s, &table);
    html_table(
        html, &table,
        "Medians over the rounds, against the sequential handshake of the same round: of the "
        "first contact, and of the next by the same stack. A row may cost a quarter of a "
        "round trip more than it says; \"!\": some rounds failed, or the link did not keep "
        "what was asked for.");
    report_table_fini(&table);
    html_paragraph(html, fallback_sum_up(s, text));
}

int fallback_html(const struct fallback_study *s, FILE *out)
{
    const struct environment_run run = {.study = "fallback",
                                        .command = s->options.command,
                                        .version = s->options.version,
                                        .seconds = s->seconds,
                                        .noise = &s->noise,
                                        .link = &s->options.link,
                                        .interrupted = s->interrupted};
    char how[96];
    struct html html;

    html_begin(&html, out, "What an embedded handshake costs where it does not get through",
               "TLS 1.3 towards servers that do not take part, and through middleboxes that strip, "
               "drop, refuse or swallow: from the open call until the first byte of the response.");
    put_remarks(s, &html);
    put_table(s, &html);
    put_figures(s, &html);
    put_ladders(s, &html);
    (void)snprintf(how, sizeof(how), "%u rounds, seed %llu", s->options.rounds,
                   (unsigned long long)s->options.seed);
    return environment_end_page(&run, how, &html);
}
