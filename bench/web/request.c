/*
 * web/request.c: what a request's parts mean. Read first: RFC 9110 14.1.2; RFC 9112 3.2.
 */
#include "web/request.h"

#include <errno.h>
#include <http_parser.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

bool request_is(const struct request *request, const char *method)
{
    return strcmp(request->method, method) == 0;
}

bool request_is_safe(const struct request *request)
{
    return request_is(request, "GET") || request_is(request, "HEAD");
}

const char *request_reason(unsigned int status)
{
    switch (status) { /* these are younger than http_parser */
    case 421:
        return "Misdirected Request";
    case 425:
        return "Too Early";
    default:
        return http_status_str((enum http_status)status);
    }
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

const char *request_path_of(const char *target)
{
    if (strncasecmp(target, "https://", 8) == 0) {
        target += 8;
        target += strcspn(target, "/?");
        return *target == '/' ? target : "/";
    }
    return *target == '/' ? target : NULL;
}

static bool climbs(const char *path)
{
    for (const char *p = path; *p; p += strcspn(p, "/"), p += *p == '/') {
        size_t n = strcspn(p, "/");

        if (n == 2 && p[0] == '.' && p[1] == '.')
            return true;
    }
    return false;
}

int request_path(const char *target, char *path, size_t size, bool *directory)
{
    const char *p = request_path_of(target);
    size_t n = 0;

    if (!p)
        return 400;
    p += strspn(p, "/");
    for (; *p && *p != '?' && *p != '#'; p++) {
        int c = (unsigned char)*p;

        if (*p == '%') {
            int high = hex_digit(p[1]);
            int low = high < 0 ? -1 : hex_digit(p[2]);

            if (low < 0)
                return 400;
            c = high * 16 + low;
            p += 2;
        }
        if (c == 0 || n + 2 >= size)
            return 400;
        path[n++] = (char)c;
    }
    *directory = n == 0 || path[n - 1] == '/';
    while (n > 0 && path[n - 1] == '/')
        n--;
    if (n == 0)
        path[n++] = '.';
    path[n] = '\0';
    return path[0] == '/' || climbs(path) ? 400 : 0;
}

/* Digits up to `end`; false if there are none or too many. */
static bool read_number(const char **text, uint64_t *number)
{
    char *end = NULL;

    if (**text < '0' || **text > '9')
        return false;
    errno = 0;
    *number = strtoull(*text, &end, 10);
    *text = end;
    return errno == 0;
}

enum request_range request_range(const char *value, uint64_t size, uint64_t *first, uint64_t *last)
{
    bool has_first = false;
    bool has_last = false;

    if (strncasecmp(value, "bytes=", 6) != 0)
        return RANGE_ALL;
    value += 6;
    has_first = read_number(&value, first);
    if (*value++ != '-')
        return RANGE_ALL;
    has_last = read_number(&value, last);
    if (*value != '\0' ||
        (!has_first && !has_last)) /* several ranges: all of the file is a valid answer */
        return RANGE_ALL;
    if (has_first && has_last && *last < *first)
        return RANGE_ALL;
    if ((has_first && *first >= size) || (!has_first && *last == 0) || size == 0)
        return RANGE_UNSATISFIED;
    if (!has_first) { /* the last n bytes */
        *first = *last >= size ? 0 : size - *last;
        *last = size - 1;
    } else if (!has_last || *last >= size) {
        *last = size - 1;
    }
    return RANGE_PART;
}
