/* measure/stats: reference values, edge cases, and what must hold for any sample.
 *
 * Reference values were computed with Python's `statistics` module (median, mean, stdev, quantiles
 * with method "inclusive" = type 7) and, for signed-rank tables, by counting all 2^n sign patterns.
 */
#include <check.h>
#include <errno.h>
#include <math.h>
#include <string.h>

#include "measure/rng.h"
#include "measure/stats.h"

static const double ten[] = {3.1, 0.2, 7.7, 5.0, 5.0, 1.4, 9.9, 2.6, 4.4, 12.5};
static const struct stats_plan plan = {.resamples = 2000, .level = 0.95, .seed = 11};

#define ck_near(x, y) ck_assert_double_eq_tol(x, y, 1e-9)

START_TEST(summary_matches_reference_values)
{
    struct stats_summary s;
    ck_assert_int_eq(stats_describe(ten, 10, &s), 0);
    ck_assert_uint_eq(s.n, 10);
    ck_near(s.min, 0.2);
    ck_near(s.p5, 0.74);
    ck_near(s.p25, 2.725);
    ck_near(s.median, 4.7);
    ck_near(s.p75, 7.025);
    ck_near(s.p90, 10.16);
    ck_near(s.p95, 11.33);
    ck_near(s.p99, 12.266);
    ck_near(s.max, 12.5);
    ck_near(s.mean, 5.18);
    ck_near(s.stddev, 3.8435515983122808);
    ck_near(s.mad, 2.55);
    ck_assert_int_eq(stats_describe(ten, 9, &s), 0);
    ck_near(s.median, 4.4);
    ck_near(s.mad, 1.8);
}
END_TEST

START_TEST(small_samples_say_what_they_can)
{
    struct stats_summary s;
    ck_assert_int_eq(stats_describe(NULL, 0, &s), 0);
    ck_assert_uint_eq(s.n, 0);
    ck_assert_double_nan(s.median);
    ck_assert_double_nan(s.mean);
    ck_assert_double_nan(s.mad);
    ck_assert_int_eq(stats_describe(ten, 1, &s), 0);
    ck_near(s.median, 3.1);
    ck_near(s.p99, 3.1);
    ck_near(s.mad, 0);
    ck_assert_double_nan(s.stddev);
    ck_assert_int_eq(stats_describe(ten, 2, &s), 0);
    ck_near(s.median, 1.65);
    ck_near(s.p25, 0.925);
    ck_near(s.mad, 1.45);
}
END_TEST

START_TEST(a_value_that_is_not_finite_poisons_the_answer)
{
    struct stats_summary s;
    struct stats_interval interval;
    for (int i = 0; i < 3; i++) {
        double x[5] = {1, 2, 3, 4, 5};
        const double bad[] = {NAN, INFINITY, -INFINITY};
        x[2] = bad[i];
        ck_assert_int_eq(stats_describe(x, 5, &s), 0);
        ck_assert_double_nan(s.median);
        ck_assert_double_nan(s.mean);
        ck_assert_double_nan(s.max);
        ck_assert_double_nan(s.mad);
        ck_assert_int_eq(stats_bootstrap_median(x, 5, &plan, &interval), 0);
        ck_assert_double_nan(interval.estimate);
        ck_assert_double_nan(interval.lo);
        ck_assert_int_eq(stats_hodges_lehmann(x, x, 5, 0.95, &interval), 0);
        ck_assert_double_nan(interval.estimate);
        ck_assert_double_nan(stats_median(x, 5));
    }
    double sorted[] = {NAN, 2, 1};
    stats_sort(sorted, 3);
    ck_near(sorted[0], 1);
    ck_assert_double_nan(sorted[2]);
    ck_assert_double_nan(stats_quantile(ten, 10, 1.5));
    ck_assert_double_nan(stats_quantile(ten, 10, NAN));
}
END_TEST

START_TEST(selection_and_sorting_agree_on_the_median)
{
    struct rng rng;
    rng_seed(&rng, 5);
    for (int round = 0; round < 5000; round++) {
        double x[40];
        double y[40];
        uint32_t n = 1 + rng_below(&rng, 40);
        uint32_t range = 1 + rng_below(&rng, 60); /* small ranges make many ties */
        for (uint32_t i = 0; i < n; i++)
            x[i] = rng_below(&rng, range);
        memcpy(y, x, sizeof y);
        stats_sort(y, n);
        ck_near(stats_median(x, n), stats_quantile(y, n, 0.5));
        for (uint32_t i = 1; i < n; i++)
            ck_assert_double_le(y[i - 1], y[i]);
    }
}
END_TEST

