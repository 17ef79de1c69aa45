/*
 * tcp/ecn_feedback.h: parts of reading the peer's feedback that the handshake needs too.
 */
#ifndef TLSYN_TCP_ECN_FEEDBACK_H
#define TLSYN_TCP_ECN_FEEDBACK_H

#include "tcp/conn.h"

/** AE, CWR and ECE as a number of three bits. */
static inline uint8_t ecn_ace(const struct wire_tcp *segment)
{
    return (uint8_t)(segment->ae << 2 | !!(segment->flags & TCP_CWR) << 1 |
                     !!(segment->flags & TCP_ECE));
}

/** Reads an AccECN option. True if there is one and it can be believed: *grown is how far the
 * counter of marked text has moved on, or -1 if the option is older than another one. */
bool ecn_read_option(struct tlsyn_conn *conn, const struct tcp_options *theirs, int32_t *grown);

/** `more` segments of ours were marked; `acked` as of ecn_take_feedback(). */
void ecn_marked(struct tlsyn_conn *conn, unsigned more, uint32_t acked);

/** Whether this is the first counter that arrives and is zero. Then none will be believed. */
bool ecn_zeroed(struct ecn *e, unsigned ace);

#endif
