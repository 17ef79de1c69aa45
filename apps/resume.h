/*
 * resume.h: --resume DIR: a study that was interrupted goes on, by the command it was begun with.
 */
#ifndef RESUME_H
#define RESUME_H

#include "cli.h"
#include "study/rounds.h"

/** A study's command line: as typed, or as a folder of results holds it. */
struct resume {
    int argc;
    char **argv;     /* ends with NULL */
    void *memory[2]; /* of resume_close() */
    bool resumes;
    double precision;  /* of --precision */
    const char *shown; /* --resume is taken out before the options are parsed */
};

/** What every study has of this in its options; a macro, for the table is the command's own. */
/* clang-format off */
#define RESUME_OPTIONS(resume)                                                                     \
    {"precision", 'p', &cli_percent, &(resume)->precision,                                         \
     "end when every figure is known to within this share, and after --rounds at the latest",      \
     NULL},                                                                                        \
    {"resume", 0, &cli_folder, &(resume)->shown,                                                   \
     "go on with the run whose results are in FOLDER, with its options; beside it only --rounds, " \
     "--precision, --budget and --json may be given",                                              \
     NULL}
/* clang-format on */

/** Looks for --resume in argv[1..]. CLI_OK: r->argc and r->argv are what to parse. Else the exit
 * status, and the user was told. */
int resume_open(struct resume *r, int argc, char **argv);

/** What the study's rounds are to keep in `folder`. */
struct rounds_keep resume_keep(const struct resume *r, const char *folder);

void resume_close(struct resume *r);

#endif
