/*
 * study/transfer/loss_report.c: the study on a terminal, and for programs.
 */
#include <math.h>
#include <netinet/in.h>
#include <string.h>

#include "report/json.h"
#include "report/table.h"
#include "report/text.h"
#include "study/environment.h"
#include "study/transfer/loss.h"

static const char *family_name(int family)
{
    return family == AF_INET6 ? "ipv6" : "ipv4";
}

static const char *family_title(int family)
{
    return family == AF_INET6 ? "IPv6" : "IPv4";
}

void loss_sentence(const struct loss_study *s, char *text, size_t size)
{
    const struct loss_summary *sum = &s->summary;
    const struct loss_row *row = &s->rows[sum->worst_row];
    const struct loss_cell *cell = &s->cells[row->cell];
    const struct loss_pair *pair = &s->pairs[row->pair];

    if (sum->rows == 0) {
        (void)snprintf(text, size, "Nothing was compared with kernel to kernel.");
        return;
    }
    (void)snprintf(text, size,
                   "Time through that of kernel to kernel, %zu rows with the kernel at one end: "
                   "median ratio %.2f; worst %.2f (%s, %s to %s, loss %g %%, RTT %g ms, reordering "
                   "%g %%); %zu above %.1f, %zu of them with all of their interval; the interval "
                   "of %zu holds it.",
                   sum->rows, sum->median, sum->worst, family_title(cell->family),
                   flow_stack_name(pair->sender), flow_stack_name(pair->receiver), cell->loss,
                   cell->rtt_ms, cell->reorder, sum->above, LOSS_BOUND, sum->surely,
                   sum->undecided);
}

const char *loss_conditions(const struct loss_study *s, char text[LOSS_SENTENCE_MAX])
{
    const struct loss_options *o = &s->options;
    char jitter[48] = "", more[32] = "";

    if (o->jitter_ms > 0)
        (void)snprintf(jitter, sizeof(jitter), " with %g ms of jitter", o->jitter_ms);
    if (o->rounds_max > o->rounds)
        (void)snprintf(more, sizeof(more), " to %u", o->rounds_max);
    (void)snprintf(
        text, LOSS_SENTENCE_MAX,
        "Bulk transfers through %s%.0f Mbit/s%s%s, %s, %u%s rounds; seconds from the "
        "open call until the receiver has read it all, medians; in brackets the ratio "
        "to kernel to kernel and its interval of 95 %%; \"!\": some failed, or the link did "
        "not keep what was asked for.",
        o->rate ? "a link of " : "no rate (", (double)o->rate / 1e6, o->rate ? "" : ")", jitter,
        o->controller[0] ? o->controller : "default controllers", o->rounds, more);
    return text;
}

static bool was_kept(const struct loss_row *row)
{
    return study_link_kept(row->n + row->failed, row->missed);
}

static void pair_cell(struct report_table *table, const struct loss_row *row)
{
    if (!isfinite(row->seconds))
        report_table_cell(table, "%s", row->failed ? "failed" : "-");
    else if (row->pair == 0)
        report_table_cell(table, "%.2f%s", row->seconds, was_kept(row) ? "" : " !");
    else
        report_table_cell(table, "%.2f (%.2f; %.2f .. %.2f)%s", row->seconds, row->ratio.estimate,
                          row->ratio.lo, row->ratio.hi, row->failed || !was_kept(row) ? " !" : "");
}

void loss_table(const struct loss_study *s, struct report_table *table)
{
    static const struct table_column columns[] = {
        {"", true, 2},
        {"loss\n%", true, 0},
        {"RTT\nms", true, 0},
        {"reord.\n%", true, 0},
        {"MB", true, 1},
        {"kernel to\nkernel", true, 0},
        {"tlsyn to\nkernel", true, 0},
        {"kernel to\ntlsyn", true, 0},
        {"tlsyn to\ntlsyn", true, 0},
    };
    int family = 0;

    report_table_init(table, columns, 5 + s->pair_count);
    for (uint32_t c = 0; c < s->cell_count; c++) {
        const struct loss_cell *cell = &s->cells[c];

        if (cell->family != family && s->options.family_count > 1)
            report_table_section(table, family_title(cell->family));
        family = cell->family;
        report_table_cell(table, "%u", c + 1);
        report_table_cell(table, "%g", cell->loss);
        report_table_cell(table, "%g", cell->rtt_ms);
        report_table_cell(table, "%g", cell->reorder);
        report_table_cell(table, "%.1f", (double)cell->bytes / 1e6);
        for (uint32_t p = 0; p < s->pair_count; p++)
            pair_cell(table, &s->rows[c * s->pair_count + p]);
    }
}

