/*
 * core/ranges.h: a sorted set of half-open intervals [from, to) of 64-bit offsets, disjoint
 * and not touching.
 *
 * Used for what has arrived out of order (and for SACK scoreboards): offsets are bytes from
 * the start of the stream, so they never wrap. The number of intervals is bounded at creation,
 * so that a hostile sender costs a fixed amount of memory and each operation at most a walk
 * over that bound.
 */
#ifndef TLSYN_CORE_RANGES_H
#define TLSYN_CORE_RANGES_H

#include <tlsyn/stack.h>

struct range {
    uint64_t from, to;
};

struct ranges {
    struct range *at; /* sorted; NULL while the set is empty: an idle connection holds none */
    uint16_t count;
    uint16_t room; /* of `at` */
    uint16_t max;
};

void ranges_init(struct ranges *r, uint16_t max);
void ranges_release(struct ranges *r, struct tlsyn_alloc *alloc);

/** Adds [from, to), merging with what it overlaps or touches. `merged`, if not NULL, gets the
 * interval it became part of. 0; -ENOSPC: it would be one interval too many; -ENOMEM. On error
 * nothing changed. */
int ranges_add(struct ranges *r, struct tlsyn_alloc *alloc, uint64_t from, uint64_t to,
               struct range *merged);

/** Removes everything below `to`; gives the memory back when the set becomes empty. */
void ranges_trim(struct ranges *r, struct tlsyn_alloc *alloc, uint64_t to);

/** True if all of [from, to) is in the set. */
bool ranges_covers(const struct ranges *r, uint64_t from, uint64_t to);

/** True if some of [from, to) is in the set; the first piece of that goes to `part`. */
bool ranges_meet(const struct ranges *r, uint64_t from, uint64_t to, struct range *part);

/** The interval that contains `offset`, or NULL. */
const struct range *ranges_find(const struct ranges *r, uint64_t offset);

/** Bytes in all intervals together. */
uint64_t ranges_total(const struct ranges *r);

#endif
