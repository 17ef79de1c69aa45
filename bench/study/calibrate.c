/*
 * study/calibrate.c: a ping takes longer than the link's delay: both hosts' interfaces, interrupts
 * and wake-ups are in it, and how much they take depends on how long a host has slept. So the delay
 * is found by trying: measure, shift the delay by the difference, measure again.
 */
#include "study/calibrate.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>

#include "measure/stats.h"

enum { PINGS = 30, STEPS = 5 };

#define GOOD_ENOUGH_MS 0.005

/* Median of the pings in ms, leaving out those without an answer. 0; -ETIMEDOUT: there was none. */
static int ping(struct testbed *testbed, struct study_observer *observer, double *median_ms)
{
    enum study_stack stack = testbed->has_kernel ? STUDY_KERNEL : STUDY_TLSYN;
    double ms[PINGS];
    size_t n = 0;

    for (int i = 0; i < PINGS; i++) {
        double us = 0;
        int why = 0;
        int error = observer->interrupted(observer) ? -EINTR : 0;

        if (error == 0)
            error = testbed_ping(testbed, stack, &us, &why);
        if (error < 0)
            return error;
        if (why == 0)
            ms[n++] = us / 1e3;
    }
    if (n == 0)
        return -ETIMEDOUT;
    *median_ms = stats_median(ms, n);
    return 0;
}

static int set_total(struct testbed *testbed, double delay_ms, struct calibration *c)
{
    tlsyn_time total = (tlsyn_time)(delay_ms > 0 ? delay_ms * 1e3 + 0.5 : 0);

    c->delay[0] = total / 2;
    c->delay[1] = total - total / 2;
    return testbed_set_link(testbed, (const struct tlsyn_impairment[2]){{.delay = c->delay[0]},
                                                                        {.delay = c->delay[1]}});
}

int calibrate(struct testbed *testbed, double target_ms, struct study_observer *observer,
              struct calibration *c)
{
    double delay_ms = (double)(c->delay[0] + c->delay[1]) / 1e3;
    char what[96];
    int error = 0;

    if (delay_ms <= 0)
        delay_ms = target_ms;
    for (int step = 0; step < STEPS; step++) {
        (void)snprintf(what, sizeof(what),
                       "the link is set: %d pings are to take %g ms, try %d of %d at most", PINGS,
                       target_ms, step + 1, STEPS);
        observer->prepare(observer, what);
        error = set_total(testbed, delay_ms, c);
        if (error == 0)
            error = ping(testbed, observer, &c->ping_ms);
        if (error < 0 || fabs(c->ping_ms - target_ms) <= GOOD_ENOUGH_MS)
            return error;
        if (step + 1 < STEPS)
            delay_ms = (double)(c->delay[0] + c->delay[1]) / 1e3 + target_ms - c->ping_ms;
    }
    return 0;
}
