/*
 * study/flood/html.c: the study as one page.
 */
#include <math.h>

#include "measure/histogram.h"
#include "report/html.h"
#include "study/environment.h"
#include "study/flood/flood.h"

enum {
    KINDS = 2, /* of floods: FLOOD_SPOOFED, FLOOD_STOLEN */
    SERIES = FLOOD_PAIRS * KINDS,
    RATES = 1 + FLOOD_RATES_MAX, /* none, too */
    STEPS = 300,
};

/* --- over the rate ---------------------------------------------------------------------------- */

struct course {
    double x[SERIES][RATES], y[SERIES][RATES];
    char label[SERIES][48];
    struct figure_series series[SERIES];
    size_t count;
};

static bool is_of(const struct flood_cell *cell, enum flood_pair pair, enum flood_kind kind)
{
    return cell->rounds > 0 && cell->pair == pair &&
           (cell->kind == kind || cell->kind == FLOOD_NONE);
}

static bool has_kind(const struct flood_study *s, enum flood_pair pair, enum flood_kind kind)
{
    for (uint32_t i = 0; i < s->cell_count; i++) {
        if (s->cells[i].kind == kind && is_of(&s->cells[i], pair, kind))
            return true;
    }
    return false;
}

static void take(struct course *c, const struct flood_study *s, enum flood_pair pair,
                 enum flood_kind kind, double (*of)(const struct flood_cell *))
{
    size_t at = c->count++, n = 0;

    for (uint32_t i = 0; i < s->cell_count; i++) {
        if (!is_of(&s->cells[i], pair, kind))
            continue;
        c->x[at][n] = s->cells[i].rate;
        c->y[at][n++] = of(&s->cells[i]);
    }
    (void)snprintf(c->label[at], sizeof(c->label[at]), "%s, clients %s, %s",
                   flood_server_name(pair), flood_client_name(pair), flood_kind_name(kind));
    c->series[at] = (struct figure_series){.label = c->label[at],
                                           .style = FIGURE_BOTH,
                                           .colour = (unsigned)pair,
                                           .dashed = kind == FLOOD_STOLEN,
                                           .hollow = kind == FLOOD_STOLEN,
                                           .x = c->x[at],
                                           .y = c->y[at],
                                           .n = n};
}

static double succeeded(const struct flood_cell *cell)
{
    return cell->all.visits ? 100.0 * cell->all.succeeded / cell->all.visits : (double)NAN;
}

static double median_ms(const struct flood_cell *cell)
{
    return cell->median_ms.estimate;
}

static double p99_ms(const struct flood_cell *cell)
{
    return cell->p99_ms;
}

static double out_per_in(const struct flood_cell *cell)
{
    return cell->out_per_in;
}

static double cpu(const struct flood_cell *cell)
{
    return cell->all.seconds > 0 ? 100 * cell->all.cpu / cell->all.seconds : (double)NAN;
}

static double memory(const struct flood_cell *cell)
{
    return (double)cell->all.rss_most / (1 << 20);
}

static const struct subject {
    const char *name, *heading, *y_label, *caption;
    double y_max; /* NaN: as the data ask */
    double (*of)(const struct flood_cell *);
} subjects[] = {
    {"success", "Honest handshakes", "that succeeded, %",
     "Honest handshakes that brought a response within five seconds.", 105, succeeded},
    {"median", "Their time", "median, ms", "From the open call until the client may send.",
     (double)NAN, median_ms},
    {"worst", "The slowest", "99th percentile, ms", "The slowest hundredth of them.", (double)NAN,
     p99_ms},
    {"amplification", "What comes back", "bytes out per byte in",
     "Frames that the server sends for each byte of the forged ones. Nothing of ours may exceed 3.",
     (double)NAN, out_per_in},
    {"cpu", "The server's time", "of a processor, %",
     "Of the server's process. What the kernel's stack does for nginx in interrupts is in no "
     "process's time.",
     (double)NAN, cpu},
    {"memory", "The server's memory", "most resident, MiB", "The worst look at it.", (double)NAN,
     memory},
};

static bool has_points(const struct course *c)
{
    for (size_t i = 0; i < c->count; i++) {
        for (size_t k = 0; k < c->series[i].n; k++) {
            if (isfinite(c->y[i][k]))
                return true;
        }
    }
    return false;
}

static void put_subject(const struct flood_study *s, const struct subject *subject,
                        struct html *html)
{
    struct course c = {.count = 0};
    struct figure figure = {.name = subject->name,
                            .title = subject->heading,
                            .x_label = "forged SYNs per second",
                            .y_label = subject->y_label,
                            .x_min = 0,
                            .x_max = (double)NAN,
                            .y_min = 0,
                            .y_max = subject->y_max};

    for (int pair = 0; pair < FLOOD_PAIRS; pair++) {
        for (int kind = FLOOD_SPOOFED; kind <= FLOOD_STOLEN; kind++) {
            if (has_kind(s, (enum flood_pair)pair, (enum flood_kind)kind))
                take(&c, s, (enum flood_pair)pair, (enum flood_kind)kind, subject->of);
        }
    }
    html_section(html, subject->heading);
    figure.series = c.series;
    figure.series_count = c.count;
    if (has_points(&c))
        html_figure(html, &figure, subject->caption);
    else
        html_paragraph(html, "There is nothing to draw: no flood was measured.");
}

