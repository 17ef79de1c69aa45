/*
 * web/h1_request.c: one HTTP/1.1 request. Read first: RFC 9112 3, 6; RFC 9110 14.1.2.
 */
#include "web/h1_request.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

static struct h1_request *of_parser(http_parser *parser)
{
    return parser->data;
}

static int refuse(struct h1_request *r, int status)
{
    r->status = status;
    return -1;
}

static bool is_field(const struct h1_request *r, const char *name)
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
    struct h1_request *r = of_parser(parser);
    struct request *asked = &r->asked;

    if (length > REQUEST_TARGET_MAX - r->target_len)
        return refuse(r, 414);
    memcpy(asked->target + r->target_len, at, length);
    r->target_len += length;
    asked->target[r->target_len] = '\0';
    (void)snprintf(asked->method, sizeof(asked->method), "%s",
                   http_method_str((enum http_method)parser->method));
    return 0;
}

static int on_header_field(http_parser *parser, const char *at, size_t length)
{
    struct h1_request *r = of_parser(parser);

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

/* Adds a piece of a field's value; one that is too long is as good as none. */
static void append(char *value, size_t *len, size_t max, const char *at, size_t length)
{
    if (length <= max - *len) {
        memcpy(value + *len, at, length);
        *len += length;
        value[*len] = '\0';
    } else {
        *len = max;
        value[0] = '\0';
    }
}

static int on_header_value(http_parser *parser, const char *at, size_t length)
{
    struct h1_request *r = of_parser(parser);
    bool begins = !r->in_value;

    r->in_value = true;
    if (is_field(r, "Host")) {
        if (begins && r->has_host) /* RFC 9112 3.2: of two, others may believe the other one */
            return refuse(r, 400);
        r->has_host = true;
        append(r->asked.host, &r->host_len, REQUEST_HOST_MAX, at, length);
    }
    if (is_field(r, "Expect"))
        append(r->expect, &r->expect_len, sizeof(r->expect) - 1, at, length);
    if (is_field(r, "Range"))
        append(r->asked.range, &r->range_len, REQUEST_RANGE_MAX, at, length);
    return 0;
}

static int on_headers_complete(http_parser *parser)
{
    struct h1_request *r = of_parser(parser);

    r->asked.expect_continue = strcasecmp(r->expect, "100-continue") == 0;
    r->keep_alive = http_should_keep_alive(parser) != 0 && !parser->upgrade;
    r->asked.length = parser->content_length;
    r->asked.has_body =
        (parser->flags & F_CHUNKED) != 0 || (r->asked.length != 0 && r->asked.length != UINT64_MAX);
    /* RFC 9112 3.2: a request of version 1.1 without Host is answered with 400. */
    if (!r->has_host && parser->http_major == 1 && parser->http_minor == 1)
        return refuse(r, 400);
    if (parser->http_major != 1)
        return refuse(r, 505);
    r->outcome = H1_HEAD;
    http_parser_pause(parser, 1);
    return parser->upgrade ? 2 : 0;
}

static int on_body(http_parser *parser, const char *at, size_t length)
{
    struct h1_request *r = of_parser(parser);
    int status = r->body ? r->body(r, at, length) : 0;

    return status ? refuse(r, status) : 0;
}

static int on_message_complete(http_parser *parser)
{
    of_parser(parser)->outcome = H1_COMPLETE;
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

void h1_request_begin(struct h1_request *request)
{
    *request = (struct h1_request){.asked = {.method = "-"}};
    http_parser_init(&request->parser, HTTP_REQUEST);
    request->parser.data = request;
}

static bool reads_head(const struct h1_request *r)
{
    return r->outcome == H1_MORE;
}

enum h1_outcome h1_request_feed(struct h1_request *r, const char *bytes, size_t n, size_t *used)
{
    bool head = reads_head(r);
    enum http_errno error = HPE_OK;

    if (HTTP_PARSER_ERRNO(&r->parser) == HPE_PAUSED)
        http_parser_pause(&r->parser, 0);
    *used = http_parser_execute(&r->parser, &settings, bytes, n);
    error = HTTP_PARSER_ERRNO(&r->parser);
    if (head)
        r->head_bytes += *used;
    if (head && r->head_bytes > H1_HEAD_MAX && (error == HPE_OK || error == HPE_PAUSED)) {
        r->status = 431;
        r->outcome = H1_BAD;
    } else if (error == HPE_OK) {
        return H1_MORE;
    } else if (error != HPE_PAUSED) {
        if (r->status == 0)
            r->status = error == HPE_HEADER_OVERFLOW  ? 431
                        : error == HPE_INVALID_METHOD ? 501
                                                      : 400;
        r->outcome = H1_BAD;
    }
    return r->outcome;
}
