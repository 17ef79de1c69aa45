/*
 * web/service.h: what answers requests, whichever protocol brings them: the joint between a
 * connection's protocol (web/server.h) and a server's content. Read first: RFC 9110 3, 6.
 *
 *     protocol                                     service
 *     a request's header is complete, or bad  -->  open: an exchange
 *     it is a good one                        -->  head
 *     bytes of its body                       -->  take
 *     it is complete                          -->  answer: status, fields and length are set
 *     room for the response's body            -->  read
 *     it is over, or broken off               -->  end: frees the exchange
 *
 * As soon as the response has a status, in whichever call, the protocol sends it and takes no more
 * of the request.
 */
#ifndef WEB_SERVICE_H
#define WEB_SERVICE_H

#include <sys/types.h>

#include "web/request.h"

#define WEB_FIELDS_MAX 1200

struct web_response {
    int status;                  /* 0: not decided yet */
    char fields[WEB_FIELDS_MAX]; /* "Name: value\r\n" each, without Content-Length and what is the
                                    protocol's own */
    size_t fields_len;
    bool has_body;   /* false: there is none whatever its length, as to HEAD */
    uint64_t length; /* of the body */
    char text[48];   /* the body where it is a sentence, "": from `read` */
};

struct web_service;

/** One request and its response; what a service keeps of it begins with it. */
struct web_exchange {
    struct web_service *service;
    struct request request;
    struct web_response response;
    uint64_t received; /* bytes of the request's body */
};

struct web_service_ops {
    /** Memory for one, zeroes, NULL if there is none; `end` frees it. */
    struct web_exchange *(*open)(struct web_service *);
    /** Adds the fields of every response; unset: none. */
    void (*stamp)(struct web_exchange *);
    /** May refuse by the header alone; unset: never does. */
    void (*head)(struct web_exchange *);
    /** Unset: web_ignore(). */
    void (*take)(struct web_exchange *, const char *bytes, size_t n);
    void (*answer)(struct web_exchange *);
    /** Some of the next bytes of the response's body, at most n; at least 1, or -errno: the
     * promised length can't be kept. */
    ssize_t (*read)(struct web_exchange *, char *bytes, size_t n);
    /** `error`: 0, or why the response did not leave whole. */
    void (*end)(struct web_exchange *, int error);
};

struct web_service {
    const struct web_service_ops *ops;
};

/** Decides on a status and opens the response; fields follow. */
void web_respond(struct web_exchange *exchange, int status);

/** Adds a header field. One that finds no room is left out: what a service says has a bound of its
 * own. */
__attribute__((format(printf, 3, 4))) void web_field(struct web_exchange *exchange,
                                                     const char *name, const char *format, ...);

/** The response has a body of so many bytes, which `read` gives; none leave where HEAD asked. */
void web_body(struct web_exchange *exchange, const char *type, uint64_t length);

/** web_respond(), with the status's own words as the body. */
void web_say(struct web_exchange *exchange, int status);

/** Of a body that nobody wants, so much is read away, which costs little. */
#define WEB_IGNORED_MAX (1 << 20)

/** For `take`: a body that has no meaning (RFC 9110 9.3.1) is read away, up to WEB_IGNORED_MAX. */
void web_ignore(struct web_exchange *exchange);

/* --- for the protocols ------------------------------------------------------------------------ */

/** `status` is 0, or what the protocol refuses the request with; then it may have come in part
 * only. NULL: no memory. */
struct web_exchange *web_begin(struct web_service *service, const struct request *request,
                               int status);
void web_take(struct web_exchange *exchange, const char *bytes, size_t n);
void web_answer(struct web_exchange *exchange);

/** The response's body from byte `at` on, which never goes back. As `read`. */
ssize_t web_read(struct web_exchange *exchange, uint64_t at, char *bytes, size_t n);

void web_end(struct web_exchange *exchange, int error);

#endif
