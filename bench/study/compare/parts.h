/*
 * study/compare/parts.h: what the two halves of the comparison share: what was read, to be printed.
 */
#ifndef STUDY_COMPARE_PARTS_H
#define STUDY_COMPARE_PARTS_H

#include <stdbool.h>

#include "measure/stats.h"
#include "study/compare/compare.h"

enum { COMPARE_WORDS_MAX = 8, COMPARE_WORD_MAX = 256 };

/** One figure of a study's rows. */
struct compare_figure {
    /** Of the row, "first.cost_ms" of an object in it; the interval may be NULL: there is none. */
    const char *member, *interval;
    const char *heading; /* what it is, and in what */
    int decimals;
    bool differs; /* may be zero: told by how much, not by which factor */
};

/** What tells one row from another: a member, and what people call it. */
struct compare_word {
    const char *member, *heading;
};

/** A study, as far as rows of its JSON go. */
struct compare_study {
    const char *file, *title;
    struct compare_word words[COMPARE_WORDS_MAX];       /* ends with a NULL member */
    struct compare_figure figures[COMPARE_FIGURES_MAX]; /* ends with a NULL member */
};

extern const struct compare_study compare_studies[];
extern const int compare_study_count;

struct compare_row {
    int study;
    char words[COMPARE_WORDS_MAX][COMPARE_WORD_MAX];
    struct stats_interval figures[COMPARE_RUNS_MAX][COMPARE_FIGURES_MAX]; /* NaN: not there */
};

struct compare_run {
    char name[64]; /* the folder's own */
    bool shared;   /* by several runs */
    char folder[256], command[256], kernel[128], written[32], version[32];
};

struct compare {
    struct compare_run runs[COMPARE_RUNS_MAX];
    int run_count;
    struct compare_row *rows;
    size_t row_count, room;
};

#endif
