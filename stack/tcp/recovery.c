/*
 * tcp/recovery.c: recovery with SACK. Read first: RFC 8985 6 and 7, RFC 9937 6, RFC 2018
 * 8, RFC 6675 5.
 *
 * An ACK is first taken onto the board (tcp_take_sack: what has arrived, what RACK learns from it),
 * then acted upon (tcp_recover: what is lost, whether recovery begins or ends, how much may be
 * sent). Output asks the board what to send again.
 */
#include "tcp/recovery.h"

#include "tcp/buffers.h"
#include "tcp/congest.h"
#include "tcp/options.h"
#include "tcp/timers.h"

#define DUP_THRESH 3 /* RFC 8985 6.2 step 4 */

/* A SACK block may cut pieces as long as there are not many more of them than segments on their
 * way: tiny blocks serve only to make us work, and send tiny segments (CVE-2019-11478). */
#define PIECES_FREE        64u
#define PIECES_PER_SEGMENT 2u

/* R6675-3 */
uint32_t tcp_pipe(const struct tlsyn_conn *conn)
{
    if (!conn->board_on)
        return (uint32_t)seq_diff(conn->snd_rtx, conn->snd_una);
    return tcp_flight_size(conn) - conn->board.sacked - conn->board.lost;
}

void tcp_begin_recovery(struct tlsyn_conn *conn)
{
    count(conn->tcp->cx, TLSYN_COUNT_tcp_fast_retrans);
    TRACE(conn->tcp->cx, tcp_fast_retransmit, conn->number, conn->snd_una);
    conn->fast_retransmits++;
    conn->in_recovery = true;
    conn->recover = conn->snd_nxt;
    conn->rtt_timing = false;
    undo_begin(conn);
}

/* --- on and off ------------------------------------------------------------------------------- */

static void off(struct tlsyn_conn *conn)
{
    conn->board_on = false;
    conn->probe_due = false;
    timers_clear(conn, TCP_REORDER);
    timers_clear(conn, TCP_PROBE);
}

/* At once, for want of memory; what is lost is left to snd_rtx and resend_first. */
static void give_up(struct tlsyn_conn *conn)
{
    if (!conn->board_on)
        return;
    if (conn->after_timeout)
        conn->snd_rtx = conn->snd_una;
    else if (conn->board.lost)
        conn->resend_first = true;
    conn->after_timeout = false;
    conn->rack.tlp_outstanding = false;
    off(conn);
    board_release(&conn->board, conn->tcp->cx->alloc);
    tcp_set_ready(conn);
}

/* New text is about to leave while the board is off. What is on its way already counts as sent just
 * now, and as sent twice, so that it measures no round trip. (R8985-1) */
static bool on(struct tlsyn_conn *conn, tcp_seq from)
{
    struct tlsyn_alloc *alloc = conn->tcp->cx->alloc;

    if (!conn->sack_ok || !tcp_synchronized(conn) || from != conn->snd_nxt || conn->in_recovery)
        return false;
    if (conn->snd_una != from) {
        if (board_append(&conn->board, alloc, conn->snd_una, from, conn->last_sent) < 0)
            return false;
        board_at(&conn->board, 0)->flags = PIECE_RESENT;
        conn->board.resent_end = from;
    }
    conn->board_on = true;
    buffers_used(conn);
    conn->resend_first = false;
    conn->after_timeout = seq_lt(conn->snd_una, conn->recover);
    return true;
}

/* --- transmissions ---------------------------------------------------------------------------- */

static int note(struct tlsyn_conn *conn, tcp_seq from, tcp_seq to)
{
    struct tlsyn_alloc *alloc = conn->tcp->cx->alloc;
    tcp_seq middle = seq_max(from, seq_min(to, conn->snd_nxt));
    int error = 0;

    if (from != middle) {
        bool first = from == conn->snd_una;

        error = board_resent(&conn->board, alloc, from, middle, conn->last_sent);
        /* RFC 6675 5 (C.3) allows it: the timer that runs belongs to the transmission before. */
        if (error == 0 && first)
            timers_clear(conn, TCP_RETRANSMIT);
    }
    if (error == 0 && middle != to)
        error = board_append(&conn->board, alloc, middle, to, conn->last_sent);
    return error;
}

/* Notes with what leaves how things stand at this moment, for delivery rate samples. */
static void mark(struct tlsyn_conn *conn, tcp_seq from, tcp_seq to, bool first)
{
    struct rate *rate = &conn->board.memory->rate;
    tcp_seq new_from = seq_max(from, conn->snd_nxt);
    uint32_t in_flight = tcp_pipe(conn);

    if (seq_lt(new_from, to))
        in_flight += (uint32_t)seq_diff(to, new_from);
    if (first)
        rate_start(rate, tcp_delivered(conn), conn->last_sent);
    rate_sent(rate, tcp_delivered(conn), in_flight);
    board_mark(&conn->board, from, to, &rate->mark);
}

