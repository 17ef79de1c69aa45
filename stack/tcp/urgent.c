/*
 * tcp/urgent.c: urgent text. Read first: RFC 9293 3.8.5, RFC 6093.
 *
 * There is a pointer and nothing else: the text before it is urgent. It points one past the last
 * byte of that text, and only moves forward. The bytes themselves stay in the stream at their
 * place. Each segment in front of the pointer carries it, as 16 bits counted from the segment's own
 * number. A peer that lies marks text that never comes, 64 KiB ahead at most, which harms nobody.
 *
 *              front                 rcv_nxt
 *     ----------|######################|-------------|----->
 *               |<------------- tcp_rcv_urgent() --->| rcv_up
 *
 * New programs should do without (SHLD-13): middleboxes clear the flag.
 */
#include "tcp/urgent.h"

/* The sequence number of receive ring offset 0. */
static tcp_seq rcv_base(const struct tlsyn_conn *conn)
{
    return conn->irs + 1 + (tcp_seq)(conn->rcv_total - conn->rcv.used);
}

/* --- the peer's ------------------------------------------------------------------------------- */

/* MUST-33 */
uint32_t tcp_rcv_urgent(const struct tlsyn_conn *conn)
{
    uint32_t left;

    if (!conn->rcv_urgent)
        return 0;
    left = (uint32_t)seq_diff(conn->rcv_up, rcv_base(conn));
    /* It pointed beyond the end of the stream. */
    return conn->fin_received && left > conn->rcv.used ? conn->rcv.used : left;
}

static bool receiving(const struct tlsyn_conn *conn)
{
    return conn->state == TLSYN_ESTABLISHED || conn->state == TLSYN_FIN_WAIT_1 ||
           conn->state == TLSYN_FIN_WAIT_2;
}

/* MUST-32: the user hears of it when there was nothing urgent before, or the pointer moves on.
 * MUST-66: whatever the window; MUST-31: however long. */
enum tcp_verdict tcp_take_urgent(struct tlsyn_conn *conn, const struct wire_tcp *segment)
{
    tcp_seq up = segment->seq + segment->urg; /* MUST-62: of the octet behind the urgent text */
    uint32_t before;

    if (!(segment->flags & TCP_URG) || !receiving(conn) || conn->released)
        return TCP_NEXT;
    if (seq_leq(up, rcv_base(conn)) || (conn->rcv_urgent && seq_leq(up, conn->rcv_up)))
        return TCP_NEXT;
    before = tcp_rcv_urgent(conn);
    conn->rcv_urgent = true;
    conn->rcv_up = up;
    tcp_event_urgent(conn, before);
    return conn->state == TLSYN_CLOSED ? TCP_GONE : TCP_NEXT;
}

void tcp_urgent_consumed(struct tlsyn_conn *conn)
{
    if (conn->rcv_urgent && seq_leq(conn->rcv_up, rcv_base(conn)))
        conn->rcv_urgent = false;
}

bool tlsyn_conn_urgent_last(const struct tlsyn_conn *conn, uint8_t *byte)
{
    uint32_t left = tcp_rcv_urgent(conn);
    uint64_t front = conn->rcv_total - conn->rcv.used;

    if (left == 0)
        return false;
    if (left > conn->rcv.used && !ranges_covers(&conn->ooo, front + left - 1, front + left))
        return false;
    ring_read_at(&conn->rcv, left - 1, byte, 1);
    return true;
}

/* --- ours ------------------------------------------------------------------------------------- */

/* A pointer more than 64 KiB ahead does not fit the field. Then the segment says 64 KiB if that is
 * ahead of everything sent so far, which a later segment corrects; else it says nothing. */
void tcp_fill_urgent(const struct tlsyn_conn *conn, struct wire_tcp *segment)
{
    uint32_t ahead = (uint32_t)seq_diff(conn->snd_up, segment->seq);

    if (!conn->snd_urgent || segment->flags & TCP_SYN || seq_leq(conn->snd_up, segment->seq))
        return;
    if (ahead > UINT16_MAX && seq_leq(segment->seq + UINT16_MAX, conn->snd_nxt))
        return;
    segment->flags |= TCP_URG;
    segment->urg = (uint16_t)(ahead < UINT16_MAX ? ahead : UINT16_MAX);
}

void tcp_urgent_sent(struct tlsyn_conn *conn)
{
    if (conn->snd_urgent && seq_geq(conn->snd_una, conn->snd_up))
        conn->snd_urgent = false;
}

/* While the window is closed a bare ACK carries the pointer; RFC 9293 3.10.7.4 has the peer process
 * it nonetheless. (MUST-30) */
void tlsyn_conn_urgent(struct tlsyn_conn *conn)
{
    tcp_seq end = tcp_snd_end(conn);

    if (conn->state == TLSYN_CLOSED || conn->snd.used == 0 ||
        (conn->snd_urgent && conn->snd_up == end))
        return;
    conn->snd_urgent = true;
    conn->snd_up = end;
    if (tcp_synchronized(conn) && tcp_flight_size(conn) >= conn->snd_wnd)
        conn->ack_due = TCP_ACK_NOW;
    tcp_set_ready(conn);
}
