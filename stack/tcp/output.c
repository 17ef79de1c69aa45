/*
 * tcp/output.c: sending. Read first: RFC 9293 3.8.4 and 3.8.6.2.1, 3.7.4 (Nagle);
 * RFC 5681 3.1 and 4.1.
 *
 * tcp_output() asks small questions in order (is the SYN due? a resend? text? FIN? a bare ACK?) and
 * sends one segment, or one train of equal segments where the link can cut it, per answer. SYN and
 * SYN-ACK take their text from the send ring like any other segment.
 */
#include "tcp/output.h"

#include <errno.h>

#include "tcp/buffers.h"
#include "tcp/congest.h"
#include "tcp/options.h"
#include "tcp/pace.h"
#include "tcp/recovery.h"
#include "tcp/recv.h"
#include "tcp/reply.h"
#include "tcp/retransmit.h"
#include "tcp/segment.h"
#include "tcp/timers.h"

/* Text behind a cork waits no longer than in Linux. */
#define CORK_TIMEOUT TLSYN_MS(200)

/* --- SYN and SYN-ACK -------------------------------------------------------------------------- */

static bool syn_is_due(const struct tlsyn_conn *conn)
{
    return (conn->state == TLSYN_SYN_SENT || conn->state == TLSYN_SYN_RECEIVED) &&
           conn->snd_rtx == conn->iss;
}

/* As much of the flight as fits behind a SYN-ACK; none to a peer that did not ask for it
 * (RFC 7413 4.2.2). */
static uint32_t synack_text(const struct tlsyn_conn *conn, uint32_t options_len, int64_t allowed)
{
    uint32_t room = conn->mss + (conn->ts_ok ? 12u : 0u) - options_len;
    uint32_t len = conn->snd.used;

    if (!conn->embedded || conn->level == TLSYN_LEVEL_NONE)
        return 0;
    len = len < room ? len : room;
    len = len < conn->snd_wnd ? len : conn->snd_wnd;
    return len < allowed ? len : (uint32_t)allowed;
}

static void send_syn(struct tlsyn_conn *conn)
{
    struct context *cx = conn->tcp->cx;
    bool first = conn->snd_nxt == conn->iss, synack = conn->state == TLSYN_SYN_RECEIVED;
    struct wire_tcp segment = tcp_segment(conn, conn->iss, synack ? TCP_SYN | TCP_ACK : TCP_SYN);
    uint8_t scratch[TCP_OPTIONS_MAX];
    uint32_t options = (uint32_t)tcp_options_emit(&segment.options, scratch, sizeof(scratch));
    uint32_t overhead = tcp_headers_len(conn) + options;
    int64_t allowed = tcp_amplification_room(conn, overhead);
    uint32_t len = 0;

    conn->snd_rtx = seq_max(conn->snd_nxt, conn->iss + 1);
    if ((first ? tcp_amplification_left(conn) : tcp_amplification_left_again(conn)) < overhead) {
        count(cx, TLSYN_COUNT_tcp_amplification_limited);
        tcp_arm_retransmit(conn);
        return;
    }
    if (first && !conn->syn_plain)
        len = synack ? synack_text(conn, options, allowed < 0 ? 0 : allowed) : conn->syn_text;
    if (first) {
        conn->snd_nxt = conn->snd_rtx = conn->iss + 1 + len;
        conn->rtt_timing = true;
        conn->rtt_seq = conn->iss + 1;
        conn->rtt_at = cx->now;
    } else {
        conn->retransmits++;
    }
    if (synack && len) {
        conn->synack_text = (uint16_t)len;
        count(cx, TLSYN_COUNT_tcp_synack_data_sent);
    } else if (len) {
        count(cx, TLSYN_COUNT_tcp_syn_data_sent);
    }
    if (synack && segment.options.has_fastopen)
        count(cx, TLSYN_COUNT_tcp_fastopen_cookie_sent);
    tcp_charge(conn, overhead + len);
    tcp_send_segment(conn, &segment, len, 0);
    tcp_arm_retransmit(conn);
}

/* --- text and FIN ----------------------------------------------------------------------------- */

/* States in which text and FIN of ours may leave. In SYN-RECEIVED only behind an
 * embedded SYN-ACK. */
