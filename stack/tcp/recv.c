/*
 * tcp/recv.c: receiving. Read first: RFC 9293 3.8.6, 3.10.7.4 "seventh"; RFC 2018 4.
 *
 * There is no segment queue. A segment's text is written into the ring where it belongs:
 *
 *        front           rcv_nxt                                rcv_nxt + room
 *     -----|################|........|#######|......|####|..........|----->
 *          in order, to be  |  hole    ooo            ooo           end of the ring
 *          consumed
 *
 * When a hole closes, ring_commit() counts in what already lies there.
 */
#include "tcp/recv.h"

#include <errno.h>

#include "tcp/buffers.h"
#include "tcp/options.h"
#include "tcp/reply.h"
#include "tcp/timers.h"
#include "tcp/urgent.h"

/* Where segments are lost or late, ACKs are too. One ACK for every two segments is then too few for
 * a small window, and a delayed one comes after the sender has sent a probe already. So after such
 * a sign so many segments are acknowledged one by one (RFC 5681 4.2 allows it). */
#define QUICK_ACKS 16

/* We answer a batch of segments at once, and to a sender with SACK the last ACK says everything.
 * But a sender in recovery has no tail loss probe: if that one ACK is lost, it waits for its timer.
 * So the ACK is repeated, once for each segment that asked for one (RFC 5681 4.2 allows no more;
 * R5681-12), and at most as often as this. Text in order gets fewer: a sender that counts
 * duplicates would take three of them for a loss. */
#define ACKS_IN_ORDER     2
#define ACKS_OUT_OF_ORDER 3

static void ack_quickly(struct tlsyn_conn *conn)
{
    conn->quick_acks = QUICK_ACKS;
    conn->quick_start = false;
}

static void ack_now(struct tlsyn_conn *conn)
{
    conn->ack_due = TCP_ACK_NOW;
    timers_clear(conn, TCP_DELACK);
    tcp_set_ready(conn);
}

/* A segment asks for an ACK of its own. (For a peer without SACK, see take_out_of_order().) */
static void owe_ack(struct tlsyn_conn *conn, uint16_t most)
{
    if (conn->sack_ok)
        conn->acks_owed = conn->acks_owed < most ? conn->acks_owed + 1u : most;
}

/* RFC 9293 3.8.6.3: an ACK at least for every second full-sized segment, and no later than the
 * delayed ACK timer. As the second counts whatever exceeds one full-sized segment: a flight often
 * ends in a smaller one, and a sender with two segments on their way sends a tail loss probe before
 * the timer is over (RFC 8985 7.2). (SHLD-18, SHLD-19) */
static void ack_soon(struct tlsyn_conn *conn)
{
    if (conn->no_delack || conn->quick_acks || conn->unacked_text > tcp_rcv_full(conn)) {
        if (conn->quick_acks && !conn->quick_start)
            owe_ack(conn, ACKS_IN_ORDER);
        if (conn->quick_acks)
            conn->quick_acks--;
        ack_now(conn);
        return;
    }
    if (conn->ack_due != TCP_ACK_NONE)
        return;
    conn->ack_due = TCP_ACK_DELAYED;
    timers_set(conn, TCP_DELACK, conn->tcp->cx->now + conn->tcp->cx->limits.delack);
}

void tcp_delack_timeout(struct tlsyn_conn *conn)
{
    if (conn->ack_due != TCP_ACK_DELAYED)
        return;
    count(conn->tcp->cx, TLSYN_COUNT_tcp_delayed_acks);
    ack_now(conn);
}

/* Text at rcv_nxt has arrived, and may join text behind it that was waiting in the ring. */
static void take_in_order(struct tlsyn_conn *conn, uint32_t len)
{
    struct context *cx = conn->tcp->cx;
    const struct range *next;
    bool filled = conn->ooo.count > 0;

    ranges_trim(&conn->ooo, cx->alloc, conn->rcv_total + len);
    next = ranges_find(&conn->ooo, conn->rcv_total + len);
    if (next) {
        len = (uint32_t)(next->to - conn->rcv_total);
        ranges_trim(&conn->ooo, cx->alloc, conn->rcv_total + len);
    }
    if (!conn->sack_ok)
        conn->acks_owed = 0; /* duplicates for the old rcv_nxt: the ACK for this one tells more */
    ring_commit(&conn->rcv, len);
    conn->rcv_total += len;
    conn->rcv_nxt += len;
    conn->progress = true; /* our ACKs must have arrived: the peer sends on */
    conn->unacked_text += len;
    if (!filled) {
        ack_soon(conn);
        return;
    }
    owe_ack(conn, ACKS_IN_ORDER);
    ack_now(conn); /* RFC 5681 4.2: a segment that fills a hole */
}

