/*
 * lab/processors.h: parts the processors between the emulator and what it connects.
 */
#ifndef LAB_PROCESSORS_H
#define LAB_PROCESSORS_H

#include <sched.h>
#include <stdbool.h>

/** Of those that this process may run on the emulator gets one, the hosts' processes get the
 * others. False, and nothing is parted, if there is only one. */
bool processors_part(cpu_set_t *emulator, cpu_set_t *hosts);

#endif
