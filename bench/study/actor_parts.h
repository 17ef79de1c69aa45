/*
 * study/actor_parts.h: what the actors do. Private to actors.c.
 */
#ifndef STUDY_ACTOR_PARTS_H
#define STUDY_ACTOR_PARTS_H

#include "peer/client.h"
#include "study/actors.h"

/** Each signs on, works until its control descriptor ends, and returns 0; or signs on with the
 * reason why it can't work, and returns -errno. */
int actor_stack_client(const struct actor_part *part);
int actor_stack_server(const struct actor_part *part);
int actor_kernel_client(const struct actor_part *part);
int actor_kernel_server(const struct actor_part *part);
int actor_quic_client(const struct actor_part *part);
int actor_quic_server(const struct actor_part *part);

/** What a peer has observed, but for its error. */
void actor_keep_observation(const struct peer_observation *seen, struct study_outcome *outcome);

/** Signs on; `message` is read if `error` is negative. 0 or -errno. */
int actor_ready(int fd, int error, const char *message);

#endif
