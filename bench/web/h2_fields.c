/*
 * web/h2_fields.c: requests and responses as fields of HTTP/2.
 */
#include "web/h2_fields.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- requests --------------------------------------------------------------------------------- */

void h2_reading_begin(struct h2_reading *reading)
{
    *reading = (struct h2_reading){.request = {.method = "-", .length = UINT64_MAX}};
}

/* A value that is too long for its place leaves it empty: false. */
static bool keep(char *place, size_t size, const char *value)
{
    bool fits = strlen(value) < size;

    (void)snprintf(place, size, "%s", fits ? value : "");
    return fits;
}

void h2_reading_take(struct h2_reading *reading, const char *name, const char *value, size_t max)
{
    struct request *r = &reading->request;

    reading->octets += strlen(name) + strlen(value) + 32; /* RFC 9113 6.5.2 */
    if (reading->octets > max) {
        reading->status = 431;
    } else if (strcmp(name, ":method") == 0) {
        if (!keep(r->method, sizeof(r->method), value))
            (void)snprintf(r->method, sizeof(r->method), "-");
    } else if (strcmp(name, ":path") == 0) {
        if (!keep(r->target, sizeof(r->target), value))
            reading->status = 414;
    } else if (strcmp(name, ":authority") == 0 || (strcmp(name, "host") == 0 && !r->host[0])) {
        if (!keep(r->host, sizeof(r->host), value))
            reading->status = 400;
    } else if (strcmp(name, "range") == 0) {
        (void)keep(r->range, sizeof(r->range), value);
    } else if (strcmp(name, "expect") == 0) {
        r->expect_continue = strcasecmp(value, "100-continue") == 0;
    } else if (strcmp(name, "content-length") == 0) {
        r->length = strtoull(value, NULL, 10); /* nghttp2 has seen to it that it is a number */
    }
}

/* --- responses -------------------------------------------------------------------------------- */

static void add(struct h2_fields *f, uint8_t *name, size_t name_len, uint8_t *value,
                size_t value_len)
{
    if (f->count == H2_RESPONSE_FIELDS)
        return;
    f->nv[f->count++] =
        (nghttp2_nv){.name = name, .namelen = name_len, .value = value, .valuelen = value_len};
}

/* Pseudo-fields come first, names are in lower case (RFC 9113 8.2.1, 8.3). */
void h2_fields_of(struct h2_fields *fields, const struct web_response *response)
{
    static uint8_t status[] = ":status";
    static uint8_t length[] = "content-length";
    uint8_t *at = fields->text;

    fields->count = 0;
    (void)snprintf(fields->status, sizeof(fields->status), "%d", response->status);
    add(fields, status, sizeof(status) - 1, (uint8_t *)fields->status, strlen(fields->status));
    memcpy(fields->text, response->fields, response->fields_len + 1);
    while (*at) { /* "Name: value\r\n" */
        size_t name_len = strcspn((char *)at, ":");
        uint8_t *value = at + name_len + 2;
        size_t value_len = strcspn((char *)value, "\r");

        for (size_t i = 0; i < name_len; i++)
            at[i] = (uint8_t)tolower(at[i]);
        add(fields, at, name_len, value, value_len);
        at = value + value_len + 2;
    }
    if (response->status == 204) /* RFC 9110 8.6 */
        return;
    (void)snprintf(fields->length, sizeof(fields->length), "%llu",
                   (unsigned long long)response->length);
    add(fields, length, sizeof(length) - 1, (uint8_t *)fields->length, strlen(fields->length));
}
