/*
 * sim/draw.h: what flows are, by the plan's chances.
 */
#ifndef TEST_SIM_DRAW_H
#define TEST_SIM_DRAW_H

#include "sim/flow.h"

/** Of one end of a connection, or of a listener. */
void draw_options(const struct plan *p, struct random_seeded *r, struct tlsyn_conn_options *o);

void draw_flow(const struct plan *p, int number, const tlsyn_time *now, struct flow *flow);

#endif
