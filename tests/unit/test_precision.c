/* The lab's histogram of lateness. */
#include "lab/precision.h"

#include <check.h>

START_TEST(an_empty_histogram_answers_zero)
{
    struct precision p = {0};

    ck_assert(precision_percentile(&p, 0.5) == 0);
    ck_assert_uint_eq(p.max_ns, 0);
}
END_TEST

START_TEST(small_values_are_kept_exactly)
{
    struct precision p = {0};

    for (int64_t v = 1; v <= 60; v++)
        precision_add(&p, v);
    ck_assert(precision_percentile(&p, 0.5) == 30);
    ck_assert(precision_percentile(&p, 1.0) == 60);
    ck_assert(precision_percentile(&p, 1.0 / 60) == 1);
}
END_TEST

START_TEST(percentiles_are_right_to_one_part_in_sixty_four)
{
    for (int64_t v = 1; v < INT64_C(1) << 41; v += 1 + v / 7) {
        struct precision p = {0};
        precision_add(&p, v);
        precision_add(&p, INT64_C(1) << 50);
        double error = precision_percentile(&p, 0.5) - (double)v;
        ck_assert_msg(error <= (double)v / 64 && error >= -(double)v / 64, "%ld is off by %f",
                      (long)v, error);
    }
}
END_TEST

START_TEST(percentiles_follow_the_ranks)
{
    struct precision p = {0};

    for (int i = 0; i < 990; i++)
        precision_add(&p, 10);
    for (int i = 0; i < 10; i++)
        precision_add(&p, 50);
    ck_assert(precision_percentile(&p, 0.99) == 10);
    ck_assert(precision_percentile(&p, 0.991) == 50);
}
END_TEST

START_TEST(a_percentile_never_exceeds_the_maximum)
{
    struct precision p = {0};

    precision_add(&p, 1000001);
    ck_assert_uint_eq(p.max_ns, 1000001);
    ck_assert(precision_percentile(&p, 0.5) <= 1000001);
}
END_TEST

START_TEST(early_counts_as_in_time_and_ages_as_the_last_bucket)
{
    struct precision p = {0};

    precision_add(&p, -5);
    ck_assert(precision_percentile(&p, 1.0) == 0);
    precision_add(&p, INT64_MAX);
    ck_assert_uint_eq(p.count, 2);
    ck_assert(precision_percentile(&p, 1.0) > 1e12);
}
END_TEST

START_TEST(reset_forgets)
{
    struct precision p = {0};

    precision_add(&p, 7);
    precision_reset(&p);
    ck_assert_uint_eq(p.count, 0);
    ck_assert(precision_percentile(&p, 1.0) == 0);
}
END_TEST

Suite *precision_suite(void);

Suite *precision_suite(void)
{
    Suite *suite = suite_create("precision");
    TCase *histogram = tcase_create("histogram");

    tcase_add_test(histogram, an_empty_histogram_answers_zero);
    tcase_add_test(histogram, small_values_are_kept_exactly);
    tcase_add_test(histogram, percentiles_are_right_to_one_part_in_sixty_four);
    tcase_add_test(histogram, percentiles_follow_the_ranks);
    tcase_add_test(histogram, a_percentile_never_exceeds_the_maximum);
    tcase_add_test(histogram, early_counts_as_in_time_and_ages_as_the_last_bucket);
    tcase_add_test(histogram, reset_forgets);
    suite_add_tcase(suite, histogram);
    return suite;
}
