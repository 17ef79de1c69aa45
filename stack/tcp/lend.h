/*
 * tcp/lend.h: text that leaves from where its user keeps it.
 *
 * Lent bytes have their place in the send ring like all others, but nothing is written there:
 *
 *     ring      |#########|.................|####|.............|      # copied, . untouched
 *     lent                 \_ user's memory_/     \_ user's __/
 *
 * So the ring's bound holds for lent bytes too, a sequence number means the same place in both, and
 * lent bytes can be copied in at any time. That is done when a frame would have more pieces than a
 * view has parts, and when the user leaves before they were acknowledged.
 */
#ifndef TLSYN_TCP_LEND_H
#define TLSYN_TCP_LEND_H

#include "tcp/conn.h"

/** The text of [seq, seq + len), in two parts at most. All of it was committed. */
void lend_view(struct tlsyn_conn *conn, tcp_seq seq, uint32_t len, struct tlsyn_view *view);

/** What is acknowledged is lent no longer. */
void lend_acked(struct tlsyn_conn *conn);

/** Copies in all that is lent: the user's memory is its own again. */
void lend_end(struct tlsyn_conn *conn);

/** Forgets it. */
void lend_release(struct tlsyn_conn *conn);

#endif
