/*
 * tcp/urgent.h: the urgent pointer, both ways. See urgent.c.
 */
#ifndef TLSYN_TCP_URGENT_H
#define TLSYN_TCP_URGENT_H

#include "tcp/conn.h"
#include "tcp/input.h"

/** RFC 9293 3.10.7.4, sixth: check the URG bit. TCP_GONE: the user, who was told, has ended it. */
enum tcp_verdict tcp_take_urgent(struct tlsyn_conn *conn, const struct wire_tcp *segment);

/** Puts the pointer into a segment that leaves before the end of our urgent text. */
void tcp_fill_urgent(const struct tlsyn_conn *conn, struct wire_tcp *segment);

/** snd_una has moved, or the user has consumed text: perhaps there is nothing urgent any more, of
 * ours or of the peer's. */
void tcp_urgent_sent(struct tlsyn_conn *conn);
void tcp_urgent_consumed(struct tlsyn_conn *conn);

/** Bytes from the front of what is to be consumed to the end of the peer's urgent text; 0: none is
 * left. */
uint32_t tcp_rcv_urgent(const struct tlsyn_conn *conn);

#endif
