/*
 * tcp/ack.c: the ACK field. Read first: RFC 9293 3.10.7.4 "fifth", RFC 5681 3.2, RFC 6582
 * 3.2, RFC 5961 5.
 */
#include "tcp/ack.h"

#include "tcp/close.h"
#include "tcp/embed.h"
#include "tcp/handshake.h"
#include "tcp/lend.h"
#include "tcp/listener.h"
#include "tcp/options.h"
#include "tcp/recovery.h"
#include "tcp/retransmit.h"
#include "tcp/timers.h"
#include "tcp/urgent.h"

/* The round trip that an ACK measures, or 0: that of a segment that was sent only once (Karn's
 * algorithm). Where timeouts have left no such segment, the echoed timestamp tells which
 * transmission is acknowledged (RFC 7323 4), in coarser units. (MUST-18, R6298-6, R7323-TS7) */
static tlsyn_time round_trip(struct tlsyn_conn *conn, const struct wire_tcp *segment,
                             struct recovery_news *news)
{
    const struct tcp_options *theirs = &segment->options;
    uint32_t age = tcp_ts_now(conn) - theirs->tsecr;

    if (news && news->wait) { /* the board knows each transmission's time */
        conn->rtt_timing = false;
        return news->wait;
    }
    if (conn->rtt_timing && seq_geq(conn->snd_una, conn->rtt_seq)) {
        conn->rtt_timing = false;
        tlsyn_time sample = conn->tcp->cx->now - conn->rtt_at;
        sample = sample > 1 ? sample : 1;
        rack_min_rtt(&conn->rack, sample, conn->tcp->cx->now);
        if (news)
            news->round_trip = news->wait = sample;
        return sample;
    }
    if (conn->rtt.backoffs == 0 || !conn->ts_ok || !theirs->has_ts || age > TCP_ECHO_AGE_MAX)
        return 0;
    return TLSYN_MS(age + 1); /* not less than what has passed */
}

static void take_rtt(struct tlsyn_conn *conn, const struct wire_tcp *segment,
                     struct recovery_news *news)
{
    tlsyn_time sample = round_trip(conn, segment, news);

    if (sample == 0)
        return;
    rtt_sample(&conn->rtt, sample);
    TRACE(conn->tcp->cx, tcp_rtt, conn->number, sample, conn->rtt.srtt, conn->rtt.rttvar,
          conn->rtt.rto);
}

/* Moves snd_una up to the segment's ACK field. Returns the bytes of text that this frees in the
 * send ring. The RTO stays backed off until a round trip was measured (RFC 6298 5). `news` is
 * filled in; NULL during the handshake, when there is no board yet. */
static uint32_t advance(struct tlsyn_conn *conn, const struct wire_tcp *segment,
                        struct recovery_news *news)
{
    tcp_seq ack = segment->ack;
    uint32_t acked = (uint32_t)seq_diff(ack, conn->snd_una);
    uint32_t text = (uint32_t)seq_diff(ack, tcp_snd_base(conn));

    if (text > conn->snd.used)
        text = conn->snd.used; /* the rest of it is our FIN */
    conn->snd_una = ack;
    conn->syn_acked = conn->progress = true;
    /* R2018-6 */
    ring_consume(&conn->snd, text);
    tcp_urgent_sent(conn);
    lend_acked(conn);
    if (seq_lt(conn->snd_rtx, ack))
        conn->snd_rtx = ack;
    conn->bytes_acked += text;
    conn->stalled_since = TLSYN_NEVER;
    conn->soft_error = 0;
    if (news && conn->board_on)
        tcp_take_sack(conn, segment, acked, news);
    else if (news)
        *news = (struct recovery_news){.acked = acked, .delivered = acked, .segment = segment};
    take_rtt(conn, segment, news);
    return text;
}

/* R7413-6 */
void tcp_ack_syn(struct tlsyn_conn *conn, const struct wire_tcp *segment)
{
    advance(conn, segment, NULL);
    conn->snd_rtx = conn->snd_una; /* text that it does not acknowledge goes again at once */
    tcp_rearm_retransmit(conn);
}

/* RFC 9293 3.10.7.4: the window is taken from the newest segment only. A segment that acknowledges
 * more than any before counts as new even if its text is old (a retransmission): were its window
 * ignored, the right edge of the old one would move up with snd_una. True if the window changed. */
