/*
 * tcp/reply.h: segments that need no connection, or none of its send state: RST and challenge ACK.
 * All rate-limited.
 */
#ifndef TLSYN_TCP_REPLY_H
#define TLSYN_TCP_REPLY_H

#include "tcp/conn.h"

/** Answers a segment of no connection with RST (RFC 9293 3.10.7.1), unless it is one itself. */
void tcp_reply_rst(struct tcp *tcp, const struct ip_datagram *datagram,
                   const struct wire_tcp *segment);

/** Tells the peer that the connection is gone: <SEQ=SND.NXT><CTL=RST,ACK>. */
void tcp_send_rst(struct tlsyn_conn *conn);

/** The ACK that RFC 9293 3.10.7.4 wants for what is out of window, and RFC 5961 for what
 * may be forged. */
void tcp_challenge_ack(struct tlsyn_conn *conn);

#endif
