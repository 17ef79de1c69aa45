/*
 * tcp/handshake.h: opening: the three-way handshake from both sides, with what rides in it.
 */
#ifndef TLSYN_TCP_HANDSHAKE_H
#define TLSYN_TCP_HANDSHAKE_H

#include "tcp/conn.h"

/** tlsyn_conn_open(). */
int tcp_connect(struct tcp *tcp, const struct tlsyn_connect_options *options,
                struct tlsyn_handler *handler, struct tlsyn_conn **conn);

/** A segment for a listener: RFC 9293 3.10.7.2. `above`: the last number that we sent on this
 * 4-tuple, if its TIME-WAIT has just ended for this SYN, else NULL. The connection that a SYN
 * cookie stood for, in SYN-RECEIVED, to which the segment is to go; or NULL: it is dealt with. */
struct tlsyn_conn *tcp_listen_arrives(struct tlsyn_listener *listener,
                                      const struct ip_datagram *datagram,
                                      const struct wire_tcp *segment, const tcp_seq *above);

/** A segment for a connection in SYN-SENT: RFC 9293 3.10.7.3. */
void tcp_synsent_arrives(struct tlsyn_conn *conn, const struct ip_datagram *datagram,
                         const struct wire_tcp *segment);

/** In SYN-SENT: the SYN's text seems to have been refused; the SYN goes again at once without it.
 * False if that was tried before, or if the SYN had no text. */
bool tcp_retry_plain(struct tlsyn_conn *conn, enum tlsyn_embedding what);

/** PAPER: the stream itself is padded, so that a retransmission sends the same bytes
 * (docs/HANDSHAKE.md). 0 or -ENOBUFS. */
int tcp_open_pad(struct tlsyn_conn *conn);

/** ESTABLISHED; nobody hears of it yet. */
void tcp_open_enter(struct tlsyn_conn *conn);

/** Tells the user of it, and of the text of SYN or SYN-ACK that no hook has read. */
void tcp_open_tell(struct tlsyn_conn *conn);

/** SYN-RECEIVED ends well: ESTABLISHED; the listener's acceptor gets the connection if it has not
 * got it with its SYN. */
void tcp_complete_open(struct tlsyn_conn *conn);

/** A hook said no: what the send ring holds (an alert, say) leaves, then RST. The user
 * is told at once. */
void tcp_refuse(struct tlsyn_conn *conn, int error);

#endif
