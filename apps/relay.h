/*
 * relay.h: the standard input into a TLS connection, and what it brings to the standard output: the
 * user of `connect`.
 *
 * Neither direction runs ahead: input is read only when all that was read before is in the send
 * buffer, and the connection only when all that came before is written. The end of the input closes
 * our direction (close_notify, FIN); the other goes on until the peer closes too.
 */
#ifndef RELAY_H
#define RELAY_H

#include <tlsyn/loop.h>
#include <tlsyn/tls.h>

#include "describe.h"
#include "sink.h"

#define RELAY_CHUNK 16384

struct relay {
    struct tlsyn_handler handler;
    struct tlsyn_loop *loop;
    struct tlsyn_conn *conn; /* NULL before it opens and after it closed */
    struct tlsyn_tls *tls;   /* the caller's, set after client_open() */
    struct tlsyn_loop_watch input_watch, output_watch;
    bool watching_input, watching_output;
    struct sink output;
    char in[RELAY_CHUNK], out[RELAY_CHUNK];
    size_t in_start, in_end, out_start, out_end;
    bool relays; /* input and output are connected; else the bytes wait */
    bool established;
    bool has_read;    /* some of the input */
    bool input_ended; /* close_notify was sent */
    bool peer_ended;
    bool truncated; /* it ended without close_notify */
    bool closed;
    /* 0, or why the connection failed, or the output (then the connection was aborted) */
    int error;
    tlsyn_time last; /* when something last happened */
    struct description description;
};

void relay_init(struct relay *relay, struct tlsyn_loop *loop);

/** Connects the standard input and output; once established. */
void relay_start(struct relay *relay);

/** Our direction ends. */
void relay_close(struct relay *relay);

void relay_fini(struct relay *relay);

#endif
