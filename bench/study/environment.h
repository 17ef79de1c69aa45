/*
 * study/environment.h: on what was measured: what a reader needs to compare two reports.
 */
#ifndef STUDY_ENVIRONMENT_H
#define STUDY_ENVIRONMENT_H

#include "report/html.h"
#include "report/json.h"
#include "study/link.h"
#include "study/noise.h"

struct environment {
    char kernel[192]; /* "Linux 6.12.0 x86_64" */
    char cpu[128];    /* its model, as the kernel names it; "unknown" */
    int cpus;         /* online */
    char system[128]; /* "Debian GNU/Linux 12 (bookworm)"; "unknown" */
    char when[32];    /* now, UTC, ISO 8601 */
};

void environment_read(struct environment *environment);

/** The members of a JSON object that describe the machine. */
void environment_json_machine(const struct environment *environment, struct json *j);

/** How a study went. */
struct environment_run {
    const char *study;             /* of which the files have their names: "flood" */
    const char *command, *version; /* as typed; of tlsyn */
    double seconds;
    const struct noise *noise;     /* of the machine meanwhile */
    const struct study_link *link; /* NULL: the study writes its own */
    bool interrupted;
};

/** Opens "environment" with what each study tells of itself and the machine; the caller adds its
 * conditions, and ends the object. */
void environment_json(const struct environment_run *run, struct json *j);

/** A section with the command. */
void environment_again(const char *command, struct html *html);

/** Ends a page: a section with the same, in which `how` says what the study's conditions were; what
 * lies beside the page; html_end(). */
int environment_end_page(const struct environment_run *run, const char *how, struct html *html);

#endif
