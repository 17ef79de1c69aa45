/*
 * study/link.h: the link that a study runs over: what was asked for, by name or by figures, and
 * whether it was kept.
 *
 * Both directions are alike. The names are those of networks whose round trips the reproduced
 * studies tell (study_link_presets); they tell no more, so a rate and the like are for the user to
 * add.
 */
#ifndef STUDY_LINK_H
#define STUDY_LINK_H

#include "lab/lab.h"
#include "report/json.h"

struct study_link {
    const char *name; /* of the preset, or "" */
    double rtt_ms;    /* round trip; NaN: not asked for */
    double jitter_ms; /* up to so much more, each way, order kept */
    uint64_t rate;    /* bits per second; 0: no limit */
    uint64_t queue;   /* bytes that wait for the rate at most; 0: the emulator's default */
    double loss;      /* of frames, each way: 0 to 1 */
};

struct study_preset {
    const char *name;
    double rtt_ms;
    const char *what; /* "fixed assignment satellite" */
    const char *from; /* who says so */
};

/** Ends with a NULL name. */
extern const struct study_preset study_link_presets[];

/** By its name, or NULL. */
const struct study_preset *study_link_preset(const char *name);

/** No name, no round trip, no limits. */
struct study_link study_link_perfect(void);

/** More than a delay: something is lost, limited or varies. */
bool study_link_impairs(const struct study_link *link);

enum { STUDY_LINK_TEXT = 200 };

/** 0; -EINVAL with a sentence that says what to do: figures that contradict each other, or, where
 * somebody is to be measured who waits for `timeout` (0: nobody is), let no connection open. */
int study_link_check(const struct study_link *link, tlsyn_time timeout,
                     char message[STUDY_LINK_TEXT]);

/** What the emulator is to do, with these delays in place of the link's: [0] to the server, [1] to
 * the client. What is drawn by lot follows from the seed. */
void study_link_path(const struct study_link *link, const tlsyn_time delay[2], uint64_t seed,
                     struct tlsyn_impairment path[2]);

/** The same for the link's own round trip, half of it in each direction. */
void study_link_half(const struct study_link *link, uint64_t seed, struct tlsyn_impairment path[2]);

/** "satellite, RTT 650 ms, 10 Mbit/s, queue 64 KiB, loss 1 %, jitter 5 ms": what is there of it;
 * "no delay, no limits" where nothing is. Returns `text`. */
const char *study_link_text(const struct study_link *link, char text[STUDY_LINK_TEXT]);

/** Members of the object that is open: name, rtt_ms, ... */
void study_link_members(const struct study_link *link, struct json *j);

/** The member "link" of the object that is open, which holds these. */
void study_link_json(const struct study_link *link, struct json *j);

/* --- whether it was kept ---------------------------------------------------------------------- */

/** What the emulator says of itself over some time. */
struct study_link_seen {
    uint64_t frames, refused; /* refused: by the far interface */
    double late_p99_us;       /* behind the time at which frames were due */
};

struct study_link_seen study_link_seen_of(const struct lab_report *report);

/** Frames left when they were due, to within a quarter of a millisecond or a twentieth of the round
 * trip: 99 of 100 of them; and the far interface took them all. A rate that the machine can't
 * carry shows as lateness, too. */
bool study_link_was_kept(double rtt_ms, const struct study_link_seen *seen);

/** Since it was asked last: was it not kept? 0 or -errno; where there is no emulator, *missed is
 * false. */
int study_link_ask(struct lab *lab, double rtt_ms, bool *missed);

/** Of so many turns over a link: most of them kept it. */
bool study_link_kept(size_t turns, size_t missed);

/** A ping of so long where one of rtt_ms was asked for: within a fiftieth and 10 us. */
bool study_link_is_near(double rtt_ms, double ping_ms);

#endif
