/*
 * tcp/output.c: sending. Read first: RFC 9293 3.8.4 and 3.10.7; RFC 5681 3.2.
 *
 * tcp_output() asks small questions in order (is the SYN due? a resend? text, which due.c answers?
 * a bare ACK?) and sends one segment, or one train of equal segments where the link can cut it, per
 * answer. SYN and SYN-ACK take their text from the send ring like any other segment.
 */
#include "tcp/output.h"

#include <errno.h>

#include "tcp/buffers.h"
#include "tcp/due.h"
#include "tcp/options.h"
#include "tcp/recovery.h"
#include "tcp/reply.h"
#include "tcp/retransmit.h"
#include "tcp/segment.h"

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
static void note_sent(struct tlsyn_conn *conn, const struct due *c)
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

static int send_text(struct tlsyn_conn *conn, const struct due *c)
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
        due_uncork(conn);
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

static void send_texts(struct tlsyn_conn *conn)
{
    struct due c;

    while (due_text(conn, &c)) {
        conn->snd_rtx = c.seq + c.len + c.fin;
        if (send_text(conn, &c) < 0)
            return; /* counted as dropped on the way out: the retransmission timer has it */
    }
}

/* RFC 5681 3.2 step 2: the segment that seems to be lost, whatever cwnd is. */
static void resend_first(struct tlsyn_conn *conn)
{
    uint32_t sent = (uint32_t)seq_diff(conn->snd_nxt, conn->snd_una);
    struct due c = {.seq = conn->snd_una};

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
    struct due c = {.seq = conn->snd_nxt};
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
    struct due c = {.seq = conn->snd_una, .len = room ? room : 1, .probe = true};

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
