/*
 * tcp/segment.c: a segment from the state of its connection to ip_output(). Read first:
 * RFC 9293 3.1, 3.8.6.
 */
#include "tcp/segment.h"

#include "tcp/lend.h"
#include "tcp/options.h"
#include "tcp/recv.h"
#include "tcp/timers.h"
#include "tcp/urgent.h"

int tcp_emit(struct tcp *tcp, uint32_t conn_number, const struct wire_tcp *segment,
             struct ip_tx *tx)
{
    int len = wire_tcp_emit(segment, tx->header, sizeof(tx->header));

    if (len < 0)
        return len;
    tx->protocol = IP_PROTOCOL_TCP;
    tx->header_len = (uint8_t)len;
    tx->csum_offset = TCP_CHECKSUM_OFFSET;
    size_t text = tlsyn_view_len(&tx->text);
    bool cut = tx->gso_size && text > tx->gso_size;

    tcp->cx->counter[TLSYN_COUNT_tcp_out_segs] += cut ? (text - 1) / tx->gso_size + 1 : 1;
    TRACE(tcp->cx, tcp_tx, conn_number, segment->seq, segment->ack, segment->flags, segment->wnd,
          (int64_t)text);
    return ip_output(tcp->ip, tx);
}

static uint16_t window_field(struct tlsyn_conn *conn, uint8_t flags)
{
    uint32_t wnd = tcp_window_to_announce(conn), promised = tcp_promised(conn);

    if (flags & TCP_SYN) { /* RFC 7323 2.2: never scaled in a SYN (R7323-WS2) */
        wnd = conn->rcv_max > promised ? conn->rcv_max : promised;
        wnd = wnd < UINT16_MAX ? wnd : UINT16_MAX;
    }
    conn->rcv_wnd = wnd;
    /* SHLD-14, R7323-WS6 */
    conn->rcv_adv = seq_max(conn->rcv_adv, conn->rcv_nxt + wnd);
    return (uint16_t)(flags & TCP_SYN ? wnd : wnd >> conn->rcv_wscale);
}

/* A segment with ACK leaves: no other ACK is due. */
static void acknowledged(struct tlsyn_conn *conn)
{
    conn->ack_due = TCP_ACK_NONE;
    conn->unacked_text = 0;
    conn->twice_due = false;
    conn->last_ack_sent = conn->rcv_nxt;
    timers_clear(conn, TCP_DELACK);
}

struct wire_tcp tcp_segment(struct tlsyn_conn *conn, tcp_seq seq, uint8_t flags)
{
    struct wire_tcp segment = {
        .src_port = conn->local.port,
        .dst_port = conn->remote.port,
        .seq = seq,
        .ack = flags & TCP_ACK ? conn->rcv_nxt : 0,
        .flags = flags,
    };

    segment.wnd = window_field(conn, flags);
    tcp_options_fill(conn, flags, &segment.options);
    ecn_mark(conn, &segment);
    tcp_fill_urgent(conn, &segment);
    if (flags & TCP_ACK)
        acknowledged(conn);
    return segment;
}

/* --- the amplification limit (RFC 9000 8.1; docs/HANDSHAKE.md) -------------------------------- */

/* How often a SYN-ACK that nobody answers is repeated within three minutes, the first time after a
 * second (RFC 6298 5.5). */
#define SYNACK_REPEATS 7

static uint32_t bare_synack_len(const struct tlsyn_conn *conn)
{
    uint8_t scratch[TCP_OPTIONS_MAX];
    struct tcp_options bare;

    tcp_options_fill(conn, TCP_SYN | TCP_ACK, &bare);
    bare.has_fastopen = false;
    return tcp_headers_len(conn) + (uint32_t)tcp_options_emit(&bare, scratch, sizeof(scratch));
}

/* Bytes that are kept for repeating the SYN-ACK: a client whose ACK was lost, and that has nothing
 * more to say, waits for one. The flight must not use them up; but half of the limit is the
 * flight's. */
static int64_t set_aside(const struct tlsyn_conn *conn)
{
    int64_t left = SYNACK_REPEATS - (int64_t)conn->syn_retransmits;
    int64_t half = (int64_t)(3 * conn->opening->unvalidated_in / 2), all;

    if (left <= 0)
        return 0;
    all = left * bare_synack_len(conn);
    return all < half ? all : half;
}

