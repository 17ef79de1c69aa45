/*
 * peer/stream_parts.h: what a stream is, for the two files that it has: stream_open.c and stream.c.
 */
#ifndef PEER_STREAM_PARTS_H
#define PEER_STREAM_PARTS_H

#include "peer/ssl.h"
#include "peer/stream.h"

struct peer_stream {
    struct peer_context *context;
    SSL *ssl;
    int fd;
    enum peer_phase phase;
    bool wants_room;
    char name[PEER_SERVER_MAX]; /* of the server; of a client's alone */
    bool early_over;            /* a server's: no more early data comes; */
    size_t answered;            /* and so much of its answer has left */
    char first[PEER_FIRST_MAX]; /* early data: what was written, what came */
    size_t first_len, first_at; /* at: read so far */
    char error[PEER_MESSAGE_MAX];
};

#endif
