/*
 * tcp/output.h: what is due, and its segments.
 */
#ifndef TLSYN_TCP_OUTPUT_H
#define TLSYN_TCP_OUTPUT_H

#include "tcp/conn.h"

/** Sends everything that is due on the connection now. Only between ip_output_open() and ip_output_close(). */
void tcp_output(struct tlsyn_conn *conn);

/** One octet beyond a closed window (RFC 9293 3.8.6.1), or as much as a small one takes (the override of 3.8.6.2.1). */
void tcp_send_probe(struct tlsyn_conn *conn);

/** A segment without text at snd_nxt, at any time. */
void tcp_emit_control(struct tlsyn_conn *conn, uint8_t flags);

/** Puts header and options into `tx`, whose addresses and text are filled in, and sends it. As ip_output(). */
int tcp_emit(struct tcp *tcp, uint32_t conn_number, const struct wire_tcp *segment,
             struct ip_tx *tx);

#endif
