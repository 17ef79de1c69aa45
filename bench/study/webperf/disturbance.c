/*
 * study/webperf/disturbance.c: how much link and machine disturbed what was observed.
 */
#include <math.h>
#include <stdio.h>

#include "study/webperf/webperf.h"

/* The kernel's ping where it was observed, as ping(8) shows it; else ours. */
static double ping_ms(struct webperf *study)
{
    static const char *const stacks[] = {"kernel", "tlsyn"};

    for (size_t i = 0; i < sizeof(stacks) / sizeof(*stacks); i++) {
        struct observation ping = {.operation = "ping"};
        const struct webperf_cell *cell;

        (void)snprintf(ping.stack, sizeof(ping.stack), "%s", stacks[i]);
        cell = webperf_cell_of(study, &ping);
        if (cell && cell->ok > 0)
            return cell->median.estimate;
    }
    return (double)NAN;
}

void webperf_analyse_noise(struct webperf *study)
{
    struct webperf_noise *n = &study->noise;

    n->machine =
        (struct noise){.load_before = (double)NAN, .load_after = (double)NAN, .steal = (double)NAN};
    noise_timers(&n->machine, n->timer_late_us, n->timers);
    if (n->cpu_ticks > 0)
        n->machine.steal = (double)n->stolen_ticks / (double)n->cpu_ticks;
    stats_sort(n->link_late_us, n->links);
    n->link_p50_us = stats_quantile(n->link_late_us, n->links, 0.5);
    n->link_p99_us = stats_quantile(n->link_late_us, n->links, 0.99);
    n->link_max_us = stats_quantile(n->link_late_us, n->links, 1);
    n->ping_error_ms = ping_ms(study) - study->run.rtt_ms;
}

const char *webperf_noise_text(const struct webperf *study, char text[WEBPERF_NOISE_MAX])
{
    const struct webperf_noise *n = &study->noise;
    char machine[200];
    int len = 0;

    text[0] = '\0';
    if (n->links > 0)
        len = snprintf(text, WEBPERF_NOISE_MAX,
                       "The link: in half of the observations its frames left no more than %.0f us "
                       "later than they should, in 99 %% no more than %.0f us, in the worst %.0f "
                       "us; it was kept in %zu of %zu",
                       n->link_p50_us, n->link_p99_us, n->link_max_us, n->asked - n->unkept,
                       n->asked);
    if (n->links > 0 && isfinite(n->ping_error_ms) && len < WEBPERF_NOISE_MAX)
        len += snprintf(text + len, WEBPERF_NOISE_MAX - (size_t)len,
                        ", and a ping took %+.3f ms beside the %g asked for", n->ping_error_ms,
                        study->run.rtt_ms);
    if (n->links > 0 && len < WEBPERF_NOISE_MAX)
        len += snprintf(text + len, WEBPERF_NOISE_MAX - (size_t)len, ". ");
    if (n->timers > 0 && len < WEBPERF_NOISE_MAX)
        (void)snprintf(text + len, WEBPERF_NOISE_MAX - (size_t)len, "The machine: %s.",
                       noise_sentence(&n->machine, machine, sizeof(machine)));
    return text;
}
