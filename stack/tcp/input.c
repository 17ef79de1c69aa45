/*
 * tcp/input.c: SEGMENT ARRIVES: RFC 9293 3.10.7, in its own order and under its own headings.
 *
 * tcp_input() parses once, finds the connection, and walks the steps; each step is a function that
 * says whether to go on (tcp/input.h). What a step wants sent is only marked: tcp_output() builds
 * it later. The steps that are more than a few lines long live in files of their own: ack.c,
 * urgent.c, recv.c and close.c; SYN-SENT and LISTEN in handshake.c and handshake_passive.c.
 */
#include "tcp/input.h"

#include <errno.h>

#include "tcp/ack.h"
#include "tcp/close.h"
#include "tcp/demux.h"
#include "tcp/early.h"
#include "tcp/embed.h"
#include "tcp/handshake.h"
#include "tcp/keepalive.h"
#include "tcp/options.h"
#include "tcp/recv.h"
#include "tcp/reply.h"
#include "tcp/segment.h"
#include "tcp/urgent.h"
#include "tcp/via.h"
#include "wire/checksum.h"

/* RFC 7323 5.5: a ts_recent that is older than this proves nothing. (R7323-PAWS4) */
#define TS_IDLE_MAX TLSYN_SECONDS(24 * 86400)

static uint32_t segment_length(const struct wire_tcp *segment)
{
    return segment->text_len + !!(segment->flags & TCP_SYN) + !!(segment->flags & TCP_FIN);
}

/* RFC 7323 5.3 R1: a timestamp older than what we have seen shows an old duplicate, whatever its
 * sequence number. (R7323-PAWS1, R7323-PAWS2) */
static enum tcp_verdict check_paws(struct tlsyn_conn *conn, const struct wire_tcp *segment)
{
    struct context *cx = conn->tcp->cx;

    if (!conn->ts_ok || segment->flags & TCP_RST)
        return TCP_NEXT;
    /* RFC 7323 3.2: both ends have agreed on a timestamp in every segment; one without is dropped
     * silently. But a SYN shows a peer that has begun anew, which must learn that we have not
     * (RFC 5961 4.2). (R7323-TS2, R7323-TS3) */
    if (!segment->options.has_ts) {
        drop(cx, TLSYN_DROP_tcp_paws);
        return segment->flags & TCP_SYN ? TCP_DROP_ACK : TCP_DROP;
    }
    if (seq_geq(segment->options.tsval, conn->ts_recent) ||
        cx->now - conn->ts_recent_at > TS_IDLE_MAX)
        return TCP_NEXT;
    count(cx, TLSYN_COUNT_tcp_paws_rejected);
    drop(cx, TLSYN_DROP_tcp_paws);
    return TCP_DROP_ACK;
}

/* RFC 9293 3.4 table 6, on the window that our memory really has (R7323-WS5). Text may also begin
 * below the window and end beyond it. */
static bool acceptable(const struct tlsyn_conn *conn, const struct wire_tcp *segment)
{
    tcp_seq edge = conn->rcv_nxt + tcp_rcv_room(conn);
    tcp_seq last = segment->seq + segment_length(segment) - 1;

    if (segment_length(segment) == 0)
        return edge == conn->rcv_nxt
                   ? segment->seq == conn->rcv_nxt
                   : seq_geq(segment->seq, conn->rcv_nxt) && seq_lt(segment->seq, edge);
    return edge != conn->rcv_nxt && seq_lt(segment->seq, edge) && seq_geq(last, conn->rcv_nxt);
}

/* In SYN-RECEIVED the peer's own SYN may come again. With ACK, where SYNs have crossed (RFC 9293
 * figure 7), the SYN is old and the rest counts; without, our SYN-ACK was lost. */
static enum tcp_verdict check_repeated_syn(struct tlsyn_conn *conn, struct wire_tcp *segment)
{
    bool ack = segment->flags & TCP_ACK;