static bool may_send_text(const struct tlsyn_conn *conn)
{
    switch (conn->state) {
    case TLSYN_SYN_RECEIVED:
        return conn->embedded && !conn->syn_plain;
    case TLSYN_ESTABLISHED:
    case TLSYN_CLOSE_WAIT:
    case TLSYN_FIN_WAIT_1:
    case TLSYN_CLOSING:
    case TLSYN_LAST_ACK:
        return true;
    default:
        return false;
    }
}

/* What a segment at `seq` would be. */
struct candidate {
    tcp_seq seq;
    uint32_t len;
    bool fin;
    bool by_cwnd;   /* cwnd is why it is no longer than this */
    bool probe;     /* it probes a closed window: leaves without ECT (RFC 3168 6.1.6) */
    bool mtu_probe; /* it probes the path's MTU: one segment, however long */
};

/* Bytes that one frame may carry: several segments where the link can cut them. */
static uint32_t frame_max(const struct tlsyn_conn *conn)
{
    uint32_t mss = tcp_send_mss(conn);
    uint32_t most = conn->cc.cwnd / 2; /* two trains on their way keep the ACKs coming */
    bool open = tcp_synchronized(conn) || conn->validated; /* no amplification limit to mind */

    if (conn->gso_max < 2 * mss || !open || ecn_sends_cwr(conn) || most < mss)
        return mss;
    if (conn->snd_urgent) /* the pointer counts from each segment's number */
        return mss;
    most = most < conn->gso_max ? most : conn->gso_max;
    return most / mss * mss;
}

/* Waits behind the cork for more text, which is to come soon. (MAY-16) */
static bool hold_back(struct tlsyn_conn *conn)
{
    if (!timers_running(conn, TCP_CORK))
        timers_set(conn, TCP_CORK, conn->tcp->cx->now + CORK_TIMEOUT);
    return false;
}

/* Nothing followed: what waits is pushed after all. */
void tcp_cork_timeout(struct tlsyn_conn *conn)
{
    conn->cork_passed = true;
    conn->unpushed = false;
    tcp_set_ready(conn);
}

void tcp_uncork(struct tlsyn_conn *conn)
{
    conn->cork_passed = false;
    timers_clear(conn, TCP_CORK);
}

/* Nagle's algorithm as modified by Minshall, and as in Linux: a small segment waits only while
 * another small one is on its way. Behind full ones it leaves at once; otherwise the odd end of a
 * large write would wait for an ACK that its receiver delays. */
static bool small_is_out(const struct tlsyn_conn *conn)
{
    return seq_gt(conn->snd_small, conn->snd_una) && seq_leq(conn->snd_small, conn->snd_nxt);
}

/* RFC 9293 3.8.6.2.1: the sender's silly window avoidance, with Nagle's algorithm (3.7.4) in it.
 * `rest`: committed bytes from seq on. MUST-38, SHLD-7 */
static bool worth_sending(struct tlsyn_conn *conn, const struct candidate *c, uint32_t rest)
{
    if (c->len >= tcp_send_mss(conn) || seq_lt(c->seq, conn->snd_nxt))
        return true; /* (1) full-sized, or sent before */
    if (c->len == rest && (c->fin || conn->cork_passed || conn->snd_urgent))
        return true; /* (2) all there is (MUST-60) */
    if (c->len == rest && conn->cork)
        return hold_back(conn);
    if (c->len == rest && !(conn->nagle && small_is_out(conn)))
        return true;
    return c->len > 0 && c->len >= conn->snd_wnd_max / 2; /* (3) half the largest window so far */
}

/* The peer's window leaves no room. If nothing is on its way, or all of it is held lost after a
 * timeout, then only a probe can find out that the window has opened again (MUST-35). Returns
 * false, as what is due can't be sent. */
static bool window_closed(struct tlsyn_conn *conn)
{
    bool silent =
        conn->board_on ? conn->board.lost && tcp_pipe(conn) == 0 : conn->snd_rtx == conn->snd_una;

    if (silent && tcp_synchronized(conn))
        tcp_arm_persist(conn);
    return false;
}

/* Trains end with whole segments. */
static uint32_t whole_segments(const struct tlsyn_conn *conn, uint32_t len)
{
    uint32_t mss = tcp_send_mss(conn);

    return len > mss ? len - len % mss : len;
}

static void note_limited(struct tlsyn_conn *conn)
{
    conn->cwnd_limited = true;
    conn->limited_seq = conn->snd_nxt;
}

