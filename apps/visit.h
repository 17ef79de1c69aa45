/*
 * visit.h: what a visitor's files share: the visit itself (visitor.c moves it), and what is
 * answered (answer.c).
 */
#ifndef VISIT_H
#define VISIT_H

#include "visitor.h"

#define VISIT_CHUNK 16384

enum visitor_state { READING, RECEIVING, SENDING, LINGERING };

/** One connection; owned by its visitors. */
struct visitor {
    struct tlsyn_handler handler;
    struct visitors *visitors;
    struct visitor *next, **link;
    struct tlsyn_conn *conn;
    struct tlsyn_tls *tls;
    enum visitor_state state;
    tlsyn_time deadline;
    struct request request;
    char in[VISIT_CHUNK];
    size_t in_start, in_end;
    char out[2048]; /* response header, and a body of ours */
    size_t out_start, out_end;
    int file; /* -1: none */
    uint64_t file_at, file_left;
    struct upload upload;
    bool established;
    bool close_after; /* this response is the last */
    bool ended;       /* the client sends no more */
    int status;       /* of the response */
    uint64_t body;    /* bytes of the response's body */
    tlsyn_time began; /* the request's first byte */
};

/** Acts on what request_feed() said: the response, or its beginning, is in `out` and `file`, or the
 * state is RECEIVING. */
void answer_outcome(struct visitor *v, enum request_outcome outcome);

/** Answers with an error, `field` being a header line with its CRLF or "", and makes it the
 * last response. */
void answer_refuse(struct visitor *v, int status, const char *field);

#endif
