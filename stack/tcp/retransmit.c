/*
 * tcp/retransmit.c: the retransmission timer, the persist timer, and, for peers without SACK, fast
 * retransmit and fast recovery by duplicate ACKs. Read first: RFC 6298 5, RFC 5681 3.2, RFC 6582
 * 3.2, RFC 3042, RFC 9293 3.8.3 and 3.8.6.1.
 */
#include "tcp/retransmit.h"

#include <errno.h>

#include "tcp/congest.h"
#include "tcp/embed.h"
#include "tcp/output.h"
#include "tcp/recovery.h"
#include "tcp/shut.h"
#include "tcp/timers.h"
#include "wire/source_route.h"

#define R1               3 /* RFC 9293 3.8.3: timeouts in a row */
#define DUPACKS_FOR_LOSS 3 /* RFC 5681 3.2 */

/* --- timers ----------------------------------------------------------------------------------- */

/* R6298-9 */
void tcp_rearm_retransmit(struct tlsyn_conn *conn)
{
    timers_clear(conn, TCP_RETRANSMIT);
    tcp_arm_retransmit(conn);
}

/* R6298-8 */
void tcp_arm_retransmit(struct tlsyn_conn *conn)
{
    if (conn->snd_nxt == conn->snd_una || timers_running(conn, TCP_RETRANSMIT) ||
        timers_running(conn, TCP_PERSIST))
        return;
    timers_set(conn, TCP_RETRANSMIT, conn->tcp->cx->now + conn->rtt.rto);
}

/* RFC 9293 3.8.3: R2, the time after which the connection is given up. (MUST-20, MUST-22) */
static bool given_up(struct tlsyn_conn *conn)
{
    tlsyn_time now = conn->tcp->cx->now;
    tlsyn_time r2 = tcp_synchronized(conn) ? TLSYN_MS(conn->user_timeout) : conn->opening->timeout;

    if (conn->stalled_since == TLSYN_NEVER)
        conn->stalled_since = now - conn->rtt.rto;
    if (now - conn->stalled_since < r2)
        return false;
    count(conn->tcp->cx, TLSYN_COUNT_tcp_abort_on_timeout);
    if (!tcp_synchronized(conn))
        count(conn->tcp->cx, TLSYN_COUNT_tcp_attempt_fails);
    embed_given_up(conn);
    tcp_finish(conn, conn->soft_error ? conn->soft_error : -ETIMEDOUT);
    return true;
}

/* A SYN or SYN-ACK is sent again without text and Fast Open option, which may have been the reason
 * for its loss (RFC 7413 4.2.1; docs/HANDSHAKE.md). (R7413-7) */
static void syn_timeout(struct tlsyn_conn *conn)
{
    count(conn->tcp->cx, TLSYN_COUNT_tcp_syn_retrans);
    conn->syn_retransmits++;
    embed_syn_failed(conn, TLSYN_EMBEDDING_SYN_DROPPED);
    conn->syn_plain = true;
    conn->snd_rtx = conn->iss;
}

/* R5681-5 */
static void text_timeout(struct tlsyn_conn *conn, bool first)
{
    /* RFC 5681 4.3: losses in one window of data are one sign of congestion. If a timeout ends fast
     * recovery, the window was reduced for it when recovery began. */
    bool begins = first && !conn->in_recovery;

    tcp_mtu_timeout(conn);
    if (begins)
        undo_begin(conn);
    undo_on_timeout(conn, !first);
    tcp_tell_congestion(conn, begins ? CC_TIMEOUT : CC_TIMEOUT_AGAIN, tcp_flight_size(conn));
    ecn_window_reduced(conn);
    conn->after_timeout = true;
    conn->in_recovery = false;
    conn->resend_first = false;
    conn->dupacks = 0;
    conn->recover = conn->snd_nxt; /* RFC 6582 4: duplicates of what is sent again prove nothing */
    if (!conn->board_on) {
        conn->snd_rtx = conn->snd_una;
        return;
    }
    tcp_board_timeout(conn, !first);
    conn->cc.cwnd = tcp_pipe(conn) + conn->cc.smss; /* what is not held lost is on its way */
}

/* R1 of RFC 9293 3.8.3: the route may have changed, so that IP probes the next hop anew (MUST-20),
 * and the user may want to know (SHLD-9, SHLD-10). */
