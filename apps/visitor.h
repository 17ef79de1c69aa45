/*
 * visitor.h: one connection to the server: bytes between TLS and the protocol that the client
 * chose (web/server.h), for as long as the client keeps it.
 *
 *     accept -> TLS -> { bytes in, requests, responses, bytes out }* -> lingers -> on_closed: freed
 *
 * A request that came as early data is answered before on_established, if its method is safe.
 *
 * Nothing waits: a file is read as the send buffer gains room (on_acked), a body written as it
 * comes. Every phase has a deadline. One who lingers reads and forgets what still comes after the
 * last response, for a connection closed with unread text is reset, and the reset may overtake the
 * response (RFC 9112 9.6).
 */
#ifndef VISITOR_H
#define VISITOR_H

#include <tlsyn/tls.h>

#include "files.h"
#include "web/site.h"

#define VISIT_CHUNK 16384

struct visitor;

/** What all visitors share. */
struct visitors {
    struct files files;
    const struct site *site; /* what is served instead of the files; NULL: the files */
    bool upload;             /* PUT is allowed */
    uint64_t upload_max;     /* bytes of one file */
    tlsyn_time timeout;      /* of a request's header, and of any stall */
    tlsyn_time idle;         /* of a connection between requests */
    uint32_t max;            /* connections at a time */
    bool quiet;              /* no access log */
    bool stopping;           /* responses that are under way are finished, then connections close */
    struct tlsyn_tls_config *config;
    struct visitor *first;
    uint32_t count;
    uint64_t uploads;      /* numbers them */
    tlsyn_time next_sweep; /* of those whose deadline has passed */
};

/** For tlsyn_acceptor.accept: the handler for a new connection, NULL to refuse it. */
struct tlsyn_handler *visitor_accept(struct visitors *visitors, struct tlsyn_conn *conn);

/** Ends what has passed its deadline; when to call it again, at the latest. */
tlsyn_time visitors_sweep(struct visitors *visitors, tlsyn_time now);

/** Closes what is idle, and lets the rest finish its response. */
void visitors_stop(struct visitors *visitors);

#endif
