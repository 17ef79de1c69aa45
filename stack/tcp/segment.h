/*
 * tcp/segment.h: building one segment and sending it: header, options, window, text out of
 * the send ring.
 */
#ifndef TLSYN_TCP_SEGMENT_H
#define TLSYN_TCP_SEGMENT_H

#include "tcp/conn.h"
#include "wire/source_route.h"

/** Octets of the IP and TCP headers of a segment, without TCP's options. */
static inline uint16_t tcp_headers_len(const struct tlsyn_conn *conn)
{
    return (uint16_t)(ip_header_len(&conn->remote.addr) + wire_route_len(conn->via) +
                      TCP_HEADER_LEN);
}

/** The header of a segment that is about to leave. It announces our window and, with ACK,
 * acknowledges everything received; the connection notes both as told. */
struct wire_tcp tcp_segment(struct tlsyn_conn *conn, tcp_seq seq, uint8_t flags);

/** Sends it with `len` bytes of the send ring, from its sequence number on, under an ECN codepoint.
 * 0, or as ip_output() when it was dropped. */
int tcp_send_segment(struct tlsyn_conn *conn, const struct wire_tcp *segment, uint32_t len,
                     uint8_t codepoint);

/** How many segments `len` bytes of text make on the wire. */
uint32_t tcp_segments(const struct tlsyn_conn *conn, uint32_t len);

/** Before the peer's address is validated: bytes that may leave, headers and IP's included. */
int64_t tcp_amplification_left(const struct tlsyn_conn *conn);

/** The same for the repetitions of a bare SYN-ACK, up to tcp_amplification_bound(): where three
 * times a short SYN is too little for them, a client whose ACK was lost, and that has nothing more
 * to say, would wait for ever. */
int64_t tcp_amplification_left_again(const struct tlsyn_conn *conn);

/** The most bytes that ever leave before the address is validated: three times what came. Where
 * that is less than the repeated answers to a plain SYN: these answers, and half of three times
 * what came. */
int64_t tcp_amplification_bound(const struct tlsyn_conn *conn);

/** Bytes of text that may leave in a segment with `overhead` bytes of headers, if enough is kept
 * for repeating the SYN-ACK; -1: not even the headers may leave. */
int64_t tcp_amplification_room(const struct tlsyn_conn *conn, uint32_t overhead);

/** Counts bytes that leave, headers and IP's included, towards the amplification limit. */
void tcp_charge(struct tlsyn_conn *conn, uint32_t bytes);

/** A segment without text at snd_nxt, at any time. */
void tcp_emit_control(struct tlsyn_conn *conn, uint8_t flags);

/** Puts header and options into `tx`, whose addresses and text are filled in, and sends it.
 * As ip_output(). */
int tcp_emit(struct tcp *tcp, uint32_t conn_number, const struct wire_tcp *segment,
             struct ip_tx *tx);

#endif
