/*
 * study/link.c: links by name, their checks, and their words.
 */
#include "study/link.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#define FRAME 1514 /* bytes of a full frame */

/* Round trips as the studies print them; the second's of its section 2, the third's table 2. */
#define DILLON   "Dillon et al. 2004"
#define GOLDBERG "Goldberg et al. 1998"
#define BYUN     "Byun and Park 2017"

/* clang-format off */
const struct study_preset study_link_presets[] = {
    {"satellite",        650, "satellite, fixed assignment",               DILLON},
    {"demand-satellite", 1300, "satellite, assigned on demand",             DILLON},
    {"us-india",         300, "East Coast of the USA to India",            DILLON},
    {"us-moscow",        180, "East Coast of the USA to Moscow",           DILLON},
    {"dc-ny",             30, "Washington DC to New York",                 DILLON},
    {"lan",                1, "a local network",                           DILLON},
    {"us-coasts",         50, "from coast to coast of the USA",            GOLDBERG},
    {"site-lan",         0.4, "client and server in one network",          BYUN},
    {"site-7km",         6.0, "6.7 km apart",                              BYUN},
    {"site-14km",        7.1, "14 km apart",                               BYUN},
    {"site-140km",       8.4, "140 km apart",                              BYUN},
    {"site-261km",      11.6, "261 km apart",                              BYUN},
    {NULL, 0, NULL, NULL},
};
/* clang-format on */

const struct study_preset *study_link_preset(const char *name)
{
    for (const struct study_preset *p = study_link_presets; p->name; p++) {
        if (strcmp(p->name, name) == 0)
            return p;
    }
    return NULL;
}

struct study_link study_link_perfect(void)
{
    return (struct study_link){.name = "", .rtt_ms = (double)NAN};
}

bool study_link_impairs(const struct study_link *link)
{
    return link->jitter_ms > 0 || link->rate > 0 || link->loss > 0;
}

/* --- what can't be ---------------------------------------------------------------------------- */

static int refuse(char message[STUDY_LINK_TEXT], const char *sentence)
{
    (void)snprintf(message, STUDY_LINK_TEXT, "%s", sentence);
    return -EINVAL;
}

/* The bare minimum of a handshake over TCP: three round trips, and a full frame each way. */
static double shortest_ms(const struct study_link *link)
{
    double rtt = isfinite(link->rtt_ms) ? link->rtt_ms : 0;
    double frame = link->rate > 0 ? FRAME * 8 * 1e3 / (double)link->rate : 0;

    return 3 * rtt + 2 * frame;
}

int study_link_check(const struct study_link *link, tlsyn_time timeout,
                     char message[STUDY_LINK_TEXT])
{
    double least = shortest_ms(link);

    if (link->queue > 0 && link->rate == 0)
        return refuse(message, "--queue says what waits for a rate, and there is none: give --rate "
                               "with it");
    if (link->queue > 0 && link->queue < FRAME)
        return refuse(message, "--queue holds no full frame: give 1514 bytes or more");
    if (link->queue > UINT32_MAX)
        return refuse(message, "--queue takes at most 4 GiB");
    if (timeout > 0 && link->loss > 0.9)
        return refuse(
            message, "over a link that loses so much nothing is measured: give --loss 90% or less");
    if (link->jitter_ms > 60e3 || (isfinite(link->rtt_ms) && link->rtt_ms > 60e3))
        return refuse(message, "--rtt and --jitter take at most 60s");
    if (timeout > 0 && least * 1e3 > (double)timeout) {
        (void)snprintf(message, STUDY_LINK_TEXT,
                       "over this link a handshake takes %.1f s at least, and --timeout is %.1f s: "
                       "give a longer one, or a faster link",
                       least / 1e3, (double)timeout / 1e6);
        return -EINVAL;
    }
    return 0;
}

/* --- the emulator's orders -------------------------------------------------------------------- */

