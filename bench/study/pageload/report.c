/*
 * study/pageload/report.c: the model on a terminal, for programs, and as a page.
 */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "report/html.h"
#include "report/json.h"
#include "report/table.h"
#include "report/text.h"
#include "study/environment.h"
#include "study/pageload/page_published.h"
#include "study/pageload/pageload.h"

#define GROUP_MAX    160
#define SENTENCE_MAX 256

#define LEAD_MAX 640

static const char *lead(const struct pageload *p, char text[LEAD_MAX])
{
    (void)snprintf(
        text, LEAD_MAX,
        "Round trips until a page of %d URLs from %d servers is there%s: counted by a model in "
        "which nothing else takes time; with HTTP/1.1 over up to 16 connections that are kept, one "
        "request at a time on each, with HTTP/2 over one to each server. unoptimized: the parser "
        "waits for style sheets and scripts. first: it does "
        "not, and connections are opened ahead. repeat: the URLs are known from an earlier visit, "
        "too.",
        p->page.urls, p->page.hosts,
        p->options.page ? ""
                        : ", its two frames with style sheets, scripts, redirections to another "
                          "server and images");
    return text;
}

/* --- tables ----------------------------------------------------------------------------------- */

static void count_cell(const struct pageload *p, struct report_table *table,
                       const struct browser_kind *kind)
{
    const struct browser_load *load = pageload_find(p, kind);

    if (load)
        report_table_cell(table, "%d", load->round_trips);
    else
        report_table_cell(table, "-");
}

static void fill_counts(const struct pageload *p, struct report_table *table)
{
    static const struct table_column columns[] = {{"HTTP", false, 0},
                                                  {"handshake", false, 0},
                                                  {"unoptimized", true, 0},
                                                  {"first", true, 0},
                                                  {"repeat", true, 0}};

    report_table_init(table, columns, 5);
    for (int i = 0; i < BROWSER_HTTPS * BROWSER_HANDSHAKES; i++) {
        enum browser_http http = (enum browser_http)(i / BROWSER_HANDSHAKES);
        int h = i % BROWSER_HANDSHAKES;

        if (!(p->options.http >> http & 1) ||
            (p->options.handshake >= 0 && p->options.handshake != h))
            continue;
        report_table_cell(table, "%s", browser_http_name(http));
        report_table_cell(table, "%s", browser_handshakes[h].name);
        for (int v = 0; v < BROWSER_VISITS; v++)
            count_cell(p, table,
                       &(struct browser_kind){.handshake = &browser_handshakes[h],
                                              .visit = (enum browser_visit)v,
                                              .http = http});
    }
    if (p->options.page)
        return;
    report_table_cell(table, "1.1");
    report_table_cell(table, "published in 2004");
    for (int v = 0; v < BROWSER_VISITS; v++)
        report_table_cell(table, "%d", p->check[v].published);
}

/* Seconds that the counts are worth: the paper's tables 3 and 4, and the same with the handshake
 * that saves most. */
static void fill_seconds(const struct pageload *p, struct report_table *table)
{
    static const struct table_column columns[] = {{"network", false, 0},
                                                  {"RTT\nms", true, 0},
                                                  {"unoptimized\ns", true, 0},
                                                  {"published", true, 1},
                                                  {"first\ns", true, 0},
                                                  {"published", true, 1},
                                                  {"repeat\ns", true, 0},
                                                  {"published", true, 1},
                                                  {"repeat, TLS 1.3\nembedded, 0-RTT", true, 0}};
    const struct browser_kind least = {.handshake = &browser_handshakes[BROWSER_HANDSHAKES - 1],
                                       .visit = BROWSER_REPEAT};
    const struct browser_load *best = pageload_find(p, &least);

    report_table_init(table, columns, 9);
    for (int n = 0; n < PAGE_NETWORKS; n++) {
        const struct page_network *network = &page_networks[n];

        report_table_cell(table, "%s", network->name);
        report_table_cell(table, "%g", network->rtt_ms);
        for (int v = 0; v < BROWSER_VISITS; v++) {
            report_table_cell(table, "%g", network->rtt_ms / 1000 * p->check[v].counted);
            report_table_cell(table, "%g", network->seconds[v]);
        }
        if (best)
            report_table_cell(table, "%g", network->rtt_ms / 1000 * best->round_trips);
        else
            report_table_cell(table, "-");
    }
}

/* What a group of events was for: the URLs fetched, or those that had the connections opened. */
static void url_names(const struct page *page, const struct browser_load *load, int from, int to,
                      char *text, size_t size)
{
    size_t length = 0;

    text[0] = '\0';
    for (int i = from; i < to && length < size; i++) {
        if (load->event[i].url < 0)
            continue;
        length += (size_t)snprintf(text + length, size - length, "%s%s", length ? " " : "",
                                   page->url[load->event[i].url].name);
    }
    if (length == 0)
        (void)snprintf(text, size, "(ahead)");
}

static void fill_events(const struct page *page, const struct browser_load *load,
                        struct report_table *table)
{
    static const struct table_column columns[] = {{"from", true, 0},
                                                  {"to", true, 0},
                                                  {"connections", false, 0},
                                                  {"what", false, 0},
                                                  {"for", false, 1}};