static bool take_window(struct tlsyn_conn *conn, const struct wire_tcp *segment)
{
    uint32_t wnd = (uint32_t)segment->wnd << conn->snd_wscale;
    bool older = seq_lt(segment->seq, conn->snd_wl1) ||
                 (segment->seq == conn->snd_wl1 && seq_lt(segment->ack, conn->snd_wl2));

    if (seq_lt(segment->ack, conn->snd_una) || (older && segment->ack == conn->snd_una))
        return false;
    bool changed = wnd != conn->snd_wnd;
    conn->snd_wnd = wnd;
    conn->snd_wl1 = seq_max(conn->snd_wl1, segment->seq);
    conn->snd_wl2 = segment->ack;
    if (wnd > conn->snd_wnd_max)
        conn->snd_wnd_max = wnd;
    if (changed && wnd > 0)
        tcp_window_opened(conn);
    return changed;
}

/* RFC 5681 2: an ACK that says nothing but "something arrived that I can't use yet". (R5681-13) */
static bool is_duplicate(const struct tlsyn_conn *conn, const struct wire_tcp *segment,
                         bool window_changed)
{
    return segment->ack == conn->snd_una && conn->snd_nxt != conn->snd_una && conn->snd_wnd > 0 &&
           segment->text_len == 0 && !(segment->flags & (TCP_SYN | TCP_FIN)) && !window_changed;
}

/* Our FIN was acknowledged: RFC 9293 3.10.7.4, by state. */
static enum tcp_verdict fin_acknowledged(struct tlsyn_conn *conn)
{
    switch (conn->state) {
    case TLSYN_FIN_WAIT_1:
        tcp_set_state(conn, TLSYN_FIN_WAIT_2);
        tcp_fin_wait_2_entered(conn);
        tcp_event_acked(conn, 0);
        return conn->state == TLSYN_CLOSED ? TCP_GONE : TCP_NEXT;
    case TLSYN_CLOSING:
        tcp_enter_time_wait(conn);
        return TCP_NEXT;
    case TLSYN_LAST_ACK:
        tcp_finish(conn, 0);
        return TCP_GONE;
    default:
        return TCP_NEXT;
    }
}

static enum tcp_verdict new_ack(struct tlsyn_conn *conn, const struct wire_tcp *segment)
{
    bool fin = tcp_fin_sent(conn) && segment->ack == tcp_snd_end(conn) + 1;
    bool limited = conn->cwnd_limited;
    struct recovery_news news = {0};
    uint32_t text = advance(conn, segment, &news);

    if (conn->unproved)
        embed_proved(conn);
    /* It stays set for a round trip, so that text held back by pacing does not look like a lack of
     * text. */
    if (seq_gt(conn->snd_una, conn->limited_seq))
        conn->cwnd_limited = false;
    tcp_stop_persist(conn); /* output starts it again if the window is still closed */
    tcp_rearm_retransmit(conn);
    ecn_take_feedback(conn, segment, news.acked); /* before cwnd grows by what was marked */
    if (conn->board_on)
        tcp_recover(conn, &news, text, limited, false);
    else
        tcp_recovery_on_ack(conn, &news, text, limited);
    tcp_mtu_acked(conn, text);
    tcp_set_ready(conn);
    if (text && conn->state >= TLSYN_ESTABLISHED)
        tcp_event_acked(conn, text);
    if (conn->state == TLSYN_CLOSED)
        return TCP_GONE;
    return fin ? fin_acknowledged(conn) : TCP_NEXT;
}

/* With SACK in force, an ACK whose ACK field says nothing new: its blocks may. (They also count in
 * an ACK that later ones have overtaken.) */
static void same_ack(struct tlsyn_conn *conn, const struct wire_tcp *segment, bool window_changed)
{
    struct recovery_news news;
    bool probing = conn->rack.tlp_outstanding;

    tcp_take_sack(conn, segment, 0, &news);
    if (news.wait)
        take_rtt(conn, segment, &news);
    if (news.delivered || news.view.dsack || probing)
        tcp_recover(conn, &news, 0, false,
                    segment->ack == conn->snd_una && segment->text_len == 0 && !window_changed);
    tcp_set_ready(conn); /* a window update may let something go */
}

