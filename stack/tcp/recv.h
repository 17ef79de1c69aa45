/*
 * tcp/recv.h: text into the receive ring, in order or not; what we acknowledge, and when; the
 * window that we announce.
 */
#ifndef TLSYN_TCP_RECV_H
#define TLSYN_TCP_RECV_H

#include "tcp/conn.h"
#include "tcp/input.h"

/** Bytes from rcv_nxt on that our last segments promised to take. */
static inline uint32_t tcp_promised(const struct tlsyn_conn *conn)
{
    return seq_gt(conn->rcv_adv, conn->rcv_nxt) ? (uint32_t)seq_diff(conn->rcv_adv, conn->rcv_nxt)
                                                : 0;
}

/** Bytes from rcv_nxt on that we accept: what the buffer has room for and a window field can say,
 * or what was promised, if that is more. */
static inline uint32_t tcp_rcv_room(const struct tlsyn_conn *conn)
{
    uint32_t room = conn->rcv.used < conn->rcv_max ? conn->rcv_max - conn->rcv.used : 0;
    uint32_t most = (uint32_t)UINT16_MAX << conn->rcv_wscale;

    room = room < most ? room : most;
    return room > tcp_promised(conn) ? room : tcp_promised(conn);
}

/** RFC 9293 3.10.7.4, seventh: process the segment text. TCP_DROP: it could not be kept (the peer
 * will send it again). */
enum tcp_verdict tcp_take_text(struct tlsyn_conn *conn, const struct wire_tcp *segment);

/** rcv_nxt has moved on from stream offset `before`, or the stream has ended: the user hears of it;
 * text for a user who has left resets the connection. */
enum tcp_verdict tcp_data_arrived(struct tlsyn_conn *conn, uint64_t before);

/** The window to put into the next segment, in bytes: never moves the right edge back (RFC 9293
 * 3.8.6.2.2), never opens in small steps. */
uint32_t tcp_window_to_announce(const struct tlsyn_conn *conn);

/** If text of the segment was here before, the next ACK says so (D-SACK, RFC 2883 4).
 * Before it is taken. */
void tcp_note_twice(struct tlsyn_conn *conn, const struct wire_tcp *segment);

/** TCP_DELACK has passed. */
void tcp_delack_timeout(struct tlsyn_conn *conn);

#endif
