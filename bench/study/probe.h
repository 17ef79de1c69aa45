/*
 * study/probe.h: one round trip of our stack's, timed: a ping, or TCP's three-way handshake.
 *
 *     probe_init -> { probe_start -> turns of the node's loop, until probe.done -> probe_finish }*
 */
#ifndef STUDY_PROBE_H
#define STUDY_PROBE_H

#include <tlsyn/conn.h>

#include "study/names.h"
#include "study/node.h"

struct probe {
    bool done;
    /* private */
    struct tlsyn_handler plain; /* of a connection without TLS */
    struct tlsyn_ping_handler echo;
    struct node *node;
    struct tlsyn_addr server;
    struct tlsyn_conn *conn; /* while it lives */
    uint16_t sequence;
    double started_us, us;
    int error;
};

/** From this node, which outlives the probe, to a server's address. */
void probe_init(struct probe *probe, struct node *node, const char *server);

/** Sends an echo request with 56 bytes of payload, or opens a connection. */
void probe_start(struct probe *probe, enum study_probe kind);

/** Ends it, done or not: a connection is reset. How long it took: 0, or -errno; -ETIMEDOUT: it is
 * not done. */
int probe_finish(struct probe *probe, double *us);

#endif
