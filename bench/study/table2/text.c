/*
 * study/table2/text.c: the study on a terminal.
 */
#include "report/text.h"
#include "report/ladder.h"
#include "study/table2/published.h"
#include "study/table2/tables.h"

static void print_remarks(const struct table2 *t, FILE *out, unsigned width)
{
    char text[TABLE2_REMARK_MAX];

    for (size_t i = 0; table2_remark(t, i, text); i++) {
        text_paragraph(out, text, 0, width);
        (void)fputc('\n', out);
    }
}

int table2_text(const struct table2 *t, FILE *out, unsigned width)
{
    char text[TABLE2_REMARK_MAX];
    struct table2_columns columns;
    struct report_table table;
    int error = 0;

    print_remarks(t, out, width);
    text_paragraph(out,
                   "Handshake time by ping RTT: milliseconds from the open call until the client "
                   "may send, for "
                   "it holds the server's Finished or has written early data; medians.",
                   0, width);
    (void)fputc('\n', out);
    table2_table_times(t, &columns, &table);
    error = text_put_table(out, &table, width);
    text_paragraph(
        out,
        "Round trips: T = a * RTT + b, with 95 % intervals; b is computation (ms). On the "
        "right, until the client has the first byte of the response.",
        0, width);
    (void)fputc('\n', out);
    table2_table_fits(t, &table);
    if (error == 0)
        error = text_put_table(out, &table, width);
    else
        report_table_fini(&table);
    text_paragraph(out, table2_noise(t, text), 0, width);
    text_paragraph(out, "Published: " PUBLISHED_SOURCE ".", 0, width);
    return text_end(out, error);
}

static int print_ladder(const struct table2 *t, const struct table2_capture *capture, FILE *out)
{
    char path[sizeof(capture->name) + 512];
    char why[LADDER_ERROR_MAX];
    struct ladder ladder;
    int error = 0;

    (void)snprintf(path, sizeof(path), "%s/%s", t->options.folder, capture->name);
    (void)fprintf(out, "%s, %s, %s (%s)\n\n", study_suite_title(capture->way.suite),
                  study_mode_name(capture->way.mode), study_session_title(capture->way.session),
                  capture->name);
    error = ladder_read(&ladder, path, NULL, 40, why);
    if (error < 0) {
        (void)fprintf(out, "no diagram: %s\n\n", why);
        return 0;
    }
    error = ladder_text(out, &ladder, &(struct ladder_style){.width = 0});
    ladder_free(&ladder);
    (void)fputs("\n\n", out);
    return error;
}

int table2_ladders(const struct table2 *t, FILE *out)
{
    int error = 0;

    print_remarks(t, out, 0);
    for (size_t i = 0; error == 0 && i < t->capture_count; i++) {
        if (t->captures[i].name[0])
            error = print_ladder(t, &t->captures[i], out);
    }
    return error;
}
