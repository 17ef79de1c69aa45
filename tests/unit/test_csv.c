/* report/csv and report/raw: quoting, row widths, and the file of raw samples. */
#include <check.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "report/csv.h"
#include "report/raw.h"

START_TEST(fields_are_quoted_only_where_they_must_be)
{
    struct csv csv;
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);

    csv_init(&csv, out);
    csv_string(&csv, "plain");
    csv_string(&csv, "a,b");
    csv_string(&csv, "say \"hi\"");
    csv_string(&csv, "two\r\nlines");
    csv_string(&csv, NULL);
    csv_end_row(&csv);
    csv_number(&csv, 0.1);
    csv_number(&csv, NAN);
    csv_integer(&csv, INT64_MIN);
    csv_number(&csv, -2.5e-9);
    csv_string(&csv, "");
    csv_end_row(&csv);
    ck_assert_int_eq(csv_finish(&csv), 0);
    fclose(out);
    ck_assert_str_eq(text, "plain,\"a,b\",\"say \"\"hi\"\"\",\"two\r\nlines\",\r\n"
                           "0.1,,-9223372036854775808,-2.5e-09,\r\n");
    free(text);
}
END_TEST

START_TEST(rows_of_another_width_are_refused)
{
    struct csv csv;
    FILE *out = fopen("/dev/null", "w");
    csv_init(&csv, out);
    csv_end_row(&csv); /* no field at all */
    ck_assert_int_eq(csv_finish(&csv), -EINVAL);
    csv_init(&csv, out);
    csv_integer(&csv, 1);
    csv_integer(&csv, 2);
    csv_end_row(&csv);
    csv_integer(&csv, 3);
    csv_end_row(&csv);
    ck_assert_int_eq(csv_finish(&csv), -EINVAL);
    csv_init(&csv, out);
    csv_integer(&csv, 1); /* never ended */
    ck_assert_int_eq(csv_finish(&csv), -EINVAL);
    fclose(out);
    out = fopen("/dev/full", "w");
    csv_init(&csv, out);
    csv_integer(&csv, 1);
    csv_end_row(&csv);
    ck_assert_int_eq(csv_finish(&csv), -EIO);
    fclose(out);
}
END_TEST

START_TEST(raw_samples_keep_failures_and_warmup)
{
    struct sample_table table;
    struct sample_cell cell = sample_cell_make("tlsyn", "1.3", "embedded", "open", 6.0);
    struct sample good = {.round = 1, .order = 2, .handshake_us = 14200.5, .first_byte_us = NAN};
    struct sample bad = {.order = 1, .warmup = true};
    char *text = NULL;
    size_t size = 0;

    (void)strcpy(cell.session, "psk");
    sample_fail(&bad, "refused, with \"alert 40\"");
    sample_table_init(&table, 4, 4);
    ck_assert_int_eq(sample_table_cell(&table, &cell), 0);
    ck_assert_int_eq(sample_table_add(&table, &bad), 0);
    ck_assert_int_eq(sample_table_add(&table, &good), 0);
    FILE *out = open_memstream(&text, &size);
    ck_assert_int_eq(raw_write(out, &table, NULL), 0);
    fclose(out);
    ck_assert_str_eq(text, "order,round,warmup,stack,tls,mode,level,ping_target_ms,ok,"
                           "handshake_us,first_byte_us,reason,session\r\n"
                           "1,0,1,tlsyn,1.3,embedded,open,6,0,,,"
                           "\"refused, with \"\"alert 40\"\"\",psk\r\n"
                           "2,1,0,tlsyn,1.3,embedded,open,6,1,14200.5,,,psk\r\n");
    free(text);
    out = open_memstream(&text, &size);
    ck_assert_int_eq(raw_write(out, &table, "emulated"), 0);
    fclose(out);
    ck_assert_ptr_nonnull(strstr(text, ",reason,session,remark\r\n"));
    ck_assert_ptr_nonnull(strstr(text, ",14200.5,,,psk,emulated\r\n"));
    free(text);
    sample_table_fini(&table);
}
END_TEST

Suite *csv_suite(void);
Suite *csv_suite(void)
{
    Suite *suite = suite_create("csv");
    TCase *tcase = tcase_create("csv");

    tcase_add_test(tcase, fields_are_quoted_only_where_they_must_be);
    tcase_add_test(tcase, rows_of_another_width_are_refused);
    tcase_add_test(tcase, raw_samples_keep_failures_and_warmup);
    suite_add_tcase(suite, tcase);
    return suite;
}
