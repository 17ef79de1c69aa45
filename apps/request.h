/*
 * request.h: one HTTP/1.1 request (RFC 9112) read from a stream in pieces, every part of it
 * bounded.
 *
 *     request_begin -> { request_feed }* -> REQUEST_HEAD -> { request_feed }* -> REQUEST_COMPLETE
 *         -> request_begin ...
 *
 * Pipelined requests: what request_feed() did not use belongs to the next one.
 */
#ifndef REQUEST_H
#define REQUEST_H

#include <http_parser.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define REQUEST_TARGET_MAX 2048
#define REQUEST_HEAD_MAX   16384

enum request_outcome {
    REQUEST_MORE,     /* all was used; more is needed */
    REQUEST_HEAD,     /* the header is complete: decide what to do with the body */
    REQUEST_COMPLETE, /* all of it has come */
    REQUEST_BAD,      /* answer with request->status and close */
};

struct request {
    http_parser parser;
    enum request_outcome outcome;
    bool begun; /* a byte of it has come */
    int status; /* of REQUEST_BAD: an HTTP status */
    size_t head_bytes;
    size_t target_len;
    char target[REQUEST_TARGET_MAX + 1]; /* as sent */
    char field[16];                      /* name of the field that is being read, cut off */
    size_t field_len;
    bool in_value;
    char range[80]; /* value of Range; "" if absent or too long to be sensible */
    size_t range_len;
    bool expect_continue;
    bool has_host;
    bool has_body;
    uint64_t length; /* Content-Length, UINT64_MAX: chunked */
    bool keep_alive;
    /** Gets the body's bytes, between REQUEST_HEAD and REQUEST_COMPLETE; an HTTP status to refuse
     * with, or 0. NULL: they are thrown away. */
    int (*body)(struct request *, const char *bytes, size_t n);
};

void request_begin(struct request *request);

/** Takes some of n bytes; *used says how many. n 0 is the end of the stream. */
enum request_outcome request_feed(struct request *request, const char *bytes, size_t n,
                                  size_t *used);

/** "Not Found" and the like. */
const char *request_reason(unsigned int status);

/** "GET" and the like, "-" if it is none that we know. */
const char *request_method(const struct request *request);

/**
 * The file that a target names, relative to the document root, without a leading slash ("." for the
 * root), percent-decoded. *directory says whether it ended with a slash. 0, or the HTTP status to
 * refuse with: 400.
 */
int request_path(const char *target, char *path, size_t size, bool *directory);

enum request_range {
    RANGE_ALL,         /* none asked for, or one that may be ignored (RFC 9110 14.2) */
    RANGE_PART,        /* *first .. *last of the file */
    RANGE_UNSATISFIED, /* 416 */
};

/** What the Range field means for a file of this size. */
enum request_range request_range(const char *value, uint64_t size, uint64_t *first, uint64_t *last);

#endif