void study_link_path(const struct study_link *link, const tlsyn_time delay[2], uint64_t seed,
                     struct tlsyn_impairment path[2])
{
    for (int i = 0; i < 2; i++)
        path[i] = (struct tlsyn_impairment){
            .delay = delay[i],
            .jitter = (tlsyn_time)llround(link->jitter_ms * 1e3),
            .rate = link->rate,
            .queue_bytes = (uint32_t)link->queue,
            .loss = link->loss,
            .seed = 2 * seed + (uint64_t)i, /* or both directions would meet the same fates */
        };
}

void study_link_half(const struct study_link *link, uint64_t seed, struct tlsyn_impairment path[2])
{
    tlsyn_time rtt = isfinite(link->rtt_ms) ? (tlsyn_time)llround(link->rtt_ms * 1e3) : 0;
    const tlsyn_time delay[2] = {rtt / 2, rtt - rtt / 2};

    study_link_path(link, delay, seed, path);
}

/* --- words ------------------------------------------------------------------------------------ */

/* A number and a unit behind what is there. */
static void add(char text[STUDY_LINK_TEXT], const char *before, double value, const char *unit)
{
    size_t len = strlen(text);

    (void)snprintf(text + len, STUDY_LINK_TEXT - len, "%s%s%g%s", len > 0 ? ", " : "", before,
                   value, unit);
}

const char *study_link_text(const struct study_link *link, char text[STUDY_LINK_TEXT])
{
    double mbit = (double)link->rate / 1e6;

    (void)snprintf(text, STUDY_LINK_TEXT, "%s", link->name);
    if (isfinite(link->rtt_ms))
        add(text, "RTT ", link->rtt_ms, " ms");
    if (link->rate > 0)
        add(text, "", mbit >= 1 ? mbit : mbit * 1e3, mbit >= 1 ? " Mbit/s" : " kbit/s");
    if (link->queue > 0)
        add(text, "queue ", (double)link->queue / 1024, " KiB");
    if (link->loss > 0)
        add(text, "loss ", link->loss * 100, " %");
    if (link->jitter_ms > 0)
        add(text, "jitter ", link->jitter_ms, " ms");
    if (text[0] == '\0')
        (void)snprintf(text, STUDY_LINK_TEXT, "no delay, no limits");
    return text;
}

void study_link_members(const struct study_link *link, struct json *j)
{
    json_member_string(j, "name", link->name);
    json_member_number(j, "rtt_ms", link->rtt_ms);
    json_member_number(j, "jitter_ms", link->jitter_ms);
    json_member_integer(j, "rate_bits_per_s", (int64_t)link->rate);
    json_member_integer(j, "queue_bytes", (int64_t)link->queue);
    json_member_number(j, "loss", link->loss);
}

void study_link_json(const struct study_link *link, struct json *j)
{
    json_key(j, "link");
    json_object(j);
    study_link_members(link, j);
    json_end(j);
}

/* --- whether it was kept ---------------------------------------------------------------------- */

struct study_link_seen study_link_seen_of(const struct lab_report *report)
{
    return (struct study_link_seen){.frames = report->precision.frames,
                                    .refused =
                                        report->to_server.refused + report->to_client.refused,
                                    .late_p99_us = report->precision.p99_us};
}

bool study_link_was_kept(double rtt_ms, const struct study_link_seen *seen)
{
    double bound = isfinite(rtt_ms) && rtt_ms / 20 > 0.25 ? rtt_ms / 20 : 0.25;

    return seen->refused == 0 && seen->late_p99_us <= bound * 1e3;
}

int study_link_ask(struct lab *lab, double rtt_ms, bool *missed)
{
    struct lab_report report;
    int error = lab_report(lab, &report);

    *missed = false;
    if (error == 0) {
        const struct study_link_seen seen = study_link_seen_of(&report);

        *missed = !study_link_was_kept(rtt_ms, &seen);
    }
    return error == -EOPNOTSUPP ? 0 : error;
}

bool study_link_kept(size_t turns, size_t missed)
{
    return missed == 0 || missed * 2 <= turns;
}

bool study_link_is_near(double rtt_ms, double ping_ms)
{
    return fabs(ping_ms - rtt_ms) <= 0.01 + rtt_ms / 50;
}
