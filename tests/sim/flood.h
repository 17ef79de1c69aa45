/*
 * sim/flood.h: SYNs of nobody's: from addresses at which no host is, half of them with text and a
 * Fast Open option, with a cookie or without one. Read first: RFC 4987 2.
 */
#ifndef TEST_SIM_FLOOD_H
#define TEST_SIM_FLOOD_H

#include "sim/network.h"

/** From now on, as the plan says. */
void flood_begin(struct network *n);

/** Sends those that are due at n->now; true if any was. */
bool flood_step(struct network *n);

#endif
