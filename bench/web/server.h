/*
 * web/server.h: the server's side of one connection, whichever protocol it speaks: bytes in, bytes
 * out; no clock, no socket.
 *
 *     h1_server_new, h2_server_new -> { web_server_input, web_server_output }* -> web_server_free
 *
 * Who has the connection hands in what came, takes out what is to leave as long as there is
 * something, and closes after the last of it once the phase is WEB_ENDED. He has the clock, too:
 * WEB_READING has one deadline, WEB_RECEIVING and WEB_SENDING one that moves with `progress`,
 * WEB_IDLE another. What passes it is stopped, or simply freed.
 */
#ifndef WEB_SERVER_H
#define WEB_SERVER_H

#include "web/service.h"

enum web_phase {
    WEB_IDLE,      /* between requests */
    WEB_READING,   /* a request's header has begun */
    WEB_RECEIVING, /* a request's body is coming */
    WEB_SENDING,   /* a response is leaving */
    WEB_ENDED,     /* what output gives is the last; input is read away */
};

struct web_server;

struct web_server_ops {
    size_t (*input)(struct web_server *, const char *bytes, size_t n);
    ssize_t (*output)(struct web_server *, char *bytes, size_t n);
    enum web_phase (*phase)(const struct web_server *);
    void (*stop)(struct web_server *, bool at_once);
    const struct request *(*reading)(const struct web_server *);
    void (*free)(struct web_server *, int error);
};

struct web_server {
    const struct web_server_ops *ops;
    uint64_t progress; /* bytes of bodies that came and left */
};

/** Takes some of n bytes, and says how many: less than all, or none, when something is to leave
 * first. */
static inline size_t web_server_input(struct web_server *server, const char *bytes, size_t n)
{
    return server->ops->input(server, bytes, n);
}

/** Some of the bytes that are to leave, at most n. 0: none now. -errno: the connection can't go on,
 * and is to be aborted. */
static inline ssize_t web_server_output(struct web_server *server, char *bytes, size_t n)
{
    return server->ops->output(server, bytes, n);
}

static inline enum web_phase web_server_phase(const struct web_server *server)
{
    return server->ops->phase(server);
}

/** Takes no more requests; what is under way is finished, unless `at_once`: then one that is being
 * read is answered with 408. */
static inline void web_server_stop(struct web_server *server, bool at_once)
{
    server->ops->stop(server, at_once);
}

/** The request whose header is being read, NULL if there is none. */
static inline const struct request *web_server_reading(const struct web_server *server)
{
    return server->ops->reading(server);
}

/** Exchanges that are under way end with `error`. */
static inline void web_server_free(struct web_server *server, int error)
{
    server->ops->free(server, error);
}

#endif