START_TEST(mad_is_the_median_of_the_deviations)
{
    struct rng rng;
    rng_seed(&rng, 6);
    for (int round = 0; round < 5000; round++) {
        double x[31];
        double away[31];
        uint32_t n = 1 + rng_below(&rng, 31);
        uint32_t range = 1 + rng_below(&rng, 50);
        for (uint32_t i = 0; i < n; i++)
            x[i] = rng_below(&rng, range);
        stats_sort(x, n);
        for (uint32_t i = 0; i < n; i++)
            away[i] = fabs(x[i] - stats_quantile(x, n, 0.5));
        ck_near(stats_mad(x, n), stats_median(away, n));
    }
}
END_TEST

START_TEST(quantiles_rise_with_p)
{
    double x[10];
    memcpy(x, ten, sizeof x);
    stats_sort(x, 10);
    for (int i = 1; i <= 1000; i++) {
        ck_assert_double_ge(stats_quantile(x, 10, i / 1000.0),
                            stats_quantile(x, 10, (i - 1) / 1000.0));
    }
}
END_TEST

START_TEST(bootstrap_replays_from_its_seed)
{
    struct stats_interval a;
    struct stats_interval b;
    struct stats_plan other = plan;
    other.seed = 12;
    ck_assert_int_eq(stats_bootstrap_median(ten, 10, &plan, &a), 0);
    ck_assert_int_eq(stats_bootstrap_median(ten, 10, &plan, &b), 0);
    ck_assert_mem_eq(&a, &b, sizeof a);
    ck_near(a.estimate, 4.7);
    ck_assert_double_lt(a.lo, a.estimate);
    ck_assert_double_gt(a.hi, a.estimate);
    ck_assert_double_ge(a.lo, 0.2);
    ck_assert_double_le(a.hi, 12.5);
    ck_assert_int_eq(stats_bootstrap_median(ten, 10, &other, &b), 0);
    ck_assert_double_eq_tol(a.lo, b.lo, 1);
    ck_assert_double_eq_tol(a.hi, b.hi, 2);
}
END_TEST

/* A rough normal variate: sum of twelve uniforms less six. */
static double normal(struct rng *rng)
{
    double sum = -6;
    for (int i = 0; i < 12; i++)
        sum += rng_below(rng, 1000000) / 1e6;
    return sum;
}

START_TEST(bootstrap_interval_covers_the_true_median)
{
    /* 400 samples of 25: a 95 % interval misses about 20 times (the percentile bootstrap of a small
     * sample's median somewhat off that). The seeds are fixed, so the count is. */
    const struct stats_plan fast = {.resamples = 400, .level = 0.95, .seed = 8};
    struct rng rng;
    int missed = 0;
    rng_seed(&rng, 123);
    for (int i = 0; i < 400; i++) {
        double x[25];
        struct stats_interval interval;
        for (int j = 0; j < 25; j++)
            x[j] = 50 + normal(&rng);
        ck_assert_int_eq(stats_bootstrap_median(x, 25, &fast, &interval), 0);
        missed += interval.lo > 50 || interval.hi < 50;
    }
    ck_assert_int_ge(missed, 5);
    ck_assert_int_le(missed, 40);
}
END_TEST

START_TEST(one_value_has_no_interval_and_two_have)
{
    struct stats_interval interval;
    ck_assert_int_eq(stats_bootstrap_median(NULL, 0, &plan, &interval), 0);
    ck_assert_double_nan(interval.estimate);
    ck_assert_int_eq(stats_bootstrap_median(ten, 1, &plan, &interval), 0);
    ck_near(interval.estimate, 3.1);
    ck_assert_double_nan(interval.lo);
    ck_assert_double_nan(interval.hi);
    ck_assert_int_eq(stats_bootstrap_median(ten, 2, &plan, &interval), 0);
    ck_near(interval.estimate, 1.65);
    ck_near(interval.lo, 0.2); /* a quarter of the resamples is (0.2, 0.2) */
    ck_near(interval.hi, 3.1);
    const double same[] = {7, 7, 7, 7};
    ck_assert_int_eq(stats_bootstrap_median(same, 4, &plan, &interval), 0);
    ck_near(interval.lo, 7);
    ck_near(interval.hi, 7);
}
END_TEST

