/* measure/sample: what goes in comes out raw; bounds and failed allocations leave the table whole.
 */
#include <check.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "measure/sample.h"

static struct sample ok_sample(uint32_t cell, uint32_t round, double us)
{
    return (struct sample){
        .cell = cell, .round = round, .handshake_us = us, .first_byte_us = us + 1000};
}

static int add_cell(struct sample_table *table, const char *mode, double ping)
{
    struct sample_cell cell = sample_cell_make("tlsyn", "1.3", mode, "open", ping);
    return sample_table_cell(table, &cell);
}

START_TEST(a_cell_is_added_once_and_found_again)
{
    struct sample_table table;
    sample_table_init(&table, 10, 10);
    ck_assert_int_eq(add_cell(&table, "sequential", 0.4), 0);
    ck_assert_int_eq(add_cell(&table, "embedded", 0.4), 1);
    ck_assert_int_eq(add_cell(&table, "sequential", 6.0), 2);
    ck_assert_int_eq(add_cell(&table, "embedded", 0.4), 1);
    ck_assert_uint_eq(table.cell_count, 3);
    ck_assert_str_eq(table.cells[1].mode, "embedded");
    ck_assert_str_eq(table.cells[2].stack, "tlsyn");
    sample_table_fini(&table);
}
END_TEST

START_TEST(long_names_are_cut_and_null_is_empty)
{
    struct sample_cell cell =
        sample_cell_make("a name much longer than the field", "1.3", "embedded", NULL, 1);
    ck_assert_uint_eq(strlen(cell.stack), SAMPLE_NAME_MAX - 1);
    ck_assert_str_eq(cell.level, "");
}
END_TEST

START_TEST(a_key_without_terminators_is_taken_safely)
{
    struct sample_table table;
    struct sample_cell cell;
    memset(&cell, 'x', sizeof cell);
    cell.ping_target_ms = 1;
    sample_table_init(&table, 2, 2);
    ck_assert_int_eq(sample_table_cell(&table, &cell), 0);
    ck_assert_uint_eq(strlen(table.cells[0].level), SAMPLE_NAME_MAX - 1);
    sample_table_fini(&table);
}
END_TEST

START_TEST(a_cell_needs_a_finite_ping)
{
    struct sample_table table;
    sample_table_init(&table, 10, 10);
    ck_assert_int_eq(add_cell(&table, "embedded", NAN), -EINVAL);
    ck_assert_int_eq(add_cell(&table, "embedded", INFINITY), -EINVAL);
    ck_assert_int_eq(add_cell(&table, "embedded", -1), -EINVAL);
    ck_assert_int_eq(add_cell(&table, "embedded", 0), 0);
    sample_table_fini(&table);
}
END_TEST

START_TEST(samples_that_make_no_sense_are_refused)
{
    struct sample_table table;
    sample_table_init(&table, 4, 4);
    struct sample sample = ok_sample(0, 0, 5);
    ck_assert_int_eq(sample_table_add(&table, &sample), -EINVAL); /* no such cell */
    add_cell(&table, "embedded", 6);
    sample.handshake_us = NAN;
    ck_assert_int_eq(sample_table_add(&table, &sample), -EINVAL);
    sample.handshake_us = -1;
    ck_assert_int_eq(sample_table_add(&table, &sample), -EINVAL);
    sample_fail(&sample, "timed out"); /* a failed one needs no time */
    ck_assert_int_eq(sample_table_add(&table, &sample), 0);
    ck_assert_uint_eq(table.count, 1);
    ck_assert_str_eq(table.samples[0].reason, "timed out");
    sample_table_fini(&table);
}
END_TEST

START_TEST(limits_hold_and_are_reported)
{
    struct sample_table table;
    sample_table_init(&table, 1, 100);
    ck_assert_int_eq(add_cell(&table, "embedded", 6), 0);
    ck_assert_int_eq(add_cell(&table, "embedded", 7), -ENOSPC);
    for (uint32_t i = 0; i < 100; i++) {
        struct sample sample = ok_sample(0, i, i);
        ck_assert_int_eq(sample_table_add(&table, &sample), 0);
    }
    struct sample sample = ok_sample(0, 100, 1);
    ck_assert_int_eq(sample_table_add(&table, &sample), -ENOSPC);
    ck_assert_uint_eq(table.count, 100);
    for (uint32_t i = 0; i < 100; i++)
        ck_assert_double_eq(table.samples[i].handshake_us, i);
    sample_table_fini(&table);
    sample_table_init(&table, 0, 0);
    ck_assert_int_eq(add_cell(&table, "embedded", 6), -ENOSPC);
}
END_TEST

static void *no_memory(void *block, size_t size)
{
    (void)block;
    (void)size;
    return NULL;
}

