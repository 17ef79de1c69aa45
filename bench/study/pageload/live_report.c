/*
 * study/pageload/live_report.c: live loads on a terminal and on the page.
 */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "report/html.h"
#include "report/table.h"
#include "report/text.h"
#include "study/pageload/page_published.h"
#include "study/pageload/pageload.h"

static const char explanation[] =
    "Live loads: seconds until everything was there, divided by the round-trip time; what both "
    "hosts compute is in it, and weighs the more, the shorter the round trips. An exclamation mark "
    "stands where that is off the model's count by more than 5 % and what the link's round trip "
    "was "
    "off by; below 30 ms nothing is claimed.";

/* --- sentences -------------------------------------------------------------------------------- */

static void describe(const struct live_study *s, int r, int k, char text[LIVE_SENTENCE_MAX])
{
    const struct live_kind *kind = &s->kind[k];
    const struct live_cell *cell = live_cell(s, r, k);
    double due = kind->model * s->options.rtt_ms[r] / 1000;

    if (cell->loads == 0)
        (void)snprintf(text, LIVE_SENTENCE_MAX, "%s: %s, %s at %g ms: not loaded: %s",
                       study_stack_name(kind->stack), live_handshake_name(kind),
                       browser_visit_name(kind->visit), s->options.rtt_ms[r],
                       cell->reason[0] ? cell->reason : "nobody came to it");
    else
        (void)snprintf(text, LIVE_SENTENCE_MAX,
                       "%s: %s, %s at %g ms: %s: %.2f round trips for %d; %+.1f ms, of which %.1f "
                       "ms would be allowed",
                       study_stack_name(kind->stack), live_handshake_name(kind),
                       browser_visit_name(kind->visit), s->options.rtt_ms[r],
                       live_verdict_name(cell->verdict), cell->round_trips, kind->model,
                       (cell->median - due) * 1000, cell->allowed * 1000);
}

/* --- tables ----------------------------------------------------------------------------------- */

enum { FIXED = 4 };

/* The headings, which a table refers to. */
struct headings {
    struct table_column column[FIXED + LIVE_RTTS_MAX];
    char text[LIVE_RTTS_MAX][24];
};

static void fill_round_trips(const struct live_study *s, struct headings *h,
                             struct report_table *table)
{
    static const struct table_column fixed[FIXED] = {
        {"stack", false, 0}, {"handshake", false, 0}, {"visit", false, 0}, {"model", true, 0}};

    memcpy(h->column, fixed, sizeof(fixed));
    for (int r = 0; r < s->options.rtts; r++) {
        (void)snprintf(h->text[r], sizeof(h->text[r]), "%g ms", s->options.rtt_ms[r]);
        h->column[FIXED + r] = (struct table_column){h->text[r], true, 0};
    }
    report_table_init(table, h->column, FIXED + (size_t)s->options.rtts);
    for (int k = 0; k < s->kinds; k++) {
        report_table_cell(table, "%s", study_stack_name(s->kind[k].stack));
        report_table_cell(table, "%s", live_handshake_name(&s->kind[k]));
        report_table_cell(table, "%s", browser_visit_name(s->kind[k].visit));
        report_table_cell(table, "%d", s->kind[k].model);
        for (int r = 0; r < s->options.rtts; r++) {
            const struct live_cell *cell = live_cell(s, r, k);

            if (cell->loads == 0)
                report_table_cell(table, "-");
            else
                report_table_cell(table, "%.2f%s", cell->round_trips,
                                  cell->verdict == LIVE_DIFFERS ? " !" : "");
        }
    }
}

static void fill_lines(const struct live_study *s, struct report_table *table)
{
    static const struct table_column columns[] = {
        {"stack", false, 0},        {"handshake", false, 0}, {"visit", false, 0},
        {"model", true, 0},         {"slope", true, 0},      {"95 %", true, 1},
        {"intercept\nms", true, 0}, {"95 %", true, 2}};

    report_table_init(table, columns, 8);
    for (int k = 0; k < s->kinds; k++) {
        const struct fit_line *fit = &s->kind[k].fit;

        report_table_cell(table, "%s", study_stack_name(s->kind[k].stack));
        report_table_cell(table, "%s", live_handshake_name(&s->kind[k]));
        report_table_cell(table, "%s", browser_visit_name(s->kind[k].visit));
        report_table_cell(table, "%d", s->kind[k].model);
        report_table_number(table, fit->a.estimate, 2);
        report_table_interval(table, fit->a.lo, fit->a.hi, 2);
        report_table_number(table, fit->b.estimate * 1000, 1);
        report_table_interval(table, fit->b.lo * 1000, fit->b.hi * 1000, 1);
    }
}