START_TEST(plans_out_of_bounds_are_refused)
{
    const struct stats_plan plans[] = {{.resamples = 0, .level = 0.95},
                                       {.resamples = STATS_RESAMPLES_MAX + 1, .level = 0.95},
                                       {.resamples = 10, .level = 0},
                                       {.resamples = 10, .level = 1},
                                       {.resamples = 10, .level = NAN}};
    struct stats_interval interval;
    for (size_t i = 0; i < sizeof plans / sizeof plans[0]; i++)
        ck_assert_int_eq(stats_bootstrap_median(ten, 10, &plans[i], &interval), -EINVAL);
    ck_assert_int_eq(stats_hodges_lehmann(ten, ten, 10, 1, &interval), -EINVAL);
    ck_assert_int_eq(stats_hodges_lehmann(ten, ten, STATS_PAIRS_MAX + 1, 0.95, &interval), -E2BIG);
}
END_TEST

START_TEST(pairing_cancels_what_a_round_has_in_common)
{
    /* first = drift + 30, second = drift + 20 with drift from 0 to 990: the paired interval is a
     * point, although each median alone is uncertain by hundreds. */
    double first[100];
    double second[100];
    struct stats_interval interval;
    for (int i = 0; i < 100; i++) {
        second[i] = 20 + 10.0 * i;
        first[i] = second[i] + 10;
    }
    ck_assert_int_eq(stats_bootstrap_paired(first, second, 100, STATS_DIFFERENCE, &plan, &interval),
                     0);
    ck_near(interval.estimate, 10);
    ck_near(interval.lo, 10);
    ck_near(interval.hi, 10);
    ck_assert_int_eq(stats_bootstrap_median(first, 100, &plan, &interval), 0);
    ck_assert_double_gt(interval.hi - interval.lo, 100);
}
END_TEST

START_TEST(reduction_is_a_fraction_of_the_first)
{
    double first[20];
    double second[20];
    struct stats_interval interval;
    for (int i = 0; i < 20; i++) {
        first[i] = 30 + i % 3;
        second[i] = first[i] * 2 / 3;
    }
    ck_assert_int_eq(stats_bootstrap_paired(first, second, 20, STATS_REDUCTION, &plan, &interval),
                     0);
    ck_near(interval.estimate, 1.0 / 3);
    ck_near(interval.lo, 1.0 / 3);
    ck_near(interval.hi, 1.0 / 3);
}
END_TEST

START_TEST(a_ratio_is_the_first_in_parts_of_the_second)
{
    const double zero[4] = {0};
    double first[20];
    double second[20];
    struct stats_interval interval;
    for (int i = 0; i < 20; i++) {
        second[i] = 30 + i % 3;
        first[i] = second[i] * 1.5;
    }
    ck_assert_int_eq(stats_bootstrap_paired(first, second, 20, STATS_RATIO, &plan, &interval), 0);
    ck_near(interval.estimate, 1.5);
    ck_near(interval.lo, 1.5);
    ck_near(interval.hi, 1.5);
    ck_assert_int_eq(stats_bootstrap_paired(first, second, 1, STATS_RATIO, &plan, &interval), 0);
    ck_near(interval.estimate, 1.5);
    ck_assert_double_nan(interval.lo);
    /* What is divided by nothing has no value. */
    ck_assert_int_eq(stats_bootstrap_paired(first, zero, 4, STATS_RATIO, &plan, &interval), 0);
    ck_assert_double_nan(interval.estimate);
    ck_assert_double_nan(interval.hi);
    ck_assert_int_eq(stats_bootstrap_paired(zero, zero, 4, STATS_REDUCTION, &plan, &interval), 0);
    ck_assert_double_nan(interval.estimate);
    first[2] = NAN;
    ck_assert_int_eq(stats_bootstrap_paired(first, second, 20, STATS_RATIO, &plan, &interval), 0);
    ck_assert_double_nan(interval.estimate);
}
END_TEST

START_TEST(hodges_lehmann_matches_reference_values)
{
    /* Walsh averages and the exact signed-rank distribution by brute force in Python: the median of
     * the 45 averages is 1.5 and the interval runs from the 6th to the 6th from the end. */
    const double a[] = {10.4, 12.1, 9.8, 14.9, 11.1, 13.0, 10.0, 12.7, 15.2};
    const double b[] = {9.1, 10.4, 9.9, 12.2, 10.3, 11.8, 8.7, 10.5, 12.9};
    struct stats_interval interval;
    ck_assert_int_eq(stats_hodges_lehmann(a, b, 9, 0.95, &interval), 0);
    ck_near(interval.estimate, 1.5);
    ck_near(interval.lo, 0.8);
    ck_near(interval.hi, 2.2);
}
END_TEST

