/*
 * work.h: how many full handshakes a server begins per second. A signature, or the decryption of a
 * premaster secret, takes a thousand times as long as a segment, and nothing else is done in the
 * meantime. Sessions beyond that rate wait for their turn, in the order in which they came.
 *
 * Sessions that resume need no turn. Of the handshakes that may be begun at once, the second half
 * is kept for clients that have shown that they are there.
 */
#ifndef TLSYN_TLS_WORK_H
#define TLSYN_TLS_WORK_H

#include <stdbool.h>
#include <tlsyn/types.h>

/** How many may be begun at once after a quiet time. */
#define WORK_AT_ONCE 32

/** No turn is given that is further away than this. */
#define WORK_WAIT_MAX TLSYN_SECONDS(10)

struct work {
    tlsyn_time every; /* between two that begin, in the long run */
    tlsyn_time next;  /* when the next would begin if all had kept that distance */
};

void work_init(struct work *work, uint32_t per_second);

/** True while less than half of WORK_AT_ONCE is begun. */
bool work_has_spare(const struct work *work, tlsyn_time now);

/** When the work may begin: now, or a time in the future that it must begin at. TLSYN_NEVER: too
 * many wait. */
tlsyn_time work_reserve(struct work *work, tlsyn_time now);

#endif
