/*
 * tcp/syncookie.h: a three-way handshake without state on our side, for when the backlog is full
 * (RFC 4987 3.6).
 */
#ifndef TLSYN_TCP_SYNCOOKIE_H
#define TLSYN_TCP_SYNCOOKIE_H

#include "tcp/conn.h"

/** Answers a SYN with a SYN-ACK whose sequence number (and timestamp) hold all that must be known
 * when it is acknowledged. Text of the SYN is not acknowledged: the client sends it again. */
void syncookie_answer(struct tlsyn_listener *listener, const struct ip_datagram *datagram,
                      const struct wire_tcp *syn);

/** Whether an acknowledgement of such a SYN-ACK may still come. */
bool syncookie_possible(const struct tcp *tcp);

/** If `segment` (with ACK, without RST) acknowledges such a SYN-ACK: *syn is the SYN that it
 * answered, as far as it is known, and true. The SYN-ACK's number is segment->ack - 1. */
bool syncookie_check(struct tcp *tcp, const struct ip_datagram *datagram,
                     const struct wire_tcp *segment, struct wire_tcp *syn);

#endif
