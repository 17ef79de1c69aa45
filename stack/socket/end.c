/*
 * socket/end.c: how a stream socket's connection ends, and what is left of it.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "socket/port.h"
#include "socket/stream.h"

/* The sentence outlives its session. */
static void keep_sentence(struct stream *stream)
{
    const char *sentence = stream->session_ops->error(stream->session);

    free(stream->sentence);
    stream->sentence = *sentence ? strdup(sentence) : NULL;
}

/* Linux's tcp_reset() and tcp_done(): both directions are over, and an error is told once. */
void stream_ended(struct sock *sock, int error)
{
    struct stream *stream = &sock->stream;

    if (error == -ECONNRESET && sock->shut & SOCK_SHUT_RD)
        error = -EPIPE;
    if (error == -EAGAIN) /* that has another meaning here */
        error = -ETIMEDOUT;
    stream->conn = NULL;
    stream->done |= error == 0;
    sock->shut = SOCK_SHUT_BOTH;
    port_end(sock);
    sock_fail(sock, error);
    if (stream->session) {
        keep_sentence(stream);
        stream->session_ops->abort(stream->session);
        stream->session = NULL;
    }
}

void stream_abort(struct sock *sock, int error)
{
    struct stream *stream = &sock->stream;

    if (stream->session)
        stream_ended(sock, error);
    else if (stream->conn)
        tlsyn_conn_abort(stream->conn, error);
}