/* Is something due that was lost? Only whole segments are: if cwnd has room for less, the segment
 * waits for the next ACK (RFC 6675 5 (C)). (R6675-7) */
static bool lost_is_due(struct tlsyn_conn *conn, struct candidate *c)
{
    const struct piece *lost = board_first_lost(&conn->board, &c->len);
    uint32_t pipe = tcp_pipe(conn), mss = tcp_send_mss(conn);
    uint32_t text = (uint32_t)seq_diff(tcp_snd_end(conn), lost->from);
    uint32_t ahead = (uint32_t)seq_diff(lost->from, conn->snd_una);
    bool last = lost->from + c->len == conn->snd_nxt;

    c->seq = lost->from;
    if (last && text >= c->len) /* a probe of a closed window grows to a segment */
        c->len = text < mss ? text : c->len < mss ? mss : c->len;
    /* SHLD-16 */
    if (text > 0 && ahead >= conn->snd_wnd)
        return window_closed(conn);
    uint32_t allowed = conn->cc.cwnd > pipe ? conn->cc.cwnd - pipe : 0;
    if (allowed < (c->len < mss ? c->len : mss)) {
        note_limited(conn);
        return false;
    }
    allowed = allowed < frame_max(conn) ? allowed : frame_max(conn);
    allowed = text == 0 || allowed < conn->snd_wnd - ahead ? allowed : conn->snd_wnd - ahead;
    bool fin = tcp_fin_sent(conn) && c->len > text;
    c->len = c->len < text ? c->len : text;
    bool all = c->len <= allowed;
    if (!all)
        c->len = whole_segments(conn, allowed);
    c->fin = all && (fin || (conn->fin_queued && c->len == text));
    return true;
}

/* F-RTO sends new text before what is held lost (RFC 5682 2.1 step 2 b), to learn from its ACKs
 * whether the timeout was spurious. Without new text it can't learn anything, and ends. */
static bool new_text_first(struct tlsyn_conn *conn)
{
    int32_t fresh = seq_diff(tcp_snd_end(conn), conn->snd_nxt);

    if (!undo_wants_new_text(conn))
        return false;
    if (fresh > 0 && (fresh >= tcp_send_mss(conn) || !conn->nagle) &&
        tcp_flight_size(conn) < conn->snd_wnd)
        return true;
    conn->undo.frto = FRTO_OFF;
    return false;
}

/* New text may leave in one larger segment, the probe of the path's MTU. Once everything else is as
 * such a probe wants it, it is worth waiting until cwnd has room for it. */
static bool mtu_probe_is_due(const struct tlsyn_conn *conn, struct candidate *c, uint32_t rest)
{
    uint32_t ahead = (uint32_t)seq_diff(conn->snd_rtx, conn->snd_una);
    uint32_t len = 0;

    if (c->len > 0 && c->seq == conn->snd_nxt)
        len = tcp_mtu_probe_due(conn, conn->snd_wnd - ahead, rest);
    if (len > 0)
        *c = (struct candidate){.seq = c->seq, .len = len, .mtu_probe = true, .by_cwnd = true};
    return len > 0;
}

