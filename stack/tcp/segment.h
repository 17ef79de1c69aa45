/*
 * tcp/segment.h: building one segment and sending it: header, options, window, text out of
 * the send ring.
 */
#ifndef TLSYN_TCP_SEGMENT_H
#define TLSYN_TCP_SEGMENT_H

#include "tcp/conn.h"

/** Octets of the IP and TCP headers of a segment, without options. */
static inline uint16_t tcp_headers_len(const struct tlsyn_conn *conn)
{
    return (uint16_t)(ip_header_len(&conn->remote.addr) + TCP_HEADER_LEN);
}

/** The header of a segment that is about to leave: with the window that it announces, and, with
 * ACK, the acknowledgement of everything received; both are noted in the connection as said. */
struct wire_tcp tcp_segment(struct tlsyn_conn *conn, tcp_seq seq, uint8_t flags);

/** Sends it with `len` bytes of the send ring, from its sequence number on, under an ECN codepoint.
 * 0, or as ip_output() when it was dropped. */
int tcp_send_segment(struct tlsyn_conn *conn, const struct wire_tcp *segment, uint32_t len,
                     uint8_t codepoint);

/** How many segments `len` bytes of text make on the wire. */
uint32_t tcp_segments(const struct tlsyn_conn *conn, uint32_t len);

/** Before the peer's address is validated: bytes that may leave, headers and IP's included. */
int64_t tcp_amplification_left(const struct tlsyn_conn *conn);

/** The same for the bare SYN-ACK that is repeated. It has more where a SYN of few bytes buys less
 * than what a plain SYN is answered with: a client whose ACK was lost, and that has nothing more to
 * say, would wait for ever. */
int64_t tcp_amplification_left_again(const struct tlsyn_conn *conn);

/** What never more bytes than leave before the address is validated: three times what came, or, for
 * such a SYN, the answers to a plain one and half of that. */
int64_t tcp_amplification_bound(const struct tlsyn_conn *conn);

/** Of these, bytes of text that may leave with `overhead` bytes of headers, while there is enough
 * left for the SYN-ACK to be repeated; -1: not even the headers. What leaves is charged. */
int64_t tcp_amplification_room(const struct tlsyn_conn *conn, uint32_t overhead);
void tcp_charge(struct tlsyn_conn *conn, uint32_t bytes);

/** A segment without text at snd_nxt, at any time. */
void tcp_emit_control(struct tlsyn_conn *conn, uint8_t flags);

/** Puts header and options into `tx`, whose addresses and text are filled in, and sends it.
 * As ip_output(). */
int tcp_emit(struct tcp *tcp, uint32_t conn_number, const struct wire_tcp *segment,
             struct ip_tx *tx);

#endif