    report_table_init(table, columns, 5);
    for (int i = 0, next; i < load->events; i = next) {
        char connections[GROUP_MAX], names[GROUP_MAX];

        next = pageload_group(load, i, connections, sizeof(connections));
        url_names(page, load, i, next, names, sizeof(names));
        report_table_cell(table, "%d", load->event[i].start);
        report_table_cell(table, "%d", load->event[i].end);
        report_table_cell(table, "%s", connections);
        report_table_cell(table, "%s", pageload_step_name(load->event[i].step));
        report_table_cell(table, "%s", names);
    }
}

static void verdict(const struct pageload *p, int visit, char text[SENTENCE_MAX])
{
    const struct pageload_check *c = &p->check[visit];

    (void)snprintf(text, SENTENCE_MAX,
                   "%s: the published events add up to %d round trips, the model counts %d; of "
                   "what ends on a connection after a round trip, %d are the model's alone and %d "
                   "the paper's.",
                   browser_visit_name((enum browser_visit)visit), c->published, c->counted,
                   c->missing, c->extra);
}

/* --- terminal --------------------------------------------------------------------------------- */

static int put_events(const struct pageload *p, FILE *out, unsigned width)
{
    int error = 0;

    for (int i = 0; i < p->rows && error == 0; i++) {
        const struct pageload_row *row = &p->row[i];
        struct report_table table;

        (void)fprintf(out, "HTTP/%s, %s, %s: %d round trips, %d connections\n\n",
                      browser_http_name(row->kind.http), row->kind.handshake->name,
                      browser_visit_name(row->kind.visit), row->load.round_trips,
                      row->load.connections);
        fill_events(&p->page, &row->load, &table);
        error = text_put_table(out, &table, width);
    }
    return error;
}

static int print_published(const struct pageload *p, FILE *out, unsigned width)
{
    struct report_table table;
    char text[SENTENCE_MAX];

    for (int v = 0; v < BROWSER_VISITS; v++) {
        verdict(p, v, text);
        text_paragraph(out, text, 0, width);
    }
    (void)fputc('\n', out);
    fill_seconds(p, &table);
    return text_put_table(out, &table, width);
}

int pageload_text(const struct pageload *p, FILE *out, unsigned width)
{
    struct report_table table;
    char about[LEAD_MAX];
    int error;

    text_paragraph(out, lead(p, about), 0, width);
    (void)fputc('\n', out);
    fill_counts(p, &table);
    error = text_put_table(out, &table, width);
    if (error == 0 && !p->options.page)
        error = print_published(p, out, width);
    if (error == 0 && p->options.events)
        error = put_events(p, out, width);
    if (error == 0 && p->live)
        error = live_text(p->live, out, width);
    return text_end(out, error);
}

/* --- JSON ------------------------------------------------------------------------------------- */

static void write_events(const struct pageload *p, const struct browser_load *load, struct json *j)
{
    json_key(j, "events");
    json_array(j);
    for (int i = 0; i < load->events; i++) {
        const struct browser_event *e = &load->event[i];

        json_object(j);
        json_member_integer(j, "connection", e->connection);
        json_member_string(j, "step", pageload_step_name(e->step));
        json_member_integer(j, "start", e->start);
        json_member_integer(j, "end", e->end);
        json_member_string(j, "url", e->url < 0 ? NULL : p->page.url[e->url].name);
        json_end(j);
    }
    json_end(j);
}

static void write_published(const struct pageload *p, struct json *j)
{
    json_key(j, "published");
    json_object(j);
    json_member_string(j, "source", PAGE_PUBLISHED_SOURCE);
    json_key(j, "rows");
    json_array(j);
    for (int v = 0; v < BROWSER_VISITS; v++) {
        json_object(j);
        json_member_string(j, "visit", browser_visit_name((enum browser_visit)v));
        json_member_integer(j, "round_trips", p->check[v].published);
        json_member_integer(j, "events_of_the_model_alone", p->check[v].missing);
        json_member_integer(j, "events_of_the_paper_alone", p->check[v].extra);
        json_end(j);
    }
    json_end(j);
    json_end(j);
}

static void write_environment(const struct pageload *p, struct json *j)
{
    struct environment e;

    environment_read(&e);
    json_key(j, "environment");
    json_object(j);
    json_member_string(j, "command", p->options.command);
    json_member_string(j, "version", p->options.version);
    json_member_string(j, "when", e.when);
    environment_json_machine(&e, j);
    json_member_bool(j, "interrupted", p->live && p->live->interrupted);
    json_end(j);
}

