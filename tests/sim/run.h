/*
 * sim/run.h: one plan, played from the first open to the last connection's end.
 */
#ifndef TEST_SIM_RUN_H
#define TEST_SIM_RUN_H

#include "sim/plan.h"

struct outcome {
    bool failed;
    char wrong[256]; /* what, if so */
    uint64_t frames, turns;
    tlsyn_time lasted;
};

enum telling { TELL_NOTHING, TELL_FLOWS, TELL_ALL };

void run_play(const struct plan *plan, enum telling telling, struct outcome *outcome);

#endif
