/*
 * study/pageload/real.c: loads of a real page, kept and reported.
 */
#include "study/pageload/real.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "report/html.h"
#include "report/json.h"
#include "report/text.h"
#include "study/pageload/pageload.h"

#define SENTENCE_MAX 512

/* --- what is kept ----------------------------------------------------------------------------- */

static void label(struct real_url *to, const struct url *url, const struct url *page)
{
    bool same = strcasecmp(url->host, page->host) == 0 && url->port == page->port;
    char authority[URL_AUTHORITY_MAX];

    if (same)
        (void)snprintf(to->label, sizeof(to->label), "%s", url->target[1] ? url->target + 1 : "/");
    else
        (void)snprintf(to->label, sizeof(to->label), "//%.40s%s",
                       url_authority(url, authority, sizeof(authority)), url->target);
}

static void count(struct real_load *r)
{
    for (int i = 0; i < r->load.events; i++) {
        const struct load_event *e = &r->load.event[i];
        double us = e->end - e->start;

        r->full += e->step == LOAD_FULL;
        r->resumed += e->step == LOAD_RESUMED;
        if (e->answered && us > 0 && (r->shortest_us <= 0 || us < r->shortest_us))
            r->shortest_us = us;
    }
}

int real_keep(struct real_study *study, const struct loader *loader, enum browser_visit visit)
{
    struct real_load *r;

    if (study->loads == REAL_LOADS_MAX)
        return -ENOBUFS;
    r = calloc(1, sizeof(*r));
    if (!r)
        return -ENOMEM;
    r->visit = visit;
    r->load = *loader_result(loader);
    for (int i = 0; i < r->load.urls; i++) {
        const struct loader_url *u = loader_url(loader, i);

        label(&r->url[i], &u->url, &loader_url(loader, 0)->url);
        r->url[i].status = u->status;
        r->url[i].bytes = u->bytes;
    }
    count(r);
    study->load[study->loads++] = r;
    return 0;
}

void real_fini(struct real_study *study)
{
    for (int i = 0; i < study->loads; i++)
        free(study->load[i]);
    study->loads = 0;
}

static double round_trips(const struct real_load *r)
{
    return r->shortest_us > 0 ? r->load.us / r->shortest_us : (double)NAN;
}

/* --- tables ----------------------------------------------------------------------------------- */

static void fill_loads(const struct real_study *s, struct report_table *table)
{
    static const struct table_column columns[] = {
        {"load", true, 0},         {"visit", false, 0},         {"ms", true, 0},
        {"round\ntrips", true, 0}, {"shortest\nms", true, 0},   {"URLs", true, 0},
        {"there", true, 0},        {"failed", true, 0},         {"passed\nover", true, 2},
        {"KiB", true, 1},          {"connec-\ntions", true, 0}, {"new\nTLS", true, 0},
        {"resumed", true, 0},
    };

    report_table_init(table, columns, sizeof(columns) / sizeof(columns[0]));
    for (int i = 0; i < s->loads; i++) {
        const struct real_load *r = s->load[i];

        report_table_cell(table, "%d", i + 1);
        report_table_cell(table, "%s", browser_visit_name(r->visit));
        report_table_number(table, r->load.us / 1000, 1);
        report_table_number(table, round_trips(r), 1);
        report_table_number(table, r->shortest_us > 0 ? r->shortest_us / 1000 : (double)NAN, 2);
        report_table_cell(table, "%d", r->load.urls);
        report_table_cell(table, "%d", r->load.there);
        report_table_cell(table, "%d", r->load.failed);
        report_table_cell(table, "%d", r->load.passed_over);
        report_table_number(table, (double)r->load.bytes / 1024, 1);
        report_table_cell(table, "%d", r->load.connections);
        report_table_cell(table, "%d", r->full);
        report_table_cell(table, "%d", r->resumed);
    }
}

static void fill_urls(const struct real_load *r, struct report_table *table)
{
    static const struct table_column columns[] = {
        {"connection", true, 0}, {"what", false, 0},   {"URL", false, 0}, {"status", true, 0},
        {"bytes", true, 0},      {"from ms", true, 0}, {"to ms", true, 0}};

    report_table_init(table, columns, sizeof(columns) / sizeof(columns[0]));
    for (int i = 0; i < r->load.events; i++) {
        const struct load_event *e = &r->load.event[i];
        bool is_response = e->step == LOAD_GET && e->answered;

        report_table_cell(table, "%d", e->connection);
        report_table_cell(table, "%s", pageload_step_name(e->step));
        report_table_cell(table, "%s", e->url >= 0 ? r->url[e->url].label : "");
        if (is_response) {
            report_table_cell(table, "%d", r->url[e->url].status);
            report_table_cell(table, "%.0f", (double)e->bytes);
        } else {
            report_table_cell(table, "%s", "");
            report_table_cell(table, "%s", "");
        }
        report_table_number(table, e->start / 1000, 1);
        report_table_number(table, e->end / 1000, 1);
    }
}

static const char *lead(const struct real_study *s, char text[SENTENCE_MAX])
{
    (void)snprintf(
        text, SENTENCE_MAX,
        "%s, loaded over this host's interface, %s, HTTP/%s offered. A round trip here is "
        "the shortest time that a TCP handshake or an answered request took.",
        s->url, s->handshake, s->http);
    return text;
}

/* Why something is missing, if anything is. */
static bool complaint(const struct real_study *s, int load, char text[SENTENCE_MAX])
{
    const struct load_result *r = &s->load[load]->load;

    if (r->error == 0)
        return false;
    (void)snprintf(text, SENTENCE_MAX, "Load %d: %d of %d URLs are not there; the first: %s",
                   load + 1, r->urls - r->there, r->urls, r->sentence);
    return true;
}

