/* measure/distribution: quantiles against Python's NormalDist and the closed forms of Student's t.
 */
#include <check.h>
#include <math.h>

#include "measure/distribution.h"

START_TEST(normal_quantiles_are_those_of_others)
{
    /* statistics.NormalDist().inv_cdf(p) */
    ck_assert_double_eq_tol(normal_quantile(0.975), 1.9599639845400536, 1e-9);
    ck_assert_double_eq_tol(normal_quantile(0.5), 0, 1e-9);
    ck_assert_double_eq_tol(normal_quantile(0.001), -3.090232306167813, 1e-9);
    ck_assert_double_eq_tol(normal_quantile(0.9999), 3.7190164854557084, 1e-9);
    ck_assert_double_nan(normal_quantile(0));
    ck_assert_double_nan(normal_quantile(1));
    ck_assert_double_nan(normal_quantile(NAN));
}
END_TEST

START_TEST(student_quantiles_are_those_of_the_tables)
{
    /* df 1 is Cauchy, tan(pi (p - 1/2)); df 2 is (2p - 1) / sqrt(2 p (1 - p)); 3 and 10 as in the
     * printed tables (3.182446, 2.228139); a large df is the normal law. */
    for (int i = 1; i < 100; i++) {
        double p = i / 100.0;
        ck_assert_double_eq_tol(student_quantile(p, 1), tan(acos(-1) * (p - 0.5)), 1e-7);
        ck_assert_double_eq_tol(student_quantile(p, 2), (2 * p - 1) / sqrt(2 * p * (1 - p)), 1e-9);
    }
    ck_assert_double_eq_tol(student_quantile(0.975, 3), 3.182446305284263, 1e-9);
    ck_assert_double_eq_tol(student_quantile(0.975, 10), 2.228138851964939, 1e-9);
    ck_assert_double_eq_tol(student_quantile(0.025, 10), -2.228138851964939, 1e-9);
    ck_assert_double_eq_tol(student_quantile(0.975, 1e7), 1.9599639845, 1e-6);
    ck_assert_double_nan(student_quantile(0.5, 0));
    ck_assert_double_nan(student_quantile(1, 3));
}
END_TEST

Suite *distribution_suite(void);
Suite *distribution_suite(void)
{
    Suite *suite = suite_create("distribution");
    TCase *tcase = tcase_create("distribution");

    tcase_add_test(tcase, normal_quantiles_are_those_of_others);
    tcase_add_test(tcase, student_quantiles_are_those_of_the_tables);
    suite_add_tcase(suite, tcase);
    return suite;
}