static double measured(const struct live_study *s, double rtt_ms, int visit)
{
    for (int k = 0; k < s->kinds; k++) {
        if (s->kind[k].stack != STUDY_TLSYN || s->kind[k].handshake != 0 ||
            s->kind[k].visit != (enum browser_visit)visit)
            continue;
        for (int r = 0; r < s->options.rtts; r++) {
            if (fabs(s->options.rtt_ms[r] - rtt_ms) < 1e-9)
                return live_cell(s, r, k)->median;
        }
    }
    return (double)NAN;
}

/* Tables 3 and 4 of the paper, with its handshake loaded live. False: nothing of it was. */
static bool fill_published(const struct live_study *s, struct report_table *table)
{
    static const struct table_column columns[] = {
        {"network", false, 0},  {"RTT\nms", true, 0},  {"unoptimized\ns", true, 0},
        {"published", true, 0}, {"first\ns", true, 0}, {"published", true, 0},
        {"repeat\ns", true, 0}, {"published", true, 0}};
    bool any = false;

    report_table_init(table, columns, 8);
    for (int n = 0; n < PAGE_NETWORKS; n++) {
        const struct page_network *network = &page_networks[n];

        report_table_cell(table, "%s", network->name);
        report_table_cell(table, "%g", network->rtt_ms);
        for (int v = 0; v < BROWSER_VISITS; v++) {
            double seconds = measured(s, network->rtt_ms, v);

            any = any || isfinite(seconds);
            report_table_number(table, seconds, 3);
            report_table_cell(table, "%g", network->seconds[v]);
        }
    }
    return any;
}

static void fill_cells(const struct live_study *s, struct report_table *table)
{
    static const struct table_column columns[] = {
        {"stack", false, 0},   {"handshake", false, 0}, {"visit", false, 0},
        {"RTT\nms", true, 0},  {"ping\nms", true, 3},   {"loads", true, 2},
        {"failed", true, 2},   {"seconds", true, 0},    {"round\ntrips", true, 0},
        {"model", true, 0},    {"off by\nms", true, 1}, {"allowed\nms", true, 1},
        {"verdict", false, 0},
    };

    report_table_init(table, columns, 13);
    for (int i = 0; i < s->kinds * s->options.rtts; i++) {
        const struct live_cell *cell = &s->cell[i];
        int r = i / s->kinds, k = i % s->kinds;
        double due = s->kind[k].model * s->options.rtt_ms[r];

        report_table_cell(table, "%s", study_stack_name(s->kind[k].stack));
        report_table_cell(table, "%s", live_handshake_name(&s->kind[k]));
        report_table_cell(table, "%s", browser_visit_name(s->kind[k].visit));
        report_table_cell(table, "%g", s->options.rtt_ms[r]);
        report_table_number(table, s->ping_ms[r], 3);
        report_table_cell(table, "%zu", cell->loads);
        report_table_cell(table, "%zu", cell->failed);
        report_table_number(table, cell->median, 4);
        report_table_number(table, cell->round_trips, 2);
        report_table_cell(table, "%d", s->kind[k].model);
        report_table_number(table, cell->median * 1000 - due, 1);
        report_table_number(table, cell->allowed * 1000, 1);
        report_table_cell(table, "%s%s", live_verdict_name(cell->verdict),
                          study_link_kept(cell->loads, cell->missed) ? "" : " (link not kept)");
    }
}

/* --- terminal --------------------------------------------------------------------------------- */

static int put_table(FILE *out, struct report_table *table, unsigned width)
{
    int error = text_table(out, table, width);

    report_table_fini(table);
    (void)fputc('\n', out);
    return error;
}

static void put_verdicts(const struct live_study *s, FILE *out, unsigned width)
{
    char text[LIVE_SENTENCE_MAX];

    for (int i = 0; i < s->kinds * s->options.rtts; i++) {
        if (s->cell[i].verdict == LIVE_NO_CLAIM)
            continue;
        describe(s, i / s->kinds, i % s->kinds, text);
        text_paragraph(out, text, 2, width);
    }
    live_sum_up(s, text);
    text_paragraph(out, text, 0, width);
}