static void suspect_the_way(struct tlsyn_conn *conn)
{
    if (conn->rtt.backoffs != R1)
        return;
    struct tlsyn_addr first = wire_route_first(conn->via, &conn->remote.addr);

    ip_doubt(conn->tcp->ip, &first);
    tcp_event_trouble(conn, -ETIMEDOUT);
}

/* RFC 6298 5.4 to 5.6 (R6298-10) */
void tcp_retransmit_timeout(struct tlsyn_conn *conn)
{
    bool first = conn->stalled_since == TLSYN_NEVER; /* there was progress since the last one */

    if (given_up(conn))
        return;
    if (!first && embed_is_swallowed(conn))
        return;
    count(conn->tcp->cx, TLSYN_COUNT_tcp_timeouts);
    conn->timeouts++;
    rtt_back_off(&conn->rtt);
    conn->rtt_timing = false;
    TRACE(conn->tcp->cx, tcp_rto, conn->number, conn->rtt.backoffs, conn->rtt.rto);
    if (tcp_synchronized(conn))
        text_timeout(conn, first);
    else
        syn_timeout(conn);
    timers_set(conn, TCP_RETRANSMIT, conn->tcp->cx->now + conn->rtt.rto);
    tcp_set_ready(conn);
    suspect_the_way(conn);
}

/* --- the closed window ------------------------------------------------------------------------ */

/* MUST-36, SHLD-29 */
void tcp_arm_persist(struct tlsyn_conn *conn)
{
    if (timers_running(conn, TCP_PERSIST))
        return;
    shut_begins(conn);
    timers_clear(conn, TCP_RETRANSMIT);
    timers_set(conn, TCP_PERSIST, conn->tcp->cx->now + conn->rtt.rto);
}

bool tcp_stop_persist(struct tlsyn_conn *conn)
{
    if (!timers_running(conn, TCP_PERSIST))
        return false;
    shut_ends(conn);
    timers_clear(conn, TCP_PERSIST);
    rtt_recover(&conn->rtt);
    conn->probes = 0;
    return true;
}

void tcp_window_opened(struct tlsyn_conn *conn)
{
    if (!tcp_stop_persist(conn))
        return;
    tcp_send_all_again(conn); /* the byte of the probe too, now with the rest of its segment */
    tcp_set_ready(conn);
}

/* MUST-36, SHLD-17, SHLD-30 */
void tcp_persist_timeout(struct tlsyn_conn *conn)
{
    /* RFC 9293 3.8.6.1 (MUST-37): a peer that answers probes keeps the connection open for as long
     * as our user likes. If our user has left, nobody would ever end it (RFC 6429 3): then the peer
     * has to take some text now and then. */
    if (conn->probes == 0 && !conn->released)
        conn->stalled_since = conn->tcp->cx->now;
    if (given_up(conn))
        return;
    count(conn->tcp->cx, TLSYN_COUNT_tcp_zero_window_probes);
    if (conn->probes < UINT8_MAX)
        conn->probes++;
    TRACE(conn->tcp->cx, tcp_probe, conn->number, conn->probes);
    rtt_back_off(&conn->rtt);
    /* Set before the probe leaves: while this timer runs, sending does not start the retransmission
     * timer, which would give the connection up. */
    timers_set(conn, TCP_PERSIST, conn->tcp->cx->now + conn->rtt.rto);
    tcp_send_probe(conn);
}

/* --- duplicate ACKs --------------------------------------------------------------------------- */

/* RFC 6582 3.2 step 2 */
static void enter_recovery(struct tlsyn_conn *conn)
{
    tcp_begin_recovery(conn);
    tcp_tell_congestion(conn, CC_LOSS, tcp_flight_size(conn));
    ecn_window_reduced(conn);
    conn->cc.cwnd += DUPACKS_FOR_LOSS * conn->cc.smss; /* segments that have left the network */
    conn->resend_first = true;
    tcp_trace_cwnd(conn);
}

static void inflate(struct tlsyn_conn *conn)
{
    if (conn->cc.cwnd - conn->cc.smss < conn->cc.ssthresh + tcp_flight_size(conn))
        conn->cc.cwnd += conn->cc.smss;
}

/* RFC 5682 2.1 without SACK. Step 2 b: new text leaves instead of what is held lost. Step 3 a: it
 * was lost indeed. */
