/*
 * tcp/congest.h: what a connection tells its congestion controller (tcp/cc.h).
 */
#ifndef TLSYN_TCP_CONGEST_H
#define TLSYN_TCP_CONGEST_H

#include "tcp/recovery.h"

/** An ACK with news. `text`: bytes of text that it acknowledged; `limited`: cwnd held something
 * back since the one before. */
void tcp_tell_acked(struct tlsyn_conn *conn, const struct recovery_news *news, uint32_t text,
                    bool limited);

/** Congestion, with so many bytes outstanding when it was noticed. What was sent beyond cwnd does
 * not count (RFC 5681 3.2 step 2). */
void tcp_tell_congestion(struct tlsyn_conn *conn, enum cc_cause cause, uint32_t flight);

/** The last tcp_tell_congestion() was for nothing: no congestion. */
void tcp_tell_undo(struct tlsyn_conn *conn);

/** Something is about to leave, and nothing is on its way. */
void tcp_tell_restart(struct tlsyn_conn *conn);

/** Output has sent what it could. If cwnd has room left, delivery rates are from now on those of
 * the application. */
void tcp_note_silence(struct tlsyn_conn *conn);

/** Tells the trace of cwnd as it is now. */
void tcp_trace_cwnd(const struct tlsyn_conn *conn);

#endif
