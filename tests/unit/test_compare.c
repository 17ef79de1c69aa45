/*
 * study/compare: rows that belong together stand together, gaps stay gaps, and what is no result of
 * ours is refused without a trace.
 */
#include <check.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "study/compare/compare.h"

Suite *compare_suite(void);

static char base[64], message[COMPARE_MESSAGE_MAX];
static struct compare *compare;

static const char *in(const char *run)
{
    static char path[128];

    (void)snprintf(path, sizeof(path), "%s/%s", base, run);
    return path;
}

static void write_file(const char *run, const char *name, const char *text)
{
    char path[192];
    FILE *file;

    (void)mkdir(in(run), 0700);
    (void)snprintf(path, sizeof(path), "%s/%s/%s", base, run, name);
    file = fopen(path, "w");
    ck_assert_ptr_nonnull(file);
    ck_assert_int_ge(fputs(text, file), 0);
    ck_assert_int_eq(fclose(file), 0);
}

static void setup(void)
{
    (void)snprintf(base, sizeof(base), "/tmp/tlsyn-compare-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(base));
    compare = compare_new();
    ck_assert_ptr_nonnull(compare);
}

static void teardown(void)
{
    static const char *const runs[] = {"one", "two", "bad", "empty"};
    static const char *const files[] = {"bulk.json", "loss.json", "pageload.json"};
    char path[192];

    compare_free(compare);
    for (int i = 0; i < 12; i++) {
        (void)snprintf(path, sizeof(path), "%s/%s/%s", base, runs[i / 3], files[i % 3]);
        (void)unlink(path);
        (void)rmdir(in(runs[i / 3]));
    }
    ck_assert_int_eq(rmdir(base), 0);
}

static const char one[] =
    "{\"study\":\"bulk\",\"environment\":{\"command\":\"first\",\"tlsyn\":\"0.1\"},\"rows\":["
    "{\"sender\":\"tlsyn\",\"receiver\":\"kernel\",\"offload\":true,\"gbit_s\":20,"
    "\"gbit_s_range\":[19,21],\"cpu_s_per_gb\":null},"
    "{\"sender\":\"kernel\",\"receiver\":\"tlsyn\",\"offload\":true,\"gbit_s\":10,"
    "\"gbit_s_range\":[8,12]}]}";
static const char two[] =
    "{\"study\":\"bulk\",\"rows\":["
    "{\"sender\":\"kernel\",\"receiver\":\"tlsyn\",\"offload\":true,\"gbit_s\":11,"
    "\"gbit_s_range\":[9,13]},"
    "{\"sender\":\"tlsyn\",\"receiver\":\"kernel\",\"offload\":true,\"gbit_s\":30,"
    "\"gbit_s_range\":[29,31]},"
    "{\"sender\":\"lwip\",\"receiver\":\"kernel\",\"offload\":false,\"gbit_s\":2}]}";

static char *printed(void)
{
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);

    ck_assert_ptr_nonnull(out);
    ck_assert_int_eq(compare_text(compare, out, 0), 0);
    ck_assert_int_eq(fclose(out), 0);
    return text;
}

/* The line of the text that has all of these, in order. */
static bool has_line(const char *text, const char *a, const char *b, const char *c, const char *d)
{
    const char *words[] = {a, b, c, d};
    char *copy = strdup(text), *rest = copy, *line;
    bool found = false;

    while (!found && (line = strsep(&rest, "\n"))) {
        const char *at = line;

        for (int i = 0; at && i < 4; i++)
            at = strstr(at, words[i]);
        found = at != NULL;
    }
    free(copy);
    return found;
}

START_TEST(rows_of_the_same_words_stand_side_by_side)
{
    char *text;

    write_file("one", "bulk.json", one);
    write_file("two", "bulk.json", two);
    ck_assert_int_eq(compare_add(compare, in("one"), message), 1);
    ck_assert_int_eq(compare_add(compare, in("two"), message), 1);
    text = printed();
    ck_assert(has_line(text, "tlsyn", "20.00", "30.00", " 1.50"));
    ck_assert(has_line(text, "kernel", "10.00", "11.00", "~1.10")); /* the ranges overlap */
    ck_assert(has_line(text, "lwip", "off", "-", "2.00"));
    ck_assert_ptr_nonnull(strstr(text, "first"));
    ck_assert_ptr_null(strstr(text, "CPU s per GB")); /* nobody measured it */
    free(text);
}
END_TEST

