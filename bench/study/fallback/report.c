/*
 * study/fallback/report.c: the study on a terminal, and for programs.
 */
#include <math.h>
#include <string.h>

#include "report/json.h"
#include "report/number.h"
#include "report/table.h"
#include "report/text.h"
#include "study/environment.h"
#include "study/fallback/fallback.h"

static const char *verdict(const struct fallback_result *result)
{
    if (result->n == 0)
        return result->failed ? "failed" : "not measured";
    for (int i = 0; i < FALLBACK_CONTACTS; i++)
        if (!result->cost[i].within)
            return "MORE";
    return "as it says";
}

static bool was_kept(const struct fallback_result *result)
{
    return study_link_kept(result->n + result->failed, result->missed);
}

static void bound_cell(struct report_table *table, const struct fallback_bound *bound)
{
    if (bound->trips != 0 && bound->ms > 0)
        report_table_cell(table, "%+g RTT + %g ms", bound->trips, bound->ms);
    else if (bound->ms > 0)
        report_table_cell(table, "+%g ms", bound->ms);
    else
        report_table_cell(table, bound->trips != 0 ? "%+g RTT" : "%g", bound->trips);
}

static void cost_cell(struct report_table *table, const struct fallback_cost *cost)
{
    if (!isfinite(cost->ms.estimate))
        report_table_cell(table, "-");
    else
        report_table_cell(table, "%+.1f ms (%+.2f RTT)", number_printed(cost->ms.estimate, 1),
                          number_printed(cost->trips, 2));
}

static void fill(const struct fallback_study *s, struct report_table *table)
{
    for (uint32_t i = 0; i < s->row_count; i++) {
        const struct fallback_result *result = &s->result[i];

        report_table_cell(table, "%u", i + 1);
        report_table_cell(table, "%s", s->rows[i].title);
        report_table_number(table, result->sequential_ms, 1);
        for (int contact = 0; contact < FALLBACK_CONTACTS; contact++) {
            bound_cell(table, &s->rows[i].bound[contact]);
            cost_cell(table, &result->cost[contact]);
        }
        report_table_cell(table, "%s%s", verdict(result),
                          result->n && (result->failed || !was_kept(result)) ? " !" : "");
    }
}

static uint32_t count(const struct fallback_study *s, const char *word)
{
    uint32_t n = 0;

    for (uint32_t i = 0; i < s->row_count; i++)
        n += strcmp(verdict(&s->result[i]), word) == 0;
    return n;
}

const char *fallback_sum_up(const struct fallback_study *s, char text[FALLBACK_SUM_MAX])
{
    (void)snprintf(text, FALLBACK_SUM_MAX,
                   "%u of %u rows cost more than they say; %u failed, %u were not measured.",
                   count(s, "MORE"), s->row_count, count(s, "failed"), count(s, "not measured"));
    return text;
}

void fallback_table(const struct fallback_study *s, struct report_table *table)
{
    static const struct table_column columns[] = {
        {"", true, 2},
        {"server and path", false, 0},
        {"sequential\nms", true, 1},
        {"first:\nmay cost", true, 0},
        {"costs", true, 0},
        {"next:\nmay cost", true, 0},
        {"costs", true, 0},
        {"verdict", false, 0},
    };

    report_table_init(table, columns, sizeof(columns) / sizeof(*columns));
    fill(s, table);
}

int fallback_text(const struct fallback_study *s, FILE *out, unsigned width)
{
    struct report_table table;
    char noise[200], link[STUDY_LINK_TEXT], text[960];

    (void)snprintf(
        text, sizeof(text),
        "TLS 1.3 over a link (%s), %u rounds: milliseconds from the open "
        "call until the first byte of the response, against the sequential handshake of "
        "the same round; medians. First contact, and the next by the same stack. A row "
        "may cost a quarter of a round trip more than it says; \"!\": some rounds failed, "
        "or the link did not keep what was asked for. Meanwhile %s.",
        study_link_text(&s->options.link, link), s->options.rounds,
        noise_sentence(&s->noise, noise, sizeof(noise)));
    text_paragraph(out, text, 0, width);
    (void)fputc('\n', out);
    fallback_table(s, &table);
    int error = text_put_table(out, &table, width);
    text_paragraph(out, fallback_sum_up(s, text), 0, width);
    return text_end(out, error);
}

static void write_contact(const struct fallback_study *s, uint32_t row, int contact, struct json *j)
{
    const struct fallback_bound *bound = &s->rows[row].bound[contact];
    const struct fallback_cost *cost = &s->result[row].cost[contact];

    json_object(j);
    json_member_number(j, "allowed_trips", bound->trips);
    json_member_number(j, "allowed_ms", bound->ms);
    json_member_number(j, "cost_ms", cost->ms.estimate);
    json_member_interval(j, "cost_ms_ci95", cost->ms.lo, cost->ms.hi);
    json_member_number(j, "cost_trips", cost->trips);
    json_member_string(j, "embedding",
                       s->result[row].n ? tlsyn_embedding_words(cost->embedding) : NULL);
    json_member_integer(j, "opens", cost->opens);
    json_member_string(j, "verdict", cost->within ? "within" : "more");
    json_end(j);
}

static void write_row(const struct fallback_study *s, uint32_t row, struct json *j)
{
    const struct fallback_result *result = &s->result[row];

    json_object(j);
    json_member_string(j, "row", s->rows[row].name);
    json_member_string(j, "title", s->rows[row].title);
    json_member_string(j, "server", s->rows[row].fast_open ? "kernel" : "tlsyn");
    json_member_integer(j, "n", (int64_t)result->n);
    json_member_integer(j, "failed", (int64_t)result->failed);
    json_member_number(j, "rtt_ms", result->rtt_ms);
    json_member_number(j, "sequential_ms", result->sequential_ms);
    json_key(j, "first");
    write_contact(s, row, 0, j);
    json_key(j, "next");
    write_contact(s, row, 1, j);
    json_member_bool(j, "link_kept", was_kept(result));
    json_member_string(j, "verdict", verdict(result));
    json_end(j);
}

int fallback_json(const struct fallback_study *s, FILE *out)
{
    const struct environment_run run = {.command = s->options.command,
                                        .version = s->options.version,
                                        .seconds = s->seconds,
                                        .noise = &s->noise,
                                        .link = &s->options.link,
                                        .interrupted = s->interrupted};
    struct json j;

    json_init(&j, out);
    json_object(&j);
    json_member_string(&j, "study", "fallback");
    json_member_string(&j, "units",
                       "milliseconds from the open call until the first byte of the response, less "
                       "those of the sequential handshake; trips: of the path");
    json_member_integer(&j, "rows_above", count(s, "MORE") + count(s, "failed"));
    json_key(&j, "rows");
    json_array(&j);
    for (uint32_t i = 0; i < s->row_count; i++)
        write_row(s, i, &j);
    json_end(&j);
    environment_json(&run, &j);
    json_member_integer(&j, "rounds", s->options.rounds);
    json_member_number(&j, "rtt_ms", s->options.link.rtt_ms);
    json_member_integer(&j, "seed", (int64_t)s->options.seed);
    json_end(&j);
    json_end(&j);
    return json_finish(&j);
}
