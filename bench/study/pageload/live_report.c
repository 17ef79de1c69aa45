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
    "Live loads: seconds until everything was there, divided by the round-trip time; below, the "
    "same without what both hosts compute, which is what the same load takes over a link that "
    "takes no time, measured in the same rounds. \"!\" stands where that is off the model's count "
    "by more than 5 % and what the link's round trip was off by; below 30 ms nothing is claimed.";

/* --- sentences -------------------------------------------------------------------------------- */

static void describe(const struct live_study *s, int r, int k, char text[LIVE_SENTENCE_MAX])
{
    const struct live_kind *kind = &s->kind[k];
    const struct live_cell *cell = live_cell(s, r, k);
    double due = kind->model * s->options.rtt_ms[r];
    char name[LIVE_NAME_MAX];

    (void)live_kind_name(kind, name);
    if (cell->loads == 0)
        (void)snprintf(text, LIVE_SENTENCE_MAX, "%s at %g ms: not loaded: %s", name,
                       s->options.rtt_ms[r], cell->reason[0] ? cell->reason : "nobody came to it");
    else
        (void)snprintf(text, LIVE_SENTENCE_MAX,
                       "%s at %g ms: %s: %.2f round trips for %d, %+.1f ms; with %.1f ms of "
                       "computing apart: %s: %.2f, %+.1f ms; %.1f ms would be allowed",
                       name, s->options.rtt_ms[r], live_verdict_name(cell->verdict),
                       cell->round_trips, kind->model, cell->median * 1000 - due,
                       kind->computing * 1000, live_verdict_name(cell->verdict_apart), cell->apart,
                       (cell->median - kind->computing) * 1000 - due, cell->allowed * 1000);
}

static bool was_kept(const struct live_cell *cell)
{
    return study_link_kept(cell->loads, cell->missed);
}

/* "": it kept what was asked for. */
static const char *remark_link(const struct live_study *s, char text[LIVE_SENTENCE_MAX])
{
    int cells = s->kinds * s->options.rtts, marked = 0;

    for (int i = 0; i < cells; i++)
        marked += !was_kept(&s->cell[i]);
    text[0] = '\0';
    if (marked > 0)
        (void)snprintf(text, LIVE_SENTENCE_MAX,
                       "The link did not keep what was asked for in most loads of %d of %d cells, "
                       "which are marked \"?\": frames left too late or were refused.",
                       marked, cells);
    return text;
}

/* "RTT 30, 300 ms; loss 1 %" */
static const char *link_text(const struct live_study *s, char text[LIVE_SENTENCE_MAX])
{
    char rest[STUDY_LINK_TEXT];
    size_t len = 0;

    for (int r = 0; r < s->options.rtts; r++)
        len += (size_t)snprintf(text + len, LIVE_SENTENCE_MAX - len, "%s%g", r ? ", " : "RTT ",
                                s->options.rtt_ms[r]);
    (void)snprintf(text + len, LIVE_SENTENCE_MAX - len, " ms; %s",
                   study_link_impairs(&s->options.link) ? study_link_text(&s->options.link, rest)
                                                        : "no loss, no limits");
    return text;
}

/* --- tables ----------------------------------------------------------------------------------- */

enum { FIXED = 6 };

/* The headings, which a table refers to. */
struct headings {
    struct table_column column[FIXED + LIVE_RTTS_MAX];
    char text[LIVE_RTTS_MAX][24];
};

/* What a row is of. */
static void put_kind(const struct live_kind *kind, struct report_table *table)
{
    report_table_cell(table, "%s", study_stack_name(kind->stack));
    report_table_cell(table, "%s", browser_http_name(kind->kind.http));
    report_table_cell(table, "%s", kind->kind.handshake->name);
    report_table_cell(table, "%s", browser_visit_name(kind->kind.visit));
}