    if (!(segment->flags & TCP_SYN) || segment->seq != conn->irs || segment->flags & TCP_RST ||
        (ack && !conn->active))
        return TCP_NEXT;
    if (ack)
        ecn_synack_repeated(conn, segment);
    if (conn->state != TLSYN_SYN_RECEIVED)
        return TCP_NEXT;
    if (ack) {
        segment->flags &= (uint8_t)~TCP_SYN;
        segment->seq++;
        segment->wnd =
            (uint16_t)(segment->wnd >> conn->snd_wscale); /* RFC 7323 2.2: was not scaled */
        return TCP_NEXT;
    }
    drop(conn->tcp->cx, TLSYN_DROP_tcp_duplicate_syn);
    if (!ecn_syn_repeated(conn, segment)) {
        tcp_send_rst(conn);
        tcp_finish(conn, -ECONNRESET);
        return TCP_GONE;
    }
    if (budget_take(&conn->challenges, conn->tcp->cx->now)) {
        conn->syn_plain = true;
        conn->snd_rtx = conn->iss;
        tcp_set_ready(conn);
    }
    return TCP_DROP;
}

/* first, check sequence number (R7323-PAWS3) */
static enum tcp_verdict check_sequence(struct tlsyn_conn *conn, struct wire_tcp *segment)
{
    enum tcp_verdict verdict = check_repeated_syn(conn, segment);

    if (verdict == TCP_NEXT)
        verdict = check_paws(conn, segment);
    if (verdict != TCP_NEXT)
        return verdict;
    if (acceptable(conn, segment))
        return TCP_NEXT;
    if (segment->flags & TCP_SYN && embed_synack_again(conn, segment))
        return TCP_GONE;
    if (segment->flags & TCP_RST) {
        drop(conn->tcp->cx, TLSYN_DROP_tcp_rst_invalid);
        return TCP_DROP;
    }
    /* RFC 9293 3.10.7.4: while the window is closed, ACKs and RSTs in order are still processed; a
     * probe of it is answered, and its own ACK field counts. (MUST-66) */
    if (tcp_rcv_room(conn) == 0 && segment->seq == conn->rcv_nxt && segment->flags & TCP_ACK) {
        drop(conn->tcp->cx, TLSYN_DROP_tcp_window_full);
        segment->text_len = 0;
        segment->flags &= (uint8_t) ~(TCP_FIN | TCP_SYN);
        conn->ack_due = TCP_ACK_NOW;
        tcp_set_ready(conn);
        return TCP_NEXT;
    }
    /* RFC 9293 3.10.7.4, eighth: the peer sends its FIN again, because our ACK of it was lost. By
     * now the FIN lies below the window. */
    if (conn->state == TLSYN_TIME_WAIT && segment->flags & TCP_FIN &&
        segment->seq + segment_length(segment) == conn->rcv_nxt)
        tcp_restart_time_wait(conn);
    drop(conn->tcp->cx, TLSYN_DROP_tcp_out_of_window);
    if (seq_lt(segment->seq, conn->rcv_nxt) &&
        seq_diff(conn->rcv_nxt, segment->seq) <= (int32_t)conn->rcv.size)
        tcp_note_twice(conn, segment);
    return TCP_DROP_ACK;
}

/* second, check the RST bit; RFC 5961 3.2: only the exact number resets (SHLD-2, MAY-12, R5961-1,
 * R5961-5) */
static enum tcp_verdict check_rst(struct tlsyn_conn *conn, const struct wire_tcp *segment)
{
    if (!(segment->flags & TCP_RST))
        return TCP_NEXT;
    if (segment->seq != conn->rcv_nxt) {
        drop(conn->tcp->cx, TLSYN_DROP_tcp_rst_invalid);
        return TCP_DROP_ACK;
    }
    if (conn->state == TLSYN_SYN_RECEIVED) {
        count(conn->tcp->cx, TLSYN_COUNT_tcp_attempt_fails);
        tcp_finish(conn, conn->active ? -ECONNREFUSED : -ECONNRESET);
        return TCP_GONE;
    }
    if (conn->state == TLSYN_ESTABLISHED || conn->state == TLSYN_CLOSE_WAIT)
        count(conn->tcp->cx, TLSYN_COUNT_tcp_estab_resets);
    /* In CLOSING, LAST-ACK and TIME-WAIT both streams had ended before: no error. (MUST-12) */
    bool over = conn->state == TLSYN_CLOSING || conn->state == TLSYN_LAST_ACK ||
                conn->state == TLSYN_TIME_WAIT;
    tcp_finish(conn, over ? 0 : -ECONNRESET);
    return TCP_GONE;
}

