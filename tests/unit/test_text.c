/* report/text, report/table and report/progress: what a terminal and a log get to see. */
#include <check.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "report/progress.h"
#include "report/text.h"

static const struct table_column columns[] = {
    {"ping\nms", true, 0}, {"mode", false, 0}, {"95 % interval", true, 2}, {"note", false, 1}};

static void fill(struct report_table *table)
{
    report_table_init(table, columns, 4);
    report_table_section(table, "TLS 1.3");
    report_table_number(table, 0.4, 1);
    report_table_cell(table, "%s", "embedded");
    report_table_interval(table, 1.25, 1.5, 2);
    report_table_cell(table, "%s", "");
    report_table_number(table, NAN, 1);
    report_table_cell(table, "\xc2\xb5-mode");
    report_table_interval(table, 1, INFINITY, 2);
    report_table_cell(table, "x");
}

static char *print(const struct report_table *table, unsigned width)
{
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    ck_assert_int_eq(text_table(out, table, width), 0);
    fclose(out);
    return text;
}

START_TEST(columns_align_and_numbers_stand_right)
{
    struct report_table table;
    fill(&table);
    char *text = print(&table, 0);
    ck_assert_str_eq(text, "ping\n"
                           "  ms  mode      95 % interval  note\n"
                           "----  --------  -------------  ----\n"
                           "TLS 1.3\n"
                           " 0.4  embedded   1.25 .. 1.50\n"
                           "   -  \xc2\xb5-mode                -  x\n");
    free(text);
    report_table_fini(&table);
}
END_TEST

START_TEST(a_narrow_terminal_drops_spare_columns_and_says_so)
{
    struct report_table table;
    fill(&table);
    char *text = print(&table, 30);
    ck_assert_str_eq(text, "ping\n"
                           "  ms  mode      note\n"
                           "----  --------  ----\n"
                           "TLS 1.3\n"
                           " 0.4  embedded\n"
                           "   -  \xc2\xb5-mode    x\n"
                           "(left out for want of width: 95 % interval)\n");
    free(text);
    text = print(&table, 5); /* what is not spare stays, however narrow */
    ck_assert_ptr_nonnull(strstr(text, " 0.4  embedded\n"));
    ck_assert_ptr_nonnull(strstr(text, "(left out for want of width: 95 % interval, note)"));
    free(text);
    report_table_fini(&table);
}
END_TEST

START_TEST(an_unfinished_row_is_an_error)
{
    struct report_table table;
    report_table_init(&table, columns, 4);
    ck_assert_int_eq(report_table_check(&table), 0);
    report_table_cell(&table, "1");
    ck_assert_int_eq(report_table_check(&table), -EINVAL);
    report_table_section(&table, "inside a row");
    ck_assert_int_eq(report_table_check(&table), -EINVAL);
    FILE *out = fopen("/dev/null", "w");
    ck_assert_int_eq(text_table(out, &table, 0), -EINVAL);
    fclose(out);
    report_table_fini(&table);
}
END_TEST

START_TEST(a_table_is_put_with_a_blank_line_and_freed)
{
    struct report_table table;
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    fill(&table);
    ck_assert_int_eq(text_put_table(out, &table, 0), 0);
    ck_assert_uint_eq(table.count, 0);
    ck_assert_int_eq(text_end(out, 0), 0);
    ck_assert_int_eq(text_end(out, -EINVAL), -EINVAL);
    fclose(out);
    ck_assert_ptr_nonnull(strstr(text, "-  x\n\n"));
    free(text);
}
END_TEST

START_TEST(a_full_disk_is_told_at_the_end)
{
    FILE *out = fopen("/dev/full", "w");
    text_paragraph(out, "what does not get there", 0, 0);
    ck_assert_int_eq(text_end(out, 0), -EIO);
    fclose(out);
}
END_TEST

START_TEST(paragraphs_break_between_words)
{
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    text_paragraph(out, "  one two\nthree extraordinarily-long four", 2, 12);
    fclose(out);
    ck_assert_str_eq(text, "  one two\n  three\n  extraordinarily-long\n  four\n");
    free(text);
}
END_TEST

