/*
 * tcp/due.h: what text may leave now.
 */
#ifndef TLSYN_TCP_DUE_H
#define TLSYN_TCP_DUE_H

#include "tcp/conn.h"

/** What a segment at `seq` would be. */
struct due {
    tcp_seq seq;
    uint32_t len;
    bool fin;
    bool by_cwnd;   /* cwnd is why it is no longer than this */
    bool probe;     /* it probes a closed window: leaves without ECT (RFC 3168 6.1.6) */
    bool mtu_probe; /* it probes the path's MTU: one segment, however long */
};

/** The next segment, or train of segments, that may leave now: it has been charged to the pace and
 * to the limit of amplification. False: nothing may, and whatever will end that is set. */
bool due_text(struct tlsyn_conn *conn, struct due *due);

/** TCP_CORK has passed: what the cork held back leaves. */
void due_cork_timeout(struct tlsyn_conn *conn);

/** The cork's time is forgotten: it has been pulled, or what it held back has left. */
void due_uncork(struct tlsyn_conn *conn);

#endif
