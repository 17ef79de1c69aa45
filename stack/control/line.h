/*
 * control/line.h: one JSON line: a flat object (RFC 8259), member by member.
 */
#ifndef TLSYN_CONTROL_LINE_H
#define TLSYN_CONTROL_LINE_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

struct line {
    FILE *out;
    bool any;
};

void line_begin(struct line *line, FILE *out);
void line_end(struct line *line);

/** NULL becomes null; bytes that JSON has no room for, a question mark. */
void line_string(struct line *line, const char *name, const char *value);
void line_integer(struct line *line, const char *name, int64_t value);
void line_bool(struct line *line, const char *name, bool value);

/** In milliseconds. */
void line_ms(struct line *line, const char *name, int64_t microseconds);

#endif
