/*
 * sim/plan.h: what one run of the simulator is made of: numbers, by name (plan.def), so that a plan
 * can be drawn from a seed, printed, read again, and made smaller one number at a time.
 */
#ifndef TEST_SIM_PLAN_H
#define TEST_SIM_PLAN_H

#include "core/random.h"

struct plan {
#define KEY(name, off, meaning) int64_t name;
#include "sim/plan.def"
#undef KEY
};

enum plan_key {
#define KEY(name, off, meaning) PLAN_##name,
#include "sim/plan.def"
#undef KEY
    PLAN_KEYS
};

#define PLAN_TEXT_MAX  4096
#define PLAN_HOSTS_MAX 6
#define PLAN_FLOWS_MAX 4000
#define PLAN_MILLION   1000000

/** The plain plan: two hosts, a perfect path, one connection that says nothing. */
void plan_off(struct plan *plan);

/** What this seed draws. */
void plan_choose(struct plan *plan, uint64_t seed);

/** "key=value ..." of all that is not off. */
void plan_print(const struct plan *plan, char text[PLAN_TEXT_MAX]);

/** Reads that again, over the plain plan. False with the word that is wrong in `word`. */
bool plan_read(struct plan *plan, const char *text, char word[64]);

/** Nothing is asked for that no stack could do, or this program couldn't. */
bool plan_is_sane(const struct plan *plan);

int64_t *plan_value(struct plan *plan, enum plan_key key);
int64_t plan_off_value(enum plan_key key);
const char *plan_name(enum plan_key key);
const char *plan_meaning(enum plan_key key);

/** Some bytes, connections or listeners may fail in this run: errors are no finding then. */
bool plan_is_rough(const struct plan *plan);

/** Where SYN cookies answer, the server knows nothing of a client whose ACK is lost, until that
 * says something: who only listens has to ask now and then whether there is somebody. */
bool plan_gives_cookies(const struct plan *plan);

/** A box drops all that a client says behind an embedded open. */
bool plan_swallows(const struct plan *plan);

/** What is drawn for one thing, whatever else is drawn: `what` and `which` tell things apart. */
enum plan_what {
    DRAW_HOP,
    DRAW_WEATHER,
    DRAW_FLOW,
    DRAW_HOST,
    DRAW_STACK,
    DRAW_MEMORY,
    DRAW_FLOOD
};
void plan_draw(const struct plan *plan, enum plan_what what, uint64_t which,
               struct random_seeded *random);

/** True with a chance in parts per million. */
bool plan_chance(struct random_seeded *random, int64_t chance);

/** Uniform in [0, most]; 0 for what is negative. */
int64_t plan_upto(struct random_seeded *random, int64_t most);

#endif