int live_text(const struct live_study *s, FILE *out, unsigned width)
{
    struct headings headings;
    struct report_table table;
    char text[LIVE_SENTENCE_MAX];
    int error;

    text_paragraph(out, explanation, 0, width);
    (void)fputc('\n', out);
    fill_round_trips(s, &headings, &table);
    error = put_table(out, &table, width);
    if (error == 0 && s->options.rtts > 1) {
        fill_lines(s, &table);
        error = put_table(out, &table, width);
    }
    if (error == 0 && s->options.typical && fill_published(s, &table))
        error = put_table(out, &table, width);
    else if (error == 0 && s->options.typical)
        report_table_fini(&table);
    put_verdicts(s, out, width);
    text_paragraph(out, noise_sentence(&s->noise, text, sizeof(text)), 0, width);
    return error;
}

/* --- HTML ------------------------------------------------------------------------------------- */

static void put_html_table(struct html *html, struct report_table *table, const char *caption)
{
    html_table(html, table, caption);
    report_table_fini(table);
}

static int draw(const struct live_kind *kind, char **svg)
{
    const struct load_result *load = &kind->sample->load;
    struct waterfall_bar *bars = calloc((size_t)load->events + 1, sizeof(*bars));
    const struct waterfall w = {
        .connections = load->connections, .bar = bars, .bars = load->events};
    double rtt = kind->sample_rtt_ms * 1000;
    int error;

    for (int i = 0; bars && i < load->events; i++) {
        const struct load_event *e = &load->event[i];

        bars[i] = (struct waterfall_bar){.step = e->step,
                                         .connection = e->connection,
                                         .start = e->start / rtt,
                                         .end = e->end / rtt,
                                         .label = e->url < 0 ? "" : kind->sample->label[e->url]};
    }
    error = bars ? waterfall_svg(&w, svg) : -ENOMEM;
    free(bars);
    return error;
}

static void put_sample(const struct live_kind *kind, struct html *html)
{
    char heading[LIVE_SENTENCE_MAX];
    char *svg = NULL;

    if (!kind->sample)
        return;
    (void)snprintf(heading, sizeof(heading), "Live, %s: %s, %s at %g ms: %.3f s",
                   study_stack_name(kind->stack), live_handshake_name(kind),
                   browser_visit_name(kind->visit), kind->sample_rtt_ms,
                   kind->sample->load.us / 1e6);
    html_section(html, heading);
    if (draw(kind, &svg) == 0)
        html_svg(html, svg,
                 "One of the loads: a line per connection, a column per round trip. Pale: a "
                 "session resumed.");
    else
        html->error = html->error ? html->error : -ENOMEM;
    free(svg);
}

void live_html(const struct live_study *s, struct html *html)
{
    struct headings headings;
    struct report_table table;
    char text[LIVE_SENTENCE_MAX], link[STUDY_LINK_TEXT];
    const struct html_field fields[] = {{"link", study_link_text(&s->options.link, link)},
                                        {"machine", noise_sentence(&s->noise, text, sizeof(text))}};
    char sum[LIVE_SENTENCE_MAX];

    html_section(html, "Live loads");
    html_paragraph(html, explanation);
    fill_round_trips(s, &headings, &table);
    put_html_table(html, &table, "Median time over round-trip time.");
    live_sum_up(s, sum);
    html_paragraph(html, sum);
    html_fields(html, fields, 2);
    if (s->options.typical && fill_published(s, &table))
        put_html_table(html, &table,
                       "The paper's tables 3 and 4: tls1.2-sequential over our stack, beside what "
                       "was published.");
    else if (s->options.typical)
        report_table_fini(&table);
    if (s->options.rtts > 1) {
        fill_lines(s, &table);
        put_html_table(html, &table,
                       "A line through the medians: its slope is round trips, its intercept what "
                       "both hosts compute.");
    }
    fill_cells(s, &table);
    put_html_table(html, &table, "Every cell, and whether it agrees with the model.");
    for (int k = 0; k < s->kinds; k++)
        put_sample(&s->kind[k], html);
}
