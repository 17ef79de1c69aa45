/*
 * tcp/close.c: closing a connection. Read first: RFC 9293 3.6, 3.10.4 to 3.10.7.4 "eighth".
 */
#include "tcp/close.h"

#include <errno.h>

#include "tcp/lend.h"
#include "tcp/metrics.h"
#include "tcp/recv.h"
#include "tcp/reply.h"
#include "tcp/timers.h"

/* --- the peer's FIN --------------------------------------------------------------------------- */

static void fin_received(struct tlsyn_conn *conn)
{
    conn->fin_received = true;
    conn->rcv_nxt++;
    conn->ack_due = TCP_ACK_NOW;
    tcp_set_ready(conn);
    switch (conn->state) {
    case TLSYN_SYN_RECEIVED: /* not reached: an ACK completed the open in an earlier step */
    case TLSYN_ESTABLISHED:
        tcp_set_state(conn, TLSYN_CLOSE_WAIT);
        break;
    case TLSYN_FIN_WAIT_1: /* our FIN is not acknowledged: else this were FIN-WAIT-2 already */
        tcp_set_state(conn, TLSYN_CLOSING);
        break;
    case TLSYN_FIN_WAIT_2:
        tcp_enter_time_wait(conn);
        break;
    default:
        break;
    }
}

enum tcp_verdict tcp_take_fin(struct tlsyn_conn *conn, const struct wire_tcp *segment)
{
    if (conn->fin_received || conn->state < TLSYN_ESTABLISHED)
        return TCP_NEXT;
    tcp_seq at = segment->seq + segment->text_len;

    if (conn->fin_seen && seq_lt(conn->fin_seq, conn->rcv_nxt))
        conn->fin_seen = false; /* the stream went on behind it: a lie, or somebody's forgery */
    /* A FIN beyond the window, or below what was already received, is no end of this stream. */
    if (segment->flags & TCP_FIN && seq_geq(at, conn->rcv_nxt) &&
        (uint32_t)seq_diff(at, conn->rcv_nxt) <= tcp_rcv_room(conn)) {
        /* Of two the first one counts, unless the other is in order: so nobody who forges one
         * keeps the stream from ending. */
        if (!conn->fin_seen || at == conn->rcv_nxt)
            conn->fin_seq = at;
        conn->fin_seen = true;
        conn->ack_due = TCP_ACK_NOW; /* RFC 5681 4.2, in front of a hole too */
        tcp_set_ready(conn);
    }
    if (conn->fin_seen && conn->rcv_nxt == conn->fin_seq)
        fin_received(conn);
    return conn->state == TLSYN_CLOSED ? TCP_GONE : TCP_NEXT;
}

/* --- TIME-WAIT -------------------------------------------------------------------------------- */

/* MUST-13 */
void tcp_restart_time_wait(struct tlsyn_conn *conn)
{
    timers_set(conn, TCP_LINGER, conn->tcp->cx->now + 2 * conn->tcp->cx->limits.msl);
}

/* Bounded: the oldest makes room. */
static void make_room(struct tcp *tcp)
{
    if (tcp->time_wait_count < tcp->cx->limits.time_wait || list_empty(&tcp->time_wait))
        return;
    count(tcp->cx, TLSYN_COUNT_tcp_time_wait_overflow);
    tcp_finish(container_of(list_first(&tcp->time_wait), struct tlsyn_conn, waiting), 0);
}

void tcp_enter_time_wait(struct tlsyn_conn *conn)
{
    struct tcp *tcp = conn->tcp;

    make_room(tcp);
    metrics_keep(conn);
    tcp_set_state(conn, TLSYN_TIME_WAIT);
    timers_clear_all(conn);
    tcp_restart_time_wait(conn);
    list_append(&tcp->time_wait, &conn->waiting);
    tcp->time_wait_count++;
    count(tcp->cx, TLSYN_COUNT_tcp_time_wait);
    /* Both streams are over; the user need not wait with us. */
    conn->close_pending = !conn->closed_told;
}

void tcp_fin_wait_2_entered(struct tlsyn_conn *conn)
{
    if (conn->released)
        timers_set(conn, TCP_LINGER, conn->tcp->cx->now + TLSYN_SECONDS(conn->fin_timeout));
}

void tcp_linger_timeout(struct tlsyn_conn *conn)
{
    tcp_finish(conn, 0);
}

/* --- the user's calls ------------------------------------------------------------------------- */

void tlsyn_conn_close(struct tlsyn_conn *conn)
{
    if (conn->fin_queued || conn->closed_told)
        return;
    switch (conn->state) {
    case TLSYN_SYN_SENT: /* RFC 9293 3.10.4: nothing was established, nothing is to be ended */
        tcp_finish(conn, 0);
        return;
    case TLSYN_CLOSED: /* in on_open: as in SYN-RECEIVED */
        if (!conn->in_demux)
            return;
        conn->fin_queued = true;
        return;
    case TLSYN_SYN_RECEIVED: /* FIN-WAIT-1 follows ESTABLISHED: tcp_complete_open() */
        conn->fin_queued = true;
        break;
    case TLSYN_ESTABLISHED:
        conn->fin_queued = true;
        tcp_set_state(conn, TLSYN_FIN_WAIT_1);
        break;
    case TLSYN_CLOSE_WAIT:
        conn->fin_queued = true;
        tcp_set_state(conn, TLSYN_LAST_ACK);
        break;
    default:
        return;
    }
    tcp_set_ready(conn);
}

/* SHLD-3, MAY-1 */
void tlsyn_conn_release(struct tlsyn_conn *conn)
{
    bool unread = conn->rcv.used > 0;

    lend_end(conn);
    conn->handler = NULL;
    conn->released = true;
    if (conn->close_pending || conn->closed_told) {
        tcp_tell_closed(conn);
        return;
    }
    if (unread) { /* RFC 2525 2.17 */
        tlsyn_conn_abort(conn, -ECONNABORTED);
        return;
    }
    tlsyn_conn_close(conn);
    if (conn->state == TLSYN_FIN_WAIT_2)
        tcp_fin_wait_2_entered(conn);
}

/* RFC 9293 3.10.5 */
void tlsyn_conn_abort(struct tlsyn_conn *conn, int error)
{
    if (error == 0)
        error = -ECONNABORTED;
    if (conn->closed_told)
        return;
    if (conn->close_pending) { /* it had ended already; the user does not want the rest */
        conn->error = conn->error ? conn->error : error;
        tcp_tell_closed(conn);
        return;
    }
    /* We enter CLOSING and LAST-ACK when the user closes, before our FIN has left. If it never
     * leaves, the peer must get a RST, as in CLOSE-WAIT. */
    bool ending = conn->state == TLSYN_CLOSING || conn->state == TLSYN_LAST_ACK;
    if (tcp_synchronized(conn) ? conn->state != TLSYN_TIME_WAIT && !(ending && tcp_fin_sent(conn))
                               : conn->state == TLSYN_SYN_RECEIVED)
        tcp_send_rst(conn);
    tcp_finish(conn, error);
}