START_TEST(signed_rank_table_is_the_published_one)
{
    /* With differences 2^0, 2^1, ... all Walsh averages are distinct, so the bound's place among
     * them shows the critical rank: the two-sided 5 % table (n = 6: 0, 8: 3, 10: 8, 12: 13, 15: 25)
     * plus one. */
    const unsigned table[][2] = {{6, 1}, {8, 4}, {10, 9}, {12, 14}, {15, 26}};
    for (size_t t = 0; t < sizeof table / sizeof table[0]; t++) {
        unsigned n = table[t][0];
        double x[15];
        double walsh[120];
        const double zero[15] = {0};
        size_t k = 0;
        struct stats_interval interval;
        for (unsigned i = 0; i < n; i++)
            x[i] = (double)(1U << i);
        for (unsigned i = 0; i < n; i++) {
            for (unsigned j = i; j < n; j++)
                walsh[k++] = (x[i] + x[j]) / 2;
        }
        stats_sort(walsh, k);
        ck_assert_int_eq(stats_hodges_lehmann(x, zero, n, 0.95, &interval), 0);
        ck_near(interval.lo, walsh[table[t][1] - 1]);
        ck_near(interval.hi, walsh[k - table[t][1]]);
    }
}
END_TEST

START_TEST(hodges_lehmann_needs_more_than_five_and_does_not_jump_at_a_hundred)
{
    struct stats_interval interval;
    ck_assert_int_eq(stats_hodges_lehmann(NULL, NULL, 0, 0.95, &interval), 0);
    ck_assert_double_nan(interval.estimate);
    const double one[] = {5};
    const double zero[200] = {0};
    ck_assert_int_eq(stats_hodges_lehmann(one, zero, 1, 0.95, &interval), 0);
    ck_near(interval.estimate, 5);
    ck_assert_double_nan(interval.lo);
    ck_assert_int_eq(stats_hodges_lehmann(ten, zero, 5, 0.95, &interval), 0);
    ck_assert_double_nan(interval.lo);
    /* Both sides of the change from exact to normal law: the interval may not jump. */
    double x[200];
    struct rng rng;
    rng_seed(&rng, 4);
    for (int i = 0; i < 200; i++)
        x[i] = normal(&rng);
    struct stats_interval wide;
    ck_assert_int_eq(stats_hodges_lehmann(x, zero, 100, 0.95, &wide), 0);
    ck_assert_int_eq(stats_hodges_lehmann(x, zero, 101, 0.95, &interval), 0);
    ck_assert_double_eq_tol(wide.hi - wide.lo, interval.hi - interval.lo, 0.05);
    ck_assert_int_eq(stats_hodges_lehmann(x, zero, 200, 0.95, &interval), 0);
    ck_assert_double_lt(interval.lo, 0);
    ck_assert_double_gt(interval.hi, 0);
}
END_TEST

Suite *stats_suite(void);
Suite *stats_suite(void)
{
    Suite *suite = suite_create("stats");
    TCase *tcase = tcase_create("stats");

    tcase_add_test(tcase, summary_matches_reference_values);
    tcase_add_test(tcase, small_samples_say_what_they_can);
    tcase_add_test(tcase, a_value_that_is_not_finite_poisons_the_answer);
    tcase_add_test(tcase, selection_and_sorting_agree_on_the_median);
    tcase_add_test(tcase, mad_is_the_median_of_the_deviations);
    tcase_add_test(tcase, quantiles_rise_with_p);
    tcase_add_test(tcase, bootstrap_replays_from_its_seed);
    tcase_add_test(tcase, bootstrap_interval_covers_the_true_median);
    tcase_add_test(tcase, one_value_has_no_interval_and_two_have);
    tcase_add_test(tcase, plans_out_of_bounds_are_refused);
    tcase_add_test(tcase, pairing_cancels_what_a_round_has_in_common);
    tcase_add_test(tcase, reduction_is_a_fraction_of_the_first);
    tcase_add_test(tcase, a_ratio_is_the_first_in_parts_of_the_second);
    tcase_add_test(tcase, hodges_lehmann_matches_reference_values);
    tcase_add_test(tcase, signed_rank_table_is_the_published_one);
    tcase_add_test(tcase, hodges_lehmann_needs_more_than_five_and_does_not_jump_at_a_hundred);
    tcase_set_timeout(tcase, 60);
    suite_add_tcase(suite, tcase);
    return suite;
}
