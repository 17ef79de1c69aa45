/*
 * tcp/due.c: what text may leave now. Read first: RFC 9293 3.8.6.2.1, 3.7.4 (Nagle); RFC 5681 3.1
 * and 4.1; RFC 6675 5.
 *
 * What was lost comes before what is new. Then each of those who may say "not yet" or "not so much"
 * is asked: the peer's window, cwnd, the silly window syndrome with Nagle's algorithm and the cork,
 * a probe of the path's MTU, the pace, and the limit of amplification.
 */
#include "tcp/due.h"

#include "tcp/congest.h"
#include "tcp/options.h"
#include "tcp/pace.h"
#include "tcp/recovery.h"
#include "tcp/retransmit.h"
#include "tcp/segment.h"
#include "tcp/timers.h"

/* Text behind a cork waits no longer than in Linux. */
#define CORK_TIMEOUT TLSYN_MS(200)

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
void due_cork_timeout(struct tlsyn_conn *conn)
{
    conn->cork_passed = true;
    conn->unpushed = false;
    tcp_set_ready(conn);
}

void due_uncork(struct tlsyn_conn *conn)
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
static bool worth_sending(struct tlsyn_conn *conn, const struct due *c, uint32_t rest)
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
static bool lost_is_due(struct tlsyn_conn *conn, struct due *c)
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
static bool mtu_probe_is_due(const struct tlsyn_conn *conn, struct due *c, uint32_t rest)
{
    uint32_t ahead = (uint32_t)seq_diff(conn->snd_rtx, conn->snd_una);
    uint32_t len = 0;

    if (c->len > 0 && c->seq == conn->snd_nxt)
        len = tcp_mtu_probe_due(conn, conn->snd_wnd - ahead, rest);
    if (len > 0)
        *c = (struct due){.seq = c->seq, .len = len, .mtu_probe = true, .by_cwnd = true};
    return len > 0;
}

/* Is text, or FIN, due at snd_rtx? (SHLD-28) */
static bool text_is_due(struct tlsyn_conn *conn, struct due *c)
{
    tcp_seq end = tcp_snd_end(conn);
    int64_t rest = seq_diff(end, conn->snd_rtx); /* -1 when FIN has been sent */
    /* The SYN of our SYN-ACK takes up nothing of the peer's window, which is for text ... */
    uint32_t ahead = (uint32_t)seq_diff(conn->snd_rtx, tcp_snd_base(conn));
    /* ... nor of cwnd, whose first ten segments are text (RFC 6928 2). */
    uint32_t in_flight = tcp_pipe(conn) - (uint32_t)seq_diff(tcp_snd_base(conn), conn->snd_una);
    uint32_t cwnd = conn->cc.cwnd + tcp_limited_transmit(conn), mss = tcp_send_mss(conn);

    *c = (struct due){0};
    if (conn->board_on && conn->board.lost && !new_text_first(conn))
        return lost_is_due(conn, c);
    if (rest < 0 || (rest == 0 && !(conn->fin_queued && tcp_synchronized(conn))))
        return false;
    *c = (struct due){.seq = conn->snd_rtx};
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

/* In SYN-RECEIVED the flight's rest leaves at once, as far as the amplification limit allows. */
static bool within_amplification(struct tlsyn_conn *conn, struct due *c)
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
static bool next_text(struct tlsyn_conn *conn, struct due *c)
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
static bool within_pace(struct tlsyn_conn *conn, struct due *c)
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

bool due_text(struct tlsyn_conn *conn, struct due *due)
{
    return next_text(conn, due) && within_pace(conn, due) && within_amplification(conn, due);
}
