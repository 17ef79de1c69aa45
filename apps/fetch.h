/*
 * fetch.h: one GET (RFC 9110) over one TLS connection, as that connection's user: by HTTP/2 where
 * the handshake settled on it, else by HTTP/1.1, as early data is always.
 *
 *     fetch_init -> client_open(..., &fetch->handler, ...) -> events -> done, closed or
 *         failed -> fetch_fini
 *
 * The request is written when TLS is ready: with TLS 1.3 it rides in the ACK of the three-way
 * handshake, as early data in the SYN. When the sink is full, nothing more is read from the
 * connection, so its window closes and the server waits.
 */
#ifndef FETCH_H
#define FETCH_H

#include <tlsyn/loop.h>
#include <tlsyn/tls.h>

#include "describe.h"
#include "sink.h"
#include "web/http_client.h"
#include "web/url.h"

#define FETCH_CHUNK 16384

struct fetch {
    struct tlsyn_handler handler;
    struct tlsyn_conn *conn; /* NULL before it opens and after it closed */
    struct tlsyn_tls *tls;   /* the caller's, set after client_open() */
    struct tlsyn_loop *loop;
    struct tlsyn_loop_watch watch; /* of a full sink */
    const char *sink_path;
    struct sink sink;
    const struct url *url;
    struct http_client_user user;
    struct http_client *client; /* NULL until it is known which protocol it is */
    struct http_head head;      /* of the response; status 0: none has come */
    bool complete;              /* all of it was decoded */
    bool early;             /* the request may go as early data; the caller's, after fetch_init() */
    char body[FETCH_CHUNK]; /* decoded, not yet in the sink */
    size_t body_start, body_end;
    bool watching;
    bool has_sink; /* the body is wanted, and the sink is open */
    bool peer_ended;
    bool done;                      /* the response is complete; or failed: see error, sentence */
    bool closed;                    /* on_closed was called */
    int error;                      /* 0, or why it failed, as a negative errno */
    char sentence[200];             /* more about an error, or "" */
    int output_error;               /* 0, or why the body could not be written: cli_output_lost() */
    tlsyn_time last;                /* when something last happened */
    struct description description; /* of the connection, taken when done or closed */
};

/** The URL must outlive it. `sink_path` as in sink_open(); it is opened when a body begins that is
 * wanted (status 2xx). */
void fetch_init(struct fetch *fetch, const struct url *url, const char *sink_path,
                struct tlsyn_loop *loop);

/** Ends what is open; an unfinished file is removed. */
void fetch_fini(struct fetch *fetch);

#endif
