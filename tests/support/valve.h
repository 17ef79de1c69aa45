/*
 * support/valve.h: a link through which frames pass until it is shut: then what arrives vanishes.
 */
#ifndef TEST_SUPPORT_VALVE_H
#define TEST_SUPPORT_VALVE_H

#include <tlsyn/link.h>

/** Holds `inner`, and closes it. */
struct tlsyn_link *valve_wrap(struct tlsyn_link *inner);

/** In any thread. */
void valve_shut(struct tlsyn_link *valve);

#endif
