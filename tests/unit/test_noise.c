/* study/noise: the machine's own noise is measured, and a machine that cannot tell is believed. */
#include <check.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "study/cpu_quota.h"
#include "study/noise.h"

Suite *noise_suite(void);

START_TEST(steal_is_the_eighth_number_of_the_first_line)
{
    struct noise_ticks t;

    ck_assert(noise_parse("cpu  10 1 5 100 2 0 3 7 50 60\n", &t));
    ck_assert_uint_eq(t.total, 128); /* guests are within user and nice */
    ck_assert_uint_eq(t.stolen, 7);
    ck_assert(!noise_parse("cpu  10 1 5 100 2 0 3\n", &t));
    ck_assert(!noise_parse("cpu0 10 1 5 100 2 0 3 7 0 0\n", &t));
    ck_assert(!noise_parse("", &t));
}
END_TEST

START_TEST(a_run_has_figures_for_all_of_it)
{
    struct noise n;
    char text[200];

    noise_begin(&n);
    noise_end(&n);
    ck_assert_double_ge(n.timer_p50_us, 0);
    ck_assert_double_ge(n.timer_p99_us, n.timer_p50_us);
    ck_assert_double_ge(n.timer_max_us, n.timer_p99_us);
    ck_assert(isnan(n.steal) || (n.steal >= 0 && n.steal <= 1));
    ck_assert_ptr_nonnull(strstr(noise_sentence(&n, text, sizeof(text)), "timers wake"));
}
END_TEST

START_TEST(a_report_says_that_processors_were_kept_awake)
{
    struct noise n;
    char text[200];

    noise_begin(&n);
    noise_keep_awake(&n);
    ck_assert(!n.kept_awake); /* so far nobody knows */
    noise_end(&n);
    ck_assert_int_eq(n.kept_awake, !cpu_quota("/proc/self/cgroup", "/sys/fs/cgroup"));
    ck_assert_int_eq(strstr(noise_sentence(&n, text, sizeof(text)), "kept awake") != NULL,
                     n.kept_awake);
}
END_TEST

START_TEST(what_is_not_known_is_left_out)
{
    const struct noise n = {.timer_p50_us = 60, .load_before = (double)NAN, .steal = (double)NAN};
    char text[200], *json = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&json, &size);
    struct json j;

    ck_assert_str_eq(noise_sentence(&n, text, sizeof(text)),
                     "timers wake 60 us late (99 %: 0, at most 0)");
    json_init(&j, out);
    json_object(&j);
    noise_json(&n, &j);
    json_end(&j);
    ck_assert_int_eq(json_finish(&j), 0);
    ck_assert_int_eq(fclose(out), 0);
    ck_assert_ptr_nonnull(strstr(json, "\"steal\": null"));
    free(json);
}
END_TEST

Suite *noise_suite(void)
{
    Suite *suite = suite_create("noise");
    TCase *tc = tcase_create("noise");

    tcase_add_test(tc, steal_is_the_eighth_number_of_the_first_line);
    tcase_add_test(tc, a_run_has_figures_for_all_of_it);
    tcase_add_test(tc, a_report_says_that_processors_were_kept_awake);
    tcase_add_test(tc, what_is_not_known_is_left_out);
    suite_add_tcase(suite, tc);
    return suite;
}
