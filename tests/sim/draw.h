/*
 * sim/draw.h: what flows are, by the plan's chances.
 */
#ifndef TEST_SIM_DRAW_H
#define TEST_SIM_DRAW_H

#include "sim/flow.h"

/** Where SYN cookies answer, the server knows nothing of a client whose ACK is lost, until that
 * says something: who only listens has to ask now and then whether there is somebody. */
bool draw_by_cookies(const struct plan *p);

/** Of one end of a connection, or of a listener. */
void draw_options(const struct plan *p, struct random_seeded *r, struct tlsyn_conn_options *o);

void draw_flow(const struct plan *p, int number, const tlsyn_time *now, struct flow *flow);

#endif
