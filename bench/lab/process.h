/*
 * lab/process.h: starts a process inside the lab that is nevertheless the caller's own child.
 *
 *     caller --fork--> helper: joins user, mount and network namespace, asks
 *        |                for the lab's PID namespace
 *        |                |
 *        |                +--clone(CLONE_PARENT)--> child: a process of the lab, the caller's own
 *        |             exits
 *     waitpid(child)
 *
 * So descriptors and memory are inherited as with fork(2), the exit status comes by waitpid(2), and
 * the child dies with the lab's first process. (A PID namespace takes in only processes born after
 * setns(2), hence the helper.)
 */
#ifndef LAB_PROCESS_H
#define LAB_PROCESS_H

#include "lab/netns.h"

#include <sched.h>
#include <sys/types.h>

/** Where a process is to live. */
struct process_place {
    int pidfd; /* the lab's first process */
    struct netns_owner owner;
    int net;                     /* the host's network namespace */
    const cpu_set_t *processors; /* it may run on; NULL: those of the caller */
};

/** What it is to do there. */
struct process_work {
    /** Called first in the child; negative (-errno) ends the child and makes process_start()
     * fail. May be NULL. */
    int (*prepare)(void *);
    void *prepare_argument;
    char *const *argv;  /* a command; or, when NULL: */
    int (*run)(void *); /* its value is the exit status */
    void *run_argument;
};

/** Starts it. Its process id, once it runs (the command has been found and executed), or -errno. */
pid_t process_start(const struct process_place *place, const struct process_work *work);

/** Caught signals back to their defaults, ignored ones stay so, none blocked: as after execve(2).
 * Handlers of faults stay too: they report bugs. */
void process_reset_signals(void);

/** Closes every descriptor from `first` on. */
void process_close_from(int first);

#endif