/* No column for who did not measure that; runs that are called alike are told apart. */
START_TEST(runs_stand_where_they_have_something_to_say)
{
    static const char page[] =
        "{\"study\":\"pageload\",\"environment\":{\"version\":\"0.1\"},\"rows\":"
        "[{\"stack\":\"tlsyn\",\"round_trips\":16}]}";
    char *text;

    write_file("one", "bulk.json", one);
    write_file("two", "pageload.json", page);
    ck_assert_int_eq(compare_add(compare, in("one"), message), 1);
    ck_assert_int_eq(compare_add(compare, in("two"), message), 1);
    text = printed();
    ck_assert(!has_line(text, "sender", "offload", "to the first", ""));
    ck_assert_ptr_nonnull(strstr(text, "tlsyn 0.1")); /* what another study calls its version */
    free(text);
    ck_assert_int_eq(compare_add(compare, in("one"), message), 1);
    text = printed();
    ck_assert(has_line(text, "sender", "offload", "to the first", ""));
    ck_assert_ptr_nonnull(strstr(text, "1: one"));
    ck_assert_ptr_nonnull(strstr(text, "3: one"));
    ck_assert_ptr_null(strstr(text, "2: two "));
    free(text);
}
END_TEST

START_TEST(a_folder_without_results_is_told)
{
    (void)mkdir(in("empty"), 0700);
    ck_assert_int_eq(compare_add(compare, in("empty"), message), -ENOENT);
    ck_assert_ptr_nonnull(strstr(message, "no result"));
    ck_assert_int_eq(compare_add(compare, in("nowhere"), message), -ENOENT);
}
END_TEST

START_TEST(a_broken_file_leaves_no_trace)
{
    char *text;

    write_file("one", "bulk.json", one);
    write_file("bad", "bulk.json", two);
    write_file("bad", "loss.json", "{\"rows\": [");
    ck_assert_int_eq(compare_add(compare, in("one"), message), 1);
    ck_assert_int_eq(compare_add(compare, in("bad"), message), -EPROTO);
    ck_assert_ptr_nonnull(strstr(message, "loss.json: line 1"));
    text = printed();
    ck_assert_ptr_null(strstr(text, "lwip"));
    ck_assert_ptr_null(strstr(text, "30.00"));
    ck_assert(has_line(text, "tlsyn", "kernel", "on", "20.00"));
    free(text);
    write_file("bad", "loss.json", "[1, 2]");
    ck_assert_int_eq(compare_add(compare, in("bad"), message), -EPROTO);
    write_file("bad", "loss.json", "{\"rows\": [1, \"x\", {}, null]}");
    ck_assert_int_eq(compare_add(compare, in("bad"), message), 2); /* rows without a figure */
}
END_TEST

START_TEST(no_more_runs_than_there_is_room_for)
{
    write_file("one", "bulk.json", one);
    for (int i = 0; i < COMPARE_RUNS_MAX; i++)
        ck_assert_int_eq(compare_add(compare, in("one"), message), 1);
    ck_assert_int_eq(compare_add(compare, in("one"), message), -E2BIG);
    free(printed());
}
END_TEST

START_TEST(the_page_has_the_tables)
{
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);

    write_file("one", "bulk.json", one);
    ck_assert_int_eq(compare_add(compare, in("one"), message), 1);
    ck_assert_int_eq(compare_html(compare, "tlsyn bench report one", out), 0);
    ck_assert_int_eq(fclose(out), 0);
    ck_assert_ptr_nonnull(strstr(text, "Throughput of one flow"));
    ck_assert_ptr_nonnull(strstr(text, "<td class=\"right\">20.00</td>"));
    ck_assert_ptr_nonnull(strstr(text, "tlsyn bench report one"));
    free(text);
}
END_TEST

Suite *compare_suite(void)
{
    Suite *suite = suite_create("compare");
    TCase *tc = tcase_create("compare");

    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc, rows_of_the_same_words_stand_side_by_side);
    tcase_add_test(tc, runs_stand_where_they_have_something_to_say);
    tcase_add_test(tc, a_folder_without_results_is_told);
    tcase_add_test(tc, a_broken_file_leaves_no_trace);
    tcase_add_test(tc, no_more_runs_than_there_is_room_for);
    tcase_add_test(tc, the_page_has_the_tables);
    suite_add_tcase(suite, tc);
    return suite;
}
