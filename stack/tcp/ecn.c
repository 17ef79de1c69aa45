/*
 * tcp/ecn.c: ECN on a connection. Read first: RFC 3168 6.1, RFC 9768 2 and 3, RFC 8511.
 *
 *     SYN  AE CWR ECE    means          SYN-ACK  AE CWR ECE   to one who asked for AccECN
 *          0   0   0     nothing                 0   0   0    no ECN
 *          0   1   1     RFC 3168                0   0   1    RFC 3168 (also 1 0 1)
 *          others        AccECN                  0 1 0, 0 1 1, 1 0 0, 1 1 0: AccECN; the SYN
 *                                                  arrived as Not-ECT, ECT(1), ECT(0), CE
 *                                                1   1   1    a mere reflection: no ECN
 *
 * Afterwards the three bits are ACE with AccECN: how many marked segments the receiver has counted,
 * modulo 8, from 5 on. Byte counters come along in options of pure ACKs when they have changed.
 * Text leaves with ECT(0); pure ACKs, retransmissions and probes don't (RFC 3168 6.1.4 to 6.1.6). A
 * retransmitted SYN asks for nothing: something on the way may dislike the bits.
 */
#include "tcp/ecn.h"

#include "tcp/congest.h"
#include "tcp/timers.h"

#define NOT_ECT 0u
#define ECT_1   1u
#define ECT_0   2u
#define CE      3u

#define ACE_FIRST   5u /* RFC 9768 3.2.1: r.cep and s.cep */
#define ACE_MASK    7u
#define ACE_CLASSIC 3u /* CWR and ECE in a SYN */
#define ACE_ALL     7u

#define BYTES_MASK 0xffffffu
/* 3.2.1: the counters of ECT begin at 1, so that zeroing shows; that of CE at 0. */
#define BYTES_FIRST 1u

#define MARKS_PER_ACK 2u /* 3.2.2.5.1: between 2 and 6 */
#define OPTION_REPEAT 2u /* ACKs get lost */

static uint8_t ace_of(const struct wire_tcp *segment)
{
    return (uint8_t)(segment->ae << 2 | !!(segment->flags & TCP_CWR) << 1 |
                     !!(segment->flags & TCP_ECE));
}

static void set_ace(struct wire_tcp *segment, unsigned ace)
{
    segment->ae = ace >> 2 & 1u;
    segment->flags &= (uint8_t) ~(TCP_CWR | TCP_ECE);
    segment->flags |= (uint8_t)((ace & 2u ? TCP_CWR : 0) | (ace & 1u ? TCP_ECE : 0));
}

/* RFC 9768 3.1.1 and 3.2.2.1: how the SYN, or SYN-ACK, arrived. (R9768-1) */
static unsigned handshake_encoding(unsigned codepoint)
{
    static const uint8_t ace[] = {[NOT_ECT] = 2, [ECT_1] = 3, [ECT_0] = 4, [CE] = 6};

    return ace[codepoint & 3u];
}

/* Ours left as Not-ECT. Reported as anything else it was mangled on the way, and so would our
 * text be (3.2.2.3). (R9768-3) */
static bool arrived_mangled(unsigned ace)
{
    return ace == 3 || ace == 4 || ace == 6;
}

/* The option: the middle counter is that of marked text in either order of the others. True
 * if it has grown. (R9768-4) */
static bool read_option(struct ecn *e, const struct tcp_options *theirs)
{
    uint32_t grown;

    if (theirs->accecn_fields == 0 || e->option_mangled)
        return false;
    if (!e->option_seen && theirs->accecn[0] == 0) {
        e->option_mangled = true;
        return false;
    }
    e->option_seen = true;
    if (theirs->accecn_fields < 2)
        return false;
    grown = (theirs->accecn[1] - e->reported_bytes) & BYTES_MASK;
    if (grown == 0 || grown > BYTES_MASK / 2) /* more than half a round is an older option */
        return false;
    e->reported_bytes = theirs->accecn[1];
    return true;
}

/* SHLD-8 */
static void begin(struct tlsyn_conn *conn, enum ecn_mode mode)
{
    conn->ecn.mode = mode;
    conn->ecn.ace = ACE_FIRST;
    count(conn->tcp->cx,
          mode == ECN_ACCURATE ? TLSYN_COUNT_tcp_ecn_accurate : TLSYN_COUNT_tcp_ecn_classic);
}

/* --- the handshake ---------------------------------------------------------------------------- */

/* R3168-1 */
void ecn_syn_arrives(struct tlsyn_conn *conn, const struct wire_tcp *syn)
{
    unsigned ace = ace_of(syn);

    if (ace == 0)
        return;
    begin(conn, ace == ACE_CLASSIC ? ECN_CLASSIC : ECN_ACCURATE);
    conn->ecn.syn_codepoint = syn->codepoint & 3u;
    conn->ecn.options_due = 1;
}