static void note_recent(struct tlsyn_conn *conn, tcp_seq from)
{
    memmove(conn->ooo_recent + 1, conn->ooo_recent,
            sizeof(conn->ooo_recent) - sizeof(*conn->ooo_recent));
    conn->ooo_recent[0] = from;
}

/* RFC 5681 4.2: an immediate duplicate ACK, with SACK blocks, tells the sender that something is
 * missing. SHLD-31, MAY-13, R5681-11 */
static enum tcp_verdict take_out_of_order(struct tlsyn_conn *conn, uint32_t offset, uint32_t len,
                                          uint16_t segments)
{
    struct context *cx = conn->tcp->cx;
    uint64_t from = conn->rcv_total + offset;
    int error = ranges_add(&conn->ooo, cx->alloc, from, from + len, NULL);

    /* One each, though a batch of segments is answered at once: a sender without SACK counts them
     * to tell loss from reordering. */
    if (!conn->sack_ok && conn->acks_owed <= UINT16_MAX - segments)
        conn->acks_owed = (uint16_t)(conn->acks_owed + segments);
    owe_ack(conn, ACKS_OUT_OF_ORDER);
    ack_quickly(conn);
    ack_now(conn);
    if (error < 0) {
        count(cx, TLSYN_COUNT_tcp_ooo_drop);
        drop(cx, error == -ENOSPC ? TLSYN_DROP_tcp_ooo_full : TLSYN_DROP_no_memory);
        return TCP_DROP;
    }
    count(cx, TLSYN_COUNT_tcp_ooo_queue);
    note_recent(conn, conn->rcv_nxt + offset);
    return TCP_NEXT;
}

/* R2018-9 */
void tcp_note_twice(struct tlsyn_conn *conn, const struct wire_tcp *segment)
{
    tcp_seq end = segment->seq + segment->text_len;
    int32_t ahead = seq_diff(segment->seq, conn->rcv_nxt);
    struct tcp_sack_block twice = {segment->seq, seq_min(end, conn->rcv_nxt)};
    struct range part;

    if (!conn->sack_ok || !tcp_synchronized(conn) || segment->text_len == 0)
        return;
    if (ahead >= 0) { /* some of it may wait out of order already */
        uint64_t from = conn->rcv_total + (uint32_t)ahead;

        if (!ranges_meet(&conn->ooo, from, from + segment->text_len, &part))
            return;
        twice.left = conn->rcv_nxt + (tcp_seq)(part.from - conn->rcv_total);
        twice.right = conn->rcv_nxt + (tcp_seq)(part.to - conn->rcv_total);
    }
    ack_quickly(conn);
    conn->twice_due = true;
    conn->twice = twice;
}

/* The part of a segment's text that is new and lies within the window. */
struct window_part {
    const uint8_t *bytes;
    uint32_t offset; /* from rcv_nxt */
    uint32_t len;
};

static struct window_part trim(const struct tlsyn_conn *conn, const struct wire_tcp *segment)
{
    struct window_part part = {segment->text, 0, segment->text_len};
    int32_t ahead = seq_diff(segment->seq, conn->rcv_nxt);
    uint32_t room = tcp_rcv_room(conn);

    if (ahead < 0) {
        uint32_t old = (uint32_t)seq_diff(conn->rcv_nxt, segment->seq);

        old = old < part.len ? old : part.len;
        part.bytes += old;
        part.len -= old;
    } else {
        part.offset = (uint32_t)ahead;
    }
    if (part.offset >= room)
        part.len = 0;
    else if (part.len > room - part.offset)
        part.len = room - part.offset;
    return part;
}

static bool receiving(const struct tlsyn_conn *conn)
{
    switch (conn->state) {
    case TLSYN_SYN_SENT:     /* the text of a SYN-ACK */
    case TLSYN_SYN_RECEIVED: /* the text of an admitted SYN */
    case TLSYN_ESTABLISHED:
    case TLSYN_FIN_WAIT_1:
    case TLSYN_FIN_WAIT_2:
        return true;
    default: /* the peer has sent its FIN: RFC 9293, "this should not occur", ignored */
        return false;
    }
}

