/*
 * conformance/asleep.h: has a thread of this process done all that it can do for now?
 */
#ifndef TEST_CONFORMANCE_ASLEEP_H
#define TEST_CONFORMANCE_ASLEEP_H

#include <stdbool.h>
#include <sys/types.h>

/** True while it waits for something, and once it has ended. */
bool thread_is_asleep(pid_t thread);

#endif
