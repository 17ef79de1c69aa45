/*
 * tcp/ack.h: the ACK field: what of ours arrived, the peer's window, duplicate ACKs.
 */
#ifndef TLSYN_TCP_ACK_H
#define TLSYN_TCP_ACK_H

#include "tcp/conn.h"
#include "tcp/input.h"

/** RFC 9293 3.10.7.4, fifth: check the ACK field; in SYN-RECEIVED too. */
enum tcp_verdict tcp_take_ack(struct tlsyn_conn *conn, const struct wire_tcp *segment);

/** The acceptable ACK of a SYN-ACK in SYN-SENT: our SYN, and whatever of its text, has arrived. */
void tcp_ack_syn(struct tlsyn_conn *conn, const struct wire_tcp *segment);

#endif
