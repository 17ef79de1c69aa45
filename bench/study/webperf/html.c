/*
 * study/webperf/html.c: the study as one page.
 */
#include <string.h>

#include "study/environment.h"
#include "study/webperf/figures.h"
#include "study/webperf/tables.h"

/* A table of each server; where there are several, each is named and `caption` stands before. */
static void put_tables(struct html *html, const struct webperf *study,
                       void (*fill)(const struct webperf *, size_t server, struct report_table *),
                       const char *caption)
{
    bool several = study->server_count > 1;

    if (several)
        html_paragraph(html, caption);
    for (size_t i = 0; i < study->server_count; i++) {
        struct report_table table;
        char text[WEBPERF_TITLE_MAX];

        fill(study, i, &table);
        html_table(html, &table, several ? webperf_server_text(&study->servers[i], text) : caption);
        report_table_fini(&table);
    }
}

static void put_remarks(const struct webperf *study, struct html *html)
{
    char text[WEBPERF_REMARK_MAX];

    for (size_t i = 0; webperf_remark(study, i, text); i++)
        html_warning(html, text);
}

static void put_failures(const struct webperf *study, struct html *html)
{
    struct report_table table;

    if (webperf_table_failures(study, &table)) {
        html_section(html, "What failed, or was refused");
        html_table(html, &table,
                   "Refused: the server would not resume the session, take early data or the SYN's "
                   "text, or answered with an error's page.");
    }
    report_table_fini(&table);
}

static void put_claims(const struct webperf *study, struct html *html)
{
    struct report_table table;

    html_section(html, "What the paper says");
    if (study->claim_count == 0) {
        html_paragraph(html, "Nothing of what was observed can be held against it: its protocol "
                             "is the sequential handshake with session IDs.");
        return;
    }
    webperf_table_claims(study, &table);
    html_table(html, &table,
               "In brackets intervals of 95 %. A claim holds or fails if the whole interval does; "
               "else it is undecided. Of the 99th percentile there is none.");
    report_table_fini(&table);
    html_paragraph(html, "The paper's lower bound, at NYU in 1998 with a clock of 10 ms: TCP 10, "
                         "a new key 40, a cached one 10, a GET 20 ms; W = 70, C = 40, 42.9 % "
                         "saved.");
}

/* Those that are not the laboratory's, a line each. */
static const char *servers_text(const struct webperf *study, char *text, size_t size)
{
    size_t len = 0;

    text[0] = '\0';
    for (size_t i = 0; i < study->server_count; i++) {
        char one[WEBPERF_TITLE_MAX];

        if (study->servers[i].url[0] && len + sizeof(one) + 3 < size)
            len += (size_t)snprintf(text + len, size - len, "%s%s", len ? "; " : "",
                                    webperf_server_text(&study->servers[i], one));
    }
    return text[0] ? text : "the laboratory's own";
}

static void put_run(const struct webperf *study, struct html *html)
{
    char servers[WEBPERF_SERVERS_MAX * (WEBPERF_TITLE_MAX + 2)];
    const struct store_run *run = &study->run;
    const char *link = run->link[0] ? run->link : "not ours";
    char rounds[96], begun[WEBPERF_BEGUN_MAX], seed[32], noise[WEBPERF_NOISE_MAX];

    (void)snprintf(rounds, sizeof(rounds), "%u rounds, %zu observations", study->rounds,
                   study->observations);
    (void)snprintf(seed, sizeof(seed), "%llu", (unsigned long long)run->seed);
    const struct html_field fields[] = {
        {"target", run->target}, {"servers", servers_text(study, servers, sizeof(servers))},
        {"link", link},          {"begun", webperf_begun(study, begun)},
        {"run", rounds},         {"each round", run->plan},
        {"seed", seed},          {"noise", webperf_noise_text(study, noise)},
        {"tlsyn", run->version}, {"kernel", run->kernel},
        {"system", run->system}, {"processor", run->cpu},
    };
    html_section(html, "What was measured, and on what");
    html_fields(html, fields, sizeof(fields) / sizeof(fields[0]));
}

/* The robot's command, and the report's where it is another. */
static void put_again(const struct webperf *study, const struct webperf_report *report,
                      struct html *html)
{
    environment_again(study->run.command, html);
    if (strcmp(study->run.command, report->command) != 0) {
        html_paragraph(html, "This report of its database was made by");
        html_code(html, report->command);
    }
}

static void put_files(const struct webperf_report *report, struct html *html)
{
    struct html_link links[] = {
        {"webperf.json", "webperf.json", "the figures of this page, for programs"},
        {"webperf.csv", "webperf.csv", "the table's rows"},
        {report->database, report->database, "every observation, an SQLite database"},
    };

    html_section(html, "Files");
    html_links(html, links, report->database ? 3 : 2);
}

int webperf_html(const struct webperf *study, const struct webperf_report *report, FILE *out)
{
    struct html html;

    html_begin(&html, out, "What caching session keys saves",
               "TCP connect, TLS with a new key and with a cached one, and GET, observed back to "
               "back, sequentially and with TLS inside TCP's handshake.");
    put_remarks(study, &html);
    html_section(&html, "The table");
    put_tables(&html, study, webperf_table_savings,
               "Medians in ms. T: TCP connect. S: the TLS handshake beyond it, until the client "
               "may send; below zero, it might before TCP was connected. H: the GET behind the "
               "handshake, until its first byte. W and C: all of it, with a new and with a cached "
               "key; saved: (W - C) / W, paired by rounds.");
    put_failures(study, &html);
    put_claims(study, &html);
    for (size_t i = 0; i < study->server_count; i++)
        webperf_figure_saving(study, i, &html);
    html_section(&html, "Every kind of observation");
    put_tables(&html, study, webperf_table_cells,
               "ms; of ping and TCP connect, the time they took; of the others, until the first "
               "byte. Outliers lie beyond the upper quartile by three times the quartiles' "
               "distance: they are counted, and are in every figure. Failed and refused ones are "
               "in none.");
    webperf_figures(study, report->bin_ms, &html);
    put_run(study, &html);
    put_files(report, &html);
    put_again(study, report, &html);
    return html_end(&html);
}