static void put_count(const struct live_cell *cell, bool apart, struct report_table *table)
{
    enum live_verdict verdict = apart ? cell->verdict_apart : cell->verdict;
    double count = apart ? cell->apart : cell->round_trips;

    if (isfinite(count))
        report_table_cell(table, "%s%s%.2f", was_kept(cell) ? "" : "? ",
                          verdict == LIVE_DIFFERS ? "! " : "", count);
    else
        report_table_cell(table, "-");
}

/* `apart`: without computing. */
static void fill_round_trips(const struct live_study *s, bool apart, struct headings *h,
                             struct report_table *table)
{
    static const struct table_column fixed[FIXED] = {
        {"stack", false, 0}, {"HTTP", false, 0}, {"handshake", false, 0},
        {"visit", false, 0}, {"model", true, 0}, {"computing\nms", true, 0}};

    memcpy(h->column, fixed, sizeof(fixed));
    for (int r = 0; r < s->options.rtts; r++) {
        (void)snprintf(h->text[r], sizeof(h->text[r]), "%g ms", s->options.rtt_ms[r]);
        h->column[FIXED + r] = (struct table_column){h->text[r], true, 0};
    }
    report_table_init(table, h->column, FIXED + (size_t)s->options.rtts);
    for (int k = 0; k < s->kinds; k++) {
        put_kind(&s->kind[k], table);
        report_table_cell(table, "%d", s->kind[k].model);
        report_table_number(table, s->kind[k].computing * 1000, 1);
        for (int r = 0; r < s->options.rtts; r++)
            put_count(live_cell(s, r, k), apart, table);
    }
}

static void fill_lines(const struct live_study *s, struct report_table *table)
{
    static const struct table_column columns[] = {
        {"stack", false, 0}, {"HTTP", false, 0},         {"handshake", false, 0},
        {"visit", false, 0}, {"model", true, 0},         {"slope", true, 0},
        {"95 %", true, 1},   {"intercept\nms", true, 0}, {"95 %", true, 2}};

    report_table_init(table, columns, 9);
    for (int k = 0; k < s->kinds; k++) {
        const struct fit_line *fit = &s->kind[k].fit;

        put_kind(&s->kind[k], table);
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
            s->kind[k].kind.http != BROWSER_HTTP_1 ||
            s->kind[k].kind.visit != (enum browser_visit)visit)
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
        {"stack", false, 0},        {"HTTP", false, 0},           {"handshake", false, 0},
        {"visit", false, 0},        {"RTT\nms", true, 0},         {"ping\nms", true, 3},
        {"loads", true, 2},         {"failed", true, 2},          {"seconds", true, 0},
        {"95 %", true, 2},          {"round\ntrips", true, 0},    {"model", true, 0},
        {"off by\nms", true, 1},    {"allowed\nms", true, 1},     {"verdict", false, 0},
        {"computing\nms", true, 0}, {"then off\nby ms", true, 0}, {"verdict", false, 0},
    };

    report_table_init(table, columns, sizeof(columns) / sizeof(columns[0]));
    for (int i = 0; i < s->kinds * s->options.rtts; i++) {
        const struct live_cell *cell = &s->cell[i];
        int r = i / s->kinds, k = i % s->kinds;
        double due = s->kind[k].model * s->options.rtt_ms[r], computing = s->kind[k].computing;

        put_kind(&s->kind[k], table);
        report_table_cell(table, "%g", s->options.rtt_ms[r]);
        report_table_number(table, s->ping_ms[r], 3);
        report_table_cell(table, "%zu", cell->loads);
        report_table_cell(table, "%zu", cell->failed);
        report_table_number(table, cell->median, 4);
        report_table_interval(table, cell->interval.lo, cell->interval.hi, 4);
        report_table_number(table, cell->round_trips, 2);
        report_table_cell(table, "%d", s->kind[k].model);
        report_table_number(table, cell->median * 1000 - due, 1);
        report_table_number(table, cell->allowed * 1000, 1);
        report_table_cell(table, "%s%s", live_verdict_name(cell->verdict),
                          was_kept(cell) ? "" : " (link not kept)");
        report_table_number(table, computing * 1000, 1);
        report_table_number(table, (cell->median - computing) * 1000 - due, 1);
        report_table_cell(table, "%s", live_verdict_name(cell->verdict_apart));
    }
}

