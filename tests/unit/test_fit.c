/* measure/fit: the published table's own lines, exact lines, outliers, and what must be refused.
 *
 * Reference values for the published table: Python, statistics.linear_regression for the line,
 * Student's t with 3 degrees of freedom (3.182446) for the intervals, the definition for Theil-Sen.
 */
#include <check.h>
#include <errno.h>
#include <math.h>

#include "measure/fit.h"
#include "measure/rng.h"

static const double ping[] = {0.4, 6.0, 7.1, 8.4, 11.6};
static const double sequential[] = {44.3, 56.2, 66.2, 69.1, 74.6};
static const double sslmtcp[] = {42.9, 52.4, 59.6, 61.7, 64.2};
static const struct stats_plan plan = {.resamples = 1000, .level = 0.95, .seed = 21};

START_TEST(least_squares_of_the_published_table)
{
    struct fit_line line;
    ck_assert_int_eq(fit_ols(ping, sequential, 5, 0.95, &line), 0);
    ck_assert_double_eq_tol(line.a.estimate, 2.8414634146341458, 1e-9);
    ck_assert_double_eq_tol(line.a.lo, 1.5975537830391147, 1e-7);
    ck_assert_double_eq_tol(line.a.hi, 4.085373046229177, 1e-7);
    ck_assert_double_eq_tol(line.b.estimate, 43.042195121951224, 1e-9);
    ck_assert_double_eq_tol(line.b.lo, 33.541298368100264, 1e-6);
    ck_assert_double_eq_tol(line.b.hi, 52.54309187580218, 1e-6);
    ck_assert_double_eq_tol(line.r2, 0.9462827779985638, 1e-9);
    ck_assert_double_eq_tol(line.residual, 3.8909756097560972, 1e-9);
    ck_assert_int_eq(fit_ols(ping, sslmtcp, 5, 0.95, &line), 0);
    ck_assert_double_eq_tol(line.a.estimate, 2.027959547888162, 1e-9);
    ck_assert_double_eq_tol(line.a.lo, 1.01097519596784, 1e-7);
    ck_assert_double_eq_tol(line.a.hi, 3.044943899808484, 1e-7);
    ck_assert_double_eq_tol(line.b.estimate, 42.57267102914932, 1e-9);
    ck_assert_double_eq_tol(line.r2, 0.9306724417095086, 1e-9);
}
END_TEST

/* The line through points: cells of one observation each. */
static int theil_sen(const double *x, const double *y, size_t n, struct fit_line *line)
{
    struct fit_cell cells[FIT_POINTS_MAX + 1];
    for (size_t i = 0; i < n; i++)
        cells[i] = (struct fit_cell){x[i], &y[i], 1};
    return fit_cells(cells, n, &plan, line);
}

START_TEST(theil_sen_of_the_published_table)
{
    struct fit_line line;
    ck_assert_int_eq(theil_sen(ping, sequential, 5, &line), 0);
    ck_assert_double_eq_tol(line.a.estimate, 2.902678571428571, 1e-9);
    ck_assert_double_eq_tol(line.b.estimate, 43.13892857142857, 1e-9);
    ck_assert_double_nan(line.a.lo);
    ck_assert_int_eq(theil_sen(ping, sslmtcp, 5, &line), 0);
    ck_assert_double_eq_tol(line.a.estimate, 2.0044642857142865, 1e-9);
    ck_assert_double_eq_tol(line.b.estimate, 42.098214285714285, 1e-9);
}
END_TEST

START_TEST(points_on_a_line_give_that_line)
{
    double y[5];
    struct fit_line line;
    for (int i = 0; i < 5; i++)
        y[i] = 3 * ping[i] + 2;
    ck_assert_int_eq(fit_ols(ping, y, 5, 0.95, &line), 0);
    ck_assert_double_eq_tol(line.a.estimate, 3, 1e-12);
    ck_assert_double_eq_tol(line.b.estimate, 2, 1e-12);
    ck_assert_double_eq_tol(line.a.hi - line.a.lo, 0, 1e-6);
    ck_assert_double_eq_tol(line.r2, 1, 1e-12);
    ck_assert_double_eq_tol(fit_at(&line, 100), 302, 1e-9);
    ck_assert_int_eq(theil_sen(ping, y, 5, &line), 0);
    ck_assert_double_eq_tol(line.a.estimate, 3, 1e-12);
    ck_assert_double_eq_tol(line.residual, 0, 1e-12);
}
END_TEST

START_TEST(two_points_give_a_line_without_intervals)
{
    struct fit_line line;
    ck_assert_int_eq(fit_ols(ping, sequential, 2, 0.95, &line), 0);
    ck_assert_double_eq_tol(line.a.estimate, 11.9 / 5.6, 1e-9);
    ck_assert_double_nan(line.a.lo);
    ck_assert_double_nan(line.b.hi);
}
END_TEST

