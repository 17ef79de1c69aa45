/*
 * destinations.h: what the stack learns of servers, kept from run to run in the cache's file
 * "destinations": Fast Open cookies, round trips, and paths that do not bear an embedded open
 * (tlsyn/destination.h).
 *
 * A line is
 *
 *     1 ADDRESS MSS COOKIE SRTT RTTVAR MEASURED FAILURES OFF BY
 *
 * with the version of this form first; the cookie in hexadecimal, or - for none; microseconds; the
 * seconds of the wall clock when the round trip was measured and when embedded opens are tried
 * again; and the name of what failed last (tlsyn/embeddings.def).
 */
#ifndef DESTINATIONS_H
#define DESTINATIONS_H

#include <tlsyn/destination.h>

#include "cache_file.h"

#define DESTINATIONS_MAX 1000

/** Gives the stack what the cache knows. The number of lines that were no use, or -errno. */
int destinations_load(struct cache *cache, struct tlsyn_stack *stack);

/** Puts what the stack has learnt since into the cache. 0 or -errno; -ENOTSUP: there is none. */
int destinations_save(struct cache *cache, struct tlsyn_stack *stack);

/** Room for any line. */
#define DESTINATIONS_LINE 256

/** A destination as a line, `now` by the wall clock; and back: 0, or -EINVAL: it is none, or one
 * that no stack could have written. */
void destinations_print(const struct tlsyn_destination *known, int64_t now,
                        char line[DESTINATIONS_LINE]);
int destinations_parse(const char *line, int64_t now, struct tlsyn_destination *known);

#endif
