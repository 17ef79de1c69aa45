/*
 * web/h2_fields.h: requests and responses as fields of HTTP/2. Read first: RFC 9113 8.2, 8.3.
 */
#ifndef WEB_H2_FIELDS_H
#define WEB_H2_FIELDS_H

#include <nghttp2/nghttp2.h>

#include "web/service.h"

/** A request that is being read, field by field. */
struct h2_reading {
    struct request request;
    size_t octets; /* of its fields so far, as SETTINGS_MAX_HEADER_LIST_SIZE counts */
    int status;    /* 0, or what it is refused with: 400, 414, 431 */
};

void h2_reading_begin(struct h2_reading *reading);

/** Takes one field, whose name is in lower case; `max`: octets of all. */
void h2_reading_take(struct h2_reading *reading, const char *name, const char *value, size_t max);

#define H2_RESPONSE_FIELDS 24

/** A response's fields; the names and values are here. */
struct h2_fields {
    nghttp2_nv nv[H2_RESPONSE_FIELDS];
    size_t count;
    char status[4], length[24];
    uint8_t text[WEB_FIELDS_MAX];
};

void h2_fields_of(struct h2_fields *fields, const struct web_response *response);

#endif
