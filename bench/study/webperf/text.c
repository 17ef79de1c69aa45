/*
 * study/webperf/text.c: the study on a terminal.
 */
#include <string.h>

#include "report/text.h"
#include "study/webperf/tables.h"

/* A table of each server, which is named where there are several. */
static int print(const struct webperf *study,
                 void (*fill)(const struct webperf *, size_t server, struct report_table *),
                 FILE *out, unsigned width)
{
    int error = 0;

    for (size_t i = 0; i < study->server_count && error == 0; i++) {
        struct report_table table;
        char text[WEBPERF_TITLE_MAX];

        if (study->server_count > 1)
            text_paragraph(out, webperf_server_text(&study->servers[i], text), 0, width);
        fill(study, i, &table);
        error = text_put_table(out, &table, width);
    }
    return error;
}

static void print_claims(const struct webperf *study, FILE *out, unsigned width)
{
    for (size_t i = 0; i < study->claim_count; i++) {
        const struct webperf_claim *claim = &study->claims[i];
        char text[sizeof(claim->claim) + sizeof(claim->seen) + 32];

        if (i == 0 || strcmp(claim->of, claim[-1].of) != 0)
            text_paragraph(out, claim->of, 2, width);
        (void)snprintf(text, sizeof(text), "%s: %s: %s.", webperf_verdict_name(claim->verdict),
                       claim->claim, claim->seen);
        text_paragraph(out, text, 4, width);
    }
}

static int print_failures(const struct webperf *study, FILE *out, unsigned width)
{
    struct report_table table;

    if (webperf_table_failures(study, &table))
        return text_put_table(out, &table, width);
    report_table_fini(&table);
    return 0;
}

int webperf_text(const struct webperf *study, FILE *out, unsigned width)
{
    char text[WEBPERF_REMARK_MAX], noise[WEBPERF_NOISE_MAX];
    int error;

    for (size_t i = 0; webperf_remark(study, i, text); i++)
        text_paragraph(out, text, 0, width);
    (void)snprintf(text, sizeof(text),
                   "%u rounds, %zu observations, %s%s%s. Medians in ms: T, TCP connect; S, the TLS "
                   "handshake beyond it; H, the GET behind; W and C, all of it with a new and "
                   "with a cached key.",
                   study->rounds, study->observations, study->run.target,
                   study->run.link[0] ? "; " : "", study->run.link);
    text_paragraph(out, text, 0, width);
    (void)fputc('\n', out);
    error = print(study, webperf_table_savings, out, width);
    if (error == 0)
        error = print(study, webperf_table_cells, out, width);
    if (error == 0)
        error = print_failures(study, out, width);
    if (study->claim_count > 0)
        text_paragraph(
            out, "What Goldberg, Buff and Schmitt say (WISP 1998), and what was seen:", 0, width);
    print_claims(study, out, width);
    if (webperf_noise_text(study, noise)[0]) {
        (void)fputc('\n', out);
        text_paragraph(out, noise, 0, width);
    }
    return text_end(out, error);
}
