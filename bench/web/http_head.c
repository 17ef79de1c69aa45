/*
 * web/http_head.c: field lines in one text.
 */
#include "web/http_head.h"

#include <errno.h>
#include <string.h>
#include <strings.h>

static int append(struct http_head *head, const char *at, size_t length)
{
    if (length >= sizeof(head->text) - head->len)
        return -EMSGSIZE;
    if (memchr(at, '\0', length))
        return -EBADMSG;
    memcpy(head->text + head->len, at, length);
    head->len += length;
    head->text[head->len] = '\0';
    return 0;
}

void http_head_clear(struct http_head *head)
{
    head->major = head->minor = 0;
    head->status = 0;
    head->length = UINT64_MAX;
    head->in_value = false;
    head->len = 0;
    head->text[0] = '\0';
}

int http_head_name(struct http_head *head, const char *at, size_t length)
{
    int error = http_head_end(head);

    return error < 0 ? error : append(head, at, length);
}

int http_head_value(struct http_head *head, const char *at, size_t length)
{
    int error = head->in_value ? 0 : append(head, ": ", 2);

    head->in_value = true;
    return error < 0 ? error : append(head, at, length);
}

int http_head_end(struct http_head *head)
{
    bool open = head->in_value;

    head->in_value = false;
    return open ? append(head, "\n", 1) : 0;
}

int http_head_field(const struct http_head *head, const char *name, char *text, size_t size)
{
    size_t length = strlen(name);

    for (const char *line = head->text; *line; line = strchr(line, '\n') + 1) {
        size_t end = strcspn(line, "\n");

        if (strncasecmp(line, name, length) == 0 && line[length] == ':') {
            size_t value = end - length - 2;

            if (value >= size)
                return -ENAMETOOLONG;
            memcpy(text, line + length + 2, value);
            text[value] = '\0';
            return 0;
        }
        if (line[end] == '\0')
            break;
    }
    return -ENODATA;
}
