/*
 * measure/clock.h: the clock's readings as plain numbers, for differences and sums.
 */
#ifndef MEASURE_CLOCK_H
#define MEASURE_CLOCK_H

#include <time.h>

/** Microseconds, in a double: to the nanosecond for a hundred days of CLOCK_MONOTONIC or of
 * processor time, and to a quarter of a microsecond since 1970. */
static inline double clock_us(clockid_t which)
{
    struct timespec t;

    (void)clock_gettime(which, &t);
    return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

#endif
