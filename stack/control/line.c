/*
 * control/line.c: see line.h. What goes wrong is the stream's to tell.
 */
#include "control/line.h"

#include <inttypes.h>

void line_begin(struct line *line, FILE *out)
{
    *line = (struct line){.out = out};
    (void)fputc('{', out);
}

void line_end(struct line *line)
{
    (void)fputs("}\n", line->out);
}

static void quoted(FILE *out, const char *text)
{
    (void)fputc('"', out);
    for (; *text; text++) {
        unsigned char c = (unsigned char)*text;

        if (c == '"' || c == '\\')
            (void)fputc('\\', out);
        (void)fputc(c < 0x20 || c >= 0x7f ? '?' : c, out);
    }
    (void)fputc('"', out);
}

static void key(struct line *line, const char *name)
{
    if (line->any)
        (void)fputs(", ", line->out);
    line->any = true;
    quoted(line->out, name);
    (void)fputs(": ", line->out);
}

void line_string(struct line *line, const char *name, const char *value)
{
    key(line, name);
    if (value)
        quoted(line->out, value);
    else
        (void)fputs("null", line->out);
}

void line_integer(struct line *line, const char *name, int64_t value)
{
    key(line, name);
    (void)fprintf(line->out, "%" PRId64, value);
}

void line_bool(struct line *line, const char *name, bool value)
{
    key(line, name);
    (void)fputs(value ? "true" : "false", line->out);
}

void line_ms(struct line *line, const char *name, int64_t microseconds)
{
    key(line, name);
    (void)fprintf(line->out, "%.10g", (double)microseconds / 1e3);
}
