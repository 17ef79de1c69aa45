/*
 * lab/init.h: the first process of a lab's PID namespace: builds the network, then is the emulator.
 */
#ifndef LAB_INIT_H
#define LAB_INIT_H

#include "lab/lab.h"
#include "lab/netns.h"

#include <sched.h>

/**
 * Never returns. Builds the lab, says so (or why not) through `control` (control.h), then
 * forwards frames and answers requests until the caller's end of `control` closes or the thread
 * that forked it ends. `processors`: the emulator's, or NULL: all.
 */
_Noreturn void init_main(const struct lab_options *options, const cpu_set_t *processors,
                         const struct netns_owner *owner, int control);

#endif
