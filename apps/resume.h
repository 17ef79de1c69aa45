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
    char **argv;      /* ends with NULL */
    char typed[1024]; /* the same, for reports: study_join() */
    void *memory[2];  /* of both */
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
     "--precision, --json and, of loss, --budget may be given",                                    \
     NULL}
/* clang-format on */

/** Looks for --resume in argv[1..], and has `begin` parse and obey what is to be obeyed: that, or
 * what the folder holds. The exit status. */
int resume_conduct(int argc, char **argv, int (*begin)(struct resume *resume));

/** What the study's rounds are to keep in `folder`. */
struct rounds_keep resume_keep(const struct resume *r, const char *folder);

#endif
