/*
 * support/cable.h: two links whose frames go through a pair of kernel sockets: for stacks in
 * threads of their own, which a pipe in memory is not for.
 */
#ifndef TEST_SUPPORT_CABLE_H
#define TEST_SUPPORT_CABLE_H

#include <tlsyn/link.h>

/** `gso` bytes of text at most in one frame, 0: one segment. Each end is closed by itself. */
void cable_open(uint32_t gso, struct tlsyn_link *ends[2]);

#endif