/* (third, check security: obsolete, nothing to check) fourth, check the SYN bit; RFC 5961 4.2: a
 * SYN in a synchronized state is challenged, whatever its number (R5961-2) */
static enum tcp_verdict check_syn(struct tlsyn_conn *conn, const struct wire_tcp *segment)
{
    if (!(segment->flags & TCP_SYN))
        return TCP_NEXT;
    drop(conn->tcp->cx, TLSYN_DROP_tcp_flags);
    if (conn->state == TLSYN_SYN_RECEIVED && !conn->active) {
        count(conn->tcp->cx, TLSYN_COUNT_tcp_attempt_fails);
        tcp_finish(conn, -ECONNRESET); /* back to LISTEN: the peer has begun anew */
        return TCP_GONE;
    }
    return TCP_DROP_ACK;
}

/* RFC 7323 4.3 (2): which timestamp we echo from now on. This step comes after the ACK field was
 * checked, which a stranger has to guess as well (RFC 5961 5.2), and heeds no ACK older than the
 * latest: a single forged timestamp from the far future would make PAWS refuse everything from the
 * peer for weeks. (R7323-TS6) */
static void note_timestamp(struct tlsyn_conn *conn, const struct wire_tcp *segment)
{
    if (!conn->ts_ok || !segment->options.has_ts)
        return;
    if (seq_leq(segment->seq, conn->last_ack_sent) && seq_geq(segment->ack, conn->snd_una) &&
        seq_geq(segment->options.tsval, conn->ts_recent)) {
        conn->ts_recent = segment->options.tsval;
        conn->ts_recent_at = conn->tcp->cx->now;
    }
}

static enum tcp_verdict arrives(struct tlsyn_conn *conn, struct wire_tcp *segment)
{
    enum tcp_verdict verdict = check_sequence(conn, segment);

    if (verdict == TCP_NEXT)
        verdict = check_rst(conn, segment);
    if (verdict == TCP_NEXT)
        verdict = check_syn(conn, segment);
    if (verdict == TCP_NEXT)
        verdict = tcp_take_ack(conn, segment); /* fifth */
    if (verdict != TCP_NEXT)
        return verdict;
    note_timestamp(conn, segment);
    tcp_keepalive_heard(conn);
    ecn_take(conn, segment);
    uint64_t before = conn->rcv_total;
    bool ended = conn->fin_received;
    verdict = tcp_take_urgent(conn, segment); /* sixth */
    if (verdict == TCP_NEXT)
        verdict = tcp_take_text(conn, segment); /* seventh */
    if (verdict == TCP_NEXT)
        verdict = tcp_take_fin(conn, segment); /* eighth */
    if (verdict != TCP_NEXT || (conn->rcv_total == before && conn->fin_received == ended))
        return verdict;
    if (conn->unproved)
        embed_text_arrives(conn);
    return tcp_data_arrived(conn, before);
}

static void act(struct tlsyn_conn *conn, enum tcp_verdict verdict,
                const struct ip_datagram *datagram, const struct wire_tcp *segment)
{
    if (verdict == TCP_NEXT)
        via_arrives(conn, datagram);
    if (verdict == TCP_DROP_ACK)
        tcp_challenge_ack(conn);
    if (verdict == TCP_DROP_RST) {
        tcp_charge(conn, tcp_headers_len(conn));
        tcp_reply_rst(conn->tcp, datagram, segment);
    }
}

/* Now that the SYN-ACK is here, the segments that overtook it can be processed (tcp/early.h). */
static void early_segments_arrive(struct tlsyn_conn *conn, const struct ip_datagram *datagram)
{
    struct early_segment *e;

    while (conn->state != TLSYN_SYN_SENT && (e = early_take(conn))) {
        if (conn->state != TLSYN_CLOSED && !conn->refused)
            act(conn, arrives(conn, &e->segment), datagram, &e->segment);
        context_free(conn->tcp->cx, e);
    }
}

static void conn_arrives(struct tlsyn_conn *conn, const struct ip_datagram *datagram,
                         struct wire_tcp *segment)
{
    conn->segs_in += segment->count;
    if (!conn->validated)
        conn->opening->unvalidated_in += datagram->len + ip_header_len(&datagram->src);
    if (conn->refused) /* it only waits for its RST to leave */
        return;
    if (conn->state == TLSYN_SYN_SENT) {
        tcp_synsent_arrives(conn, datagram, segment);
        early_segments_arrive(conn, datagram);
    } else {
        act(conn, arrives(conn, segment), datagram, segment);
    }
    if (tcp_synchronized(conn))
        tcp_opening_done(conn);
    tcp_tell_closed(conn);
    tcp_check(conn);
}

