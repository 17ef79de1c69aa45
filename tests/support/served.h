/*
 * support/served.h: a server in a process of its own, for as long as a test needs it.
 */
#ifndef TEST_SUPPORT_SERVED_H
#define TEST_SUPPORT_SERVED_H

#include <sys/types.h>

struct served {
    int control; /* the server ends when this is closed */
    pid_t process;
};

/** Runs `serve` in a new process, which is ready when it has called served_ready(); its result is
 * the process's, and 0 all that a test will have. */
void served_start(struct served *s, int (*serve)(int control));
void served_stop(struct served *s);

/** In the server: it can be asked. `control` points to the descriptor that it was given. */
void served_ready(void *control);

#endif
