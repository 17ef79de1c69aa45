/*
 * web/h1_response.h: one response of HTTP/1.1 as its bytes come. RFC 9112.
 */
#ifndef WEB_H1_RESPONSE_H
#define WEB_H1_RESPONSE_H

#include <http_parser.h>
#include <sys/types.h>

#include "web/http_head.h"

#define H1_SENTENCE_MAX 200

struct h1_response;

/** Each 0, or -errno, which ends the response. */
struct h1_response_events {
    int (*on_head)(struct h1_response *); /* not of interim responses (RFC 9110 15.2) */
    int (*on_body)(struct h1_response *, const char *bytes, size_t n); /* without its coding */
};

struct h1_response {
    const struct h1_response_events *events;
    http_parser parser;
    struct http_head head;
    unsigned interim; /* responses before it */
    bool complete;
    bool keeps; /* once complete: the connection is good for another */
    int error;
    char sentence[H1_SENTENCE_MAX]; /* about an error that no event returned */
};

/** Awaits a response; what there was before is forgotten. */
void h1_response_init(struct h1_response *response, const struct h1_response_events *events);

/** Takes bytes: how many belonged to the response, all of them unless it is complete now. -EBADMSG,
 * -EMSGSIZE with a sentence, or what an event returned: no more can be taken. */
ssize_t h1_response_take(struct h1_response *response, const char *bytes, size_t n);

/** The peer's stream has ended. 0: the response is complete by that; -ECONNRESET: it is cut off;
 * or what h1_response_take() said before. */
int h1_response_end(struct h1_response *response);

#endif
