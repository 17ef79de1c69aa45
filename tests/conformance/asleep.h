/*
 * conformance/asleep.h: does a thread of this process wait for something that others must do?
 */
#ifndef TEST_CONFORMANCE_ASLEEP_H
#define TEST_CONFORMANCE_ASLEEP_H

#include <stdbool.h>
#include <sys/types.h>

/** True while it waits for something, and once it has ended. */
bool thread_is_asleep(pid_t thread);

#endif