enum tcp_verdict tcp_take_text(struct tlsyn_conn *conn, const struct wire_tcp *segment)
{
    struct window_part part;

    if (segment->text_len == 0 || !receiving(conn))
        return TCP_NEXT;
    part = trim(conn, segment);
    tcp_note_twice(conn, segment);
    if (part.len < segment->text_len)
        ack_now(conn); /* something of it came twice, or was beyond the window */
    if (part.len == 0)
        return TCP_NEXT;
    if (buffers_hold(conn, &conn->rcv, conn->rcv.used + part.offset + part.len, part.offset == 0) <
        0) {
        drop(conn->tcp->cx, TLSYN_DROP_no_memory);
        return TCP_DROP;
    }
    ring_write_at(&conn->rcv, conn->rcv.used + part.offset, part.bytes, part.len);
    if (part.offset > 0)
        return take_out_of_order(conn, part.offset, part.len, segment->count);
    take_in_order(conn, part.len);
    return TCP_NEXT;
}

/* SHLD-3 */
enum tcp_verdict tcp_data_arrived(struct tlsyn_conn *conn, uint64_t before)
{
    if (conn->released && conn->rcv_total != before) {
        /* RFC 9293 3.6.1, RFC 2525 2.17: nobody will ever read it, and the peer has to know. The
         * RST takes its number from the segment's ACK field: if our FIN was lost, the peer does not
         * expect the number behind it, and would not accept the RST (RFC 5961 3.2). */
        count(conn->tcp->cx, TLSYN_COUNT_tcp_abort_on_data);
        tcp_finish(conn, -ECONNRESET);
        return TCP_DROP_RST;
    }
    tcp_event_data(conn);
    return TCP_NEXT;
}

uint32_t tcp_window_to_announce(const struct tlsyn_conn *conn)
{
    uint32_t all = conn->rcv.used < conn->rcv_max ? conn->rcv_max - conn->rcv.used : 0;
    uint32_t room = all, unit = 1u << conn->rcv_wscale;
    uint32_t promised = tcp_promised(conn);
    uint32_t step = conn->rcv_max / 2 < conn->rcv_mss ? conn->rcv_max / 2 : conn->rcv_mss;

    /* RFC 9293 3.8.6.2.2: the receiver's silly window syndrome avoidance: the edge moves by a
     * segment or half the buffer, or not at all. (MUST-39, MAY-8) */
    if (room < promised + step)
        room = promised;
    uint32_t max = (uint32_t)UINT16_MAX << conn->rcv_wscale;
    /* RFC 7323 2.4: the shift must not cut off a part of what was promised, so it is rounded up
     * where there is room for that. Where there is none, the rest is not announced, but still
     * accepted: see tcp_rcv_room(). */
    if (room == promised && all - room >= unit)
        room += unit - 1;
    if (room > max)
        room = max;
    return room >> conn->rcv_wscale << conn->rcv_wscale;
}

/* --- the user's side -------------------------------------------------------------------------- */

size_t tlsyn_conn_peek(struct tlsyn_conn *conn, struct tlsyn_view *view)
{
    if (conn->rcv.used == 0)
        *view = (struct tlsyn_view){0};
    else
        ring_view(&conn->rcv, 0, conn->rcv.used, view);
    return conn->rcv.used;
}

void tlsyn_conn_consume(struct tlsyn_conn *conn, size_t n)
{
    ring_consume(&conn->rcv, (uint32_t)n);
    if (conn->rcv.used == 0 && conn->ooo.count == 0)
        ring_rewind(&conn->rcv);
    tcp_urgent_consumed(conn);
    if (conn->close_pending) {
        tcp_set_ready(conn); /* on_closed waited for this; the next output raises it */
        return;
    }
    buffers_consumed(conn, (uint32_t)n);
    /* The sender may be waiting for room. It gets a window update once there is room for two more
     * segments, or half the buffer. */
    uint32_t promised = tcp_promised(conn);
    uint32_t window = tcp_window_to_announce(conn);
    uint32_t worth =
        2u * conn->rcv_mss < conn->rcv_max / 2 ? 2u * conn->rcv_mss : conn->rcv_max / 2;
    if (tcp_synchronized(conn) && !conn->fin_received && window >= promised + worth &&
        window >= 2 * promised)
        ack_now(conn);
}

bool tlsyn_conn_ended(const struct tlsyn_conn *conn)
{
    return conn->fin_received && conn->rcv.used == 0;
}
