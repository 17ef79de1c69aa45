/*
 * support/served.h: a server in a process of its own, for as long as a test needs it.
 */
#ifndef TEST_SUPPORT_SERVED_H
#define TEST_SUPPORT_SERVED_H

#include <stdint.h>
#include <sys/types.h>

struct served {
    int control; /* the server ends when this is closed */
    pid_t process;
};

/** Runs `serve` in a new process; returns once that has called served_ready(). What `serve` returns
 * becomes the exit status. */
void served_start(struct served *s, int (*serve)(int control));
/** Ends the process; the test fails unless its exit status is 0. */
void served_stop(struct served *s);

/** The first of so many ports of the loopback on which nobody listens, nor on the one before. */
uint16_t served_ports(int count);

/** For the server's process: from now on it can be reached. `control` points to the descriptor that
 * `serve` was given. */
void served_ready(void *control);

#endif