void tcp_note_transmission(struct tlsyn_conn *conn, tcp_seq from, tcp_seq to)
{
    bool first = !conn->board_on;

    if (first && !on(conn, from))
        return;
    if (conn->in_recovery)
        prr_on_sent(&conn->prr, (uint32_t)seq_diff(to, from));
    if (note(conn, from, to) < 0) {
        /* Without memory to follow it, all is as it is for peers without SACK. */
        count(conn->tcp->cx, TLSYN_COUNT_tcp_board_failures);
        conn->snd_rtx = seq_max(conn->snd_nxt, to);
        give_up(conn);
        return;
    }
    mark(conn, from, to, first);
}

/* --- an ACK: what it says --------------------------------------------------------------------- */

/* What one ACK's arrived pieces say, taken together by arrived(). */
struct arrivals {
    struct board_news news;
    struct tlsyn_conn *conn;
    const uint32_t *echo;
    bool original;
    struct rate_sample rate;
    tlsyn_time newest; /* the transmission that `round_trip` measures */
    tlsyn_time round_trip, wait;
};

static void arrived(struct board_news *news, const struct piece *p)
{
    struct arrivals *a = container_of(news, struct arrivals, news);
    tlsyn_time now = a->conn->tcp->cx->now;
    tlsyn_time sample = rack_update(&a->conn->rack, p, now, a->echo);

    rate_arrived(&a->rate, &p->mark, p->at);
    if (!(p->flags & PIECE_RESENT) && seq_leq(p->to, a->conn->recover))
        a->original = true;
    if (sample == 0)
        return;
    rack_min_rtt(&a->conn->rack, sample, now);
    a->wait = sample > a->wait ? sample : a->wait;
    if (a->round_trip == 0 || p->at > a->newest) {
        a->newest = p->at;
        a->round_trip = sample;
    }
}

/* `before`: the board may be empty now. */
static void sample_rate(struct tlsyn_conn *conn, const struct rate *before,
                        struct rate_sample *sample)
{
    struct rate rate = *before;

    rate_sample(&rate, sample, tcp_delivered(conn), conn->rack.min_rtt, conn->tcp->cx->now);
    if (conn->board.count)
        conn->board.memory->rate = rate;
    if (sample->rate)
        conn->delivery_rate = (uint32_t)((sample->rate + 1023) / 1024);
}

void tcp_take_sack(struct tlsyn_conn *conn, const struct wire_tcp *segment, uint32_t acked,
                   struct recovery_news *news)
{
    struct tlsyn_alloc *alloc = conn->tcp->cx->alloc;
    uint32_t echo = segment->options.tsecr - conn->ts_offset;
    struct arrivals a = {.news = {arrived}, .conn = conn, .echo = conn->ts_ok ? &echo : NULL};
    const struct sack_bounds bounds = {segment->ack, conn->snd_una, conn->snd_nxt,
                                       conn->snd_wnd_max};
    const struct rate before = conn->board.count ? conn->board.memory->rate : (struct rate){0};
    uint32_t pieces = PIECES_FREE + PIECES_PER_SEGMENT * (tcp_flight_size(conn) / conn->mss);

    if (pieces > conn->board.max)
        pieces = conn->board.max;
    *news = (struct recovery_news){.acked = acked, .segment = segment};
    sack_read(&segment->options, &bounds, &news->view);
    news->delivered = board_ack(&conn->board, alloc, conn->snd_una, &a.news);
    news->wait = a.wait;
    for (int i = 0; i < news->view.count; i++)
        news->delivered += board_sack(&conn->board, alloc, &news->view.block[i], pieces, &a.news);
    sample_rate(conn, &before, &a.rate);
    news->rate = a.rate;
    news->round_trip = a.round_trip;
    news->wait = news->wait ? news->wait : a.wait;
    news->original = a.original;
    if (news->view.dsack)
        count(conn->tcp->cx, TLSYN_COUNT_tcp_dsack_received);
}

/* --- an ACK: what follows --------------------------------------------------------------------- */

static tlsyn_time reo_wnd(const struct tlsyn_conn *conn)
{
    bool impatient = conn->in_recovery || conn->after_timeout ||
                     conn->board.sacked > (DUP_THRESH - 1u) * (uint32_t)conn->mss;

    return rack_reo_wnd(&conn->rack, conn->rtt.srtt, impatient);
}

static bool detect(struct tlsyn_conn *conn)
{
    tlsyn_time wait;
    bool lost =
        rack_detect_loss(&conn->rack, &conn->board, reo_wnd(conn), conn->tcp->cx->now, &wait);

    timers_set(conn, TCP_REORDER, wait ? wait : TLSYN_NEVER);
    return lost;
}