int64_t tcp_amplification_left(const struct tlsyn_conn *conn)
{
    const struct opening *opening = conn->opening;

    if (conn->validated || !conn->embedded)
        return INT32_MAX;
    return (int64_t)(3 * opening->unvalidated_in) - (int64_t)opening->unvalidated_out;
}

int64_t tcp_amplification_bound(const struct tlsyn_conn *conn)
{
    int64_t three = (int64_t)(3 * conn->opening->unvalidated_in);
    int64_t plain = (SYNACK_REPEATS + 1) * (int64_t)bare_synack_len(conn);

    return three < plain ? three / 2 + plain : three;
}

int64_t tcp_amplification_left_again(const struct tlsyn_conn *conn)
{
    if (conn->validated || !conn->embedded)
        return INT32_MAX;
    return tcp_amplification_bound(conn) - (int64_t)conn->opening->unvalidated_out;
}

/* R7413-11 */
int64_t tcp_amplification_room(const struct tlsyn_conn *conn, uint32_t overhead)
{
    if (conn->validated || !conn->embedded)
        return INT32_MAX;
    int64_t room = tcp_amplification_left(conn) - set_aside(conn) - overhead;
    return room < 0 ? -1 : room;
}

void tcp_charge(struct tlsyn_conn *conn, uint32_t bytes)
{
    if (!conn->validated)
        conn->opening->unvalidated_out += bytes;
}

/* Acknowledgements and resets count too, and are left out where there is no room for them: the
 * peer's next segment makes some. */
static bool control_may_leave(struct tlsyn_conn *conn, const struct wire_tcp *segment)
{
    uint8_t scratch[TCP_OPTIONS_MAX];
    int options = tcp_options_emit(&segment->options, scratch, sizeof(scratch));
    uint32_t len = tcp_headers_len(conn) + (uint32_t)options;

    if (tcp_amplification_room(conn, len) < 0) {
        count(conn->tcp->cx, TLSYN_COUNT_tcp_amplification_limited);
        return false;
    }
    tcp_charge(conn, len);
    return true;
}

uint32_t tcp_segments(const struct tlsyn_conn *conn, uint32_t len)
{
    return len > conn->mss ? (len + conn->mss - 1u) / conn->mss : 1;
}

/* Bytes of text in each segment of a train whose header carries these SACK blocks. */
static uint16_t text_beside(const struct tlsyn_conn *conn, const struct wire_tcp *segment)
{
    unsigned blocks = segment->options.sack_count;

    return (uint16_t)(conn->mss - (blocks ? 4 + 8 * blocks : 0));
}

int tcp_send_segment(struct tlsyn_conn *conn, const struct wire_tcp *segment, uint32_t len,
                     uint8_t codepoint)
{
    struct ip_tx tx = {
        /* MUST-45 */
        .src = conn->local.addr,
        .dst = conn->remote.addr,
        /* SHLD-22 */
        .tos = conn->tos | codepoint,
        .ttl = conn->ttl,
        .via = conn->via,
        .confirms = conn->progress,
    };

    conn->progress = false;
    if (len > 0) {
        tcp_seq text = segment->seq + !!(segment->flags & TCP_SYN);

        lend_view(conn, text, len, &tx.text);
        if (len > text_beside(conn, segment) && !tcp_mtu_is_probe(conn, text, len))
            tx.gso_size = text_beside(conn, segment);
    }
    conn->segs_out += tcp_segments(conn, len);
    int result = tcp_emit(conn->tcp, conn->number, segment, &tx);
    if (result == IP_OUTPUT_WAITS) { /* the neighbour's answer takes time that is not the path's */
        conn->rtt_timing = false;
        conn->rack.timed_from = conn->tcp->cx->now;
    }
    return result < 0 ? result : 0;
}

void tcp_emit_control(struct tlsyn_conn *conn, uint8_t flags)
{
    struct wire_tcp segment = tcp_segment(conn, conn->snd_nxt, flags);

    ecn_mark_pure(conn, &segment);
    if (control_may_leave(conn, &segment))
        tcp_send_segment(conn, &segment, 0, 0);
}
