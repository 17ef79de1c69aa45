/* report/json: documents byte for byte, escapes, refusals, write errors. */
#include <check.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "report/json.h"
#include "report/number.h"

/* Compare what a writer wrote, and free it. */
static void expect(FILE *out, char **text, const char *wanted)
{
    fclose(out);
    ck_assert_str_eq(*text, wanted);
    free(*text);
}

START_TEST(a_document_is_laid_out_with_rows_on_one_line)
{
    struct json json;
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);

    json_init(&json, out);
    json_object(&json);
    json_member_string(&json, "study", "table2");
    json_key(&json, "rows");
    json_array(&json);
    json_object(&json);
    json_member_number(&json, "ping_ms", 0.4);
    json_member_interval(&json, "ci95_ms", 1.25, NAN);
    json_end(&json);
    json_object(&json);
    json_member_integer(&json, "n", -7);
    json_member_bool(&json, "emulated", true);
    json_key(&json, "level");
    json_null(&json);
    json_end(&json);
    json_end(&json);
    json_key(&json, "empty");
    json_object(&json);
    json_end(&json);
    json_end(&json);
    ck_assert_int_eq(json_finish(&json), 0);
    expect(out, &text,
           "{\n"
           "  \"study\": \"table2\",\n"
           "  \"rows\": [\n"
           "    {\"ping_ms\": 0.4, \"ci95_ms\": [1.25, null]},\n"
           "    {\"n\": -7, \"emulated\": true, \"level\": null}\n"
           "  ],\n"
           "  \"empty\": {}\n"
           "}\n");
}
END_TEST

static void expect_string(const char *value, const char *wanted)
{
    struct json json;
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);

    json_init(&json, out);
    json_string(&json, value);
    ck_assert_int_eq(json_finish(&json), 0);
    expect(out, &text, wanted);
}

START_TEST(strings_are_escaped_and_always_utf8)
{
    expect_string("", "\"\"\n");
    expect_string(NULL, "null\n");
    expect_string("a\"b\\c/d", "\"a\\\"b\\\\c/d\"\n");
    expect_string("\n\t\x01\x7f", "\"\\n\\u0009\\u0001\\u007f\"\n");
    expect_string("\xc2\xb5s \xf0\x9f\x94\x92", "\"\xc2\xb5s \xf0\x9f\x94\x92\"\n");
    /* A lone continuation, an overlong '/', a surrogate, beyond U+10FFFF, cut short. */
    expect_string("\x80", "\"\xef\xbf\xbd\"\n");
    expect_string("\xc0\xaf", "\"\xef\xbf\xbd\xef\xbf\xbd\"\n");
    expect_string("\xe0\x80\xaf", "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\"\n");
    expect_string("\xed\xa0\x80", "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\"\n");
    expect_string("\xf4\x90\x80\x80", "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\"\n");
    expect_string("\xe2\x82", "\"\xef\xbf\xbd\xef\xbf\xbd\"\n");
}
END_TEST

START_TEST(numbers_read_back_exactly)
{
    const double values[] = {0,     1,      -1,     0.1,   1.0 / 3, 2.0 / 3,
                             1e300, 5e-324, 123456, 14.23, 1e-7,    0.30000000000000004};
    char text[NUMBER_MAX];
    for (size_t i = 0; i < sizeof values / sizeof values[0]; i++)
        ck_assert_double_eq(strtod(number_format(text, values[i]), NULL), values[i]);
    ck_assert_str_eq(number_format(text, 0.1), "0.1");
    ck_assert_str_eq(number_format(text, 14.23), "14.23");
    ck_assert_str_eq(number_format(text, NAN), "");
    ck_assert_str_eq(number_format(text, -INFINITY), "");
}
END_TEST

enum misuse { VALUE_WITHOUT_KEY, KEY_IN_ARRAY, TWO_KEYS, END_TOO_MANY, KEY_LEFT, TWO_VALUES };

static void misuse(struct json *json, enum misuse which)
{
    if (which == VALUE_WITHOUT_KEY) {
        json_object(json);
        json_integer(json, 1);
    } else if (which == KEY_IN_ARRAY) {
        json_array(json);
        json_key(json, "k");
    } else if (which == TWO_KEYS) {
        json_object(json);
        json_key(json, "k");
        json_key(json, "l");
    } else if (which == END_TOO_MANY) {
        json_end(json);
    } else if (which == KEY_LEFT) {
        json_object(json);
        json_key(json, "k");
        json_end(json);
    } else {
        json_integer(json, 1);
        json_integer(json, 2);
    }
}

START_TEST(what_is_not_json_is_refused)
{
    for (enum misuse which = VALUE_WITHOUT_KEY; which <= TWO_VALUES; which++) {
        struct json json;
        char *text = NULL;
        size_t size = 0;
        FILE *out = open_memstream(&text, &size);
        json_init(&json, out);
        misuse(&json, which);
        ck_assert_int_eq(json.error, -EINVAL);
        json_member_string(&json, "later", "calls do nothing");
        ck_assert_int_eq(json_finish(&json), -EINVAL);
        fclose(out);
        free(text);
    }
}
END_TEST

START_TEST(an_open_document_and_a_deep_one_are_refused)
{
    struct json json;
    FILE *out = fopen("/dev/null", "w");
    json_init(&json, out);
    ck_assert_int_eq(json_finish(&json), -EINVAL);
    json_init(&json, out);
    json_array(&json);
    ck_assert_int_eq(json_finish(&json), -EINVAL);
    json_init(&json, out);
    for (int i = 0; i < JSON_DEPTH_MAX; i++)
        json_array(&json);
    ck_assert_int_eq(json.error, 0);
    json_array(&json);
    ck_assert_int_eq(json_finish(&json), -E2BIG);
    fclose(out);
}
END_TEST

START_TEST(a_full_disk_is_reported)
{
    struct json json;
    FILE *out = fopen("/dev/full", "w");
    json_init(&json, out);
    json_integer(&json, 1);
    ck_assert_int_eq(json_finish(&json), -ENOSPC);
    fclose(out);
}
END_TEST

Suite *json_suite(void);
Suite *json_suite(void)
{
    Suite *suite = suite_create("json");
    TCase *tcase = tcase_create("json");

    tcase_add_test(tcase, a_document_is_laid_out_with_rows_on_one_line);
    tcase_add_test(tcase, strings_are_escaped_and_always_utf8);
    tcase_add_test(tcase, numbers_read_back_exactly);
    tcase_add_test(tcase, what_is_not_json_is_refused);
    tcase_add_test(tcase, an_open_document_and_a_deep_one_are_refused);
    tcase_add_test(tcase, a_full_disk_is_reported);
    suite_add_tcase(suite, tcase);
    return suite;
}
