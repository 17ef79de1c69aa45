/*
 * core/text.h: builds a line of text in a buffer of fixed size. (The stack is free of stdio.)
 */
#ifndef TLSYN_CORE_TEXT_H
#define TLSYN_CORE_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct text {
    char *at;
    size_t room; /* one byte of it is for the NUL */
    size_t len;
    bool overrun; /* something did not fit; sticky */
};

/** An empty text in `size` bytes; it is always terminated, unless size is 0. */
void text_init(struct text *t, char *at, size_t size);

void text_put(struct text *t, const char *string);
void text_put_char(struct text *t, char c);
void text_put_u64(struct text *t, uint64_t n);
void text_put_i64(struct text *t, int64_t n);

/** The length, or -ENOSPC if not all of it fitted. */
int text_finish(const struct text *t);

#endif
