/*
 * study/fallback/parts.h: a run, as the rounds and the laboratory's processes share it. Private to
 * this folder.
 */
#ifndef STUDY_FALLBACK_PARTS_H
#define STUDY_FALLBACK_PARTS_H

#include "lab/lab.h"
#include "study/fallback/fallback.h"

struct fallback_run {
    struct fallback_study *study;
    struct study_observer *observer;
    struct lab *lab;
    struct fallback_visit *visit; /* shared with the clients */
    int control[2];               /* of the servers: ours, the kernel's */
    pid_t pid[2];
};

/** Starts both, and waits until they serve. 0 or -errno. Stop them in any case. */
int fallback_servers_start(struct fallback_run *run);
void fallback_servers_stop(struct fallback_run *run);

/** Sets the server's kernel as the row asks; the sample says if it cannot be. */
void fallback_prepare(struct fallback_run *run, const struct fallback_row *row,
                      struct fallback_sample *sample);

/** One client's visit, into the sample; `capture`: a file for what it sees, or NULL. 0, also where
 * the visit failed; -EINTR; or another -errno: the laboratory is broken. */
int fallback_see(struct fallback_run *run, const struct fallback_row *row, bool embedded,
                 struct fallback_sample *sample, const char *capture);

/** What a killed client left on its way arrives before the next one comes. 0 or -EINTR. */
int fallback_settle(struct fallback_run *run);

#endif
