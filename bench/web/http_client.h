/*
 * web/http_client.h: a client of HTTP on one connection, of whichever version: requests in, bytes
 * for the server out; bytes of the server's in, responses out. RFC 9110.
 *
 *     h1_client_new, h2_client_new
 *         -> { ask -> pending, sent -> take -> on_head, on_body..., on_done }* -> free
 *
 * Requests are GETs, and have numbers of the user's own. Events come from within take() and
 * ended(); in them a new request may be made, but the client not be freed.
 */
#ifndef WEB_HTTP_CLIENT_H
#define WEB_HTTP_CLIENT_H

#include "web/http_head.h"

struct http_request {
    const char *authority; /* "www.page.test", as in Host and :authority */
    const char *target;    /* "/index.html?x" */
    bool last;             /* none will follow: the server may close behind the response */
};

struct http_client_user {
    const struct http_client_events *events;
};

struct http_client_events {
    /** The final head; good during the call. */
    void (*on_head)(struct http_client_user *, int request, const struct http_head *head);
    /** Content, without transfer coding. */
    void (*on_body)(struct http_client_user *, int request, const char *bytes, size_t n);
    /** The response is complete (error 0), or will never be (-errno, and a sentence that says why).
     * -EAGAIN: the server has not processed the request, so it may be sent again. */
    void (*on_done)(struct http_client_user *, int request, int error, const char *sentence);
};

struct http_client {
    const struct http_client_ops *ops;
};

struct http_client_ops {
    /** 0; -EAGAIN: room() is 0; -EMSGSIZE, -ENOMEM. */
    int (*ask)(struct http_client *, int request, const struct http_request *);
    /** How many requests may be begun now: 0 or 1 of HTTP/1.1, more of HTTP/2; negative: the
     * connection is good for none any more. */
    int (*room)(const struct http_client *);
    /** What is to be sent next, good until the next call; its length, 0: nothing. */
    size_t (*pending)(struct http_client *, const char **bytes);
    /** So much of it is on its way. */
    void (*sent)(struct http_client *, size_t n);
    /** Bytes of the server's. 0; -errno: the connection is of no use any more, and whatever was
     * under way was told so by on_done. */
    int (*take)(struct http_client *, const char *bytes, size_t n);
    /** The server's stream has ended (0), or the connection has failed (-errno, and why). */
    void (*ended)(struct http_client *, int error, const char *sentence);
    void (*free)(struct http_client *);
};

/** Persistent, one request at a time, no pipelining. The user outlives it. -ENOMEM. */
int h1_client_new(struct http_client_user *user, struct http_client **client);

/** HTTP/2 (RFC 9113), many requests side by side. The user outlives it. -ENOMEM. */
int h2_client_new(struct http_client_user *user, struct http_client **client);

#endif
