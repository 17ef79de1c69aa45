/*
 * study/journal_line.h: the journal's lines, written. (What reads them is journal.c: the names of
 * the library that it reads with are those of our writer.)
 */
#ifndef STUDY_JOURNAL_LINE_H
#define STUDY_JOURNAL_LINE_H

#include <stdio.h>

#include "study/journal.h"

/** Each 0 or -errno. */
int journal_line_head(FILE *out, const char *study, char *const arguments[]);
int journal_line_entry(FILE *out, const struct journal_entry *entry,
                       const struct journal_field *fields, size_t n, const void *structure);

#endif
