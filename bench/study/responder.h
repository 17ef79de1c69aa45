/*
 * study/responder.h: the server on our stack: a port per suite and kind of session; the first bytes
 * of a request, early or not, get a short response.
 */
#ifndef STUDY_RESPONDER_H
#define STUDY_RESPONDER_H

#include "study/credentials.h"
#include "study/node.h"

struct responder;

struct responder_options {
    const struct credentials *credentials;
    enum tlsyn_level level; /* of embedded opens: what the listeners admit */
    unsigned sessions;      /* a bit per enum study_session: what is served */
    tlsyn_time pad; /* each handshake stands still so long before the ClientHello is read; 0: not */
};

/** Listens on the node, which must outlive it. 0, or -errno with a sentence of at most
 * TLSYN_TLS_MESSAGE bytes. */
int responder_open(struct node *node, const struct responder_options *options,
                   struct responder **responder, char *message);

/** After the node's stack was freed, which ends the connections. NULL is allowed. */
void responder_free(struct responder *responder);

#endif