/* A SYN may reopen a 4-tuple in TIME-WAIT if it is surely newer than what went before (RFC 9293
 * 3.6.1, RFC 6191). SHLD-4, MAY-2 */
static bool reopens(const struct tlsyn_conn *conn, const struct tlsyn_listener *listener,
                    const struct wire_tcp *segment)
{
    bool stamped = segment->options.has_ts && !listener->options.conn.no_timestamps;

    if (conn->state != TLSYN_TIME_WAIT ||
        (segment->flags & (TCP_SYN | TCP_ACK | TCP_RST | TCP_FIN)) != TCP_SYN)
        return false;
    if (stamped && !conn->ts_ok) /* no segment of the old incarnation had a timestamp */
        return true;
    if (stamped && segment->options.tsval != conn->ts_recent)
        return seq_gt(segment->options.tsval, conn->ts_recent);
    return seq_gt(segment->seq, conn->rcv_nxt);
}

/* RFC 9293 3.1 (MUST-3) */
static bool checksum_ok(const struct ip_datagram *datagram)
{
    struct checksum sum = {0};

    if (datagram->csum_verified)
        return true;
    checksum_pseudo(&sum, &datagram->src, &datagram->dst, IP_PROTOCOL_TCP, (uint32_t)datagram->len);
    checksum_add(&sum, datagram->payload, datagram->len);
    return checksum_good(&sum);
}

static bool parse(struct tcp *tcp, const struct ip_datagram *datagram, struct wire_tcp *segment)
{
    struct context *cx = tcp->cx;
    int error = wire_tcp_parse(datagram->payload, datagram->len, segment);

    if (error == 0 && datagram->gso_size && segment->text_len > datagram->gso_size)
        segment->count = (uint16_t)((segment->text_len - 1u) / datagram->gso_size + 1u);
    cx->counter[TLSYN_COUNT_tcp_in_segs] += error == 0 ? segment->count : 1;
    if (error == 0 && checksum_ok(datagram)) {
        segment->codepoint = datagram->tos & 3u;
        return true;
    }
    count(cx, TLSYN_COUNT_tcp_in_errs);
    drop(cx, error == 0           ? TLSYN_DROP_tcp_checksum
             : error == -EMSGSIZE ? TLSYN_DROP_tcp_truncated
                                  : TLSYN_DROP_tcp_options);
    return false;
}

void tcp_input(struct tcp *tcp, const struct ip_datagram *datagram)
{
    struct wire_tcp segment;

    if (datagram->broadcast) { /* RFC 9293 3.9.2.3 (MUST-57) */
        drop(tcp->cx, TLSYN_DROP_tcp_broadcast);
        return;
    }
    if (!parse(tcp, datagram, &segment))
        return;
    const struct tlsyn_endpoint local = {datagram->dst, segment.dst_port};
    const struct tlsyn_endpoint remote = {datagram->src, segment.src_port};
    struct tlsyn_conn *conn = demux_find(tcp, &local, &remote);
    struct tlsyn_listener *listener =
        conn && conn->state != TLSYN_TIME_WAIT ? NULL : demux_listener(tcp, &local, &remote);

    TRACE(tcp->cx, tcp_rx, conn ? conn->number : 0, segment.seq, segment.ack, segment.flags,
          segment.wnd, segment.text_len);
    bool again = conn && listener && reopens(conn, listener, &segment);
    tcp_seq last = again ? conn->snd_nxt : 0;
    if (again) {
        tcp_finish(conn, 0);
        conn = NULL;
    }
    if (conn) {
        conn_arrives(conn, datagram, &segment);
    } else if (listener) {
        conn = tcp_listen_arrives(listener, datagram, &segment, again ? &last : NULL);
        if (conn)
            conn_arrives(conn, datagram, &segment);
    } else {
        drop(tcp->cx, TLSYN_DROP_tcp_no_connection);
        if (!tcp->cx->shared) /* it may be of somebody else's connection */
            tcp_reply_rst(tcp, datagram, &segment);
    }
}
