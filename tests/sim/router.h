/*
 * sim/router.h: what a host hears of its router itself: neighbour discovery of both families.
 */
#ifndef TEST_SIM_ROUTER_H
#define TEST_SIM_ROUTER_H

#include "sim/network.h"

/** Takes a frame that is none of IP's, or the neighbours' affair: true. False: it is to be sent
 * on. */
bool router_takes(struct network *n, int host, const struct tlsyn_frame *frame);

#endif
