/*
 * core/timer.h: a hierarchical timer wheel with nodes that live inside the objects that wait.
 *
 * Setting and clearing cost O(1) whatever the number of timers. A timer never fires early; it may
 * fire up to one tick (64 us) late, beside what the caller adds. Deadlines beyond the wheel's
 * horizon (about 19 hours) are held in its last slots and set again when they come near.
 */
#ifndef TLSYN_CORE_TIMER_H
#define TLSYN_CORE_TIMER_H

#include <tlsyn/types.h>

#include "core/list.h"

struct timer {
    struct list node;
    tlsyn_time deadline; /* TLSYN_NEVER: not set */
    void (*fire)(struct timer *);
    uint16_t slot; /* the wheel's own */
};

#define WHEEL_TICK   64 /* microseconds */
#define WHEEL_LEVELS 5
#define WHEEL_SLOTS  64

struct wheel {
    struct list slot[WHEEL_LEVELS][WHEEL_SLOTS];
    uint64_t occupied[WHEEL_LEVELS]; /* one bit per slot */
    struct list due;                 /* taken out, about to fire */
    uint64_t tick;                   /* ticks that have been run */
    uint32_t count;                  /* timers set */
};

void wheel_init(struct wheel *w, tlsyn_time now);

void timer_init(struct timer *t, void (*fire)(struct timer *));

/** Sets, or sets anew. A deadline that has passed fires in the next wheel_run().
 * TLSYN_NEVER clears. */
void timer_set(struct wheel *w, struct timer *t, tlsyn_time deadline);

/** Harmless if not set. */
void timer_clear(struct wheel *w, struct timer *t);

static inline bool timer_is_set(const struct timer *t)
{
    return t->deadline != TLSYN_NEVER;
}

/** Fires every timer whose deadline is at or before `now`, each cleared before its function
 * is called. Functions may set and clear any timer; one that is set for the past inside fires
 * in the next run. */
void wheel_run(struct wheel *w, tlsyn_time now);

/** A time at or before which wheel_run() should be called next, exact to a tick for the near future
 * and earlier than need be for the far; TLSYN_NEVER when no timer is set. */
tlsyn_time wheel_next(const struct wheel *w);

#endif
