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
 * modulo 8, from 5 on. Byte counters come along in options of pure ACKs when another one grows, at
 * each mark, and now and then.
 * Text leaves with ECT(0); pure ACKs, retransmissions and probes don't (RFC 3168 6.1.4 to 6.1.6). A
 * retransmitted SYN asks for nothing: something on the way may dislike the bits.
 */
#include "tcp/ecn.h"

#include "tcp/ecn_feedback.h"
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

/* 3.2.2.5.1: after so many marks an ACK is sent at once; after three where ACKs alone are marked,
 * or two ends could acknowledge each other's ACKs without end. */
#define MARKS_PER_ACK       2u
#define MARKED_ACKS_PER_ACK 3u

#define OPTION_REPEAT 2u /* ACKs get lost */
/* 3.2.3.3: a counter of 24 bits is reported at least every 2^22 bytes, as it may wrap. */
#define TOLD_SHIFT 20

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

/* Our SYN or SYN-ACK left as Not-ECT. If the peer reports anything else, the path mangles the
 * field, and would do so with our text (3.2.2.3). (R9768-3) */
static bool arrived_mangled(unsigned ace)
{
    return ace == 3 || ace == 4 || ace == 6;
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
    unsigned ace = ecn_ace(syn);

    if (ace == 0)
        return;
    begin(conn, ace == ACE_CLASSIC ? ECN_CLASSIC : ECN_ACCURATE);
    conn->ecn.syn_codepoint = syn->codepoint & 3u;
    conn->ecn.options_due = 1;
}

bool ecn_answer(const struct wire_tcp *syn, struct wire_tcp *synack, bool classic)
{
    unsigned ace = ecn_ace(syn);

    classic = classic && ace == ACE_CLASSIC;
    if (classic)
        set_ace(synack, 1);
    else if (ace != 0 && ace != ACE_CLASSIC)
        set_ace(synack, handshake_encoding(syn->codepoint));
    return classic;
}

void ecn_recall(struct wire_tcp *syn, const struct wire_tcp *segment, bool classic)
{
    if (ecn_ace(segment) > 1)
        set_ace(syn, ACE_ALL);
    else if (classic)
        set_ace(syn, ACE_CLASSIC);
}

/* R9768-5, R9768-6 */
bool ecn_syn_repeated(struct tlsyn_conn *conn, const struct wire_tcp *syn)
{
    struct ecn *e = &conn->ecn;
    unsigned ace = ecn_ace(syn);

    if (ace == 0)
        e->mute = true;
    e->syn_codepoint = syn->codepoint & 3u;
    return ace == 0 || e->mode == ECN_OFF || (ace == ACE_CLASSIC) == (e->mode == ECN_CLASSIC);
}

/* R3168-1 */
void ecn_synack_arrives(struct tlsyn_conn *conn, const struct wire_tcp *synack)
{
    unsigned ace = ecn_ace(synack);
    bool classic = ace == 1 || ace == 5;
    int32_t grown;

    if (!conn->ecn.asked || ace == 0 || ace == ACE_ALL || (conn->ecn.asked_classic && !classic))
        return;
    begin(conn, classic ? ECN_CLASSIC : ECN_ACCURATE);
    /* The peer may answer our first SYN though a plain one followed: then we feed back, but send no
     * ECT (RFC 9768 3.1.5). */
    conn->ecn.mute = conn->syn_plain;
    if (conn->ecn.mode == ECN_CLASSIC)
        return;
    ecn_synack_repeated(conn, synack);
    conn->ecn.options_due = 1;
    ecn_read_option(conn, &synack->options, &grown);
    if (arrived_mangled(ace))
        conn->ecn.mute = true;
    if (ace == handshake_encoding(CE))
        ecn_marked(conn, 0, 0); /* 3.2.2.2: counts nowhere, and is heeded all the same */
}

/* RFC 9768 3.2.2.1, 3.2.2.2: once, no matter how many SYN-ACKs come. R9768-7 */
void ecn_synack_repeated(struct tlsyn_conn *conn, const struct wire_tcp *synack)
{
    struct ecn *e = &conn->ecn;
    unsigned ace = ecn_ace(synack);

    if (e->mode != ECN_ACCURATE || ace < 2 || ace == 5 || ace == ACE_ALL)
        return;
    e->syn_codepoint = synack->codepoint & 3u;
    e->handshake_due = true;
    if (synack->codepoint == CE && !e->synack_marked)
        e->marked++;
    e->synack_marked = e->synack_marked || synack->codepoint == CE;
}

void ecn_open_completes(struct tlsyn_conn *conn, const struct wire_tcp *segment)
{
    struct ecn *e = &conn->ecn;
    unsigned ace = ecn_ace(segment);
    int32_t grown;

    if (e->mode != ECN_ACCURATE || conn->active)
        return;
    if (segment->text_len || segment->options.sack_count) {
        ecn_take_feedback(conn, segment, 0); /* only a pure ACK has the handshake's encoding */
        return;
    }
    ecn_read_option(conn, &segment->options, &grown);
    if (ecn_zeroed(e, ace))
        return;
    if (arrived_mangled(ace))
        e->mute = true;
    if (ace != handshake_encoding(CE))
        return;
    e->ace = ace & ACE_MASK; /* 3.2.2.2: as if it counted. R9768-7 */
    ecn_marked(conn, 1, 0);
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

/* 3.2.3: counts bytes of text by codepoint; true if it is another than that of the text before.
 * (R9768-17) */
static bool count_text(struct ecn *e, const struct wire_tcp *segment, unsigned codepoint)
{
    bool change = codepoint != e->last_codepoint;
    uint32_t before = 0, now = 0;

    if (codepoint != NOT_ECT) {
        before = e->bytes[codepoint - 1u];
        now = e->bytes[codepoint - 1u] += segment->text_len;
    }
    if (codepoint == CE || change || before >> TOLD_SHIFT != now >> TOLD_SHIFT)
        e->options_due = OPTION_REPEAT;
    e->last_codepoint = codepoint & 3u;
    return change;
}

/* RFC 9768 3.2.2.5.1: a change of codepoint and every few marks are told at once. R9768-9 */
static void take_accurate(struct tlsyn_conn *conn, const struct wire_tcp *segment)
{
    struct ecn *e = &conn->ecn;
    bool text = segment->text_len > 0, ce = segment->codepoint == CE;
    unsigned enough = text || conn->unacked_text ? MARKS_PER_ACK : MARKED_ACKS_PER_ACK;
    bool change = text && count_text(e, segment, segment->codepoint & 3u);
    unsigned unreported = e->unreported + (ce ? segment->count : 0u);

    e->unreported = (unreported < enough ? unreported : enough) & 3u;
    if (change || (text && ce && !e->ce_last) || unreported >= enough)
        ack_at_once(conn);
    e->ce_last = ce;
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
    } else if (e->mode == ECN_ACCURATE && conn->syn_retransmits > 1) {
        e->mute = true; /* 3.2.3.2.2: the bits may be why. R9768-12 */
    } else if (e->mode == ECN_ACCURATE) {
        set_ace(segment, handshake_encoding(e->syn_codepoint));
        if (e->options_due && !segment->options.has_fastopen)
            fill_option(e, &segment->options);
        e->options_due = 0; /* not in a repeated SYN-ACK: it may be why the first was lost
                               (3.2.3.2.2) */
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
