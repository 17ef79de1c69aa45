/*
 * study/journal.h: observations in a file as they are made, so that a run that was interrupted, or
 * killed, can go on: a line of JSON each, behind a line that says by which command.
 *
 *     {"study":"loss","arguments":["loss","--rtt","20"]}
 *     {"round":0,"block":3,"member":1,"t":12.5,"seconds":0.84,...}
 *
 * A line that was cut off, the last one, does not count. Room for what is to come is reserved, so
 * that a disk that fills up meanwhile does not end the run.
 */
#ifndef STUDY_JOURNAL_H
#define STUDY_JOURNAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "study/observer.h"

#define JOURNAL_FILE "samples.jsonl"

/** A member of a structure that is kept. */
enum journal_type {
    JOURNAL_DOUBLE,
    JOURNAL_INT,
    JOURNAL_UINT32,
    JOURNAL_UINT64,
    JOURNAL_BOOL,
    JOURNAL_TEXT,
    JOURNAL_LIST, /* a struct journal_list */
    JOURNAL_WORDS /* a struct journal_words */
};

/** As many values as there are; whoever has the structure frees them. */
struct journal_list {
    double *value;
    size_t count;
};

/** The same of texts; they are one block of memory, so that free(word) frees them. */
struct journal_words {
    char **word;
    size_t count;
};

/** Copies them. 0 or -ENOMEM. */
int journal_words_make(const char *const words[], size_t count, struct journal_words *copy);

struct journal_field {
    const char *name;
    size_t offset;
    enum journal_type type;
    size_t size; /* of JOURNAL_TEXT */
};

#define JOURNAL_FIELD(structure, member, type)                                                     \
    {                                                                                              \
#member, offsetof(struct structure, member), type, sizeof(((struct structure *)0)->member) \
    }

/** What was observed when. */
struct journal_entry {
    uint32_t round, block, member;
    double t; /* seconds of measuring, of earlier runs too */
};

struct journal;

/** Begins a file in the folder, in place of one that is there. `arguments` end with NULL. 0, or
 * -errno with a sentence. */
int journal_begin(const char *folder, const char *study, char *const arguments[],
                  struct journal **journal, char message[STUDY_MESSAGE_MAX]);

/** Opens what a run left, to go on behind its last whole block: read with journal_next(), then
 * journal_cut() before anything is added. */
int journal_open(const char *folder, const char *study, struct journal **journal,
                 char message[STUDY_MESSAGE_MAX]);

/** The arguments of the run that a folder holds, in one block of memory that is to be freed; they
 * end with NULL. 0; -ENOENT: there is none; or -errno, each with a sentence. */
int journal_arguments(const char *folder, char ***arguments, int *count,
                      char message[STUDY_MESSAGE_MAX]);

/** How many entries are still unread, and the i-th of them. */
size_t journal_left(const struct journal *journal);
struct journal_entry journal_peek(const struct journal *journal, size_t i);

/** Reads the next entry's fields into a structure, and passes on. False: they are not all there. */
bool journal_next(struct journal *journal, const struct journal_field *fields, size_t n,
                  void *structure);

/** Throws away what is unread, in the file, too. 0 or -errno. */
int journal_cut(struct journal *journal);

/** About how many bytes an entry takes, whose lists have `values` values together. */
size_t journal_entry_room(const struct journal_field *fields, size_t n, size_t values);

/** Sets so many bytes aside behind what is written; journal_close() gives back what was not needed.
 * 0, also where the file system knows no such thing; -ENOSPC, -EDQUOT: there are not so many. */
int journal_reserve(struct journal *journal, uint64_t bytes);

/** Adds an entry, which is on its way to the disk when this returns. 0 or -errno. */
int journal_add(struct journal *journal, const struct journal_entry *entry,
                const struct journal_field *fields, size_t n, const void *structure);

/** NULL is allowed. 0 or -errno. */
int journal_close(struct journal *journal);

#endif
