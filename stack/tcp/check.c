/*
 * tcp/check.c: the invariants of a connection, asserted after every call in debug builds, the
 * simulator and the fuzzers.
 *
 * They speak of what we do, never of what the peer may send.
 */
#include "tcp/conn.h"

#ifdef TLSYN_CHECK

#include <assert.h>

#include "tcp/pace.h"
#include "tcp/segment.h"
#include "tcp/timers.h"

static void check_send_space(const struct tlsyn_conn *conn)
{
    /* RFC 9293 3.4: SND.UNA =< SND.NXT */
    assert(seq_leq(conn->snd_una, conn->snd_nxt));
    assert(seq_leq(conn->snd_una, conn->snd_rtx) && seq_leq(conn->snd_rtx, conn->snd_nxt));
    assert(conn->snd.used <= conn->snd.size && (conn->snd.memory || !conn->snd.used));
    assert(seq_leq(conn->snd_nxt, tcp_snd_end(conn) + 1));
    assert(!conn->snd_urgent ||
           (seq_lt(conn->snd_una, conn->snd_up) && seq_leq(conn->snd_up, tcp_snd_end(conn))));
    if (tcp_synchronized(conn)) { /* what was acknowledged is gone from the ring, and counted */
        tcp_seq text_acked = conn->iss + 1 + (tcp_seq)conn->bytes_acked;

        assert(conn->syn_acked && !conn->opening);
        assert(conn->snd_una == text_acked ||
               (conn->snd_una == text_acked + 1 && conn->fin_queued && conn->snd.used == 0));
    }
    assert(conn->cc.cwnd > 0 && conn->cc.ssthresh > 0);
    assert(conn->cc.cwnd <= CC_WINDOW_MAX + tcp_flight_size(conn)); /* recovery inflates it */
    assert(conn->pace.max == 0 || tcp_pacing_rate(conn) <= conn->pace.max);
}

/* The board covers the flight, piece by piece, and its sums are right (tcp/sack.h). */
static void check_board(const struct tlsyn_conn *conn)
{
    const struct board *b = &conn->board;
    uint32_t sacked = 0, lost = 0;
    tcp_seq at = conn->snd_una;

    if (!conn->board_on) {
        assert(b->count == 0 && b->sacked == 0 && b->lost == 0);
        return;
    }
    assert(conn->snd_rtx == conn->snd_nxt && b->count > 0 && b->count <= 2 * b->max);
    for (uint32_t i = 0; i < b->count; i++) {
        const struct piece *p = board_at(b, i);

        assert(p->from == at && seq_lt(p->from, p->to) && p->at <= conn->tcp->cx->now);
        assert((p->flags & (PIECE_SACKED | PIECE_LOST)) != (PIECE_SACKED | PIECE_LOST));
        sacked += p->flags & PIECE_SACKED ? (uint32_t)seq_diff(p->to, p->from) : 0;
        lost += p->flags & PIECE_LOST ? (uint32_t)seq_diff(p->to, p->from) : 0;
        at = p->to;
    }
    assert(at == conn->snd_nxt && sacked == b->sacked && lost == b->lost);
    assert(!conn->in_recovery || seq_lt(conn->snd_una, conn->recover));
}

static void check_receive_space(const struct tlsyn_conn *conn)
{
    assert(conn->rcv.used <= conn->rcv.size && (conn->rcv.memory || !conn->rcv.used));
    assert(!tcp_synchronized(conn) ||
           conn->rcv_nxt == conn->irs + 1 + (tcp_seq)conn->rcv_total + conn->fin_received);
    assert(!conn->fin_seen || seq_geq(conn->fin_seq + conn->fin_received, conn->rcv_nxt));
    assert(!conn->fin_received || conn->fin_seen);
    assert(conn->ooo.count <= conn->ooo.max && (conn->ooo.at || conn->ooo.count == 0));
    for (int i = 0; i < conn->ooo.count; i++) {
        const struct range *r = &conn->ooo.at[i];

        assert(r->from > conn->rcv_total && r->from < r->to);
        assert(r->to - conn->rcv_total <= ring_room(&conn->rcv));
        assert(i == 0 || conn->ooo.at[i - 1].to < r->from);
    }
}

