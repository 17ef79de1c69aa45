/*
 * web/h1_response.c: libhttp-parser's events, kept. The parser is paused behind each response: what
 * follows is another's.
 */
#include "web/h1_response.h"

#include <errno.h>
#include <stdio.h>

static struct h1_response *of(http_parser *parser)
{
    return parser->data;
}

static void explain(struct h1_response *r, const char *sentence)
{
    (void)snprintf(r->sentence, sizeof(r->sentence), "%s", sentence);
}

/* What http_parser's callbacks return. */
static int keep(struct h1_response *r, int error)
{
    if (error < 0 && r->error == 0)
        r->error = error;
    return error < 0 ? -1 : 0;
}

/* Of http_head's calls. */
static int keep_head(struct h1_response *r, int error)
{
    if (error == -EMSGSIZE && r->error == 0)
        (void)snprintf(r->sentence, sizeof(r->sentence),
                       "the header of the server's answer is longer than %d bytes", HTTP_HEAD_MAX);
    if (error == -EBADMSG && r->error == 0)
        explain(r, "the header of the server's answer has an octet that is no text");
    return keep(r, error);
}

static bool is_interim(const http_parser *parser)
{
    return parser->status_code / 100 == 1;
}

static int on_message_begin(http_parser *parser)
{
    http_head_clear(&of(parser)->head);
    return 0;
}

static int on_field(http_parser *parser, const char *at, size_t length)
{
    struct http_head *head = &of(parser)->head;

    return keep_head(of(parser), http_head_name(head, at, length));
}

static int on_value(http_parser *parser, const char *at, size_t length)
{
    return keep_head(of(parser), http_head_value(&of(parser)->head, at, length));
}

/* RFC 9112 6.3: whatever its fields say. */
static bool has_no_body(const http_parser *parser)
{
    return parser->status_code == 204 || parser->status_code == 304;
}

/* 1: no body follows. */
static int on_headers_complete(http_parser *parser)
{
    struct h1_response *r = of(parser);

    if (keep_head(r, http_head_end(&r->head)) < 0)
        return -1;
    if (is_interim(parser) && ++r->interim > HTTP_INTERIM_MAX) {
        explain(r, "the server's answer does not begin");
        return keep(r, -EBADMSG);
    }
    if (is_interim(parser))
        return 1;
    r->head.major = parser->http_major;
    r->head.minor = parser->http_minor;
    r->head.status = (int)parser->status_code;
    r->head.length = parser->content_length;
    return keep(r, r->events->on_head(r)) < 0 ? -1 : has_no_body(parser);
}

static int on_body(http_parser *parser, const char *at, size_t length)
{
    struct h1_response *r = of(parser);

    return keep(r, r->events->on_body(r, at, length));
}

static int on_message_complete(http_parser *parser)
{
    struct h1_response *r = of(parser);

    if (is_interim(parser))
        return 0;
    r->complete = true;
    r->keeps = http_should_keep_alive(parser) != 0;
    http_parser_pause(parser, 1);
    return 0;
}

static const http_parser_settings settings = {
    .on_message_begin = on_message_begin,
    .on_header_field = on_field,
    .on_header_value = on_value,
    .on_headers_complete = on_headers_complete,
    .on_body = on_body,
    .on_message_complete = on_message_complete,
};

void h1_response_init(struct h1_response *response, const struct h1_response_events *events)
{
    response->events = events;
    response->interim = 0;
    response->complete = response->keeps = false;
    response->error = 0;
    response->sentence[0] = '\0';
    http_head_clear(&response->head);
    http_parser_init(&response->parser, HTTP_RESPONSE);
    response->parser.data = response;
}

ssize_t h1_response_take(struct h1_response *response, const char *bytes, size_t n)
{
    size_t taken = 0;
    enum http_errno error;

    if (response->error < 0 || response->complete)
        return response->error;
    taken = http_parser_execute(&response->parser, &settings, bytes, n);
    error = HTTP_PARSER_ERRNO(&response->parser);
    if (response->error == 0 && response->parser.upgrade) {
        response->error = -EBADMSG;
        explain(response, "the server wants to change to a protocol that nobody asked for");
    }
    if (response->error == 0 && error != HPE_OK && error != HPE_PAUSED) {
        response->error = -EBADMSG;
        (void)snprintf(response->sentence, sizeof(response->sentence),
                       "the server's answer is no valid HTTP: %s", http_errno_description(error));
    }
    return response->error < 0 ? response->error : (ssize_t)taken;
}

/* RFC 9112 6.3: a response without a length ends with the connection. */
int h1_response_end(struct h1_response *response)
{
    if (!response->complete && response->error == 0)
        (void)h1_response_take(response, NULL, 0);
    if (response->complete)
        return 0;
    if (response->error == 0 || HTTP_PARSER_ERRNO(&response->parser) == HPE_INVALID_EOF_STATE) {
        response->error = -ECONNRESET;
        explain(response, "the server closed the connection before the answer was complete");
    }
    return response->error;
}
