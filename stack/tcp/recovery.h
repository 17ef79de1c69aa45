/*
 * tcp/recovery.h: loss recovery for peers with SACK: the scoreboard, RACK-TLP (RFC 8985) and PRR
 * (RFC 9937) at work on a connection. Peers without SACK have retransmit.c's duplicate ACKs.
 *
 *              sent, SACK in force                        all acknowledged, or memory failed
 *     off ------------------------------> on (board) ----------------------------------------> off
 *
 * While on, the board covers exactly [snd_una, snd_nxt), and snd_rtx is snd_nxt: what is to be sent
 * again is marked there. While off, nothing is kept, and whatever is on its way has the
 * retransmission timer and duplicate ACKs.
 */
#ifndef TLSYN_TCP_RECOVERY_H
#define TLSYN_TCP_RECOVERY_H

#include "tcp/conn.h"

/** What one ACK brought. */
struct recovery_news {
    uint32_t delivered; /* bytes newly known to have arrived */
    uint32_t acked;     /* how far snd_una moved */
    /* Round trips of segments that were sent once, 0: none. `round_trip` is that of the segment
     * that was sent last, which measures the path. `wait` is that of the one that was sent first
     * (among those that the ACK field covers, if any): as long does a sender wait for an ACK. */
    tlsyn_time round_trip, wait;
    /* after a timeout: text that was sent before it, and only once, has arrived (RFC 5682 3.1) */
    bool original;
    const struct wire_tcp *segment;
    struct rate_sample rate;
    struct sack_view view;
};

/** A fast recovery begins, with the board or without: it lasts until snd_una reaches `recover`. */
void tcp_begin_recovery(struct tlsyn_conn *conn);

/** Bytes in the network. While the board is on, as RFC 6675 4 counts them (pipe): neither sacked
 * nor lost ones. */
uint32_t tcp_pipe(const struct tlsyn_conn *conn);

/** Bytes that are known to have arrived, modulo 2^32. */
static inline uint32_t tcp_delivered(const struct tlsyn_conn *conn)
{
    return (uint32_t)conn->bytes_acked + conn->board.sacked;
}

/** [from, to) was sent at conn->last_sent; called before snd_nxt moves. */
void tcp_note_transmission(struct tlsyn_conn *conn, tcp_seq from, tcp_seq to);

/** While on: the segment's ACK field, which snd_una has reached, and its SACK blocks are taken
 * onto the board. */
void tcp_take_sack(struct tlsyn_conn *conn, const struct wire_tcp *segment, uint32_t acked,
                   struct recovery_news *news);

/** While on, behind tcp_take_sack(): what follows from it. `text`: bytes of text newly
 * acknowledged; `limited`: see cc.h; `empty`: no text, and no news about the window. */
void tcp_recover(struct tlsyn_conn *conn, const struct recovery_news *news, uint32_t text,
                 bool limited, bool empty);

/** All that is on its way and not sacked is to be sent again. */
void tcp_send_all_again(struct tlsyn_conn *conn);

/** While on: the retransmission timer expired (RFC 8985 6.3). `repeated`: without progress since
 * the last time. */
void tcp_board_timeout(struct tlsyn_conn *conn, bool repeated);

/** The probe timer runs if a tail loss could go unnoticed (RFC 8985 7.2). */
void tcp_arm_probe(struct tlsyn_conn *conn);

/** A tail loss probe was sent, up to snd_nxt. */
void tcp_probe_sent(struct tlsyn_conn *conn, bool retransmission);

void tcp_reorder_timeout(struct tlsyn_conn *conn);
void tcp_probe_timeout(struct tlsyn_conn *conn);

#endif
