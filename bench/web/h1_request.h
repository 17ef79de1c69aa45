/*
 * web/h1_request.h: one HTTP/1.1 request (RFC 9112) read from a stream in pieces, every part of it
 * bounded.
 *
 *     h1_request_begin -> { h1_request_feed }* -> H1_HEAD -> { h1_request_feed }* -> H1_COMPLETE
 *         -> h1_request_begin ...
 *
 * Pipelined requests: what h1_request_feed() did not use belongs to the next one.
 */
#ifndef WEB_H1_REQUEST_H
#define WEB_H1_REQUEST_H

#include <http_parser.h>

#include "web/request.h"

#define H1_HEAD_MAX 16384

enum h1_outcome {
    H1_MORE,     /* all was used; more is needed */
    H1_HEAD,     /* the header is complete: decide what to do with the body */
    H1_COMPLETE, /* all of it has come */
    H1_BAD,      /* answer with request->status and close */
};

struct h1_request {
    struct request asked;
    http_parser parser;
    enum h1_outcome outcome;
    bool begun; /* a byte of it has come */
    int status; /* of H1_BAD: an HTTP status */
    size_t head_bytes;
    size_t target_len, host_len, range_len;
    char field[16]; /* name of the field that is being read, cut off */
    size_t field_len;
    char expect[16]; /* value of Expect; "" if too long to be one that we know */
    size_t expect_len;
    bool in_value;
    bool has_host;
    bool keep_alive;
    /** Gets the body's bytes, between H1_HEAD and H1_COMPLETE; an HTTP status to refuse
     * with, or 0. NULL: they are thrown away. */
    int (*body)(struct h1_request *, const char *bytes, size_t n);
};

void h1_request_begin(struct h1_request *request);

/** Takes some of n bytes; *used says how many. n 0 is the end of the stream. */
enum h1_outcome h1_request_feed(struct h1_request *request, const char *bytes, size_t n,
                                size_t *used);

#endif