/* ACKs come in batches. Had each been acted upon at once, those in front of the ACK that showed the
 * loss would have let this much new text go. (What that one `delivered` itself is counted by PRR.)
 * Without it a batch that acknowledges all but the lost segment would leave the retransmission
 * alone on its way, and nothing behind it to show if that is lost, too. */
static uint32_t held_back(const struct tlsyn_conn *conn, uint32_t delivered)
{
    uint32_t pipe = tcp_flight_size(conn) - conn->board.sacked + delivered;
    int32_t fresh = seq_diff(tcp_snd_end(conn), conn->snd_nxt);

    if (!conn->cwnd_limited || conn->cc.cwnd <= pipe || fresh <= 0)
        return 0;
    return (uint32_t)fresh < conn->cc.cwnd - pipe ? (uint32_t)fresh : conn->cc.cwnd - pipe;
}

/* RFC 9937 6.1; `news` is NULL if the reordering timer showed the loss, and not an ACK. */
static void enter(struct tlsyn_conn *conn, const struct recovery_news *news)
{
    uint32_t flight = tcp_flight_size(conn) + (news ? news->acked : 0);
    uint32_t delivered = news ? news->delivered : 0, due = held_back(conn, delivered);

    tcp_begin_recovery(conn);
    timers_clear(conn, TCP_PROBE);
    conn->rack.tlp_outstanding = false; /* what it would report is this very loss */
    /* RFC 3168 6.1.2: marks have reduced it for this round trip already. */
    if (!conn->ecn.reducing || conn->cc.ops->own_window)
        tcp_tell_congestion(conn, CC_LOSS, flight);
    ecn_window_reduced(conn);
    prr_begin(&conn->prr, tcp_flight_size(conn) - conn->board.sacked + delivered, due);
}

/* RFC 6675 5 and RFC 9937: recovery is over once everything sent before it has arrived. True if it
 * was a fast recovery, and not what follows a timeout. (R6675-8) */
static bool leave(struct tlsyn_conn *conn)
{
    bool recovered = conn->in_recovery;

    if (seq_lt(conn->snd_una, conn->recover))
        return false;
    if (recovered && !conn->cc.ops->own_window)
        conn->cc.cwnd = conn->cc.ssthresh;
    conn->in_recovery = conn->after_timeout = false;
    return recovered;
}

static void reduce(struct tlsyn_conn *conn, const struct recovery_news *news, bool lost)
{
    struct prr_ack ack = {
        .delivered = news ? news->delivered : 0,
        .in_flight = tcp_pipe(conn),
        .ssthresh = conn->cc.ssthresh,
        .smss = conn->cc.smss,
        .safe = news && news->acked && !lost,
    };

    if (conn->cc.ops->own_window)
        return;
    if (ack.delivered || lost)
        conn->cc.cwnd = prr_on_ack(&conn->prr, &ack);
    if (conn->cc.cwnd < conn->cc.smss)
        conn->cc.cwnd = conn->cc.smss;
}

/* RFC 8985 7.4.2: the probe has repaired a loss that nothing else reports, and which is a sign of
 * congestion all the same. (R8985-13) */
static void probe_repaired(struct tlsyn_conn *conn, uint32_t acked)
{
    uint32_t flight = tcp_flight_size(conn) + acked;

    count(conn->tcp->cx, TLSYN_COUNT_tcp_loss_probe_recovery);
    if (conn->in_recovery || conn->after_timeout)
        return;
    conn->undo.armed = false;
    tcp_tell_congestion(conn, CC_LOSS, flight);
}

static void follow_rack(struct tlsyn_conn *conn, const struct recovery_news *news, bool undone,
                        bool recovered)
{
    const struct sack_view *view = &news->view;
    bool probes = conn->rack.tlp_outstanding && view->twice.right == conn->rack.tlp_end_seq;

    /* If nothing was ever retransmitted, a D-SACK reports a duplicate that the network made, or
     * lies. */
    rack_adapt(&conn->rack, conn->snd_una, conn->snd_nxt,
               undone || (view->dsack && !probes && conn->retransmits > 0), recovered);
}

static bool spurious(struct tlsyn_conn *conn, const struct recovery_news *news)
{
    const struct undo_ack ack = {
        .segment = news->segment,
        .acked = news->acked,
        .original = news->original,
        .arrived = news->delivered > 0,
        .twice = news->view.dsack ? &news->view.twice : NULL,
    };

    return undo_on_ack(conn, &ack);
}

