/* The options of a TCP header, for people. Read first: RFC 9293 3.1, RFC 7323 2, 3, RFC 2018,
 * RFC 7413 4.1.1.
 */
#include "report/ladder_options.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { END, NO_OPERATION, MSS, WINDOW_SCALE, SACK_PERMITTED, SACK, TIMESTAMPS = 8 };
enum { FAST_OPEN = 34, EXPERIMENT = 254, FAST_OPEN_EXPERIMENT = 0xf989 };

struct option {
    uint8_t kind;
    const uint8_t *value;
    size_t n; /* bytes of the value */
};

static unsigned read16(const uint8_t *p)
{
    return (unsigned)(p[0] << 8 | p[1]);
}

/* The next option that is no padding, from *options on, which moves behind it. 1; 0 at the end; -1:
 * malformed. */
static int next_option(const uint8_t **options, size_t *n, struct option *option)
{
    const uint8_t *p = *options;

    while (*n > 0 && *p == NO_OPERATION) {
        p++;
        (*n)--;
    }
    if (*n == 0 || *p == END) {
        return 0;
    }
    if (*n < 2 || p[1] < 2 || p[1] > *n) {
        return -1;
    }
    *option = (struct option){.kind = p[0], .value = p + 2, .n = (size_t)p[1] - 2};
    *options = p + p[1];
    *n -= p[1];
    return 1;
}

/* The length of the cookie, 0 for a request; -1: it is another option. */
static int cookie_of(const struct option *option)
{
    if (option->kind == FAST_OPEN) {
        return (int)option->n;
    }
    /* RFC 7413 4.1.1 and its appendix: the experimental form. */
    return option->kind == EXPERIMENT && option->n >= 2 &&
                   read16(option->value) == FAST_OPEN_EXPERIMENT
               ? (int)option->n - 2
               : -1;
}

int ladder_options_cookie(const uint8_t *options, size_t n)
{
    struct option option;

    while (next_option(&options, &n, &option) > 0) {
        int cookie = cookie_of(&option);
        if (cookie >= 0) {
            return cookie;
        }
    }
    return -1;
}

/* Append to a string of `size` bytes, with a comma if it is not the first. */
static void append(char *out, size_t size, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static void append(char *out, size_t size, const char *format, ...)
{
    va_list arguments;
    size_t n = strlen(out);

    if (n > 0 && n + 2 < size) {
        memcpy(out + n, ", ", 3);
        n += 2;
    }
    va_start(arguments, format);
    vsnprintf(out + n, size - n, format, arguments);
    va_end(arguments);
}

static const char *plain_name(uint8_t kind)
{
    switch (kind) {
    case 19:
        return "MD5 signature";
    case 28:
        return "user timeout";
    case 29:
        return "TCP-AO";
    case 30:
        return "Multipath TCP";
    case 172:
    case 174:
        return "AccECN";
    default:
        return NULL;
    }
}

static void print_cookie(int cookie, char *out, size_t size)
{
    if (cookie == 0) {
        append(out, size, "Fast Open (asks for a cookie)");
    } else {
        append(out, size, "Fast Open (cookie of %d bytes)", cookie);
    }
}

/* Lengths that the kind does not have are printed as an unknown option. */
static void print_option(const struct option *option, char *out, size_t size)
{
    const uint8_t *value = option->value;
    size_t n = option->n;

    if (option->kind == MSS && n == 2) {
        append(out, size, "MSS %u", read16(value));
    } else if (option->kind == WINDOW_SCALE && n == 1) {
        append(out, size, "window scale %u", value[0]);
    } else if (option->kind == SACK_PERMITTED && n == 0) {
        append(out, size, "SACK permitted");
    } else if (option->kind == SACK && n > 0 && n % 8 == 0) {
        append(out, size, "SACK of %zu %s", n / 8, n == 8 ? "block" : "blocks");
    } else if (option->kind == TIMESTAMPS && n == 8) {
        append(out, size, "timestamps");
    } else if (cookie_of(option) >= 0) {
        print_cookie(cookie_of(option), out, size);
    } else if (plain_name(option->kind) != NULL) {
        append(out, size, "%s", plain_name(option->kind));
    } else {
        append(out, size, "option %u of %zu bytes", option->kind, n + 2);
    }
}

void ladder_options_print(const uint8_t *options, size_t n, char *out, size_t size)
{
    struct option option;
    int more = 0;

    out[0] = '\0';
    while ((more = next_option(&options, &n, &option)) > 0) {
        print_option(&option, out, size);
    }
    if (more < 0) {
        append(out, size, "malformed options");
    }
}
