/*
 * peer/stream.h: a stock connection for who has many at once: a non-blocking socket, and OpenSSL
 * on it.
 *
 *     peer_stream_connect -> peer_stream_go_on until it is up -> read, write -> peer_stream_free
 *     peer_stream_accept  ->
 *
 * A client's connections share the sessions of their context, by the servers' names: each resumes
 * the newest that there is once TCP's handshake is over. One of TLS 1.3 is good once (RFC 8446
 * C.4).
 *
 * With PEER_EARLY contexts, and a session that allows it, TLS waits for the client's first write,
 * which leaves behind the ClientHello (RFC 8446 2.3). The server can read and answer it at once. If
 * it was not taken it is sent again when the handshake is over.
 */
#ifndef PEER_STREAM_H
#define PEER_STREAM_H

#include "peer/context.h"

#include <netinet/in.h>
#include <stdbool.h>
#include <sys/types.h>

struct peer_stream;

enum peer_phase {
    PEER_CONNECTING,
    PEER_HANDSHAKING,
    PEER_UP_EARLY, /* a client's: what it writes leaves as early data; a server's: such data came */
    PEER_UP
};

/** What a client can write early, and a server takes of it. */
#define PEER_FIRST_MAX 4096

/** Begins to connect. 0 or -errno. */
int peer_stream_connect(struct peer_context *context, const struct sockaddr_in *to,
                        const char *name, struct peer_stream **stream);

/** Takes one from a listener. 0; -EAGAIN: none waits; -errno. */
int peer_stream_accept(struct peer_context *context, int listener, struct peer_stream **stream);

/** A non-blocking socket that listens. The descriptor or -errno. */
int peer_stream_listen(const struct sockaddr_in *here);

/** To be polled: always for reading, but while it connects, */
int peer_stream_fd(const struct peer_stream *stream);
/** and for writing while this is so. */
bool peer_stream_wants_room(const struct peer_stream *stream);

/** Of the server that a client asked for. */
const char *peer_stream_name(const struct peer_stream *stream);

enum peer_phase peer_stream_phase(const struct peer_stream *stream);

/** As far as it goes without waiting. 0 or -errno; then peer_stream_error() has a sentence. */
int peer_stream_go_on(struct peer_stream *stream);

/** Of one that is up, or early. The count; 0 of reading: the other side has ended; -EAGAIN: not
 * now; -errno, and a sentence. */
ssize_t peer_stream_read(struct peer_stream *stream, void *bytes, size_t n);
ssize_t peer_stream_write(struct peer_stream *stream, const void *bytes, size_t n);

/** Whether this protocol was agreed on by ALPN; for early data, when its session began. */
bool peer_stream_speaks(const struct peer_stream *stream, const char *protocol);

bool peer_stream_resumed(const struct peer_stream *stream);

const char *peer_stream_error(const struct peer_stream *stream);

/** What is written waits until it is released: one flight, though OpenSSL writes each ticket by
 * itself, and sixteen of them would fill the initial window (RFC 6928). */
void peer_stream_hold(struct peer_stream *stream);
void peer_stream_release(struct peer_stream *stream);

/** Nothing more leaves, but what was written does; the other side's end is still to be read. */
void peer_stream_end(struct peer_stream *stream);

/** Resets what there is. NULL is allowed. */
void peer_stream_free(struct peer_stream *stream);

#endif
