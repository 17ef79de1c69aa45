/*
 * study/environment.h: on what was measured: what a reader needs to compare two reports.
 */
#ifndef STUDY_ENVIRONMENT_H
#define STUDY_ENVIRONMENT_H

struct environment {
    char kernel[192]; /* "Linux 6.12.0 x86_64" */
    char cpu[128];    /* its model, as the kernel names it; "unknown" */
    int cpus;         /* online */
    char system[128]; /* "Debian GNU/Linux 12 (bookworm)"; "unknown" */
    char when[32];    /* now, UTC, ISO 8601 */
};

void environment_read(struct environment *environment);

#endif