/* Is text, or FIN, due at snd_rtx? (SHLD-28) */
static bool text_is_due(struct tlsyn_conn *conn, struct candidate *c)
{
    tcp_seq end = tcp_snd_end(conn);
    int64_t rest = seq_diff(end, conn->snd_rtx); /* -1 when FIN has been sent */
    /* The SYN of our SYN-ACK takes up nothing of the peer's window, which is for text ... */
    uint32_t ahead = (uint32_t)seq_diff(conn->snd_rtx, tcp_snd_base(conn));
    /* ... nor of cwnd, whose first ten segments are text (RFC 6928 2). */
    uint32_t in_flight = tcp_pipe(conn) - (uint32_t)seq_diff(tcp_snd_base(conn), conn->snd_una);
    uint32_t cwnd = conn->cc.cwnd + tcp_limited_transmit(conn), mss = tcp_send_mss(conn);

    *c = (struct candidate){0};
    if (conn->board_on && conn->board.lost && !new_text_first(conn))
        return lost_is_due(conn, c);
    if (rest < 0 || (rest == 0 && !(conn->fin_queued && tcp_synchronized(conn))))
        return false;
    *c = (struct candidate){.seq = conn->snd_rtx};
    /* MUST-34, SHLD-15 */
    if (conn->snd_wnd <= ahead && !(conn->snd_wnd > 0 && rest == 0))
        return window_closed(conn);
    if (rest > 0 && cwnd <= in_flight) {
        note_limited(conn);
        return false;
    }
    uint32_t room = rest == 0 ? 0 : conn->snd_wnd - ahead;
    if (rest > 0 && room > cwnd - in_flight) {
        room = cwnd - in_flight;
        c->by_cwnd = rest >= room && room <= frame_max(conn);
    }
    c->len = rest < room ? (uint32_t)rest : room;
    if (c->len > frame_max(conn))
        c->len = frame_max(conn);
    /* A train ends with a whole segment, unless its odd end is all there is and neither Nagle's
     * algorithm nor the cork would hold that end back. */
    if (c->len > mss && (c->len < rest || (((conn->nagle && small_is_out(conn)) || conn->cork) &&
                                           !conn->fin_queued)))
        c->len -= c->len % mss;
    c->fin = conn->fin_queued && c->len == rest && tcp_synchronized(conn);
    bool probe = mtu_probe_is_due(conn, c, (uint32_t)rest);
    if (probe ? c->len <= cwnd - in_flight : worth_sending(conn, c, (uint32_t)rest))
        return true;
    if (c->by_cwnd)
        note_limited(conn);
    return !probe && c->len < rest && room < cwnd - in_flight ? window_closed(conn) : false;
}

/* A connection begins with quick ACKs for the sake of the peer's slow start. Our first text that
 * answers the peer ends that: from now on it is a conversation, and ACKs ride in our text. Text on
 * the ACK of a SYN-ACK is such an answer, too. (To be called before tcp_segment(), which clears
 * ack_due.) */
static void note_answer(struct tlsyn_conn *conn)
{
    const struct context *cx = conn->tcp->cx;
    bool just_heard = conn->rcv_total > 0 && cx->now - conn->last_heard < cx->limits.delack;

    if (!conn->quick_start || !(just_heard || conn->ack_due != TCP_ACK_NONE))
        return;
    conn->quick_start = false;
    conn->quick_acks = 0;
}

/* R6298-7 */
static void note_sent(struct tlsyn_conn *conn, const struct candidate *c)
{
    tcp_seq next = c->seq + c->len + c->fin;

    if (seq_lt(c->seq, conn->snd_nxt)) {
        conn->retransmits += tcp_segments(conn, c->len);
        conn->tcp->cx->counter[TLSYN_COUNT_tcp_retrans_segs] += tcp_segments(conn, c->len);
        conn->rtt_timing = false; /* Karn */
    } else if (c->len % tcp_send_mss(conn)) {
        conn->snd_small = next;
    }
    if (seq_geq(c->seq, conn->snd_nxt) && !conn->rtt_timing) {
        conn->rtt_timing = true;
        conn->rtt_seq = next;
        conn->rtt_at = conn->tcp->cx->now;
    }
    if (seq_lt(c->seq, conn->snd_nxt))
        undo_on_resent(conn, (uint32_t)seq_diff(next, c->seq));
    tcp_note_transmission(conn, c->seq, next);
    conn->snd_nxt = seq_max(conn->snd_nxt, next);
    conn->snd_rtx = conn->board_on ? conn->snd_nxt : conn->snd_rtx;
}

static int send_text(struct tlsyn_conn *conn, const struct candidate *c)
{
    bool last = c->seq + c->len == tcp_snd_end(conn);
    bool fresh = seq_geq(c->seq, conn->snd_nxt) && c->len > 0 && !c->probe;
    bool pushed = !conn->unpushed || conn->fin_queued;
    /* MUST-61, SHLD-27, MAY-15. As in Linux the last segment of a train has PSH, which shows a
     * receiver that merges segments (GRO) where the train ends. */
    bool push = (last && c->len > 0 && pushed) || (c->len > tcp_send_mss(conn) && !c->mtu_probe);
    uint8_t flags = (uint8_t)(TCP_ACK | (c->fin ? TCP_FIN : 0) | (push ? TCP_PSH : 0));

    conn->last_sent = conn->tcp->cx->now;
    if (last && conn->cork)
        tcp_uncork(conn);
    if (fresh)
        note_answer(conn);
    struct wire_tcp segment = tcp_segment(conn, c->seq, flags);
    if (fresh && conn->ecn.cwr_due) {
        segment.flags |= TCP_CWR;
        conn->ecn.cwr_due = false;
    }
    if (c->mtu_probe)
        tcp_mtu_probe_sent(conn, c->seq);
    note_sent(conn, c);
    int error = tcp_send_segment(conn, &segment, c->len, ecn_codepoint(conn, fresh));
    tcp_arm_retransmit(conn);
    if (conn->board_on && !conn->rack.tlp_outstanding)
        tcp_arm_probe(conn);
    return error;
}

