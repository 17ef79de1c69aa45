/*
 * measure/distribution.h: quantiles of the two distributions that intervals need. Pure functions of
 * their arguments.
 */
#ifndef MEASURE_DISTRIBUTION_H
#define MEASURE_DISTRIBUTION_H

/** Quantile p of the standard normal distribution, 0 < p < 1; NaN outside. Absolute error below
 * 1e-9. */
double normal_quantile(double p);

/** Quantile p of Student's t with df > 0 degrees of freedom, 0 < p < 1; NaN outside. Relative error
 * below 1e-9 for quantiles up to 1e6. */
double student_quantile(double p, double df);

#endif
