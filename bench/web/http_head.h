/*
 * web/http_head.h: the head of a response, of whichever version of HTTP: its status and field
 * lines, bounded. RFC 9110 5, 15.
 */
#ifndef WEB_HTTP_HEAD_H
#define WEB_HTTP_HEAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define HTTP_HEAD_MAX    32768
#define HTTP_INTERIM_MAX 8 /* responses of 1xx before the final one (RFC 9110 15.2) */

struct http_head {
    unsigned major, minor; /* of HTTP */
    int status;
    uint64_t length; /* of the content, UINT64_MAX: not told */
    bool in_value;   /* the last that was added is a part of a field's value */
    size_t len;
    char text[HTTP_HEAD_MAX]; /* "name: value\n" each */
};

void http_head_clear(struct http_head *head);

/** The pieces of a field's name, then those of its value, as they come. 0; -EMSGSIZE: too long;
 * -EBADMSG: an octet that no field may contain (RFC 9110 5.5). */
int http_head_name(struct http_head *head, const char *at, size_t length);
int http_head_value(struct http_head *head, const char *at, size_t length);

/** After the last field. 0 or -EMSGSIZE. */
int http_head_end(struct http_head *head);

/** The value of the first field of this name, into `text`. 0, -ENODATA, -ENAMETOOLONG. */
int http_head_field(const struct http_head *head, const char *name, char *text, size_t size);

#endif