/* --- reports ---------------------------------------------------------------------------------- */

int real_text(const struct real_study *s, FILE *out, unsigned width)
{
    struct report_table table;
    char text[SENTENCE_MAX];
    int error;

    text_paragraph(out, lead(s, text), 0, width);
    (void)fputc('\n', out);
    fill_loads(s, &table);
    error = text_put_table(out, &table, width);
    for (int i = 0; i < s->loads; i++) {
        if (complaint(s, i, text))
            text_paragraph(out, text, 0, width);
    }
    return text_end(out, error);
}

static void write_load(const struct real_load *r, struct json *j)
{
    json_object(j);
    json_member_string(j, "visit", browser_visit_name(r->visit));
    json_member_number(j, "seconds", r->load.us / 1e6);
    json_member_number(j, "shortest_ms", r->shortest_us > 0 ? r->shortest_us / 1e3 : (double)NAN);
    json_member_number(j, "round_trips", round_trips(r));
    json_member_integer(j, "urls", r->load.urls);
    json_member_integer(j, "there", r->load.there);
    json_member_integer(j, "failed", r->load.failed);
    json_member_integer(j, "passed_over", r->load.passed_over);
    json_member_integer(j, "bytes", (int64_t)r->load.bytes);
    json_member_integer(j, "connections", r->load.connections);
    json_member_integer(j, "full", r->full);
    json_member_integer(j, "resumed", r->resumed);
    json_member_string(j, "reason", r->load.error < 0 ? r->load.sentence : NULL);
    json_key(j, "responses");
    json_array(j);
    for (int i = 0; i < r->load.urls; i++) {
        json_object(j);
        json_member_string(j, "url", r->url[i].label);
        json_member_integer(j, "status", r->url[i].status);
        json_member_integer(j, "bytes", (int64_t)r->url[i].bytes);
        json_end(j);
    }
    json_end(j);
    json_key(j, "events");
    json_array(j);
    for (int i = 0; i < r->load.events; i++) {
        const struct load_event *e = &r->load.event[i];

        json_object(j);
        json_member_integer(j, "connection", e->connection);
        json_member_string(j, "step", pageload_step_name(e->step));
        json_member_number(j, "start_ms", e->start / 1000);
        json_member_number(j, "end_ms", e->end / 1000);
        json_member_string(j, "url", e->url < 0 ? NULL : r->url[e->url].label);
        json_end(j);
    }
    json_end(j);
    json_end(j);
}

int real_json(const struct real_study *s, FILE *out)
{
    struct json j;

    json_init(&j, out);
    json_object(&j);
    json_member_string(&j, "study", "pageload");
    json_member_string(&j, "url", s->url);
    json_member_string(&j, "handshake", s->handshake);
    json_member_string(&j, "http", s->http);
    json_key(&j, "loads");
    json_array(&j);
    for (int i = 0; i < s->loads; i++)
        write_load(s->load[i], &j);
    json_end(&j);
    environment_json(&s->run, &j);
    json_end(&j);
    json_end(&j);
    return json_finish(&j);
}

static int draw(const struct real_load *r, char **svg)
{
    struct waterfall_bar *bars = calloc((size_t)r->load.events + 1, sizeof(*bars));
    const struct waterfall w = {
        .connections = r->load.connections, .bar = bars, .bars = r->load.events};
    double unit = r->shortest_us > 0 ? r->shortest_us : r->load.us + 1;
    int error;

    for (int i = 0; bars && i < r->load.events; i++) {
        const struct load_event *e = &r->load.event[i];

        bars[i] = (struct waterfall_bar){.step = e->step,
                                         .connection = e->connection,
                                         .start = e->start / unit,
                                         .end = e->end / unit,
                                         .label = e->url < 0 ? "" : r->url[e->url].label};
    }
    error = bars ? waterfall_svg(&w, svg) : -ENOMEM;
    free(bars);
    return error;
}

static void put_load(const struct real_study *s, int i, struct html *html)
{
    struct report_table table;
    char heading[64], *svg = NULL;

    (void)snprintf(heading, sizeof(heading), "Load %d, %s: %.1f ms", i + 1,
                   browser_visit_name(s->load[i]->visit), s->load[i]->load.us / 1000);
    html_section(html, heading);
    if (draw(s->load[i], &svg) == 0)
        html_svg(html, svg,
                 "A line per connection, a column per round trip. Pale: a session resumed.", NULL);
    else
        html->error = html->error ? html->error : -ENOMEM;
    free(svg);
    fill_urls(s->load[i], &table);
    html_table(html, &table, "What each connection did.");
    report_table_fini(&table);
}

int real_html(const struct real_study *s, FILE *out)
{
    static const struct html_link links[] = {
        {"pageload.json", "pageload.json", "the same for programs"}};
    struct report_table table;
    struct html html;
    char text[SENTENCE_MAX];

    html_begin(&html, out, "A real page", lead(s, text));
    if (s->run.interrupted)
        html_warning(&html, "The run was interrupted: this is what there was until then.");
    html_section(&html, "Loads");
    fill_loads(s, &table);
    html_table(&html, &table, "Until everything that the page names was there, or had failed.");
    report_table_fini(&table);
    for (int i = 0; i < s->loads; i++) {
        if (complaint(s, i, text))
            html_warning(&html, text);
    }
    for (int i = 0; i < s->loads; i++)
        put_load(s, i, &html);
    html_section(&html, "Files");
    html_links(&html, links, 1);
    environment_again(s->run.command, &html);
    return html_end(&html);
}