/* In SYN-RECEIVED the flight's rest leaves at once, as far as the amplification limit allows. */
static bool within_amplification(struct tlsyn_conn *conn, struct candidate *c)
{
    uint32_t overhead = tcp_headers_len(conn) + (conn->ts_ok ? 12u : 0u);
    int64_t allowed = tcp_amplification_room(conn, overhead);

    if (allowed < (int64_t)c->len) {
        count(conn->tcp->cx, TLSYN_COUNT_tcp_amplification_limited);
        return false;
    }
    tcp_charge(conn, overhead + c->len);
    return true;
}

/* The next segment or train. RFC 5681 4.1: after an idle RTO, cwnd says little about the path. */
static bool next_text(struct tlsyn_conn *conn, struct candidate *c)
{
    if (!text_is_due(conn, c)) {
        tcp_note_silence(conn);
        return false;
    }
    if (conn->snd_nxt != conn->snd_una || !conn->last_sent)
        return true;
    tcp_tell_restart(conn);
    return text_is_due(conn, c);
}

/* False: pacing makes it wait. */
static bool within_pace(struct tlsyn_conn *conn, struct candidate *c)
{
    uint32_t len = c->len ? tcp_pace(conn, c->len, c->mtu_probe) : 0;

    if (len == 0)
        return c->len == 0;
    c->fin = c->fin && len == c->len;
    if (c->by_cwnd && len == c->len)
        note_limited(conn);
    c->len = len;
    return true;
}

static void send_texts(struct tlsyn_conn *conn)
{
    struct candidate c;

    while (next_text(conn, &c)) {
        if (!within_pace(conn, &c) || !within_amplification(conn, &c))
            return;
        conn->snd_rtx = c.seq + c.len + c.fin;
        if (send_text(conn, &c) < 0)
            return; /* counted as dropped on the way out: the retransmission timer has it */
    }
}

/* RFC 5681 3.2 step 2: the segment that seems to be lost, whatever cwnd is. */
static void resend_first(struct tlsyn_conn *conn)
{
    uint32_t sent = (uint32_t)seq_diff(conn->snd_nxt, conn->snd_una);
    struct candidate c = {.seq = conn->snd_una};

    conn->resend_first = false;
    if (sent == 0)
        return;
    c.len = conn->snd.used < tcp_send_mss(conn) ? conn->snd.used : tcp_send_mss(conn);
    c.len = c.len < sent ? c.len : sent;
    c.fin = tcp_fin_sent(conn) && c.len == conn->snd.used;
    send_text(conn, &c);
}

/* Bytes of the segment that ends at `end`, as it was cut. */
static uint32_t last_segment(const struct tlsyn_conn *conn, tcp_seq end, uint32_t mss)
{
    const struct piece *last = board_at(&conn->board, conn->board.count - 1);
    int32_t text = seq_diff(end, seq_max(last->from, conn->snd_una));

    if (text <= 0) /* a FIN by itself */
        return 0;
    return (uint32_t)text % mss ? (uint32_t)text % mss : mss;
}

/* RFC 8985 7.3: new text if there is any, beyond cwnd too, else the last segment once more.
 * R8985-12 */
