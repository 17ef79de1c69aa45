/*
 * study/table2/html.c: the study as one page.
 */
#include <stdlib.h>

#include "peer/context.h"
#include "peer/quic.h"
#include "report/ladder.h"
#include "study/environment.h"
#include "study/table2/figures.h"
#include "study/table2/published.h"
#include "study/table2/tables.h"

static void put_table(struct html *html, const struct table2 *t,
                      void (*fill)(const struct table2 *, struct report_table *),
                      const char *caption)
{
    struct report_table table;

    fill(t, &table);
    html_table(html, &table, caption);
    report_table_fini(&table);
}

static void put_times(struct html *html, const struct table2 *t, const char *caption)
{
    struct table2_columns columns;
    struct report_table table;

    table2_table_times(t, &columns, &table);
    html_table(html, &table, caption);
    report_table_fini(&table);
}

/* What its headings have no room for. */
static void explain_times(struct html *html)
{
    html_paragraph(html,
                   "Saved: how much shorter the embedded handshake is, of our stack, over the "
                   "rounds in which both succeeded; per RTT, divided by the ping, it is 1 where "
                   "one round trip is spared; the reduction is its part of the sequential time. "
                   "Shift: the same from round to round, by Hodges and Lehmann's estimate with the "
                   "interval of the signed-rank test. Intervals are of 95 %. \"!\": the link did "
                   "not keep what was asked for.");
}

static void put_remarks(const struct table2 *t, struct html *html)
{
    char text[TABLE2_REMARK_MAX];

    for (size_t i = 0; table2_remark(t, i, text); i++)
        html_warning(html, text);
}

static void put_figures(const struct table2 *t, struct html *html)
{
    for (int i = 0; i < STUDY_SUITES * STUDY_SESSIONS; i++) {
        const struct study_way way = {.suite = (enum study_suite)(i / STUDY_SESSIONS),
                                      .session = (enum study_session)(i % STUDY_SESSIONS)};
        char title[96];

        if (!table2_has(t, &way))
            continue;
        table2_title(&way, title, sizeof(title));
        html_section(html, title);
        table2_figure_times(t, &way, html);
    }
    html_section(html, "Reduction");
    table2_figure_reduction(t, html);
}

static void put_ladder(const struct table2 *t, const struct table2_capture *capture,
                       struct html *html)
{
    char path[sizeof(capture->name) + 512];
    char caption[192];
    char why[LADDER_ERROR_MAX];
    struct ladder ladder;
    char *svg = NULL;

    (void)snprintf(path, sizeof(path), "%s/%s", t->options.folder, capture->name);
    (void)snprintf(caption, sizeof(caption), "%s, %s, %s", study_suite_title(capture->way.suite),
                   study_mode_name(capture->way.mode), study_session_title(capture->way.session));
    if (ladder_read(&ladder, path, NULL, 40, why) < 0) {
        html_warning(html, why);
        return;
    }
    if (ladder_svg(&ladder, &svg) == 0)
        html_svg(html, svg, caption, capture->name);
    free(svg);
    ladder_free(&ladder);
}

static void put_ladders(const struct table2 *t, struct html *html)
{
    html_section(html, "Handshakes as captured");
    html_paragraph(html, "One connection per mode, apart from those that were timed, over the "
                         "longest of the links. The captures hold the TLS secrets: tshark and "
                         "Wireshark decrypt them without further files.");
    for (size_t i = 0; i < t->capture_count; i++) {
        if (t->captures[i].name[0])
            put_ladder(t, &t->captures[i], html);
    }
}

static void put_link(const struct table2 *t, struct html *html)
{
    char text[TABLE2_REMARK_MAX];

    html_section(html, "The link");
    put_table(html, t, table2_table_link, "Delays set, and pings measured over them, ms.");
    html_paragraph(html, table2_noise(t, text));
}

