/*
 * tcp/retransmit.h: what was lost, and when to send it again: RFC 6298's timer, RFC 5681's
 * duplicate ACKs with RFC 6582, and the probes of a closed window.
 */
#ifndef TLSYN_TCP_RETRANSMIT_H
#define TLSYN_TCP_RETRANSMIT_H

#include "tcp/recovery.h"

/** RFC 6298 (5.1) to (5.3): runs from now if something is outstanding, else not at all. */
void tcp_rearm_retransmit(struct tlsyn_conn *conn);

/** RFC 6298 (5.1): starts it if it does not run. */
void tcp_arm_retransmit(struct tlsyn_conn *conn);

/** Something due is held back by the peer's window and nothing is outstanding: probe it
 * (RFC 9293 3.8.6.1). */
void tcp_arm_persist(struct tlsyn_conn *conn);

/** Stops the persist timer; true if it ran. */
bool tcp_stop_persist(struct tlsyn_conn *conn);

/** The peer's window is open again. */
void tcp_window_opened(struct tlsyn_conn *conn);

/** A duplicate ACK in the sense of RFC 5681 2. */
void tcp_duplicate_ack(struct tlsyn_conn *conn);

/** `acked` bytes of text were newly acknowledged; `limited`: see cc.h. */
void tcp_recovery_on_ack(struct tlsyn_conn *conn, const struct recovery_news *news, uint32_t acked,
                         bool limited);

/** Bytes beyond cwnd that limited transmit allows (RFC 3042). */
uint32_t tcp_limited_transmit(const struct tlsyn_conn *conn);

void tcp_retransmit_timeout(struct tlsyn_conn *conn);
void tcp_persist_timeout(struct tlsyn_conn *conn);

#endif
