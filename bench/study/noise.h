/*
 * study/noise.h: how much the machine itself disturbs what is measured on it: how late its timers
 * wake, what share of its time a hypervisor took for others (steal), and how busy it was.
 *
 *     noise_begin [-> noise_keep_awake] -> the study -> noise_end -> { noise_sentence, noise_json }
 */
#ifndef STUDY_NOISE_H
#define STUDY_NOISE_H

#include <sys/types.h>

#include "report/json.h"

/** Of /proc/stat: all processors' time since they were started, in its ticks. */
struct noise_ticks {
    uint64_t total, stolen;
};

struct noise {
    double timer_p50_us, timer_p99_us, timer_max_us; /* by which short sleeps were too long */
    double load_before, load_after; /* the load average of a minute; NaN: not known. The one after
                                     * counts what kept the processors awake */
    double steal; /* share of the processors' time between begin and end, or NaN */
    struct noise_ticks before;
    bool kept_awake; /* idle processors did not sleep till the end */
    pid_t awake;     /* the child that keeps them so (study/awake.h), or 0 */
};

/** By how much one short sleep was too long, in microseconds. Takes some 0.3 ms. */
double noise_sleep(void);

/** The time so far. False: the system does not tell. */
bool noise_read(struct noise_ticks *ticks);

/** What many such sleeps say; sorts them. */
void noise_timers(struct noise *noise, double *late_us, size_t n);

/** Takes some 40 ms, for the timers. */
void noise_begin(struct noise *noise);
void noise_end(struct noise *noise);

/** Until noise_end() idle processors do not sleep (study/awake.h). For studies of latency. */
void noise_keep_awake(struct noise *noise);

/** "timers are 58 us late (99 %: 102, at most 210); 0.1 % of the processors' time was stolen; load
 * 1.2 before, 1.9 after; idle processors were kept awake, a load of its own". Returns `text`. */
const char *noise_sentence(const struct noise *noise, char *text, size_t size);

/** The member "noise" of the object that is open. */
void noise_json(const struct noise *noise, struct json *j);

/** The first line of /proc/stat. False: it is none. */
bool noise_parse(const char *line, struct noise_ticks *ticks);

#endif
