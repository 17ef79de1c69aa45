/*
 * work.h: how many full handshakes a server begins per second. A signature, or the decryption of a
 * premaster secret, takes a thousand times what a segment takes, and meanwhile nothing else is
 * done: beyond the rate sessions wait for their turn, in the order in which they came.
 *
 * Sessions that resume need no turn. Who has not shown yet that he is there gets none of the second
 * half of what may be begun at once.
 */
#ifndef TLSYN_TLS_WORK_H
#define TLSYN_TLS_WORK_H

#include <stdbool.h>
#include <tlsyn/types.h>

/** Begun at once, where little was begun before. */
#define WORK_AT_ONCE 32

/** No turn is given that is further away than this. */
#define WORK_WAIT_MAX TLSYN_SECONDS(10)

struct work {
    tlsyn_time every; /* one begins, in the long run */
    tlsyn_time next;  /* when the next would begin if each waited for its own time */
};

void work_init(struct work *work, uint32_t per_second);

/** True while less than half of WORK_AT_ONCE is begun. */
bool work_has_spare(const struct work *work, tlsyn_time now);

/** When the work may begin: now, or a time in the future that it must begin at. TLSYN_NEVER: too
 * many wait. */
tlsyn_time work_reserve(struct work *work, tlsyn_time now);

#endif