START_TEST(a_log_gets_a_line_every_ten_seconds)
{
    struct progress progress;
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    const int64_t start = 5000000;
    progress_init(&progress, out, false, 0, start);
    for (uint32_t i = 0; i <= 25; i++)
        progress_update(&progress, start + i * INT64_C(1000000), i, 25, "median 14.2 ms");
    progress_break(&progress);
    fclose(out);
    ck_assert_str_eq(text, " 40 %  15 s left  median 14.2 ms\n"
                           " 80 %  5 s left  median 14.2 ms\n"
                           "100 %  took 25 s  median 14.2 ms\n");
    free(text);
}
END_TEST

START_TEST(a_terminal_line_is_rewritten_and_never_wraps)
{
    struct progress progress;
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    progress_init(&progress, out, true, 20, 0);
    progress_update(&progress, 0, 0, 10, NULL);
    progress_update(&progress, 50000, 1, 10, "too soon to print");
    progress_update(&progress, 90000000, 1, 10, "cut here");
    progress_break(&progress);
    progress_break(&progress);
    fclose(out);
    /* 19 columns at most, so that the cursor stays on the line. */
    ck_assert_str_eq(text, "\r  0 %  \x1b[K\r 10 %  13 min 30 s \x1b[K\n");
    free(text);
}
END_TEST

START_TEST(a_loss_of_nothing_is_none)
{
    static const struct table_column two[] = {{"a", true, 0}, {"b", true, 0}};
    struct report_table table;

    report_table_init(&table, two, 2);
    report_table_number(&table, -0.04, 1);
    report_table_number(&table, -0.05, 1);
    report_table_interval(&table, -0.004, -0.006, 2);
    report_table_number(&table, (double)NAN, 1);
    ck_assert_str_eq(table.rows[0].cells[0], "0.0");
    ck_assert_str_eq(table.rows[0].cells[1], "-0.1");
    ck_assert_str_eq(table.rows[1].cells[0], "0.00 .. -0.01");
    ck_assert_str_eq(table.rows[1].cells[1], "-");
    report_table_fini(&table);
}
END_TEST

START_TEST(what_comes_before_the_first_step_is_told_and_not_reckoned)
{
    struct progress progress;
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    progress_init(&progress, out, true, 20, 0);
    progress_prepare(&progress, 0, "meeting 1 of 2, as it is");
    progress_prepare(&progress, 50000, "too soon to print");
    progress_prepare(&progress, 60000000, "meeting 2 of 2");
    progress_from(&progress, 90000000, 5);
    progress_update(&progress, 100000000, 10, 15, NULL);
    fclose(out);
    ck_assert_str_eq(text, "\r       meeting 1 of\x1b[K\r       meeting 2 of\x1b[K\r"
                           " 66 %  10 s left\x1b[K");
    free(text);
}
END_TEST

START_TEST(durations_read_well)
{
    const struct {
        int64_t us;
        const char *wanted;
    } cases[] = {{59400000, "took 59 s"},
                 {60000000, "took 1 min 00 s"},
                 {3599000000, "took 59 min 59 s"},
                 {3660000000, "took 1 h 01 min"}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct progress progress;
        char *text = NULL;
        size_t size = 0;
        FILE *out = open_memstream(&text, &size);
        progress_init(&progress, out, false, 0, 0);
        progress_update(&progress, cases[i].us, 1, 1, NULL);
        fclose(out);
        ck_assert_ptr_nonnull(strstr(text, cases[i].wanted));
        free(text);
    }
}
END_TEST

Suite *text_suite(void);
Suite *text_suite(void)
{
    Suite *suite = suite_create("text");
    TCase *tcase = tcase_create("text");

    tcase_add_test(tcase, columns_align_and_numbers_stand_right);
    tcase_add_test(tcase, a_narrow_terminal_drops_spare_columns_and_says_so);
    tcase_add_test(tcase, an_unfinished_row_is_an_error);
    tcase_add_test(tcase, a_table_is_put_with_a_blank_line_and_freed);
    tcase_add_test(tcase, a_full_disk_is_told_at_the_end);
    tcase_add_test(tcase, paragraphs_break_between_words);
    tcase_add_test(tcase, a_log_gets_a_line_every_ten_seconds);
    tcase_add_test(tcase, a_terminal_line_is_rewritten_and_never_wraps);
    tcase_add_test(tcase, a_loss_of_nothing_is_none);
    tcase_add_test(tcase, what_comes_before_the_first_step_is_told_and_not_reckoned);
    tcase_add_test(tcase, durations_read_well);
    suite_add_tcase(suite, tcase);
    return suite;
}