static void send_tail(struct tlsyn_conn *conn)
{
    uint32_t mss = tcp_send_mss(conn), flight = tcp_flight_size(conn);
    int32_t rest = seq_diff(tcp_snd_end(conn), conn->snd_nxt);
    struct candidate c = {.seq = conn->snd_nxt};
    uint32_t room = conn->snd_wnd > flight ? conn->snd_wnd - flight : 0;

    conn->probe_due = false;
    if (!conn->board_on || conn->board.sacked || conn->board.lost || flight == 0)
        return;
    c.len = rest <= 0 ? 0 : (uint32_t)rest < mss ? (uint32_t)rest : mss;
    bool fresh = c.len > 0 && c.len <= room;
    if (!fresh) {
        tcp_seq end = tcp_fin_sent(conn) ? tcp_snd_end(conn) : conn->snd_nxt;

        c.fin = tcp_fin_sent(conn);
        c.len = last_segment(conn, end, mss);
        c.seq = end - c.len;
    }
    send_text(conn, &c);
    tcp_probe_sent(conn, !fresh);
}

void tcp_send_probe(struct tlsyn_conn *conn)
{
    uint32_t room = conn->snd_wnd < tcp_send_mss(conn) ? conn->snd_wnd : tcp_send_mss(conn);
    struct candidate c = {.seq = conn->snd_una, .len = room ? room : 1, .probe = true};

    if (c.len > conn->snd.used)
        c.len = conn->snd.used;
    c.fin = conn->fin_queued && c.len == conn->snd.used && (c.len == 0 || room > c.len);
    conn->snd_rtx = seq_max(conn->snd_rtx, c.seq + c.len + c.fin);
    send_text(conn, &c);
}

/* --- everything that is due ------------------------------------------------------------------- */

/* Duplicate ACKs leave as segments without text: with text they would not count as duplicates
 * (RFC 5681 2). A peer with SACK does not count, so that text which has just left serves as one of
 * them. (MUST-58, MUST-59) */
static void send_acks(struct tlsyn_conn *conn)
{
    if (conn->state <= TLSYN_SYN_RECEIVED)
        return;
    if (conn->acks_owed > 0 && conn->sack_ok && conn->ack_due == TCP_ACK_NONE)
        conn->acks_owed--;
    for (; conn->acks_owed > 0; conn->acks_owed--)
        tcp_emit_control(conn, TCP_ACK);
    if (conn->ack_due == TCP_ACK_NOW)
        tcp_emit_control(conn, TCP_ACK);
}

static void send_due(struct tlsyn_conn *conn)
{
    if (syn_is_due(conn))
        send_syn(conn);
    if (may_send_text(conn)) {
        if (conn->resend_first)
            resend_first(conn);
        if (conn->probe_due)
            send_tail(conn);
        send_texts(conn);
    }
    send_acks(conn);
}

/* A passive open that was refused before anything was sent, without an alert to say why: the SYN is
 * answered by RST (RFC 9293 3.5.2, group 1). */
static bool refused_unheard(const struct tlsyn_conn *conn)
{
    return conn->refused && conn->snd_nxt == conn->iss && conn->snd.used == 0;
}

void tcp_output(struct tlsyn_conn *conn)
{
    if (!refused_unheard(conn))
        send_due(conn);
    if (conn->refused) {
        tcp_send_rst(conn);
        tcp_finish(conn, conn->error);
    }
}

/* --- the user's side -------------------------------------------------------------------------- */

ssize_t tlsyn_conn_reserve(struct tlsyn_conn *conn, size_t want, struct tlsyn_view *view)
{
    *view = (struct tlsyn_view){0};
    if (conn->fin_queued || conn->closed_told ||
        (conn->state == TLSYN_CLOSED && !(conn->active && conn->in_demux)))
        return -EPIPE;
    ssize_t room = buffers_snd_room(conn, want);
    conn->snd_short = room < (ssize_t)want;
    if (room > 0)
        ring_view(&conn->snd, conn->snd.used, (uint32_t)room, view);
    return room;
}

void tlsyn_conn_commit(struct tlsyn_conn *conn, size_t n)
{
    ring_commit(&conn->snd, (uint32_t)n);
    if (n)
        tcp_set_ready(conn);
}

ssize_t tlsyn_conn_write(struct tlsyn_conn *conn, const void *bytes, size_t n)
{
    struct tlsyn_view view;
    ssize_t room = tlsyn_conn_reserve(conn, n, &view);
    const uint8_t *from = bytes;

    if (room <= 0)
        return room;
    memcpy(view.part[0].iov_base, from, view.part[0].iov_len);
    if (view.part[1].iov_len)
        memcpy(view.part[1].iov_base, from + view.part[0].iov_len, view.part[1].iov_len);
    tlsyn_conn_commit(conn, (size_t)room);
    return room;
}
