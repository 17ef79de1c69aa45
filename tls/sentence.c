/*
 * sentence.c: sentences in fixed buffers.
 */
#include "sentence.h"

#include <stdarg.h>
#include <stdio.h>

struct sentence sentence_in(char *buffer, size_t size)
{
    buffer[0] = '\0';
    return (struct sentence){.at = buffer, .size = size};
}

void sentence_add(struct sentence *s, const char *format, ...)
{
    size_t room = s->size - s->len;
    va_list arguments;
    int n;

    va_start(arguments, format);
    n = vsnprintf(s->at + s->len, room, format, arguments);
    va_end(arguments);
    if (n > 0)
        s->len += (size_t)n < room ? (size_t)n : room - 1;
}
