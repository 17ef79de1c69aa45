/*
 * tcp/close.h: FIN both ways, TIME-WAIT, abort.
 */
#ifndef TLSYN_TCP_CLOSE_H
#define TLSYN_TCP_CLOSE_H

#include "tcp/conn.h"
#include "tcp/input.h"

/** RFC 9293 3.10.7.4, eighth: check the FIN bit. A FIN that comes before the text in front of it
 * is remembered. */
enum tcp_verdict tcp_take_fin(struct tlsyn_conn *conn, const struct wire_tcp *segment);

void tcp_enter_time_wait(struct tlsyn_conn *conn);
void tcp_restart_time_wait(struct tlsyn_conn *conn);

/** FIN-WAIT-2 was entered: if the user has left, it ends after a while by itself. */
void tcp_fin_wait_2_entered(struct tlsyn_conn *conn);

/** TCP_LINGER has passed. */
void tcp_linger_timeout(struct tlsyn_conn *conn);

#endif