/* --- terminal --------------------------------------------------------------------------------- */

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

    if (remark_link(s, text)[0])
        text_paragraph(out, text, 0, width);
    text_paragraph(out, explanation, 0, width);
    (void)fputc('\n', out);
    fill_round_trips(s, false, &headings, &table);
    error = text_put_table(out, &table, width);
    if (error == 0 && s->blocks > s->options.rtts) {
        text_paragraph(out, "With computing apart:", 0, width);
        (void)fputc('\n', out);
        fill_round_trips(s, true, &headings, &table);
        error = text_put_table(out, &table, width);
    }
    if (error == 0 && s->options.rtts > 1) {
        fill_lines(s, &table);
        error = text_put_table(out, &table, width);
    }
    if (error == 0 && s->options.typical && fill_published(s, &table))
        error = text_put_table(out, &table, width);
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
    size_t steps = live_steps(kind->shown);
    struct waterfall_bar *bars = calloc(steps + 1, sizeof(*bars));
    struct waterfall w = {.bar = bars, .bars = (int)steps};
    int error;

    for (size_t i = 0; bars && i < steps; i++) {
        const struct live_step step = live_step(kind->shown, i);

        bars[i] = (struct waterfall_bar){.step = step.kind,
                                         .connection = step.connection,
                                         .start = step.start_ms / kind->longest_ms,
                                         .end = step.end_ms / kind->longest_ms,
                                         .label = step.url ? step.url : ""};
        w.connections = step.connection > w.connections ? step.connection : w.connections;
    }
    error = bars ? waterfall_svg(&w, svg) : -ENOMEM;
    free(bars);
    return error;
}

static void put_sample(const struct live_kind *kind, struct html *html)
{
    char heading[LIVE_SENTENCE_MAX], name[LIVE_NAME_MAX];
    char *svg = NULL;

    if (!kind->shown)
        return;
    (void)snprintf(heading, sizeof(heading), "Live, %s at %g ms: %.3f s",
                   live_kind_name(kind, name), kind->longest_ms, kind->shown->seconds);
    html_section(html, heading);
    if (draw(kind, &svg) == 0)
        html_svg(html, svg,
                 "The load nearest to the median: a line per connection, a column per round trip. "
                 "Pale: a session resumed.",
                 NULL);
    else
        html->error = html->error ? html->error : -ENOMEM;
    free(svg);
}

void live_html(const struct live_study *s, struct html *html)
{
    struct headings headings;
    struct report_table table;
    char text[LIVE_SENTENCE_MAX], link[LIVE_SENTENCE_MAX], noise[LIVE_SENTENCE_MAX];
    const struct html_field fields[] = {
        {"link", link_text(s, link)}, {"machine", noise_sentence(&s->noise, noise, sizeof(noise))}};

    html_section(html, "Live loads");
    if (s->interrupted)
        html_warning(html, "The run was interrupted; this is what there was by then.");
    if (remark_link(s, text)[0])
        html_warning(html, text);
    html_paragraph(html, explanation);
    live_sum_up(s, text);
    html_paragraph(html, text);
    html_fields(html, fields, 2);
    fill_round_trips(s, false, &headings, &table);
    put_html_table(html, &table, "Median time over round-trip time.");
    if (s->blocks > s->options.rtts) {
        fill_round_trips(s, true, &headings, &table);
        put_html_table(html, &table, "The same without computing.");
    }
    html_section(html, "Live loads: time against round-trip time");
    live_figures(s, html);
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
    html_section(html, "Live loads: every cell");
    fill_cells(s, &table);
    put_html_table(html, &table, "Every cell, and whether it agrees with the model.");
    for (int k = 0; k < s->kinds; k++)
        put_sample(&s->kind[k], html);
}
