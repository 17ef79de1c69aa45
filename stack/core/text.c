/*
 * core/text.c: a line of text in a buffer of fixed size.
 */
#include "core/text.h"

#include <errno.h>
#include <limits.h>

void text_init(struct text *t, char *at, size_t size)
{
    *t = (struct text){.at = at, .room = size, .overrun = size == 0};
    if (size)
        at[0] = '\0';
}

void text_put_char(struct text *t, char c)
{
    if (t->overrun || t->room - t->len < 2) {
        t->overrun = true;
        return;
    }
    t->at[t->len++] = c;
    t->at[t->len] = '\0';
}

void text_put(struct text *t, const char *string)
{
    while (*string)
        text_put_char(t, *string++);
}

void text_put_u64(struct text *t, uint64_t n)
{
    char digits[21], *at = digits + sizeof(digits) - 1;

    *at = '\0';
    do {
        *--at = (char)('0' + n % 10);
        n /= 10;
    } while (n);
    text_put(t, at);
}

void text_put_i64(struct text *t, int64_t n)
{
    if (n < 0)
        text_put_char(t, '-');
    text_put_u64(t, n < 0 ? 0 - (uint64_t)n : (uint64_t)n);
}

int text_finish(const struct text *t)
{
    return t->overrun || t->len > INT_MAX ? -ENOSPC : (int)t->len;
}
