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

/** Whether a line is about a datagram socket. */
bool ss_is_udp(const char *line);

/** The head of the columns below; `kinds`: a first one says whose protocol it is. */
void ss_head(FILE *out, bool kinds);

/** A connection, a listener or a datagram socket in columns; `process` is the last. */
void ss_row(FILE *out, const char *line, const char *process, bool kinds);

/** What else is known of it, on a line of its own. */
void ss_details(FILE *out, const char *line);

/** How many connections there are, and datagram sockets. */
struct ss_tally {
    unsigned total, opening, established, closing, time_wait;
    unsigned udp;
};

void ss_count(struct ss_tally *tally, const char *line);
void ss_tally(FILE *out, const struct ss_tally *tally);

/** A counter or a drop. */
void ss_counter(FILE *out, const char *line);

#endif
