/*
 * test_request.c: what requests name stays in the folder; ranges mean what they should.
 */
#include <check.h>

#include "web/request.h"

/* --- paths ------------------------------------------------------------------------------------ */

START_TEST(targets_become_paths)
{
    static const struct {
        const char *target, *path;
        bool directory;
    } cases[] = {
        {"/", ".", true},
        {"//", ".", true},
        {"/a", "a", false},
        {"/a/b/", "a/b", true},
        {"/a?b/c", "a", false},
        {"/a%20b%2fc", "a b/c", false},
        {"/...", "...", false},
        {"/a..b", "a..b", false},
        {"https://host/x", "x", false},
        {"https://host", ".", true},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char path[64];
        bool directory = !cases[i].directory;

        ck_assert_msg(request_path(cases[i].target, path, sizeof(path), &directory) == 0, "%s",
                      cases[i].target);
        ck_assert_str_eq(path, cases[i].path);
        ck_assert_int_eq(directory, cases[i].directory);
    }
}
END_TEST

START_TEST(no_path_climbs)
{
    static const char *const bad[] = {
        "/..", "/../etc/passwd", "/a/../b", "/%2e%2e/x", "/a/..", "/..%2fx", "/%2E./x", "x", "*",
        "",    "/a%00b",         "/a%",     "/a%2",      "/a%zz"};

    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        char path[64];
        bool directory = false;

        ck_assert_msg(request_path(bad[i], path, sizeof(path), &directory) == 400, "%s", bad[i]);
    }
}
END_TEST

START_TEST(a_path_fits_or_is_refused)
{
    char path[8];
    bool directory = false;

    ck_assert_int_eq(request_path("/123456", path, sizeof(path), &directory), 0);
    ck_assert_int_eq(request_path("/1234567", path, sizeof(path), &directory), 400);
}
END_TEST

/* --- ranges (RFC 9110 14.1.2) ----------------------------------------------------------------- */

START_TEST(ranges_mean_what_rfc_9110_says)
{
    static const struct {
        const char *value;
        uint64_t size;
        enum request_range range;
        uint64_t first, last;
    } cases[] = {
        {"", 100, RANGE_ALL, 0, 0},
        {"bytes=0-9", 100, RANGE_PART, 0, 9},
        {"bytes=0-0", 100, RANGE_PART, 0, 0},
        {"bytes=90-", 100, RANGE_PART, 90, 99},
        {"bytes=90-1000", 100, RANGE_PART, 90, 99},
        {"bytes=-10", 100, RANGE_PART, 90, 99},
        {"bytes=-1000", 100, RANGE_PART, 0, 99},
        {"bytes=99-99", 100, RANGE_PART, 99, 99},
        {"bytes=100-", 100, RANGE_UNSATISFIED, 0, 0},
        {"bytes=-0", 100, RANGE_UNSATISFIED, 0, 0},
        {"bytes=0-", 0, RANGE_UNSATISFIED, 0, 0},
        {"bytes=9-0", 100, RANGE_ALL, 0, 0},
        {"bytes=0-1,5-6", 100, RANGE_ALL, 0, 0},
        {"bytes=-", 100, RANGE_ALL, 0, 0},
        {"bytes=a-b", 100, RANGE_ALL, 0, 0},
        {"lines=0-9", 100, RANGE_ALL, 0, 0},
        {"bytes=99999999999999999999-", 100, RANGE_ALL, 0, 0},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        uint64_t first = 0;
        uint64_t last = 0;

        ck_assert_msg(request_range(cases[i].value, cases[i].size, &first, &last) == cases[i].range,
                      "%s", cases[i].value);
        if (cases[i].range == RANGE_PART) {
            ck_assert_uint_eq(first, cases[i].first);
            ck_assert_uint_eq(last, cases[i].last);
        }
    }
}
END_TEST

Suite *request_suite(void);

Suite *request_suite(void)
{
    Suite *suite = suite_create("request");
    TCase *meaning = tcase_create("meaning");

    tcase_add_test(meaning, targets_become_paths);
    tcase_add_test(meaning, no_path_climbs);
    tcase_add_test(meaning, a_path_fits_or_is_refused);
    tcase_add_test(meaning, ranges_mean_what_rfc_9110_says);
    suite_add_tcase(suite, meaning);
    return suite;
}