int pageload_json(const struct pageload *p, FILE *out)
{
    struct json j;

    json_init(&j, out);
    json_object(&j);
    json_member_string(&j, "study", "pageload");
    json_member_string(&j, "units",
                       "round trips; rows without a stack are the model's, where nothing else "
                       "takes time");
    json_key(&j, "rows");
    json_array(&j);
    for (int i = 0; i < p->rows; i++) {
        const struct pageload_row *row = &p->row[i];

        json_object(&j);
        json_member_string(&j, "http", browser_http_name(row->kind.http));
        json_member_string(&j, "handshake", row->kind.handshake->name);
        json_member_string(&j, "visit", browser_visit_name(row->kind.visit));
        json_member_integer(&j, "round_trips", row->load.round_trips);
        json_member_integer(&j, "connections", row->load.connections);
        write_events(p, &row->load, &j);
        json_end(&j);
    }
    if (p->live)
        live_json_rows(p->live, &j);
    json_end(&j);
    if (p->live)
        live_json_members(p->live, &j);
    if (!p->options.page)
        write_published(p, &j);
    json_member_integer(&j, "urls", p->page.urls);
    json_member_integer(&j, "servers", p->page.hosts);
    write_environment(p, &j);
    json_end(&j);
    return json_finish(&j);
}

/* --- HTML ------------------------------------------------------------------------------------- */

static void put_html_table(struct html *html, struct report_table *table, const char *caption)
{
    html_table(html, table, caption);
    report_table_fini(table);
}

static int draw_load(const struct page *page, const struct browser_load *load, char **svg)
{
    struct waterfall_bar *bars = calloc((size_t)load->events + 1, sizeof(*bars));
    const struct waterfall w = {
        .connections = load->connections, .bar = bars, .bars = load->events};
    int error;

    for (int i = 0; bars && i < load->events; i++) {
        const struct browser_event *e = &load->event[i];

        bars[i] = (struct waterfall_bar){.step = e->step,
                                         .connection = e->connection,
                                         .start = e->start,
                                         .end = e->end,
                                         .label = e->url < 0 ? "" : page->url[e->url].name};
    }
    error = bars ? waterfall_svg(&w, svg) : -ENOMEM;
    free(bars);
    return error;
}

static void put_load(struct html *html, const struct pageload *p, const struct pageload_row *row)
{
    struct report_table table;
    char heading[SENTENCE_MAX];
    char *svg = NULL;

    (void)snprintf(heading, sizeof(heading), "Model: HTTP/%s, %s, %s: %d round trips",
                   browser_http_name(row->kind.http), row->kind.handshake->name,
                   browser_visit_name(row->kind.visit), row->load.round_trips);
    html_section(html, heading);
    if (draw_load(&p->page, &row->load, &svg) == 0)
        html_svg(html, svg,
                 "A line per connection, a column per round trip. Pale: a session resumed.", NULL);
    else
        html->error = html->error ? html->error : -ENOMEM;
    free(svg);
    fill_events(&p->page, &row->load, &table);
    put_html_table(html, &table, "What happens, in round trips since the beginning.");
}

static void put_published(const struct pageload *p, struct html *html)
{
    struct report_table table;
    char text[SENTENCE_MAX];

    for (int v = 0; v < BROWSER_VISITS; v++) {
        verdict(p, v, text);
        html_paragraph(html, text);
    }
    html_section(html, "Seconds");
    fill_seconds(p, &table);
    put_html_table(html, &table,
                   "Round trips times round-trip time, for tls1.2-sequential beside what was "
                   "published, and at the right for the handshake that costs least.");
}

/* The model depends on nothing but the page. */
static void put_environment(const struct pageload *p, struct html *html)
{
    struct environment e;
    char page[96], rounds[64] = "", cpus[sizeof(e.cpu) + 32];

    environment_read(&e);
    (void)snprintf(page, sizeof(page), "%d URLs on %d servers", p->page.urls, p->page.hosts);
    (void)snprintf(cpus, sizeof(cpus), "%s, %d online", e.cpu, e.cpus);
    if (p->live)
        (void)snprintf(rounds, sizeof(rounds), "%u rounds, seed %llu", p->live->options.rounds,
                       (unsigned long long)p->live->options.seed);
    const struct html_field fields[] = {
        {"page", page},
        {"model after", PAGE_PUBLISHED_SOURCE},
        {"tlsyn", p->options.version},
        {"written", e.when},
        {"loads", rounds},
        {"kernel", e.kernel},
        {"system", e.system},
        {"processors", cpus},
    };
    html_section(html, "What was measured, and on what");
    html_fields(html, fields, p->live ? 8 : 4);
}

int pageload_html(const struct pageload *p, FILE *out)
{
    static const struct html_link links[] = {
        {"pageload.json", "pageload.json", "the same for programs, with every event"},
        {"samples.jsonl", "samples.jsonl", "each load, a line each, as it was made"},
        {"history", "history", "what the browser remembers of the page"}};
    struct report_table table;
    struct html html;
    char about[LEAD_MAX];

    html_begin(&html, out, "A whole page, in round trips", lead(p, about));
    html_section(&html, "Round trips");
    fill_counts(p, &table);
    put_html_table(&html, &table, "Round trips until the page is there.");
    if (!p->options.page)
        put_published(p, &html);
    if (p->live)
        live_html(p->live, &html);
    for (int i = 0; i < p->rows; i++)
        put_load(&html, p, &p->row[i]);
    put_environment(p, &html);
    html_section(&html, "Files");
    html_links(&html, links, p->live ? 3 : 1);
    environment_again(p->options.command, &html);
    return html_end(&html);
}
