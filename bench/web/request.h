/*
 * web/request.h: a request to a web server, whichever protocol brought it, every part of it
 * bounded; and what its parts mean. Read first: RFC 9110 7, 9, 14.
 */
#ifndef WEB_REQUEST_H
#define WEB_REQUEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define REQUEST_METHOD_MAX 15
#define REQUEST_TARGET_MAX 2048
#define REQUEST_HOST_MAX   255
#define REQUEST_RANGE_MAX  79

struct request {
    char method[REQUEST_METHOD_MAX + 1]; /* "GET"; "-" if it is none that we know */
    char target[REQUEST_TARGET_MAX + 1]; /* as sent */
    char host[REQUEST_HOST_MAX + 1];     /* as sent, with its port if it has one; "" absent */
    char range[REQUEST_RANGE_MAX + 1]; /* value of Range; "" if absent or too long to be sensible */
    bool has_body;
    bool expect_continue;
    uint64_t length; /* of the body, UINT64_MAX: not told */
};

/** Whether its method is the one of this name. */
bool request_is(const struct request *request, const char *method);

/** GET and HEAD, which may be done twice (RFC 9110 9.2.1). */
bool request_is_safe(const struct request *request);

/** "Not Found" and the like. */
const char *request_reason(unsigned int status);

/** The path and query of an origin-form or absolute-form target (RFC 9112 3.2), NULL if there is
 * none. */
const char *request_path_of(const char *target);

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
