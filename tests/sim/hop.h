/*
 * sim/hop.h: one link: the queue in front of it, its delay, its faults, its weather.
 */
#ifndef TEST_SIM_HOP_H
#define TEST_SIM_HOP_H

#include "sim/transit.h"

void hop_open(struct network *n, int which);

/** The frame comes to the link t.path[t.at]: it is lost here, or on its way to the other end. */
void hop_enter(struct network *n, struct transit t);

#endif
