/*
 * study/awake.h: keeps idle processors from sleeping. Who has to be served by one that sleeps waits
 * until it has woken, tens of microseconds, and then computes with cold caches.
 *
 *     awake_begin -> what is measured -> awake_end
 *
 * Each processor gets something to do that any other task displaces: a child has a thread per
 * processor under SCHED_IDLE (sched(7)). Not where the processors' time has a quota, which these
 * threads would use up.
 */
#ifndef STUDY_AWAKE_H
#define STUDY_AWAKE_H

#include <stdbool.h>
#include <sys/types.h>

/** Of the processors that this process may run on. The child that does it, or 0: nobody can. It
 * ends with this process, if not before. The caller must have no other threads. */
pid_t awake_begin(void);

/** True: they were kept awake till now. */
bool awake_end(pid_t child);

#endif
