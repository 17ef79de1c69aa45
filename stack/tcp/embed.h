/*
 * tcp/embed.h: what came of sending the first flight in the SYN, and the memory of paths that do
 * not bear it. Read first: RFC 7413 4.1.3.1, docs/HANDSHAKE.md "When it fails".
 *
 *                   the SYN leaves with text
 *                              |
 *     refused, too long, -->  SENT  --> TAKEN, PART, --(a new ACK)--> proved: all forgiven
 *     no answer in time                 IGNORED ...
 *          | plain SYN                       |
 *          v                                 +--(two RTOs)--> BLACK_HOLE: closed with -EAGAIN,
 *     SYN_REFUSED ...                    or its SYN-ACK again  to be opened anew
 *                                        and again
 *
 * What cost a round trip or more is a failure: no SYN to this peer has text or option for
 * limits.embed_off_min from then on, twice as long after each further one, up to
 * limits.embed_off_max. What was merely ignored has cost nothing, and may be taken next time: a
 * server that asks for cookies while it is busy, say. But a path that lets such a SYN through and
 * nothing behind it is a black hole whether the text was taken or not, and even if there was
 * none but the option. (RFC 7413 4.1.3.1 would count it too, and by
 * port; a path is the same for all ports.)
 */
#ifndef TLSYN_TCP_EMBED_H
#define TLSYN_TCP_EMBED_H

#include "tcp/conn.h"

/** Whether embedding is off for this peer. `dest` may be NULL: nothing is known of it. */
bool embed_is_off(const struct tcp *tcp, const struct dest *dest);

/** A SYN with text brought no SYN-ACK, for the reason `what`; a plain SYN follows. */
void embed_syn_failed(struct tlsyn_conn *conn, enum tlsyn_embedding what);

/** The connection ends because nothing is acknowledged any more. Was it never answered at all, and
 * its first SYN had text, or nothing since, that is to blame (RFC 7413 4.1.3.1). */
void embed_given_up(struct tlsyn_conn *conn);

/** The SYN-ACK is here, and syn_text_acked, synack_text and cookie_received are known. */
void embed_synack_arrives(struct tlsyn_conn *conn);

/** Something was acknowledged behind the SYN-ACK: the path bears it. */
void embed_proved(struct tlsyn_conn *conn);

/** Text or FIN arrived behind the SYN-ACK while the path is unproved. A peer that took only our SYN
 * may send none before it has heard our ACK (RFC 9293 3.5): the path bears what follows. One that
 * took the SYN's text, or a cookie without text, may (RFC 7413 3), and its text proves nothing. */
void embed_text_arrives(struct tlsyn_conn *conn);

/** The retransmission timer has expired again without progress. True: the connection is over, for
 * nothing got through since an embedded open. */
bool embed_is_swallowed(struct tlsyn_conn *conn);

/** A SYN arrives at an open connection. True: the connection is over, because the peer of an
 * embedded open has sent its SYN-ACK a second time and so has not got our ACK, and no timer of ours
 * runs that would notice: nothing of ours is outstanding while we wait for the rest of the peer's
 * flight. One that cannot be opened anew ends with the fifth. */
bool embed_synack_again(struct tlsyn_conn *conn, const struct wire_tcp *segment);

/** The level that was reached of the one asked for. */
enum tlsyn_level embed_level(const struct tlsyn_conn *conn);

#endif
