/*
 * link/impair_direction.h: one way through an impaired path. Read first: struct tlsyn_impairment in
 * tlsyn/link.h, which has a picture of it.
 *
 * It is a bottleneck with a queue in front of it, and a path behind it. The bottleneck is one
 * number, the time until which it is busy: a frame that arrives at t leaves it at max(t, busy) +
 * length / rate, and what waits then is (busy - t) * rate. The path is two lists of held copies. In
 * `ordered` a frame is due no earlier than the frame before it, whatever its jitter says; in
 * `overtaking` are the frames that pass the delay by, which are in order among themselves. So both
 * lists are sorted by due time, and adding and taking cost O(1) however many frames are on their
 * way.
 *
 * Times inside are nanoseconds, as a frame lasts only 1.2 us on a link of 10 Gbit/s. Pure: no
 * clock; memory only for copies.
 */
#ifndef LINK_IMPAIR_DIRECTION_H
#define LINK_IMPAIR_DIRECTION_H

#include "core/random.h"
#include "link/frame.h"

struct direction {
    struct tlsyn_impairment how;
    bool perfect;
    struct random_seeded random;
    struct random_seeded marking;    /* of its own: marks change nobody's fate */
    struct list ordered, overtaking; /* held_frame, by due time in ns */
    int64_t last_arrival;            /* ns */
    int64_t busy_until;              /* ns: the bottleneck has sent everything */
    int64_t last_due;                /* ns: of `ordered` */
    uint64_t next_number;            /* of frames held: breaks ties between the lists */
    size_t held_bytes;
    struct tlsyn_impair_stats stats;
};

/** Whether the probabilities are such, and the times between 0 and TLSYN_IMPAIR_TIME_MAX. NULL is
 * allowed, and a perfect path, as in the next two. */
bool direction_allows(const struct tlsyn_impairment *how);

void direction_init(struct direction *d, const struct tlsyn_impairment *how);

/** From now on it does this; what is on its way keeps its time. */
void direction_set(struct direction *d, const struct tlsyn_impairment *how);

/** A frame arrives: a copy goes on its way, or it is lost; d->stats tells. */
void direction_push(struct direction *d, const struct tlsyn_frame *frame, tlsyn_time arrival);

/** Takes out the next frame if it is due at `now`, with that in its `when`; the caller's to free.
 * NULL: none is. */
struct held_frame *direction_pop(struct direction *d, tlsyn_time now);

/** When the next one is due, or TLSYN_NEVER. */
tlsyn_time direction_next(struct direction *d);

/** Nothing is done to a frame, and none is on its way. */
bool direction_is_clear(const struct direction *d);

/** Frees what is on its way. */
void direction_fini(struct direction *d);

#endif
