/*
 * request.c: one HTTP/1.1 request. Read first: RFC 9112 3, 6; RFC 9110 14.1.2.
 */
#include "request.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static struct request *of_parser(http_parser *parser)
{
    return parser->data;
}

static int refuse(struct request *r, int status)
{
    r->status = status;
    return -1;
}

static bool is_field(const struct request *r, const char *name)
{
    return r->field_len == strlen(name) && strncasecmp(r->field, name, r->field_len) == 0;
}

/* --- parser events ---------------------------------------------------------------------------- */

static int on_message_begin(http_parser *parser)
{
    of_parser(parser)->begun = true;
    return 0;
}

static int on_url(http_parser *parser, const char *at, size_t length)
{
    struct request *r = of_parser(parser);

    if (length > REQUEST_TARGET_MAX - r->target_len)
        return refuse(r, 414);
    memcpy(r->target + r->target_len, at, length);
    r->target_len += length;
    r->target[r->target_len] = '\0';
    return 0;
}

static int on_header_field(http_parser *parser, const char *at, size_t length)
{
    struct request *r = of_parser(parser);

    if (r->in_value)
        r->field_len = 0;
    r->in_value = false;
    for (size_t i = 0; i < length;
         i++, r->field_len++) { /* a longer name is none of those we know */
        if (r->field_len < sizeof(r->field))
            r->field[r->field_len] = at[i];
    }
    return 0;
}

static int on_header_value(http_parser *parser, const char *at, size_t length)
{
    struct request *r = of_parser(parser);

    r->in_value = true;
    if (is_field(r, "Host"))
        r->has_host = true;
    if (is_field(r, "Expect") && length == 12 && strncasecmp(at, "100-continue", 12) == 0)
        r->expect_continue = true;
    if (is_field(r, "Range")) {
        if (length < sizeof(r->range) - r->range_len) {
            memcpy(r->range + r->range_len, at, length);
            r->range[r->range_len + length] = '\0';
        } else {
            r->range[0] = '\0';
        }
        r->range_len += length < sizeof(r->range) - r->range_len ? length : 0;
    }
    return 0;
}

static int on_headers_complete(http_parser *parser)
{
    struct request *r = of_parser(parser);

    r->keep_alive = http_should_keep_alive(parser) != 0 && !parser->upgrade;
    r->length = parser->content_length;
    r->has_body = (parser->flags & F_CHUNKED) != 0 || (r->length != 0 && r->length != UINT64_MAX);
    /* RFC 9112 3.2: a request of version 1.1 without Host is answered with 400. */
    if (!r->has_host && parser->http_major == 1 && parser->http_minor == 1)
        return refuse(r, 400);
    if (parser->http_major != 1)
        return refuse(r, 505);
    r->outcome = REQUEST_HEAD;
    http_parser_pause(parser, 1);
    return parser->upgrade ? 2 : 0;
}

static int on_body(http_parser *parser, const char *at, size_t length)
{
    struct request *r = of_parser(parser);
    int status = r->body ? r->body(r, at, length) : 0;

    return status ? refuse(r, status) : 0;
}

static int on_message_complete(http_parser *parser)
{
    of_parser(parser)->outcome = REQUEST_COMPLETE;
    http_parser_pause(parser, 1);
    return 0;
}

static const http_parser_settings settings = {
    .on_message_begin = on_message_begin,
    .on_url = on_url,
    .on_header_field = on_header_field,
    .on_header_value = on_header_value,
    .on_headers_complete = on_headers_complete,
    .on_body = on_body,
    .on_message_complete = on_message_complete,
};

/* --- reading ---------------------------------------------------------------------------------- */

void request_begin(struct request *request)
{
    *request = (struct request){.body = NULL};
    http_parser_init(&request->parser, HTTP_REQUEST);
    request->parser.data = request;
}

static bool reads_head(const struct request *r)
{
    return r->outcome == REQUEST_MORE;
}

enum request_outcome request_feed(struct request *r, const char *bytes, size_t n, size_t *used)
{
    bool head = reads_head(r);
    enum http_errno error = HPE_OK;

    if (HTTP_PARSER_ERRNO(&r->parser) == HPE_PAUSED)
        http_parser_pause(&r->parser, 0);
    *used = http_parser_execute(&r->parser, &settings, bytes, n);
    error = HTTP_PARSER_ERRNO(&r->parser);
    if (head)
        r->head_bytes += *used;
    if (head && r->head_bytes > REQUEST_HEAD_MAX && (error == HPE_OK || error == HPE_PAUSED)) {
        r->status = 431;
        r->outcome = REQUEST_BAD;
    } else if (error == HPE_OK) {
        return REQUEST_MORE;
    } else if (error != HPE_PAUSED) {
        if (r->status == 0)
            r->status = error == HPE_HEADER_OVERFLOW  ? 431
                        : error == HPE_INVALID_METHOD ? 501
                                                      : 400;
        r->outcome = REQUEST_BAD;
    }
    return r->outcome;
}

/* RFC 8470 5.2 is younger than http_parser. */
const char *request_reason(unsigned int status)
{
    return status == 425 ? "Too Early" : http_status_str((enum http_status)status);
}

const char *request_method(const struct request *request)
{
    /* The parser has guessed by the first letters. */
    if (HTTP_PARSER_ERRNO(&request->parser) == HPE_INVALID_METHOD)
        return "-";
    return http_method_str((enum http_method)request->parser.method);
}

/* --- what it asks for ------------------------------------------------------------------------- */

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

/* The path of an origin-form or absolute-form target (RFC 9112 3.2), NULL if there is none. */
static const char *path_of(const char *target)
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
    const char *p = path_of(target);
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
