/*
 * measure/distribution.c: normal and Student quantiles, by bisection of their distribution
 * functions: slow, short and exact enough.
 */
#include "measure/distribution.h"

#include <math.h>

enum { BISECTIONS = 200, FRACTION_TERMS = 500 };

static double normal_cdf(double x)
{
    return 0.5 * erfc(-x / sqrt(2));
}

double normal_quantile(double p)
{
    if (!(p > 0 && p < 1))
        return NAN;
    double lo = -40;
    double hi = 40;
    for (int i = 0; i < BISECTIONS; i++) {
        double middle = lo + (hi - lo) / 2;
        if (normal_cdf(middle) < p)
            lo = middle;
        else
            hi = middle;
    }
    return lo + (hi - lo) / 2;
}

static double away_from_zero(double x)
{
    return fabs(x) < 1e-300 ? 1e-300 : x;
}

/* The continued fraction of the incomplete beta function (Abramowitz and Stegun 26.5.8), evaluated
 * with Lentz's method. */
static double beta_fraction(double a, double b, double x)
{
    double c = 1;
    double d = 1 / away_from_zero(1 - (a + b) * x / (a + 1));
    double value = d;

    for (int m = 1; m < FRACTION_TERMS; m++) {
        double even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m));
        d = 1 / away_from_zero(1 + even * d);
        c = away_from_zero(1 + even / c);
        value *= d * c;
        double odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1));
        d = 1 / away_from_zero(1 + odd * d);
        c = away_from_zero(1 + odd / c);
        value *= d * c;
        if (fabs(d * c - 1) < 1e-15)
            break;
    }
    return value;
}

/* The regularised incomplete beta function I_x(a, b). */
static double beta_regularised(double a, double b, double x)
{
    if (x <= 0 || x >= 1)
        return x <= 0 ? 0 : 1;
    double front = exp(lgamma(a + b) - lgamma(a) - lgamma(b) + a * log(x) + b * log1p(-x));
    /* The fraction converges fast on one side of the mean only; the other side is its mirror. */
    if (x < (a + 1) / (a + b + 2))
        return front * beta_fraction(a, b, x) / a;
    return 1 - front * beta_fraction(b, a, 1 - x) / b;
}

/* P(T > t) for t >= 0. */
static double student_tail(double t, double df)
{
    return 0.5 * beta_regularised(df / 2, 0.5, df / (df + t * t));
}

double student_quantile(double p, double df)
{
    if (!(p > 0 && p < 1) || !(df > 0))
        return NAN;
    if (p < 0.5)
        return -student_quantile(1 - p, df);
    double lo = 0;
    double hi = 1;
    while (student_tail(hi, df) > 1 - p && hi < 1e300)
        hi *= 2;
    for (int i = 0; i < BISECTIONS; i++) {
        double middle = lo + (hi - lo) / 2;
        if (student_tail(middle, df) > 1 - p)
            lo = middle;
        else
            hi = middle;
    }
    return lo + (hi - lo) / 2;
}