bool ecn_answer(const struct wire_tcp *syn, struct wire_tcp *synack, bool classic)
{
    unsigned ace = ace_of(syn);

    classic = classic && ace == ACE_CLASSIC;
    if (classic)
        set_ace(synack, 1);
    else if (ace != 0 && ace != ACE_CLASSIC)
        set_ace(synack, handshake_encoding(syn->codepoint));
    return classic;
}

void ecn_recall(struct wire_tcp *syn, const struct wire_tcp *segment, bool classic)
{
    if (ace_of(segment) > 1)
        set_ace(syn, ACE_ALL);
    else if (classic)
        set_ace(syn, ACE_CLASSIC);
}

void ecn_syn_repeated(struct tlsyn_conn *conn, const struct wire_tcp *syn)
{
    if (ace_of(syn) == 0)
        conn->ecn.mute = true;
}

/* R3168-1 */
void ecn_synack_arrives(struct tlsyn_conn *conn, const struct wire_tcp *synack)
{
    unsigned ace = ace_of(synack);

    bool classic = ace == 1 || ace == 5;

    if (!conn->ecn.asked || ace == 0 || ace == ACE_ALL || (conn->ecn.asked_classic && !classic))
        return;
    begin(conn, classic ? ECN_CLASSIC : ECN_ACCURATE);
    /* The peer may answer our first SYN though a plain one followed: we feed back, and send no ECT
     * (RFC 9768 3.1.5). */
    conn->ecn.mute = conn->syn_plain;
    if (conn->ecn.mode == ECN_CLASSIC)
        return;
    conn->ecn.syn_codepoint = synack->codepoint & 3u;
    conn->ecn.handshake_due = true;
    conn->ecn.options_due = 1;
    read_option(&conn->ecn, &synack->options);
    if (arrived_mangled(ace))
        conn->ecn.mute = true;
}

void ecn_open_completes(struct tlsyn_conn *conn, const struct wire_tcp *segment)
{
    unsigned ace = ace_of(segment);

    if (conn->ecn.mode != ECN_ACCURATE || conn->active)
        return;
    if (ace == 0) /* 3.2.2.4: zeroed on the way */
        conn->ecn.mute = true;
    if (segment->text_len || segment->options.sack_count)
        return; /* the counter: only a pure ACK has the handshake's encoding */
    if (arrived_mangled(ace))
        conn->ecn.mute = true;
}

/* --- what arrives ----------------------------------------------------------------------------- */

static void ack_at_once(struct tlsyn_conn *conn)
{
    conn->ack_due = TCP_ACK_NOW;
    timers_clear(conn, TCP_DELACK);
    tcp_set_ready(conn);
}

/* RFC 3168 6.1.3 (R3168-3) */
static void take_classic(struct tlsyn_conn *conn, const struct wire_tcp *segment)
{
    if (segment->flags & TCP_CWR)
        conn->ecn.echo = false;
    if (segment->text_len == 0 || segment->codepoint != CE || conn->ecn.echo)
        return;
    conn->ecn.echo = true;
    ack_at_once(conn);
}

/* RFC 9768 3.2.2.5.1: a change of codepoint and every few marks are told at once. */
static void take_accurate(struct tlsyn_conn *conn, const struct wire_tcp *segment)
{
    struct ecn *e = &conn->ecn;
    unsigned codepoint = segment->codepoint & 3u;

    if (codepoint == CE)
        e->unreported = e->unreported ? MARKS_PER_ACK : 1;
    if (segment->text_len == 0)
        return;
    if (codepoint != NOT_ECT)
        e->bytes[codepoint - 1u] += segment->text_len;
    if (codepoint == CE || codepoint != e->last_codepoint)
        e->options_due = OPTION_REPEAT;
    if (codepoint != e->last_codepoint || e->unreported >= MARKS_PER_ACK)
        ack_at_once(conn);
    e->last_codepoint = codepoint & 3u;
}

void ecn_take(struct tlsyn_conn *conn, const struct wire_tcp *segment)
{
    if (conn->ecn.mode == ECN_OFF)
        return;
    if (segment->codepoint == CE) {
        conn->ecn.marked += segment->count;
        conn->tcp->cx->counter[TLSYN_COUNT_ip_in_ce] += segment->count;
    }
    if (conn->ecn.mode == ECN_CLASSIC)
        take_classic(conn, segment);
    else
        take_accurate(conn, segment);
}

/* --- what is fed back ------------------------------------------------------------------------- */

/* The segments of ours that are newly reported as marked; at least: three bits go round. */
static unsigned marks(struct tlsyn_conn *conn, const struct wire_tcp *segment)
{
    struct ecn *e = &conn->ecn;
    unsigned more;

    if (e->mode == ECN_CLASSIC)
        return !!(segment->flags & TCP_ECE);
    more = (ace_of(segment) - e->ace) & ACE_MASK;
    e->ace = ace_of(segment) & ACE_MASK;
    return read_option(e, &segment->options) && more == 0 ? ACE_MASK + 1u : more;
}