/* RFC 9293 3.3.2: which of the two FINs a state has behind it. */
static void check_state(const struct tlsyn_conn *conn)
{
    bool fin_acked = conn->fin_queued && conn->snd_una == conn->snd_nxt && conn->snd.used == 0;

    switch (conn->state) {
    case TLSYN_ESTABLISHED:
        assert(!conn->fin_queued && !conn->fin_received);
        break;
    case TLSYN_CLOSE_WAIT:
        assert(!conn->fin_queued && conn->fin_received);
        break;
    case TLSYN_FIN_WAIT_1:
        assert(conn->fin_queued && !conn->fin_received);
        break;
    case TLSYN_FIN_WAIT_2:
        assert(fin_acked && !conn->fin_received);
        break;
    case TLSYN_CLOSING:
    case TLSYN_LAST_ACK:
        assert(conn->fin_queued && conn->fin_received);
        break;
    case TLSYN_TIME_WAIT:
        assert(fin_acked && conn->fin_received);
        break;
    default:
        break;
    }
}

/* The wheel fires no later than the first deadline, and no timer waits longer than it may. */
static void check_wheel(const struct tlsyn_conn *conn)
{
    tlsyn_time now = conn->tcp->cx->now, most = now + conn->tcp->cx->limits.rto_max + WHEEL_TICK;

    for (int i = 0; i < TCP_DEADLINES; i++) {
        tlsyn_time when = timers_when(conn, (enum tcp_deadline)i);

        assert(when == TLSYN_NEVER || (timer_is_set(&conn->timer) && conn->timer.deadline <= when));
    }
    assert(!timers_running(conn, TCP_RETRANSMIT) || timers_when(conn, TCP_RETRANSMIT) <= most);
    assert(!timers_running(conn, TCP_PERSIST) || timers_when(conn, TCP_PERSIST) <= most);
}

/* Whatever is outstanding has a clock running on it: nobody waits for ever. */
static void check_timers(const struct tlsyn_conn *conn)
{
    bool outstanding = conn->snd_nxt != conn->snd_una;
    bool queued = list_linked(&conn->ready);

    if (conn->state == TLSYN_TIME_WAIT || conn->refused)
        return;
    assert(!outstanding || queued || timers_running(conn, TCP_RETRANSMIT) ||
           timers_running(conn, TCP_PERSIST));
    assert(!timers_running(conn, TCP_PERSIST) || list_linked(&conn->waiting));
    assert(conn->ack_due != TCP_ACK_DELAYED || timers_running(conn, TCP_DELACK));
    assert(conn->ack_due != TCP_ACK_NOW || queued);
    assert(!conn->keepalive || !tcp_synchronized(conn) || timers_running(conn, TCP_KEEPALIVE));
    assert(!(conn->snd.memory || conn->rcv.memory || conn->snd_refused) ||
           timers_running(conn, TCP_IDLE));
    assert(conn->cork || !(conn->cork_passed || timers_running(conn, TCP_CORK)));
}

void tcp_check(const struct tlsyn_conn *conn)
{
    if (conn->state == TLSYN_CLOSED)
        return;
    assert(conn->in_demux);
    check_send_space(conn);
    check_receive_space(conn);
    check_board(conn);
    check_state(conn);
    check_timers(conn);
    check_wheel(conn);
}

/* --- counts ----------------------------------------------------------------------------------- */

static uint64_t memory_of(const struct ring *ring)
{
    return ring->memory ? ring->size : 0;
}

void tcp_check_all(const struct tcp *tcp)
{
    uint32_t half_open = 0, embedded = 0, waiting = 0;
    uint64_t ring_bytes = 0;

    list_each(it, &tcp->all)
    {
        const struct tlsyn_conn *conn = container_of(it, struct tlsyn_conn, all);
        bool syn_received = conn->state == TLSYN_SYN_RECEIVED;

        tcp_check(conn);
        half_open += syn_received && !conn->active;
        embedded += syn_received && conn->engaged;
        /* The amplification limit (RFC 9000 8.1) */
        assert(!syn_received || !conn->embedded || conn->validated ||
               (int64_t)conn->opening->unvalidated_out <= tcp_amplification_bound(conn));
        waiting += conn->state == TLSYN_TIME_WAIT;
        ring_bytes += memory_of(&conn->snd) + memory_of(&conn->rcv);
    }
    list_each(it, &tcp->doomed)
    {
        const struct tlsyn_conn *conn = container_of(it, struct tlsyn_conn, all);

        ring_bytes += memory_of(&conn->snd) + memory_of(&conn->rcv);
    }
    assert(half_open == tcp->half_open && embedded == tcp->embedded);
    assert(waiting == tcp->time_wait_count);
    assert(ring_bytes == tcp->ring_bytes);
}

#else

/* ISO C wants a translation unit to hold something. */
extern int tcp_check_is_compiled_out;

#endif