/* SYN-RECEIVED: RFC 9293 3.10.7.4: an ACK in (snd_una, snd_nxt] completes the open. */
static enum tcp_verdict complete(struct tlsyn_conn *conn, const struct wire_tcp *segment)
{
    const struct tlsyn_listener *listener = conn->opening->listener;

    if (seq_leq(segment->ack, conn->snd_una) || seq_gt(segment->ack, conn->snd_nxt)) {
        drop(conn->tcp->cx, TLSYN_DROP_tcp_ack_invalid);
        return TCP_DROP_RST;
    }
    if (listener && !conn->handler && tcp_listener_is_full(listener))
        return TCP_DROP; /* our SYN-ACK will be sent again, and the peer's ACK will answer it */
    conn->snd_wnd = (uint32_t)segment->wnd << conn->snd_wscale;
    conn->snd_wnd_max = conn->snd_wnd > conn->snd_wnd_max ? conn->snd_wnd : conn->snd_wnd_max;
    conn->snd_wl1 = segment->seq;
    conn->snd_wl2 = segment->ack;
    bool only_syn = segment->ack == conn->iss + 1;
    uint32_t text = advance(conn, segment, NULL);
    if (only_syn)
        conn->snd_rtx = conn->snd_una; /* the SYN-ACK's text did not arrive: at once again */
    tcp_rearm_retransmit(conn);
    ecn_open_completes(conn, segment);
    tcp_complete_open(conn);
    tcp_set_ready(conn);
    if (text && conn->state != TLSYN_CLOSED)
        tcp_event_acked(conn, text);
    return conn->state == TLSYN_CLOSED || conn->refused ? TCP_GONE : TCP_NEXT;
}

/* RFC 5961 5.2: SND.UNA - MAX.SND.WND =< SEG.ACK =< SND.NXT. It may not lie below our SYN either: a
 * large window would otherwise give those who guess a good part of all numbers. */
static bool is_acceptable(const struct tlsyn_conn *conn, tcp_seq ack)
{
    uint32_t back = conn->snd_wnd_max, all = (uint32_t)seq_diff(conn->snd_una, conn->iss);

    if (conn->bytes_acked < back && all < back) /* the numbers have not wrapped since the SYN */
        back = all;
    return seq_within(ack, conn->snd_una + (0u - back), conn->snd_nxt);
}

enum tcp_verdict tcp_take_ack(struct tlsyn_conn *conn, const struct wire_tcp *segment)
{
    struct context *cx = conn->tcp->cx;

    if (!(segment->flags & TCP_ACK)) {
        drop(cx, TLSYN_DROP_tcp_no_ack);
        return TCP_DROP;
    }
    if (conn->state == TLSYN_SYN_RECEIVED)
        return complete(conn, segment);
    /* R5961-3, R5681-14 */
    if (!is_acceptable(conn, segment->ack)) {
        drop(cx, TLSYN_DROP_tcp_ack_invalid);
        return TCP_DROP_ACK;
    }
    if (conn->state == TLSYN_TIME_WAIT) {
        if (segment->flags & TCP_FIN) { /* the peer missed our ACK: RFC 9293, restart 2 MSL */
            conn->ack_due = TCP_ACK_NOW;
            tcp_set_ready(conn);
            tcp_restart_time_wait(conn);
        }
        return TCP_DROP;
    }
    bool is_new = seq_gt(segment->ack, conn->snd_una);
    bool window_changed = take_window(conn, segment);

    if (is_new)
        return new_ack(conn, segment);
    bool blocks = segment->options.sack_count > 0;
    /* the answer to a tail loss probe, or a D-SACK after all was acknowledged */
    bool late = conn->rack.tlp_outstanding ||
                (conn->undo.armed && blocks && conn->snd_una == conn->snd_nxt);
    if ((conn->board_on || late) && (blocks || segment->ack == conn->snd_una))
        same_ack(conn, segment, window_changed);
    else if (is_duplicate(conn, segment, window_changed))
        tcp_duplicate_ack(conn);
    else if (segment->ack == conn->snd_una)
        tcp_set_ready(conn); /* a window update may let something go */
    if (segment->ack == conn->snd_una)
        ecn_take_feedback(conn, segment, 0);
    conn->probes = 0; /* the peer lives: RFC 9293 3.8.6.1 (MUST-37) */
    return TCP_NEXT;
}