START_TEST(a_failed_allocation_changes_nothing)
{
    struct sample_table table;
    sample_table_init(&table, 1000, 1000);
    table.resize = no_memory;
    ck_assert_int_eq(add_cell(&table, "embedded", 6), -ENOMEM);
    table.resize = realloc;
    ck_assert_int_eq(add_cell(&table, "embedded", 6), 0);
    uint32_t round = 0;
    struct sample sample = ok_sample(0, round, 9);
    ck_assert_int_eq(sample_table_add(&table, &sample), 0);
    table.resize = no_memory;
    int error = 0;
    while (error == 0 && round < 1000) {
        sample.round = ++round;
        error = sample_table_add(&table, &sample);
    }
    ck_assert_int_eq(error, -ENOMEM);
    ck_assert_uint_eq(table.count, round);
    table.resize = realloc;
    ck_assert_int_eq(sample_table_add(&table, &sample), 0);
    ck_assert_double_eq(table.samples[0].handshake_us, 9);
    sample_table_fini(&table);
}
END_TEST

START_TEST(selection_leaves_out_warmup_failures_and_missing_times)
{
    struct sample_table table;
    sample_table_init(&table, 4, 10);
    add_cell(&table, "sequential", 6);
    add_cell(&table, "embedded", 6);
    for (uint32_t i = 0; i < 6; i++) {
        struct sample sample = ok_sample(i == 4, i, 10.0 * i);
        sample.warmup = i == 0;
        if (i == 2)
            sample_fail(&sample, "reset by peer");
        if (i == 3)
            sample.first_byte_us = NAN;
        ck_assert_int_eq(sample_table_add(&table, &sample), 0);
    }
    double out[4] = {0};
    ck_assert_uint_eq(sample_table_select(&table, 0, SAMPLE_HANDSHAKE, out, 4), 3);
    ck_assert_double_eq(out[0], 10);
    ck_assert_double_eq(out[1], 30);
    ck_assert_double_eq(out[2], 50);
    ck_assert_uint_eq(sample_table_select(&table, 0, SAMPLE_FIRST_BYTE, out, 4), 2);
    ck_assert_double_eq(out[0], 1010);
    out[1] = -1;
    ck_assert_uint_eq(sample_table_select(&table, 0, SAMPLE_HANDSHAKE, out, 1), 3);
    ck_assert_double_eq(out[1], -1); /* beyond room: untouched */
    struct sample_counts counts = sample_table_count(&table, 0);
    ck_assert_uint_eq(counts.ok, 3);
    ck_assert_uint_eq(counts.failed, 1);
    ck_assert_uint_eq(counts.warmup, 1);
    sample_table_fini(&table);
}
END_TEST

START_TEST(pairs_join_values_of_one_round_only)
{
    struct sample_table table;
    sample_table_init(&table, 4, 20);
    add_cell(&table, "sequential", 6);
    add_cell(&table, "embedded", 6);
    /* round, cell, time; round 1 lacks the second cell, round 2 has one failure (negative). */
    const double rows[][3] = {{0, 1, 5},  {0, 0, 8},  {1, 0, 9}, {2, 1, 6},
                              {2, 0, -1}, {3, 0, 11}, {3, 1, 7}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct sample sample = ok_sample((uint32_t)rows[i][1], (uint32_t)rows[i][0], rows[i][2]);
        if (rows[i][2] < 0)
            sample_fail(&sample, "timed out");
        ck_assert_int_eq(sample_table_add(&table, &sample), 0);
    }
    double first[8] = {0};
    double second[8] = {0};
    const uint32_t cells[2] = {0, 1};
    ck_assert_uint_eq(sample_table_pairs(&table, cells, SAMPLE_HANDSHAKE, first, second, 8), 2);
    ck_assert_double_eq(first[0], 8);
    ck_assert_double_eq(second[0], 5);
    ck_assert_double_eq(first[1], 11);
    ck_assert_double_eq(second[1], 7);
    sample_table_fini(&table);
}
END_TEST

Suite *sample_suite(void);
Suite *sample_suite(void)
{
    Suite *suite = suite_create("sample");
    TCase *tcase = tcase_create("sample");

    tcase_add_test(tcase, a_cell_is_added_once_and_found_again);
    tcase_add_test(tcase, long_names_are_cut_and_null_is_empty);
    tcase_add_test(tcase, a_key_without_terminators_is_taken_safely);
    tcase_add_test(tcase, a_cell_needs_a_finite_ping);
    tcase_add_test(tcase, samples_that_make_no_sense_are_refused);
    tcase_add_test(tcase, limits_hold_and_are_reported);
    tcase_add_test(tcase, a_failed_allocation_changes_nothing);
    tcase_add_test(tcase, selection_leaves_out_warmup_failures_and_missing_times);
    tcase_add_test(tcase, pairs_join_values_of_one_round_only);
    suite_add_tcase(suite, tcase);
    return suite;
}
