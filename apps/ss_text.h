/*
 * ss_text.h: lines of a snapshot (snapshot.h) as people read them, in the manner of ss(8).
 */
#ifndef SS_TEXT_H
#define SS_TEXT_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

/** What another user's process says is not to move the terminal's cursor: all but printable ASCII
 * and the ends of lines becomes a question mark. */
void ss_tame(char *text, size_t size);

/** The value of a member of a flat JSON object, a string's without its quotes and with its
 * escapes, as the `size` bytes at `text` have room for. False: there is no such member, or this is
 * no flat object. */
bool ss_member(const char *line, const char *name, char *text, size_t size);

/** The same for a whole number; 0 without one. */
int64_t ss_number(const char *line, const char *name);

/** The head of the columns below. */
void ss_head(FILE *out);

/** A connection or a listener in columns; `process` is the last. */
void ss_row(FILE *out, const char *line, const char *process);

/** What else is known of a connection, on a line of its own. */
void ss_details(FILE *out, const char *line);

/** How many connections there are. */
struct ss_tally {
    unsigned total, opening, established, closing, time_wait;
};

void ss_count(struct ss_tally *tally, const char *line);
void ss_tally(FILE *out, const struct ss_tally *tally);

/** A counter or a drop. */
void ss_counter(FILE *out, const char *line);

#endif