int loss_text(const struct loss_study *s, FILE *out, unsigned width)
{
    struct report_table table;
    char text[LOSS_SENTENCE_MAX], noise[200];

    text_paragraph(out, loss_conditions(s, text), 0, width);
    (void)fputc('\n', out);
    loss_table(s, &table);
    int error = text_put_table(out, &table, width);
    loss_sentence(s, text, sizeof(text));
    text_paragraph(out, text, 0, width);
    (void)snprintf(text, sizeof(text), "Noise: %s.",
                   noise_sentence(&s->measured.noise, noise, sizeof(noise)));
    text_paragraph(out, text, 0, width);
    return text_end(out, error);
}

/* --- JSON ------------------------------------------------------------------------------------- */

static void write_row(const struct loss_study *s, const struct loss_row *row, struct json *j)
{
    const struct loss_cell *cell = &s->cells[row->cell];
    const struct loss_pair *pair = &s->pairs[row->pair];

    json_object(j);
    json_member_string(j, "family", family_name(cell->family));
    json_member_string(j, "sender", flow_stack_name(pair->sender));
    json_member_string(j, "receiver", flow_stack_name(pair->receiver));
    json_member_string(j, "controller",
                       s->options.controller[0] ? s->options.controller : "default");
    json_member_number(j, "loss", cell->loss);
    json_member_number(j, "rtt_ms", cell->rtt_ms);
    json_member_number(j, "reorder", cell->reorder);
    json_member_integer(j, "bytes", (int64_t)cell->bytes);
    json_member_number(j, "seconds", row->seconds);
    json_member_interval(j, "seconds_range", row->least, row->most);
    json_member_number(j, "ratio", row->ratio.estimate);
    json_member_interval(j, "ratio_ci95", row->ratio.lo, row->ratio.hi);
    json_member_integer(j, "n", (int64_t)row->n);
    json_member_integer(j, "failed", (int64_t)row->failed);
    json_member_number(j, "retransmits", row->retransmits);
    json_member_bool(j, "link_kept", was_kept(row));
    json_member_string(j, "reason", row->reason[0] ? row->reason : NULL);
    json_end(j);
}

static void write_environment(const struct loss_study *s, struct json *j)
{
    const struct loss_options *o = &s->options;
    const struct environment_run run = {.command = o->command,
                                        .version = o->version,
                                        .seconds = s->measured.seconds,
                                        .noise = &s->measured.noise,
                                        .interrupted = s->measured.interrupted};

    environment_json(&run, j);
    json_member_integer(j, "rounds", o->rounds);
    json_member_integer(j, "rounds_max", o->rounds_max);
    json_member_integer(j, "seed", (int64_t)o->seed);
    json_member_integer(j, "rate_bit_s", (int64_t)o->rate);
    json_member_integer(j, "queue_bytes", o->queue);
    json_member_number(j, "jitter_ms", o->jitter_ms);
    json_member_integer(j, "ring_bytes", o->ring);
    json_end(j);
}

static void write_summary(const struct loss_study *s, struct json *j)
{
    const struct loss_summary *sum = &s->summary;

    json_key(j, "summary");
    json_object(j);
    json_member_integer(j, "rows", (int64_t)sum->rows);
    json_member_number(j, "median_ratio", sum->rows ? sum->median : NAN);
    json_member_number(j, "worst_ratio", sum->worst);
    json_member_integer(j, "above_bound", (int64_t)sum->above);
    json_member_integer(j, "surely_above_bound", (int64_t)sum->surely);
    json_member_integer(j, "undecided", (int64_t)sum->undecided);
    json_member_number(j, "bound", LOSS_BOUND);
    if (sum->rows) {
        json_key(j, "worst");
        write_row(s, &s->rows[sum->worst_row], j);
    }
    json_end(j);
}

int loss_json(const struct loss_study *s, FILE *out)
{
    struct json j;

    json_init(&j, out);
    json_object(&j);
    json_member_string(&j, "study", "loss");
    json_member_string(&j, "units",
                       "loss and reorder in percent of the frames; seconds from the "
                       "open call until all was received");
    write_summary(s, &j);
    json_key(&j, "rows");
    json_array(&j);
    for (uint32_t i = 0; i < s->row_count; i++)
        write_row(s, &s->rows[i], &j);
    json_end(&j);
    write_environment(s, &j);
    json_end(&j);
    return json_finish(&j);
}
