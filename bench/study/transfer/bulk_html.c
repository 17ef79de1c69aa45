/*
 * study/transfer/bulk_html.c: the study as one page.
 */
#include <math.h>

#include "peer/lwip.h"
#include "report/html.h"
#include "study/environment.h"
#include "study/transfer/bulk.h"

/* Rows are numbered from 1 along x, with offloads and without in a colour each; of two values the
 * second stands a little beside its number. */
struct drawing {
    double x[2][2][BULK_MEMBERS_MAX], y[2][2][BULK_MEMBERS_MAX];
    double lo[BULK_MEMBERS_MAX], hi[BULK_MEMBERS_MAX];
    struct figure_series series[4];
    size_t count;
};

static const char *const offloads[] = {"offloads off", "offloads on"};

static void draw(struct drawing *d, const struct bulk_study *s, struct figure *figure,
                 const char *caption, struct html *html)
{
    figure->x_label = "row of the table";
    figure->x_min = 0.5;
    figure->x_max = s->member_count + 0.5;
    figure->y_min = 0;
    figure->y_max = (double)NAN;
    figure->series = d->series;
    figure->series_count = d->count;
    html_figure(html, figure, caption);
}

static void put_throughput(const struct bulk_study *s, struct html *html)
{
    struct figure figure = {
        .name = "throughput", .title = "Throughput of each row", .y_label = "Gbit/s"};
    struct drawing d = {.count = 2};

    for (int on = 0; on < 2; on++) {
        struct figure_series *series = &d.series[on];

        *series = (struct figure_series){.label = offloads[on],
                                         .style = FIGURE_POINTS,
                                         .colour = (unsigned)on,
                                         .x = d.x[on][0],
                                         .y = d.y[on][0],
                                         .lo = d.lo,
                                         .hi = d.hi,
                                         .n = s->member_count};
        for (uint32_t i = 0; i < s->member_count; i++) {
            const struct bulk_row *row = &s->rows[i];

            d.x[on][0][i] = i + 1;
            d.y[on][0][i] = row->n > 0 && row->member.offload == on ? row->gbit_s : (double)NAN;
            d.lo[i] = row->least;
            d.hi[i] = row->most;
        }
    }
    draw(&d, s, &figure, "Medians over the rounds, and the range.", html);
}

static void put_computing(const struct bulk_study *s, struct html *html)
{
    static const char *const labels[] = {"sender, offloads off", "receiver, offloads off",
                                         "sender, offloads on", "receiver, offloads on"};
    struct figure figure = {.name = "computing",
                            .title = "Processor time of each row",
                            .y_label = "CPU seconds per 10^9 bytes"};
    struct drawing d = {.count = 4};

    for (int k = 0; k < 4; k++) {
        int on = k / 2, receiver = k % 2;
        double *x = d.x[on][receiver], *y = d.y[on][receiver];

        d.series[k] = (struct figure_series){.label = labels[k],
                                             .style = FIGURE_POINTS,
                                             .colour = (unsigned)on,
                                             .hollow = receiver == 1,
                                             .x = x,
                                             .y = y,
                                             .n = s->member_count};
        for (uint32_t i = 0; i < s->member_count; i++) {
            const struct bulk_row *row = &s->rows[i];

            x[i] = i + 1 + (receiver ? 0.12 : -0.12);
            y[i] = (double)NAN;
            if (row->n > 0 && row->member.offload == on)
                y[i] = receiver ? row->receiver_cpu : row->sender_cpu;
        }
    }
    draw(&d, s, &figure,
         "Of both processes, user and system. What a kernel does in interrupts is in it as far as "
         "it happens while they run.",
         html);
}

static void put_figures(const struct bulk_study *s, struct html *html)
{
    size_t measured = 0;

    for (uint32_t i = 0; i < s->member_count; i++)
        measured += s->rows[i].n > 0;
    html_section(html, "How fast");
    if (measured == 0) {
        html_paragraph(html, "There is nothing to draw: no row was measured.");
        return;
    }
    put_throughput(s, html);
    html_section(html, "At what cost");
    put_computing(s, html);
}

static void put_remarks(const struct bulk_study *s, struct html *html)
{
    char text[FLOW_REASON_MAX + 128];

    if (s->measured.interrupted)
        html_warning(html, "The run was interrupted; this is what there was by then.");
    for (uint32_t i = 0; i < s->member_count; i++) {
        if (s->rows[i].failed == 0)
            continue;
        (void)snprintf(text, sizeof(text), "Row %u: %zu of %zu failed; the first: %s", i + 1,
                       s->rows[i].failed, s->rows[i].failed + s->rows[i].n, s->rows[i].reason);
        html_warning(html, text);
    }
}

int bulk_html(const struct bulk_study *s, FILE *out)
{
    const struct environment_run run = {.study = "bulk",
                                        .command = s->options.command,
                                        .version = s->options.version,
                                        .seconds = s->measured.seconds,
                                        .noise = &s->measured.noise,
                                        .link =
                                            bulk_is_linked(&s->options) ? &s->options.link : NULL,
                                        .interrupted = s->measured.interrupted};
    struct report_table table;
    char how[BULK_SENTENCE_MAX];
    struct html html;

    html_begin(&html, out, "The speed of one flow",
               "Bytes from one host to another: this stack, the kernel's, and lwIP, with and "
               "without the offloads of the interfaces, in the same run.");
    put_remarks(s, &html);
    html_section(&html, "The table");
    bulk_table(s, &table);
    html_table(&html, &table, bulk_conditions(s, how));
    report_table_fini(&table);
    put_figures(s, &html);
    (void)snprintf(how, sizeof(how), "seed %llu; lwIP: %s", (unsigned long long)s->options.seed,
                   peer_lwip_description());
    return environment_end_page(&run, how, &html);
}