void tcp_recover(struct tlsyn_conn *conn, const struct recovery_news *news, uint32_t text,
                 bool limited, bool empty)
{
    bool fast = conn->in_recovery, undone = spurious(conn, news);
    bool recovered = !undone && leave(conn);

    follow_rack(conn, news, undone && fast, recovered);
    if (rack_tlp_on_ack(&conn->rack, conn->snd_una, news->acked > 0, &news->view,
                        empty && news->view.count == 0))
        probe_repaired(conn, news->acked);
    bool lost =
        (detect(conn) || ((undone || recovered) && conn->board.lost)) && !tcp_mtu_probe_lost(conn);
    /* R6675-9 */
    if (lost && !conn->in_recovery && !conn->after_timeout)
        enter(conn, news);
    if (conn->in_recovery)
        reduce(conn, news, lost);
    if (!recovered || conn->cc.ops->own_window)
        tcp_tell_acked(conn, news, text, limited);
    if (!conn->in_recovery && !conn->after_timeout && seq_gt(conn->snd_una, conn->recover))
        conn->recover = conn->snd_una - 1u; /* kept right behind, as in retransmit.c */
    if (conn->snd_una == conn->snd_nxt)
        off(conn);
    else if (news->acked)
        tcp_arm_probe(conn);
    conn->dupacks = 0;
    tcp_trace_cwnd(conn);
    tcp_set_ready(conn);
}

void tcp_reorder_timeout(struct tlsyn_conn *conn)
{
    if (!conn->board_on || !detect(conn))
        return;
    tcp_set_ready(conn);
    if (tcp_mtu_probe_lost(conn))
        return;
    if (!conn->in_recovery && !conn->after_timeout)
        enter(conn, NULL);
    if (conn->in_recovery)
        reduce(conn, NULL, true);
    tcp_trace_cwnd(conn);
    tcp_set_ready(conn);
}

/* --- all of it again -------------------------------------------------------------------------- */

void tcp_send_all_again(struct tlsyn_conn *conn)
{
    if (!conn->board_on) {
        conn->snd_rtx = conn->snd_una;
        return;
    }
    for (uint32_t i = 0; i < conn->board.count; i++) {
        struct piece *p = board_at(&conn->board, i);

        if (!(p->flags & (PIECE_SACKED | PIECE_LOST)))
            board_lose(&conn->board, p);
    }
}

/* R2018-8 */
void tcp_board_timeout(struct tlsyn_conn *conn, bool repeated)
{
    /* RFC 2018 8: a peer that holds what comes next, and does not acknowledge it, has thrown it
     * away. One that is silent may have. */
    if (conn->board.count && (repeated || board_at(&conn->board, 0)->flags & PIECE_SACKED)) {
        count(conn->tcp->cx, TLSYN_COUNT_tcp_sack_reneging);
        board_renege(&conn->board);
        tcp_send_all_again(conn);
    }
    rack_timeout(&conn->rack, &conn->board, reo_wnd(conn), conn->tcp->cx->now);
    timers_clear(conn, TCP_REORDER);
    timers_clear(conn, TCP_PROBE);
    conn->probe_due = false;
    conn->after_timeout = true;
}

/* --- the tail loss probe ---------------------------------------------------------------------- */

/* R8985-10, R8985-14 */
void tcp_arm_probe(struct tlsyn_conn *conn)
{
    tlsyn_time rto = timers_when(conn, TCP_RETRANSMIT);
    uint32_t flight = tcp_flight_size(conn);

    timers_clear(conn, TCP_PROBE);
    if (!conn->board_on || conn->in_recovery || conn->after_timeout || flight == 0 ||
        conn->board.sacked || conn->board.lost || conn->rack.tlp_outstanding ||
        timers_running(conn, TCP_PERSIST))
        return;
    tlsyn_time when = conn->tcp->cx->now + rack_pto(conn->rtt.srtt, flight <= conn->mss,
                                                    conn->tcp->cx->limits.max_ack_delay);
    timers_set(conn, TCP_PROBE, when < rto ? when : rto);
}

void tcp_probe_timeout(struct tlsyn_conn *conn)
{
    if (!conn->board_on || conn->board.sacked || conn->board.lost)
        return;
    conn->probe_due = true;
    /* 7.3: the probe stands for the timeout, which gets its full time again. */
    timers_set(conn, TCP_RETRANSMIT, conn->tcp->cx->now + conn->rtt.rto);
    tcp_set_ready(conn);
}

void tcp_probe_sent(struct tlsyn_conn *conn, bool retransmission)
{
    count(conn->tcp->cx, TLSYN_COUNT_tcp_loss_probes);
    timers_clear(conn, TCP_PROBE);
    conn->rack.tlp_outstanding = conn->board_on;
    conn->rack.tlp_is_retrans = retransmission;
    conn->rack.tlp_end_seq = conn->snd_nxt;
}