/* --- at the highest rate ---------------------------------------------------------------------- */

struct ecdf {
    struct histogram_steps steps[1 + KINDS];
    struct figure_series series[1 + KINDS];
    size_t count;
};

static void add(struct ecdf *e, const struct flood_cell *cell)
{
    static const char *const labels[] = {"no flood", "spoofed", "stolen"};
    struct histogram_steps *steps = &e->steps[e->count];

    if (cell->all.succeeded == 0 ||
        histogram_ecdf(cell->all.handshake_us.value, cell->all.succeeded, STEPS, steps) < 0)
        return;
    for (size_t i = 0; i < steps->n; i++)
        steps->x[i] /= 1e3;
    e->series[e->count++] = (struct figure_series){.label = labels[cell->kind],
                                                   .style = FIGURE_STEPS,
                                                   .colour = (unsigned)cell->kind,
                                                   .x = steps->x,
                                                   .y = steps->y,
                                                   .n = steps->n};
}

static uint32_t highest_rate(const struct flood_study *s)
{
    uint32_t rate = 0;

    for (int i = 0; i < s->options.rate_count; i++)
        rate = s->options.rates[i] > rate ? s->options.rates[i] : rate;
    return rate;
}

static void put_distribution(const struct flood_study *s, enum flood_pair pair, struct html *html)
{
    struct ecdf e = {.count = 0};
    char name[16], caption[160];
    struct figure figure = {.name = name,
                            .title = "Distribution functions of handshake times",
                            .x_label = "until the client may send, ms",
                            .y_label = "share that was as fast",
                            .x_min = 0,
                            .x_max = (double)NAN,
                            .y_min = 0,
                            .y_max = 1,
                            .series = e.series};

    (void)snprintf(name, sizeof(name), "ecdf%d", (int)pair);
    (void)snprintf(caption, sizeof(caption),
                   "Server %s, clients %s: without a flood, and with %u forged SYNs per second.",
                   flood_server_name(pair), flood_client_name(pair), highest_rate(s));
    for (uint32_t i = 0; i < s->cell_count; i++) {
        const struct flood_cell *cell = &s->cells[i];

        if (cell->rounds > 0 && cell->pair == pair &&
            (cell->rate == 0 || cell->rate == highest_rate(s)))
            add(&e, cell);
    }
    figure.series_count = e.count;
    if (e.count > 0)
        html_figure(html, &figure, caption);
    for (size_t i = 0; i < e.count; i++)
        histogram_free(&e.steps[i]);
}

/* --- the page --------------------------------------------------------------------------------- */

static void put_remarks(const struct flood_study *s, struct html *html)
{
    char text[FLOOD_REASON_MAX + 100];

    if (s->interrupted)
        html_warning(html, "The run was interrupted; this is what there was by then.");
    for (uint32_t i = 0; i < s->cell_count; i++) {
        const struct flood_cell *cell = &s->cells[i];

        if (cell->failed == 0)
            continue;
        (void)snprintf(text, sizeof(text), "%s, %s at %u/s failed in %u of %u rounds: %s",
                       flood_server_name(cell->pair), flood_kind_name(cell->kind), cell->rate,
                       cell->failed, cell->failed + cell->rounds, cell->all.reason);
        html_warning(html, text);
    }
}

static void put_table(const struct flood_study *s, struct html *html)
{
    struct report_table table;

    html_section(html, "The table");
    flood_table(s, &table);
    html_table(html, &table,
               "Spoofed: an empty Fast Open option, from addresses drawn by chance; stolen: the "
               "cookie of one address, from it. Out per in: bytes of frames beside the honest "
               "clients' traffic. Memory: at the first look and at the worst.");
    report_table_fini(&table);
}

int flood_html(const struct flood_study *s, FILE *out)
{
    const struct environment_run run = {.study = "flood",
                                        .command = s->options.command,
                                        .version = s->options.version,
                                        .seconds = s->seconds,
                                        .noise = &s->noise,
                                        .link =
                                            flood_is_linked(&s->options) ? &s->options.link : NULL,
                                        .interrupted = s->interrupted};
    char how[256];
    struct html html;

    html_begin(&html, out, "A server under forged SYNs",
               "Honest TLS 1.3 handshakes while SYNs with a ClientHello arrive from addresses that "
               "answer nothing: tlsyn serve, and nginx on the kernel's stack with Fast Open.");
    put_remarks(s, &html);
    put_table(s, &html);
    for (size_t i = 0; i < sizeof(subjects) / sizeof(*subjects); i++)
        put_subject(s, &subjects[i], &html);
    html_section(&html, "At the highest rate");
    for (int pair = 0; pair < FLOOD_PAIRS; pair++)
        put_distribution(s, (enum flood_pair)pair, &html);
    (void)snprintf(how, sizeof(how),
                   "%u honest handshakes begun per second for %.1f s in each row and round%s; %u "
                   "round%s; forger, clients and server share the machine's processors; seed %llu",
                   s->options.visits, (double)s->options.span / 1e6,
                   run.link ? "" : ", over a veth pair", s->options.rounds,
                   s->options.rounds == 1 ? "" : "s", (unsigned long long)s->options.seed);
    return environment_end_page(&run, how, &html);
}
