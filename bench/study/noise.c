/*
 * study/noise.c: the machine's own noise. Read first: proc(5), /proc/stat; clock_nanosleep(2).
 */
#include "study/noise.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "measure/clock.h"
#include "measure/stats.h"
#include "study/awake.h"

enum { SLEEPS = 100, SLEEP_US = 200 };

double noise_sleep(void)
{
    const struct timespec nap = {.tv_nsec = SLEEP_US * 1000L};
    double start = clock_us(CLOCK_MONOTONIC);

    (void)nanosleep(&nap, NULL);
    return clock_us(CLOCK_MONOTONIC) - start - SLEEP_US;
}

void noise_timers(struct noise *noise, double *late_us, size_t n)
{
    stats_sort(late_us, n);
    noise->timer_p50_us = stats_quantile(late_us, n, 0.5);
    noise->timer_p99_us = stats_quantile(late_us, n, 0.99);
    noise->timer_max_us = stats_quantile(late_us, n, 1);
}

static void time_sleeps(struct noise *noise)
{
    double late[SLEEPS];

    for (int i = 0; i < SLEEPS; i++)
        late[i] = noise_sleep();
    noise_timers(noise, late, SLEEPS);
}

/* user nice system idle iowait irq softirq steal; what follows is part of the first two. */
bool noise_parse(const char *line, struct noise_ticks *ticks)
{
    enum { FIELDS = 8, STEAL = 7 };
    const char *at = line + 3;

    *ticks = (struct noise_ticks){.total = 0};
    if (strncmp(line, "cpu ", 4) != 0)
        return false;
    for (int i = 0; i < FIELDS; i++) {
        char *end;
        uint64_t value = strtoull(at, &end, 10);

        if (end == at)
            return false;
        ticks->total += value;
        ticks->stolen = i == STEAL ? value : 0;
        at = end;
    }
    return true;
}

bool noise_read(struct noise_ticks *ticks)
{
    char line[256] = "";
    FILE *file = fopen("/proc/stat", "re");
    bool known = file && fgets(line, sizeof(line), file) && noise_parse(line, ticks);

    if (file)
        (void)fclose(file);
    return known;
}

static double load(void)
{
    double average;

    return getloadavg(&average, 1) == 1 ? average : (double)NAN;
}

void noise_begin(struct noise *noise)
{
    *noise = (struct noise){.load_before = load(), .load_after = (double)NAN, .steal = (double)NAN};
    time_sleeps(noise);
    (void)noise_read(&noise->before);
}

void noise_keep_awake(struct noise *noise)
{
    noise->awake = awake_begin();
}

void noise_end(struct noise *noise)
{
    struct noise_ticks after;

    noise->kept_awake = awake_end(noise->awake);
    noise->load_after = load();
    if (noise->before.total > 0 && noise_read(&after) && after.total > noise->before.total &&
        after.stolen >= noise->before.stolen)
        noise->steal = (double)(after.stolen - noise->before.stolen) /
                       (double)(after.total - noise->before.total);
}

const char *noise_sentence(const struct noise *n, char *text, size_t size)
{
    int len = snprintf(text, size, "timers wake %.0f us late (99 %%: %.0f, at most %.0f)",
                       n->timer_p50_us, n->timer_p99_us, n->timer_max_us);

    if (isfinite(n->steal) && len > 0 && (size_t)len < size)
        len += snprintf(text + len, size - (size_t)len,
                        "; %.1f %% of the processors' time was stolen", 100 * n->steal);
    if (isfinite(n->load_before) && len > 0 && (size_t)len < size)
        len += snprintf(text + len, size - (size_t)len, "; load %.1f before, %.1f after",
                        n->load_before, n->load_after);
    if (n->kept_awake && len > 0 && (size_t)len < size)
        (void)snprintf(text + len, size - (size_t)len,
                       "; idle processors were kept awake, a load of its own");
    return text;
}

void noise_json(const struct noise *n, struct json *j)
{
    json_key(j, "noise");
    json_object(j);
    json_member_number(j, "timer_late_p50_us", n->timer_p50_us);
    json_member_number(j, "timer_late_p99_us", n->timer_p99_us);
    json_member_number(j, "timer_late_max_us", n->timer_max_us);
    json_member_number(j, "steal", n->steal);
    json_member_number(j, "load_before", n->load_before);
    json_member_number(j, "load_after", n->load_after);
    json_member_bool(j, "kept_awake", n->kept_awake);
    json_end(j);
}
