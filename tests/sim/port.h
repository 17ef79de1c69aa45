/*
 * sim/port.h: a host's end of its link.
 */
#ifndef TEST_SIM_PORT_H
#define TEST_SIM_PORT_H

#include "sim/transit.h"

void port_open(struct network *n, int host);

/** Its box begins to act. */
void port_begin(struct port *port);

/** What has come to the end of its way. */
void port_arrive(struct network *n, struct transit *t);

#endif