static void frto_goes_on(struct tlsyn_conn *conn, bool advanced)
{
    bool more = seq_gt(tcp_snd_end(conn), conn->snd_nxt) && tcp_flight_size(conn) < conn->snd_wnd;

    if (advanced && more && conn->undo.frto == FRTO_SECOND_ACK) {
        conn->snd_rtx = conn->snd_nxt;
        conn->cc.cwnd = tcp_flight_size(conn) + 2u * conn->cc.smss;
        return;
    }
    if (conn->undo.frto == FRTO_SECOND_ACK && conn->snd_rtx == conn->snd_nxt) {
        conn->snd_rtx = conn->snd_una;
        if (conn->cc.cwnd > 3u * conn->cc.smss)
            conn->cc.cwnd = 3u * conn->cc.smss;
    }
    conn->undo.frto = FRTO_OFF;
}

/* R5681-7 */
void tcp_duplicate_ack(struct tlsyn_conn *conn)
{
    if (conn->dupacks < UINT8_MAX)
        conn->dupacks++;
    if (conn->undo.frto != FRTO_OFF)
        frto_goes_on(conn, false);
    if (conn->in_recovery) /* step 4, and its bound: as many segments as are outstanding */
        inflate(conn);
    /* R6582-2 */
    else if (conn->dupacks == DUPACKS_FOR_LOSS && seq_gt(conn->snd_una, conn->recover))
        enter_recovery(conn);
    tcp_set_ready(conn);
}

/* R5681-8 */
uint32_t tcp_limited_transmit(const struct tlsyn_conn *conn)
{
    if (conn->in_recovery || conn->dupacks == 0)
        return 0;
    return (conn->dupacks < DUPACKS_FOR_LOSS ? conn->dupacks : DUPACKS_FOR_LOSS - 1u) *
           conn->cc.smss;
}

/* RFC 6582 3.2 step 3, partial acknowledgement: the next hole starts at snd_una. (R6582-1) */
static void partial_ack(struct tlsyn_conn *conn, uint32_t acked)
{
    conn->resend_first = true;
    conn->cc.cwnd -= acked < conn->cc.cwnd ? acked : conn->cc.cwnd;
    if (acked >= conn->cc.smss || conn->cc.cwnd < conn->cc.smss)
        conn->cc.cwnd += conn->cc.smss;
}

/* R5681-9 */
static void leave_recovery(struct tlsyn_conn *conn)
{
    uint32_t flight = tcp_flight_size(conn);
    uint32_t bound = (flight > conn->cc.smss ? flight : conn->cc.smss) + conn->cc.smss;

    conn->in_recovery = false;
    conn->dupacks = 0;
    conn->cc.cwnd = conn->cc.ssthresh < bound ? conn->cc.ssthresh : bound;
}

/* Bytes of `acked` that no duplicate ACK has told of before: each stood for one segment. */
static uint32_t not_told_yet(const struct tlsyn_conn *conn, uint32_t acked)
{
    uint32_t told = conn->dupacks * (uint32_t)conn->cc.smss;

    return acked > told ? acked - told : 0;
}

void tcp_recovery_on_ack(struct tlsyn_conn *conn, const struct recovery_news *news, uint32_t acked,
                         bool limited)
{
    const struct undo_ack ack = {
        .segment = news->segment,
        .acked = news->acked,
        .original = conn->undo.frto == FRTO_SECOND_ACK, /* nothing went again since the first ACK */
        .arrived = true,
    };
    bool undone = undo_on_ack(conn, &ack);

    if (!undone && conn->undo.frto != FRTO_OFF)
        frto_goes_on(conn, true);
    if (seq_geq(conn->snd_una, conn->recover))
        conn->after_timeout = false;
    if (!conn->in_recovery) {
        acked = not_told_yet(conn, acked);
        conn->dupacks = 0;
        /* `recover` follows right behind: left where it was, it would seem to lie ahead of snd_una
         * once 2^31 more bytes were sent. */
        if (seq_gt(conn->snd_una, conn->recover))
            conn->recover = conn->snd_una - 1u;
        tcp_tell_acked(conn, news, acked, limited);
    } else if (seq_geq(conn->snd_una, conn->recover)) {
        leave_recovery(conn);
    } else {
        partial_ack(conn, acked);
    }
    tcp_trace_cwnd(conn);
}
