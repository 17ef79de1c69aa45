/*
 * tcp/output.h: what is due.
 */
#ifndef TLSYN_TCP_OUTPUT_H
#define TLSYN_TCP_OUTPUT_H

#include "tcp/conn.h"

/** Sends everything that is due on the connection now. Only between ip_output_open() and
 * ip_output_close(). */
void tcp_output(struct tlsyn_conn *conn);

/** One octet beyond a closed window (RFC 9293 3.8.6.1), or as much as a small one takes (the
 * override of 3.8.6.2.1). */
void tcp_send_probe(struct tlsyn_conn *conn);

#endif
