/*
 * visit.h: what a visitor's files share: the visit itself (visitor.c moves it), and what is
 * answered (answer.c).
 */
#ifndef VISIT_H
#define VISIT_H

#include "visitor.h"
#include "web/server.h"

/** What all of a visitor's requests are answered with. */
extern const struct web_service_ops answer_ops;

/** One connection; owned by its visitors. */
struct visitor {
    struct tlsyn_handler handler;
    struct web_service service; /* of this connection: its requests are logged with its address */
    struct visitors *visitors;
    struct visitor *next, **link;
    struct tlsyn_conn *conn;
    struct tlsyn_tls *tls;
    struct web_server *server; /* NULL until TLS has said which protocol it is */
    enum web_phase phase;      /* what the deadline is of */
    tlsyn_time deadline;
    char in[VISIT_CHUNK];
    size_t in_start, in_end;
    char out[VISIT_CHUNK];
    size_t out_start, out_end;
    bool established;
    bool lingering;
    bool ended; /* the client sends no more */
};

/** One of its requests, and what is kept of it while it is answered. */
struct visit {
    struct web_exchange web;
    tlsyn_time began;
    int file; /* -1: none */
    uint64_t file_at;
    struct upload upload;
    struct site_body body;
};

static inline struct visitor *visit_visitor(const struct visit *visit)
{
    return (struct visitor *)((char *)visit->web.service - offsetof(struct visitor, service));
}

/** A line in the log for a request that was answered, or, with an error, broken off. */
void visitor_log(const struct visitor *v, const struct visit *visit, int error);

#endif
