/*
 * tcp/ecn_feedback.c: the sender's side: how many of our segments were marked by what the peer
 * feeds back, and how far that can be believed. Read first: RFC 3168 6.1.2, RFC 9768 3.2.2.2 to
 * 3.2.3.2.
 */
#include "tcp/ecn_feedback.h"

#include "tcp/congest.h"
#include "tcp/recovery.h"

#define ACE_MASK   7u
#define BYTES_MASK 0xffffffu
/* 3.2.2.5.2: a peer whose ACKs stand for so many segments on average does so as a rule: an ACK for
 * many does not show that others were lost. */
#define THIN          4u
#define AVERAGE_SHIFT 3 /* of per_ack: eighths, and a new one counts for an eighth */

/* An option has up to three counters. The middle one is that of marked text, whichever order the
 * other two have; counters that are left out at the end have not changed. (R9768-4) */
bool ecn_read_option(struct tlsyn_conn *conn, const struct tcp_options *theirs, int32_t *grown)
{
    struct ecn *e = &conn->ecn;
    unsigned n = theirs->accecn_fields;

    *grown = 0;
    if (n == 0 || e->option_mangled)
        return false;
    if (!e->option_seen && (theirs->accecn[0] == 0 || (n > 2 && theirs->accecn[2] == 0))) {
        e->option_mangled = true;
        return false;
    }
    e->option_seen = true;
    if (n < 2)
        return true;
    uint32_t more = (theirs->accecn[1] - conn->ecn_told.bytes) & BYTES_MASK;
    *grown = more > BYTES_MASK / 2 ? -1 : (int32_t)more;
    if (*grown > 0)
        conn->ecn_told.bytes = theirs->accecn[1];
    return true;
}

/* FlightSize is that of before the ACK (RFC 5681 (4)): what the ACK acknowledges was on its way
 * when the mark was made. */
static void reduce(struct tlsyn_conn *conn, uint32_t acked)
{
    conn->undo.armed = false; /* this reduction has a reason, and must not be undone */
    tcp_tell_congestion(conn, CC_ECN, tcp_flight_size(conn) + acked);
    ecn_window_reduced(conn);
    TRACE(conn->tcp->cx, tcp_ecn, conn->number, conn->ecn_told.marked, conn->cc.cwnd);
}

/* RFC 3168 6.1.2: one reduction a round trip, whether for marks or for losses. */
void ecn_marked(struct tlsyn_conn *conn, unsigned more, uint32_t acked)
{
    conn->ecn_told.marked += more;
    conn->tcp->cx->counter[TLSYN_COUNT_tcp_delivered_ce] += more;
    if (!conn->ecn.reducing && !conn->in_recovery && !conn->after_timeout)
        reduce(conn, acked);
}

/* 3.2.2.4: the counter begins above zero: one that is zero was cleared on the way, and says
 * nothing. (R9768-8) */
bool ecn_zeroed(struct ecn *e, unsigned ace)
{
    bool first = !e->heard;

    e->heard = true;
    if (first && ace == 0)
        e->mute = e->deaf = true;
    return first && ace == 0;
}

/* How many segments of ours, at least, have arrived since the last ACK. Keeps the average per
 * ACK. */
static unsigned delivered(struct tlsyn_conn *conn)
{
    struct ecn_told *told = &conn->ecn_told;
    uint32_t all = tcp_delivered(conn);
    unsigned n = (all - told->delivered + conn->cc.smss - 1) / conn->cc.smss;
    unsigned sample = (n < UINT8_MAX ? n : UINT8_MAX) << AVERAGE_SHIFT;

    if (n > 0 && told->per_ack)
        sample = told->per_ack + (sample >> AVERAGE_SHIFT) - (told->per_ack >> AVERAGE_SHIFT);
    if (n > 0)
        told->per_ack = (uint16_t)sample;
    told->delivered = all;
    return n;
}

/* 3.2.3.2.5: an option says how many bytes were marked. If the counter of marked segments has grown
 * by too little for that, then either it has wrapped, as often as the delivered segments allow, or
 * one of the two was tampered with: then we send no ECT any more. (R9768-10) */
static unsigned reconcile(struct tlsyn_conn *conn, unsigned more, unsigned most, uint32_t grown)
{
    struct ecn_told *told = &conn->ecn_told;

    while (told->credit < grown && more + ACE_MASK < most) {
        more += ACE_MASK + 1u;
        told->credit += (ACE_MASK + 1u) * conn->peer_mss;
    }
    if (told->credit < grown && !conn->in_recovery && !conn->after_timeout)
        conn->ecn.mute = true;
    told->credit = told->credit < grown ? 0 : told->credit - grown;
    return more;
}

/* How many more segments of ours are reported as marked. The counter has three bits and may have
 * wrapped while ACKs were lost. Without an option to tell (3.2.3.2.3, 3.2.3.2.4), and with a peer
 * that usually acknowledges every few segments, the largest number possible is the safe one
 * (3.2.2.5.2). (R9768-11) */
static unsigned marks(struct tlsyn_conn *conn, const struct wire_tcp *segment)
{
    struct ecn *e = &conn->ecn;
    unsigned most = delivered(conn), more = (ecn_ace(segment) - e->ace) & ACE_MASK;
    int32_t grown;
    bool told = ecn_read_option(conn, &segment->options, &grown);

    if (ecn_zeroed(e, ecn_ace(segment)) || grown < 0)
        return 0;
    e->ace = ecn_ace(segment) & ACE_MASK;
    conn->ecn_told.credit += more * conn->peer_mss;
    if (told)
        return reconcile(conn, more, most, (uint32_t)grown);
    if (e->option_seen || most <= ACE_MASK || conn->ecn_told.per_ack >> AVERAGE_SHIFT >= THIN)
        return more;
    return most - ((most - more) & ACE_MASK);
}

/* R3168-3 */
void ecn_take_feedback(struct tlsyn_conn *conn, const struct wire_tcp *segment, uint32_t acked)
{
    struct ecn *e = &conn->ecn;

    if (e->mode == ECN_OFF)
        return;
    unsigned more = e->mode == ECN_CLASSIC ? !!(segment->flags & TCP_ECE) : marks(conn, segment);
    if (e->reducing && seq_geq(conn->snd_una, e->reduced))
        e->reducing = false;
    if (more > 0 && !e->deaf)
        ecn_marked(conn, more, acked);
}

void ecn_window_reduced(struct tlsyn_conn *conn)
{
    if (conn->ecn.mode == ECN_OFF)
        return;
    conn->ecn.cwr_due = conn->ecn.mode == ECN_CLASSIC && !conn->ecn.mute;
    conn->ecn.reducing = true;
    conn->ecn.reduced = conn->snd_nxt;
}
