/*
 * work.c: turns, as the generic cell rate algorithm has them (ITU-T I.371 A).
 */
#include "work.h"

void work_init(struct work *work, uint32_t per_second)
{
    *work = (struct work){.every = TLSYN_SECONDS(1) / per_second};
    work->every += work->every == 0;
}

bool work_has_spare(const struct work *work, tlsyn_time now)
{
    return work->next <= now + WORK_AT_ONCE / 2 * work->every;
}

tlsyn_time work_reserve(struct work *work, tlsyn_time now)
{
    tlsyn_time next = work->next > now ? work->next : now;
    tlsyn_time turn = next - (WORK_AT_ONCE - 1) * work->every;

    if (turn > now + WORK_WAIT_MAX)
        return TLSYN_NEVER;
    work->next = next + work->every;
    return turn > now ? turn : now;
}
