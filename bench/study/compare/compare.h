/*
 * study/compare/compare.h: several runs of the studies side by side, from the JSON files that they
 * left.
 *
 *     compare_new -> compare_add (a folder each) -> { compare_text, compare_html }
 *         -> compare_free
 *
 * Rows belong together when what they measured has the same words and settings; what one run has
 * and another has not stays, with a gap. Which members of a row are its words and which its figures
 * is in one table for all studies (compare.c).
 */
#ifndef STUDY_COMPARE_H
#define STUDY_COMPARE_H

#include <stdio.h>

enum { COMPARE_RUNS_MAX = 16, COMPARE_FIGURES_MAX = 3, COMPARE_MESSAGE_MAX = 512 };

struct compare;

/** NULL: memory is short. */
struct compare *compare_new(void);
void compare_free(struct compare *compare);

/** Reads what a folder holds. The number of studies found; -ENOENT with a sentence: none; -EPROTO:
 * a file that is no result of ours; -E2BIG: more than COMPARE_RUNS_MAX runs; -ENOMEM. On error the
 * comparison is as before. */
int compare_add(struct compare *compare, const char *folder, char message[COMPARE_MESSAGE_MAX]);

/** Each 0 or -errno. */
int compare_text(const struct compare *compare, FILE *out, unsigned width);
int compare_html(const struct compare *compare, const char *command, FILE *out);

#endif
