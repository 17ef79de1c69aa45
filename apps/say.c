/*
 * say.c: the command's only printer.
 *
 * Each message is formatted first and written with one call, so that lines of several processes on
 * one terminal don't mix. Control characters and what is no UTF-8 become question marks: what a
 * peer says (a certificate's name, a URL) must not drive the terminal. Whether a progress line
 * stands on the terminal need not be remembered: wiping an empty line does no harm.
 */
#include "say.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#define LINE_MAX_BYTES 4096
#define WIPE           "\r\033[K"

static bool is_terminal(void)
{
    return isatty(STDERR_FILENO) == 1;
}

/* Length of the valid UTF-8 sequence at p (RFC 3629 4), or 0. p ends with NUL, which is
 * no continuation. */
static size_t utf8_length(const unsigned char *p)
{
    size_t n = p[0] < 0x80   ? 1
               : p[0] < 0xc2 ? 0
               : p[0] < 0xe0 ? 2
               : p[0] < 0xf0 ? 3
               : p[0] < 0xf5 ? 4
                             : 0;

    for (size_t i = 1; i < n; i++) {
        if ((p[i] & 0xc0) != 0x80)
            return 0;
    }
    if ((p[0] == 0xe0 && p[1] < 0xa0) || (p[0] == 0xed && p[1] > 0x9f) ||
        (p[0] == 0xf0 && p[1] < 0x90) || (p[0] == 0xf4 && p[1] > 0x8f))
        return 0;
    return n;
}

/* Those of ASCII (tabs and line ends are ours) and the second set, which a terminal takes as one
 * octet or in UTF-8 (ECMA-48 5.3): U+009B alone begins a control sequence. */
static bool is_control(const unsigned char *p, size_t n)
{
    if (n == 1)
        return (*p < 0x20 && *p != '\n' && *p != '\t') || *p == 0x7f;
    return n == 0 || (p[0] == 0xc2 && p[1] < 0xa0);
}

__attribute__((format(printf, 3, 0))) static void write_line(const char *prefix, const char *suffix,
                                                             const char *format, va_list arguments)
{
    char line[LINE_MAX_BYTES];

    (void)vsnprintf(line, sizeof(line), format, arguments);
    for (unsigned char *p = (unsigned char *)line; *p;) {
        size_t n = utf8_length(p);

        if (is_control(p, n))
            memset(p, '?', n ? n : 1);
        p += n ? n : 1;
    }
    (void)fprintf(stderr, "%s%s%s%s", is_terminal() ? WIPE : "", prefix, line, suffix);
    (void)fflush(stderr);
}

void say(const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    write_line("tlsyn: ", "\n", format, arguments);
    va_end(arguments);
}

void say_detail(const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    write_line("", "\n", format, arguments);
    va_end(arguments);
}

void say_progress(const char *format, ...)
{
    va_list arguments;

    if (!is_terminal())
        return;
    va_start(arguments, format);
    write_line("", "", format, arguments);
    va_end(arguments);
}

void say_progress_end(void)
{
    if (is_terminal())
        (void)fputs(WIPE, stderr);
}

void say_result(const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    (void)vprintf(format, arguments);
    va_end(arguments);
}

void say_json_string(const char *text)
{
    if (!text) {
        (void)fputs("null", stdout);
        return;
    }
    (void)putchar('"');
    for (const unsigned char *p = (const unsigned char *)text; *p;) {
        size_t n = utf8_length(p);

        if (n == 0)
            (void)fputs("\\ufffd", stdout);
        else if (*p == '"' || *p == '\\')
            (void)printf("\\%c", *p);
        else if (*p == '\n')
            (void)fputs("\\n", stdout);
        else if (*p < 0x20)
            (void)printf("\\u%04x", *p);
        else
            (void)fwrite(p, 1, n, stdout);
        p += n == 0 ? 1 : n;
    }
    (void)putchar('"');
}

const char *say_duration(tlsyn_time duration, char *text)
{
    double ms = (double)duration / 1e3;

    if (ms < 10)
        (void)snprintf(text, 24, "%.3f ms", ms);
    else if (ms < 1000)
        (void)snprintf(text, 24, "%.1f ms", ms);
    else
        (void)snprintf(text, 24, "%.2f s", ms / 1e3);
    return text;
}

const char *say_bytes(uint64_t bytes, char *text)
{
    static const char *const unit[] = {"kB", "MB", "GB", "TB", "PB", "EB"};
    double value = (double)bytes / 1e3;
    size_t i = 0;

    if (bytes < 1000) {
        (void)snprintf(text, 24, "%u B", (unsigned int)bytes);
        return text;
    }
    for (; value >= 999.95 && i + 1 < sizeof(unit) / sizeof(unit[0]); i++)
        value /= 1e3;
    (void)snprintf(text, 24, "%.1f %s", value, unit[i]);
    return text;
}

int say_flush(void)
{
    static int first; /* stdio remembers that something was lost, not why */

    errno = 0;
    if ((fflush(stdout) != 0 || ferror(stdout)) && first == 0)
        first = errno ? -errno : -EIO;
    return first;
}
