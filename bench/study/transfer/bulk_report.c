/*
 * study/transfer/bulk_report.c: the study on a terminal, and for programs.
 */
#include <math.h>
#include <netinet/in.h>

#include "peer/lwip.h"
#include "report/json.h"
#include "report/table.h"
#include "report/text.h"
#include "study/environment.h"
#include "study/transfer/bulk.h"

const char *bulk_conditions(const struct bulk_study *s, char text[BULK_SENTENCE_MAX])
{
    char link[STUDY_LINK_TEXT] = "a veth pair";

    if (bulk_is_linked(&s->options))
        (void)study_link_text(&s->options.link, link);
    (void)snprintf(
        text, BULK_SENTENCE_MAX,
        "One flow over %s, MTU 1500, IPv%d, %s; %u rounds of %.1f s, of which the "
        "first %.1f s don't count; medians, in brackets the range. CPU: seconds of both "
        "processes per 10^9 bytes; \"!\": some failed, or the link did not keep what was asked "
        "for.",
        link, s->options.family == AF_INET6 ? 6 : 4, s->options.controller, s->options.rounds,
        (double)s->options.span / 1e6, (double)FLOW_WARM / 1e6);
    return text;
}

static bool was_kept(const struct bulk_row *row)
{
    return study_link_kept(row->n + row->failed, row->missed);
}

static void fill_row(struct report_table *table, const struct bulk_row *row, uint32_t number)
{
    report_table_cell(table, "%u", number);
    report_table_cell(table, "%s to %s", flow_stack_name(row->member.sender),
                      flow_stack_name(row->member.receiver));
    if (row->n == 0)
        report_table_cell(table, "%s", row->failed ? "failed" : "-");
    else
        report_table_cell(table, "%.1f (%.1f .. %.1f)%s", row->gbit_s, row->least, row->most,
                          row->failed || !was_kept(row) ? " !" : "");
    report_table_number(table, row->ratio.estimate, 2);
    report_table_interval(table, row->ratio.lo, row->ratio.hi, 2);
    report_table_number(table, row->n ? row->sender_cpu : NAN, 2);
    report_table_number(table, row->n ? row->receiver_cpu : NAN, 2);
}

void bulk_table(const struct bulk_study *s, struct report_table *table)
{
    static const struct table_column columns[] = {
        {"", true, 3},
        {"", false, 0},
        {"Gbit/s", true, 0},
        {"to\nkernel's", true, 0},
        {"95 %\ninterval", true, 2},
        {"CPU\nsender", true, 1},
        {"CPU\nreceiver", true, 1},
    };

    report_table_init(table, columns, sizeof(columns) / sizeof(columns[0]));
    for (uint32_t i = 0; i < s->member_count; i++) {
        bool offload = s->rows[i].member.offload;

        if (i == 0 || offload != s->rows[i - 1].member.offload)
            report_table_section(table, offload ? "offloads on" : "offloads off");
        fill_row(table, &s->rows[i], i + 1);
    }
}

int bulk_text(const struct bulk_study *s, FILE *out, unsigned width)
{
    struct report_table table;
    char text[BULK_SENTENCE_MAX], noise[200];

    text_paragraph(out, bulk_conditions(s, text), 0, width);
    (void)fputc('\n', out);
    bulk_table(s, &table);
    int error = text_put_table(out, &table, width);
    (void)snprintf(text, sizeof(text), "lwIP: %s. Noise: %s.", peer_lwip_description(),
                   noise_sentence(&s->measured.noise, noise, sizeof(noise)));
    text_paragraph(out, text, 0, width);
    return text_end(out, error);
}

/* --- JSON ------------------------------------------------------------------------------------- */

static void write_row(const struct bulk_row *row, struct json *j)
{
    json_object(j);
    json_member_string(j, "sender", flow_stack_name(row->member.sender));
    json_member_string(j, "receiver", flow_stack_name(row->member.receiver));
    json_member_bool(j, "offload", row->member.offload);
    json_member_number(j, "gbit_s", row->gbit_s);
    json_member_interval(j, "gbit_s_range", row->least, row->most);
    json_member_number(j, "cpu_s_per_gb", row->n ? row->sender_cpu + row->receiver_cpu : NAN);
    json_member_number(j, "sender_cpu_s_per_gb", row->n ? row->sender_cpu : NAN);
    json_member_number(j, "receiver_cpu_s_per_gb", row->n ? row->receiver_cpu : NAN);
    json_member_number(j, "ratio", row->ratio.estimate);
    json_member_interval(j, "ratio_ci95", row->ratio.lo, row->ratio.hi);
    json_member_integer(j, "n", (int64_t)row->n);
    json_member_integer(j, "failed", (int64_t)row->failed);
    json_member_bool(j, "link_kept", was_kept(row));
    json_member_string(j, "reason", row->reason[0] ? row->reason : NULL);
    json_end(j);
}

static void write_environment(const struct bulk_study *s, struct json *j)
{
    const struct bulk_options *o = &s->options;
    const struct environment_run run = {.command = o->command,
                                        .version = o->version,
                                        .seconds = s->measured.seconds,
                                        .noise = &s->measured.noise,
                                        .link = &o->link,
                                        .interrupted = s->measured.interrupted};

    environment_json(&run, j);
    json_member_string(j, "lwip", peer_lwip_description());
    json_member_string(j, "family", o->family == AF_INET6 ? "ipv6" : "ipv4");
    json_member_string(j, "controller", o->controller);
    json_member_integer(j, "rounds", o->rounds);
    json_member_integer(j, "seed", (int64_t)o->seed);
    json_member_number(j, "span_s", (double)o->span / 1e6);
    json_member_integer(j, "ring_bytes", o->ring);
    json_member_bool(j, "copies", o->copies);
    json_member_bool(j, "plain", o->plain);
    json_end(j);
}

int bulk_json(const struct bulk_study *s, FILE *out)
{
    struct json j;

    json_init(&j, out);
    json_object(&j);
    json_member_string(&j, "study", "bulk");
    json_key(&j, "rows");
    json_array(&j);
    for (uint32_t i = 0; i < s->member_count; i++)
        write_row(&s->rows[i], &j);
    json_end(&j);
    write_environment(s, &j);
    json_end(&j);
    return json_finish(&j);
}