static void put_environment(const struct table2 *t, struct html *html)
{
    struct environment e;
    const struct study_link *path = &t->options.path;
    char run[160], emulated[64] = "nothing but the link", seed[32];
    char link[STUDY_LINK_TEXT] = "a round trip of each row's ping";

    environment_read(&e);
    (void)snprintf(run, sizeof(run), "%u rounds after %u for warming up, %.0f s, level %s, in: %s",
                   t->options.rounds, t->options.warmup, t->seconds,
                   study_level_name(t->options.level), t->testbed);
    if (study_link_impairs(path))
        (void)study_link_text(path, link);
    (void)snprintf(seed, sizeof(seed), "%llu", (unsigned long long)t->options.seed);
    if (t->options.pad > 0)
        (void)snprintf(emulated, sizeof(emulated), "the link; %.1f ms of server computing",
                       (double)t->options.pad / 1e3);
    const struct html_field fields[] = {
        {"run", run},
        {"link", link},
        {"emulated", emulated},
        {"seed", seed},
        {"tlsyn", t->options.version},
        {"beside it", t->has_kernel ? peer_ssl_version() : "nothing"},
        {"QUIC", table2_has_quic(t) ? peer_quic_version() : "not measured"},
        {"kernel", e.kernel},
        {"system", e.system},
        {"processor", e.cpu},
        {"written", e.when},
    };
    html_section(html, "What was measured, and on what");
    html_fields(html, fields, sizeof(fields) / sizeof(fields[0]));
}

static void put_negotiated(const struct table2 *t, struct html *html)
{
    static const struct table_column columns[] = {{"TLS", false, 0},
                                                  {"stack", false, 0},
                                                  {"version", false, 0},
                                                  {"cipher suite", false, 0},
                                                  {"group", false, 0}};
    struct report_table table;

    report_table_init(&table, columns, sizeof(columns) / sizeof(columns[0]));
    for (int i = 0; i < STUDY_STACKS * STUDY_SUITES; i++) {
        const struct table2_negotiated *n = &t->negotiated[i % STUDY_STACKS][i / STUDY_STACKS];

        if (!n->version[0])
            continue;
        report_table_cell(&table, "%s", study_suite_name((enum study_suite)(i / STUDY_STACKS)));
        report_table_cell(&table, "%s", study_stack_name((enum study_stack)(i % STUDY_STACKS)));
        report_table_cell(&table, "%s", n->version);
        report_table_cell(&table, "%s", n->cipher);
        report_table_cell(&table, "%s", n->group[0] ? n->group : "-");
    }
    html_table(html, &table,
               "What the ends agreed on; \"-\": no group, or one that the library does not tell.");
    report_table_fini(&table);
}

static void put_files(struct html *html)
{
    static const struct html_link links[] = {
        {"table2.json", "table2.json", "everything on this page, for programs"},
        {"table2.csv", "table2.csv", "the rows"},
        {"samples.csv", "samples.csv", "every single observation, pings and failures included"},
        {"ladders.txt", "ladders.txt", "the handshakes as text"},
    };

    html_section(html, "Files");
    html_links(html, links, sizeof(links) / sizeof(links[0]));
}

int table2_html(const struct table2 *t, FILE *out)
{
    struct html html;

    html_begin(&html, out, "Ping RTT against handshake time",
               "TLS behind TCP's three-way handshake (sequential) and inside it (embedded), beside "
               "the kernel's TCP with OpenSSL over the same link, and the published figures.");
    put_remarks(t, &html);
    html_section(&html, "The table");
    put_times(&html, t,
              "Milliseconds from the open call until the client may send: it holds the server's "
              "Finished, or "
              "has written early data; medians.");
    explain_times(&html);
    html_paragraph(&html, "Published: " PUBLISHED_SOURCE ".");
    html_section(&html, "Round trips");
    put_table(
        &html, t, table2_table_fits,
        "T = a * RTT + b: Theil-Sen through the medians, bootstrap intervals; least squares "
        "through the published figures. Farthest: the largest distance of a point from its line.");
    put_figures(t, &html);
    put_ladders(t, &html);
    html_section(&html, "First byte of the response");
    put_table(&html, t, table2_table_first_byte, "Milliseconds from the open call; medians.");
    put_link(t, &html);
    put_environment(t, &html);
    put_negotiated(t, &html);
    put_files(&html);
    environment_again(t->options.command, &html);
    return html_end(&html);
}
