/*
 * study/actor_parts.h: what the four actors do. Private to actors.c.
 */
#ifndef STUDY_ACTOR_PARTS_H
#define STUDY_ACTOR_PARTS_H

#include "study/actors.h"

/** Each signs on, works until its control descriptor ends, and returns 0; or signs on with the
 * reason why it can't work, and returns -errno. */
int actor_stack_client(const struct actor_part *part);
int actor_stack_server(const struct actor_part *part);
int actor_kernel_client(const struct actor_part *part);
int actor_kernel_server(const struct actor_part *part);

/** Signs on; `message` is read if `error` is negative. 0 or -errno. */
int actor_ready(int fd, int error, const char *message);

#endif