START_TEST(what_gives_no_line_is_refused)
{
    const double same[] = {4, 4, 4};
    const double y[] = {1, 2, 3};
    const double bad[] = {1, NAN, 3};
    struct fit_line line;
    ck_assert_int_eq(fit_ols(ping, sequential, 0, 0.95, &line), -EDOM);
    ck_assert_double_nan(line.a.estimate);
    ck_assert_int_eq(fit_ols(ping, sequential, 1, 0.95, &line), -EDOM);
    ck_assert_int_eq(fit_ols(same, y, 3, 0.95, &line), -EDOM);
    ck_assert_int_eq(fit_ols(y, bad, 3, 0.95, &line), -EINVAL);
    ck_assert_int_eq(fit_ols(bad, y, 3, 0.95, &line), -EINVAL);
    ck_assert_int_eq(fit_ols(ping, sequential, 5, 1.0, &line), -EINVAL);
    ck_assert_int_eq(theil_sen(same, y, 3, &line), -EDOM);
    ck_assert_int_eq(theil_sen(y, bad, 3, &line), -EINVAL);
    const double many[FIT_POINTS_MAX + 1] = {0};
    ck_assert_int_eq(theil_sen(many, many, FIT_POINTS_MAX + 1, &line), -E2BIG);
    struct fit_cell cells[3] = {{1, y, 3}, {1, y, 3}, {2, y, 0}};
    ck_assert_int_eq(fit_cells(cells, 0, &plan, &line), -EDOM);
    ck_assert_int_eq(fit_cells(cells, 3, &plan, &line), -EDOM);
    cells[1].x = NAN;
    ck_assert_int_eq(fit_cells(cells, 3, &plan, &line), -EINVAL);
    cells[1] = (struct fit_cell){2, bad, 3};
    ck_assert_int_eq(fit_cells(cells, 3, &plan, &line), -EINVAL);
}
END_TEST

enum { ROUNDS = 60 };

/* Five cells of 3 R + 1.5 with skewed noise; `outliers` of a cell's rounds stalled for 40 ms. */
static void noisy_cells(struct rng *rng, double y[5][ROUNDS], struct fit_cell cells[5],
                        int outliers)
{
    for (int i = 0; i < 5; i++) {
        for (int j = 0; j < ROUNDS; j++) {
            double noise = rng_below(rng, 1000) / 1000.0;
            y[i][j] = 3 * ping[i] + 1.5 + 0.2 * noise * noise + (j < outliers ? 40 : 0);
        }
        cells[i] = (struct fit_cell){ping[i], y[i], ROUNDS};
    }
}

START_TEST(a_quarter_of_stalled_rounds_does_not_bend_the_line)
{
    struct rng rng;
    double y[5][ROUNDS];
    struct fit_cell cells[5];
    struct fit_line line;
    rng_seed(&rng, 31);
    noisy_cells(&rng, y, cells, ROUNDS / 4);
    ck_assert_int_eq(fit_cells(cells, 5, &plan, &line), 0);
    ck_assert_double_eq_tol(line.a.estimate, 3, 0.03);
    ck_assert_double_gt(line.a.lo, 2.9);
    ck_assert_double_lt(line.a.hi, 3.1);
    ck_assert_double_lt(line.residual, 0.2);
}
END_TEST

START_TEST(one_cell_off_the_line_moves_the_residual_not_the_slope)
{
    struct rng rng;
    double y[5][ROUNDS];
    struct fit_cell cells[5];
    struct fit_line line;
    rng_seed(&rng, 32);
    noisy_cells(&rng, y, cells, 0);
    for (int j = 0; j < ROUNDS; j++)
        y[0][j] += 5;
    ck_assert_int_eq(fit_cells(cells, 5, &plan, &line), 0);
    ck_assert_double_eq_tol(line.a.estimate, 3, 0.25);
    ck_assert_double_gt(line.residual, 4);
}
END_TEST

START_TEST(the_interval_covers_the_true_slope)
{
    /* 200 studies: a 95 % interval misses about 10 of them. Fixed seeds, so a fixed count. */
    const struct stats_plan fast = {.resamples = 300, .level = 0.95, .seed = 2};
    struct rng rng;
    int missed = 0;
    rng_seed(&rng, 33);
    for (int study = 0; study < 200; study++) {
        double y[5][ROUNDS];
        struct fit_cell cells[5];
        struct fit_line line;
        noisy_cells(&rng, y, cells, 0);
        ck_assert_int_eq(fit_cells(cells, 5, &fast, &line), 0);
        missed += line.a.lo > 3 || line.a.hi < 3;
    }
    ck_assert_int_le(missed, 24);
}
END_TEST

START_TEST(cells_without_observations_are_left_out)
{
    struct rng rng;
    double y[5][ROUNDS];
    struct fit_cell cells[6];
    struct fit_line with;
    struct fit_line without;
    rng_seed(&rng, 34);
    noisy_cells(&rng, y, cells, 0);
    ck_assert_int_eq(fit_cells(cells, 5, &plan, &without), 0);
    cells[5] = (struct fit_cell){100, NULL, 0};
    ck_assert_int_eq(fit_cells(cells, 6, &plan, &with), 0);
    ck_assert_double_eq(with.a.estimate, without.a.estimate);
    ck_assert_double_eq(with.a.lo, without.a.lo);
}
END_TEST

Suite *fit_suite(void);
Suite *fit_suite(void)
{
    Suite *suite = suite_create("fit");
    TCase *tcase = tcase_create("fit");

    tcase_add_test(tcase, least_squares_of_the_published_table);
    tcase_add_test(tcase, theil_sen_of_the_published_table);
    tcase_add_test(tcase, points_on_a_line_give_that_line);
    tcase_add_test(tcase, two_points_give_a_line_without_intervals);
    tcase_add_test(tcase, what_gives_no_line_is_refused);
    tcase_add_test(tcase, a_quarter_of_stalled_rounds_does_not_bend_the_line);
    tcase_add_test(tcase, one_cell_off_the_line_moves_the_residual_not_the_slope);
    tcase_add_test(tcase, the_interval_covers_the_true_slope);
    tcase_add_test(tcase, cells_without_observations_are_left_out);
    tcase_set_timeout(tcase, 60);
    suite_add_tcase(suite, tcase);
    return suite;
}
