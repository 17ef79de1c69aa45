/*
 * study/opener.h: the client on our stack: one timed handshake and exchange at a time.
 *
 *     opener_start -> turns of the node's loop, until *opener_done() -> opener_finish
 */
#ifndef STUDY_OPENER_H
#define STUDY_OPENER_H

#include "study/credentials.h"
#include "study/node.h"

enum { STUDY_REASON_MAX = 160 };

/** What to do, on either stack. */
struct study_order {
    struct study_way way;
    /* "": none; else a pcapng file of this connection, which is closed in order (tlsyn only) */
    char capture[512];
};

/** What came of it. Times are microseconds from the open call. */
struct study_outcome {
    /* 0, or -errno and a reason; then the times mean nothing. -ENOTSUP: all went well, but not in
     * the way that was asked for (not embedded, not resumed). */
    int error;
    double handshake_us, first_byte_us;
    uint32_t syn_text, syn_text_acked, synack_text;
    bool cookie_used;
    enum tlsyn_tls_session session;
    enum tlsyn_tls_early early;
    char version[16], cipher[48], group[24]; /* group: "" if it isn't known */
    char reason[STUDY_REASON_MAX];
};

struct opener;

struct opener_options {
    const struct credentials *credentials; /* outlive the opener */
    enum tlsyn_level level;                /* of embedded opens; sequential ones ask for none */
    const char *server;                    /* its address */
};

/** A client on the node (whose link is a tap), which must outlive it. 0, or -errno with a sentence
 * of at most TLSYN_TLS_MESSAGE bytes. */
int opener_open(struct node *node, const struct opener_options *options, struct opener **opener,
                char *message);

/** Before the node's stack is freed. NULL is allowed. */
void opener_free(struct opener *opener);

/** Begins. The clock runs from here: each connection's own state, of TCP and of TLS, is made
 * inside. */
void opener_start(struct opener *opener, const struct study_order *order);

/** True once the first byte of the response was read (with a capture: once the connection was
 * closed), or it has failed. */
const bool *opener_done(const struct opener *opener);

/** Ends what was started: resets the connection if it still lives (the RST leaves with the next
 * turn). If it isn't done, it has timed out. */
void opener_finish(struct opener *opener, struct study_outcome *outcome);

#endif
