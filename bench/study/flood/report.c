/*
 * study/flood/report.c: the study on a terminal, and for programs.
 */
#include <math.h>

#include "report/json.h"
#include "report/table.h"
#include "report/text.h"
#include "study/environment.h"
#include "study/flood/flood.h"

static void conditions(const struct flood_study *s, char *text, size_t size)
{
    char noise[200], link[STUDY_LINK_TEXT] = "a veth pair";

    if (flood_is_linked(&s->options))
        (void)study_link_text(&s->options.link, link);
    (void)snprintf(
        text, size,
        "Honest TLS 1.3 handshakes, %u begun per second for %.1f s in %u round%s, over %s, while "
        "forged "
        "SYNs with a ClientHello arrive: spoofed, with an empty Fast Open option from addresses "
        "drawn by chance; stolen, with the cookie of one address, from it. Forger, clients and "
        "server share the machine's processors. Out per in: bytes of frames beside the honest "
        "clients' traffic. \"!\": the link did not keep what was asked for. Noise: %s.",
        s->options.visits, (double)s->options.span / 1e6, s->options.rounds,
        s->options.rounds == 1 ? "" : "s", link, noise_sentence(&s->noise, noise, sizeof(noise)));
}

static double percent(uint32_t part, uint32_t whole)
{
    return whole ? 100.0 * part / whole : (double)NAN;
}

static double mib(uint64_t bytes)
{
    return (double)bytes / (1 << 20);
}

static void fill_row(struct report_table *table, const struct flood_cell *cell)
{
    const struct flood_sample *all = &cell->all;
    double seconds = all->seconds > 0 ? all->seconds : (double)NAN;

    report_table_cell(table, "%s%s", flood_kind_name(cell->kind), all->missed ? " !" : "");
    report_table_cell(table, "%u", cell->rate);
    if (!all->done || all->error < 0) {
        for (int i = 0; i < 9; i++)
            report_table_cell(table, "%s", i == 0 && all->error < 0 ? "failed" : "-");
        return;
    }
    report_table_cell(table, "%.1f (%u)", percent(all->succeeded, all->visits), all->visits);
    report_table_number(
        table,
        cell->pair == FLOOD_TLSYN_OURS ? percent(all->embedded, all->succeeded) : (double)NAN, 0);
    report_table_number(table, cell->median_ms.estimate, 2);
    report_table_number(table, cell->p99_ms, 1);
    report_table_number(table, (double)all->bytes_in / 1e6 / seconds, 2);
    report_table_number(table, (double)all->bytes_out / 1e6 / seconds, 2);
    report_table_number(table, cell->out_per_in, 2);
    report_table_number(table, 100 * all->cpu / seconds, 0);
    report_table_cell(table, "%.1f .. %.1f", mib(all->rss_first), mib(all->rss_most));
}

void flood_table(const struct flood_study *s, struct report_table *table)
{
    static const struct table_column columns[] = {
        {"flood", false, 0},    {"SYNs\nper s", true, 0},   {"succeeded\n% (of)", true, 0},
        {"embed.\n%", true, 3}, {"median\nms", true, 0},    {"p99\nms", true, 0},
        {"in\nMB/s", true, 2},  {"out\nMB/s", true, 2},     {"out\nper in", true, 0},
        {"CPU\n%", true, 1},    {"server's\nMiB", true, 4},
    };
    char text[96];

    report_table_init(table, columns, sizeof(columns) / sizeof(columns[0]));
    for (uint32_t i = 0; i < s->cell_count; i++) {
        const struct flood_cell *cell = &s->cells[i];

        if (i == 0 || cell->pair != s->cells[i - 1].pair) {
            (void)snprintf(text, sizeof(text), "server %s, clients %s",
                           flood_server_name(cell->pair), flood_client_name(cell->pair));
            report_table_section(table, text);
        }
        fill_row(table, cell);
    }
}

int flood_text(const struct flood_study *s, FILE *out, unsigned width)
{
    struct report_table table;
    char text[800];

    conditions(s, text, sizeof(text));
    text_paragraph(out, text, 0, width);
    (void)fputc('\n', out);
    flood_table(s, &table);
    int error = text_table(out, &table, width);
    report_table_fini(&table);
    return text_end(out, error);
}

/* --- JSON ------------------------------------------------------------------------------------- */

static void write_row(const struct flood_cell *cell, struct json *j)
{
    const struct flood_sample *all = &cell->all;

    json_object(j);
    json_member_string(j, "server", flood_server_name(cell->pair));
    json_member_string(j, "client", flood_client_name(cell->pair));
    json_member_string(j, "flood", flood_kind_name(cell->kind));
    json_member_integer(j, "rate", cell->rate);
    json_member_integer(j, "n", cell->rounds);
    json_member_integer(j, "failed", cell->failed);
    json_member_integer(j, "visits", all->visits);
    json_member_integer(j, "succeeded", all->succeeded);
    json_member_integer(j, "embedded", all->embedded);
    json_member_number(j, "success",
                       all->visits ? (double)all->succeeded / all->visits : (double)NAN);
    json_member_estimate(j, "median_ms", "median_ci95_ms", &cell->median_ms);
    json_member_number(j, "p90_ms", cell->p90_ms);
    json_member_number(j, "p99_ms", cell->p99_ms);
    json_member_number(j, "max_ms", cell->most_ms);
    json_member_number(j, "seconds", all->seconds);
    json_member_integer(j, "bytes_in", (int64_t)all->bytes_in);
    json_member_integer(j, "bytes_out", (int64_t)all->bytes_out);
    json_member_number(j, "out_per_in", cell->out_per_in);
    json_member_integer(j, "forged", (int64_t)all->forged);
    json_member_integer(j, "forged_bytes", (int64_t)all->forged_bytes);
    json_member_bool(j, "cookie", all->cookie);
    json_member_number(j, "cpu_s", all->cpu);
    json_member_number(j, "forger_cpu_s", all->forger_cpu);
    json_member_integer(j, "rss_first", (int64_t)all->rss_first);
    json_member_integer(j, "rss_max", (int64_t)all->rss_most);
    json_member_integer(j, "rss_last", (int64_t)all->rss_last);
    json_member_bool(j, "link_kept", !all->missed);
    json_member_string(j, "reason", all->reason[0] ? all->reason : NULL);
    json_end(j);
}

static void write_environment(const struct flood_study *s, struct json *j)
{
    const struct flood_options *o = &s->options;
    const struct environment_run run = {.command = o->command,
                                        .version = o->version,
                                        .seconds = s->seconds,
                                        .noise = &s->noise,
                                        .link = &o->link,
                                        .interrupted = s->interrupted};

    environment_json(&run, j);
    json_member_integer(j, "visits_per_s", o->visits);
    json_member_number(j, "span_s", (double)o->span / 1e6);
    json_member_integer(j, "rounds", o->rounds);
    json_member_integer(j, "seed", (int64_t)o->seed);
    json_end(j);
}

int flood_json(const struct flood_study *s, FILE *out)
{
    struct json j;

    json_init(&j, out);
    json_object(&j);
    json_member_string(&j, "study", "flood");
    json_key(&j, "rows");
    json_array(&j);
    for (uint32_t i = 0; i < s->cell_count; i++)
        if (s->cells[i].all.done)
            write_row(&s->cells[i], &j);
    json_end(&j);
    write_environment(s, &j);
    json_end(&j);
    return json_finish(&j);
}
