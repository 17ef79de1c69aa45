/* measure/histogram: every value is in its bin, and the distribution function reaches 1. */
#include <check.h>
#include <errno.h>
#include <math.h>

#include "measure/histogram.h"

Suite *histogram_suite(void);

#define ck_near(x, y) ck_assert_double_eq_tol(x, y, 1e-12)

START_TEST(bins_are_multiples_of_the_width)
{
    const double x[] = {10, 19.99, 20, 47, (double)NAN};
    struct histogram_steps h;

    ck_assert_int_eq(histogram_bins(x, 5, 10, &h), 0);
    ck_assert_uint_eq(h.n, 6); /* from 0 at 10; 10, 20, 30, 40; and the end at 50 */
    ck_near(h.x[0], 10);
    ck_near(h.y[0], 0);
    ck_near(h.x[1], 10);
    ck_near(h.y[1], 0.5);
    ck_near(h.y[2], 0.25);
    ck_near(h.y[3], 0);
    ck_near(h.y[4], 0.25);
    ck_near(h.x[5], 50);
    ck_near(h.y[5], 0);
    histogram_free(&h);
}
END_TEST

START_TEST(no_value_gives_no_point_and_a_bad_width_an_error)
{
    const double x[] = {1, 1e12};
    struct histogram_steps h;

    ck_assert_int_eq(histogram_bins(x, 0, 10, &h), 0);
    ck_assert_uint_eq(h.n, 0);
    ck_assert_int_eq(histogram_bins(x, 2, 0, &h), -EINVAL);
    ck_assert_int_eq(histogram_bins(x, 2, (double)NAN, &h), -EINVAL);
    ck_assert_int_eq(histogram_bins(x, 2, 1, &h), -E2BIG);
    ck_assert_int_eq(histogram_ecdf(x, 0, 10, &h), 0);
    ck_assert_uint_eq(h.n, 0);
    histogram_free(&h);
}
END_TEST

START_TEST(the_distribution_function_climbs_to_one)
{
    const double x[] = {4, 1, 3, 2};
    struct histogram_steps h;

    ck_assert_int_eq(histogram_ecdf(x, 4, 100, &h), 0);
    ck_assert_uint_eq(h.n, 5);
    ck_near(h.x[0], 1); /* from where it climbs */
    ck_near(h.y[0], 0);
    for (size_t i = 1; i < 5; i++) {
        ck_near(h.x[i], (double)i);
        ck_near(h.y[i], (double)i / 4);
    }
    histogram_free(&h);
}
END_TEST

START_TEST(few_points_are_steps_of_many_values)
{
    double x[1001];
    struct histogram_steps h;

    for (size_t i = 0; i < 1001; i++)
        x[i] = (double)i;
    ck_assert_int_eq(histogram_ecdf(x, 1001, 10, &h), 0);
    ck_assert_uint_eq(h.n, 11);
    ck_near(h.y[10], 1);
    ck_near(h.x[10], 1000);
    for (size_t i = 1; i < 11; i++) /* what it says is true of the sample */
        ck_near(h.y[i], (h.x[i] + 1) / 1001);
    histogram_free(&h);
    ck_assert_int_eq(histogram_ecdf(x, 1001, 1, &h), -EINVAL);
}
END_TEST

Suite *histogram_suite(void)
{
    Suite *suite = suite_create("histogram");
    TCase *tc = tcase_create("histogram");

    tcase_add_test(tc, bins_are_multiples_of_the_width);
    tcase_add_test(tc, no_value_gives_no_point_and_a_bad_width_an_error);
    tcase_add_test(tc, the_distribution_function_climbs_to_one);
    tcase_add_test(tc, few_points_are_steps_of_many_values);
    suite_add_tcase(suite, tc);
    return suite;
}