/* FlightSize is that of before the ACK (RFC 5681 (4)): what it takes was on its way when it was
 * marked. */
static void reduce(struct tlsyn_conn *conn, uint32_t acked)
{
    conn->undo.armed = false; /* what can be given back is now this one, and it was for a reason */
    tcp_tell_congestion(conn, CC_ECN, tcp_flight_size(conn) + acked);
    ecn_window_reduced(conn);
    TRACE(conn->tcp->cx, tcp_ecn, conn->number, conn->ecn.reported_marked, conn->cc.cwnd);
}

/* R3168-3 */
void ecn_take_feedback(struct tlsyn_conn *conn, const struct wire_tcp *segment, uint32_t acked)
{
    struct ecn *e = &conn->ecn;

    if (e->mode == ECN_OFF)
        return;
    unsigned more = marks(conn, segment);
    if (e->reducing && seq_geq(conn->snd_una, e->reduced))
        e->reducing = false;
    if (more == 0 || e->mute)
        return;
    e->reported_marked += more;
    conn->tcp->cx->counter[TLSYN_COUNT_tcp_delivered_ce] += more;
    /* RFC 3168 6.1.2: once a round trip, whether marks or losses tell. */
    if (!e->reducing && !conn->in_recovery && !conn->after_timeout)
        reduce(conn, acked);
}

void ecn_window_reduced(struct tlsyn_conn *conn)
{
    if (conn->ecn.mode == ECN_OFF)
        return;
    conn->ecn.cwr_due = conn->ecn.mode == ECN_CLASSIC && !conn->ecn.mute;
    conn->ecn.reducing = true;
    conn->ecn.reduced = conn->snd_nxt;
}

/* --- what leaves ------------------------------------------------------------------------------ */

/* R9768-2 */
static unsigned ace_due(const struct ecn *e)
{
    return (ACE_FIRST + e->marked) & ACE_MASK;
}

static void fill_option(const struct ecn *e, struct tcp_options *ours)
{
    ours->accecn_fields = 3;
    ours->accecn[0] = (BYTES_FIRST + e->bytes[ECT_0 - 1u]) & BYTES_MASK;
    ours->accecn[1] = e->bytes[CE - 1u] & BYTES_MASK;
    ours->accecn[2] = (BYTES_FIRST + e->bytes[ECT_1 - 1u]) & BYTES_MASK;
}

/* R3168-4 */
static void mark_syn(struct tlsyn_conn *conn, struct wire_tcp *segment)
{
    struct ecn *e = &conn->ecn;

    if (!(segment->flags & TCP_ACK)) {
        unsigned ace = e->asked_classic ? ACE_CLASSIC : ACE_ALL;

        set_ace(segment, e->asked && !conn->syn_plain ? ace : 0);
    } else if (e->mode == ECN_CLASSIC) {
        set_ace(segment, 1);
    } else if (e->mode == ECN_ACCURATE) {
        set_ace(segment, handshake_encoding(e->syn_codepoint));
        if (e->options_due && !segment->options.has_fastopen)
            fill_option(e, &segment->options);
        e->options_due =
            0; /* not again in a SYN-ACK: the option may be why it was lost (3.2.3.2.2) */
    }
}

void ecn_mark(struct tlsyn_conn *conn, struct wire_tcp *segment)
{
    struct ecn *e = &conn->ecn;

    if (segment->flags & TCP_SYN) {
        mark_syn(conn, segment);
    } else if (e->mode == ECN_ACCURATE) {
        set_ace(segment, ace_due(e));
        e->unreported = 0;
    } else if (e->mode == ECN_CLASSIC && e->echo && segment->flags & TCP_ACK) {
        segment->flags |= TCP_ECE;
    }
}

void ecn_mark_pure(struct tlsyn_conn *conn, struct wire_tcp *segment)
{
    struct ecn *e = &conn->ecn;
    uint8_t scratch[TCP_OPTIONS_MAX];

    if (e->mode != ECN_ACCURATE || !(segment->flags & TCP_ACK))
        return;
    if (e->handshake_due)
        set_ace(segment, handshake_encoding(e->syn_codepoint));
    e->handshake_due = false;
    if (e->options_due == 0)
        return;
    fill_option(e, &segment->options);
    if (tcp_options_emit(&segment->options, scratch, sizeof(scratch)) < 0)
        segment->options.accecn_fields = 0; /* SACK blocks are worth more */
    else
        e->options_due--;
}

/* R3168-2 */
uint8_t ecn_codepoint(const struct tlsyn_conn *conn, bool fresh)
{
    return fresh && conn->ecn.mode != ECN_OFF && !conn->ecn.mute ? ECT_0 : NOT_ECT;
}

bool ecn_sends_cwr(const struct tlsyn_conn *conn)
{
    return conn->ecn.cwr_due || (conn->ecn.mode == ECN_ACCURATE && ace_due(&conn->ecn) & 2u);
}
