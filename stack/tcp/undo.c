/*
 * tcp/undo.c: was a loss spurious? Read first: RFC 3522, RFC 4015, RFC 5682 2.1 and 3.1, RFC 3708;
 * RFC 2883 4.
 *
 * An episode lasts until snd_una reaches `recover`. Fast recovery begins one, or a timeout; a
 * timeout inside fast recovery belongs to the latter's episode. The controller remembers the
 * windows of before the episode (cc_undo()); here is the proof that it was for nothing.
 *
 * Of the three proofs the Eifel algorithm is the fastest: the receiver echoes the timestamp of the
 * segment that filled the hole. It fails where a round trip is shorter than the tick of the
 * timestamp clock, a millisecond. D-SACK needs no clock, but comes a round trip later. F-RTO needs
 * no option of the peer's, but helps only after timeouts.
 */
#include "tcp/undo.h"

#include "tcp/congest.h"
#include "tcp/options.h"
#include "tcp/recovery.h"

void undo_begin(struct tlsyn_conn *conn)
{
    conn->undo = (struct undo){.armed = true, .from = conn->snd_una};
}

void undo_on_timeout(struct tlsyn_conn *conn, bool again)
{
    /* RFC 5682 2.1 step 1: not where a timeout's repair is under way already, unless its own
     * retransmission was lost too. */
    bool busy = conn->after_timeout && !again;

    conn->undo.frto = busy ? FRTO_OFF : FRTO_FIRST_ACK;
}

void undo_on_resent(struct tlsyn_conn *conn, uint32_t bytes)
{
    struct undo *u = &conn->undo;

    if (!u->armed)
        return;
    if (!u->resent)
        u->first_ts = tcp_ts_now(conn);
    u->resent = true;
    u->unreported += bytes;
}

/* --- proofs ----------------------------------------------------------------------------------- */

/* RFC 3522 3.2: what filled the hole was sent before the first retransmission. */
static bool echoes_original(const struct tlsyn_conn *conn, const struct undo_ack *ack)
{
    const struct tcp_options *theirs = &ack->segment->options;

    if (!conn->undo.resent) /* nothing has gone again yet: then it can only be the original */
        return true;
    return conn->ts_ok && theirs->has_ts && seq_lt(theirs->tsecr, conn->undo.first_ts);
}

/* A partial ACK proves something only if no retransmission is on its way that may have repaired
 * another hole. */
static bool eifel(const struct tlsyn_conn *conn, const struct undo_ack *ack)
{
    if (!ack->acked || !echoes_original(conn, ack))
        return false;
    if (conn->after_timeout || !conn->board_on || seq_geq(conn->snd_una, conn->recover))
        return true;
    return !board_any_resent(&conn->board);
}

static void take_dsack(struct undo *u, const struct tcp_sack_block *twice)
{
    uint32_t len = (uint32_t)seq_diff(twice->right, twice->left);

    if (seq_gt(twice->right, u->from))
        u->unreported -= len < u->unreported ? len : u->unreported;
}

/* RFC 5682 3.1; without SACK, 2.1. True: spurious. */
static bool frto_step(struct tlsyn_conn *conn, const struct undo_ack *ack)
{
    struct undo *u = &conn->undo;
    bool all = seq_geq(conn->snd_una, conn->recover);

    /* Step 3 b. An ACK of everything may also mean that the ACKs before it were lost, not
     * late: step 2 a. */
    if (ack->original && (u->frto == FRTO_SECOND_ACK || !all))
        return true;
    if (u->frto == FRTO_FIRST_ACK && ack->acked && !all) {
        u->frto = FRTO_SECOND_ACK;
        u->new_text = conn->snd_nxt + 2u * conn->mss;
        return false;
    }
    if (all || ack->arrived) /* what arrived is the new text: the rest is lost indeed */
        u->frto = FRTO_OFF;
    return false;
}

/* --- what follows ----------------------------------------------------------------------------- */

/* RFC 4015 3.3: the path's delay has risen to what the late ACK shows. */
static void restore_timer(struct tlsyn_conn *conn, const struct wire_tcp *segment)
{
    uint32_t age = tcp_ts_now(conn) - segment->options.tsecr;
    bool known = conn->ts_ok && segment->options.has_ts && age < TCP_ECHO_AGE_MAX;

    rtt_spurious(&conn->rtt, known ? TLSYN_MS(age) : 0);
}

static void forget_losses(struct tlsyn_conn *conn)
{
    if (conn->board_on)
        board_find_all(&conn->board);
    else
        conn->snd_rtx = conn->snd_nxt;
    conn->resend_first = false;
    conn->dupacks = 0;
}

static void undo(struct tlsyn_conn *conn, const struct undo_ack *ack)
{
    TRACE(conn->tcp->cx, tcp_undo, conn->number, conn->after_timeout, conn->cc.cwnd);
    conn->undos++;
    if (conn->after_timeout)
        restore_timer(conn, ack->segment);
    else
        conn->rack.reordering_seen = true; /* RFC 8985 6.2 step 3 can't see it: it was sent again */
    tcp_tell_undo(conn);
    conn->ecn.reducing = conn->ecn.cwr_due = false;
    forget_losses(conn);
    conn->in_recovery = conn->after_timeout = false;
    conn->undo = (struct undo){0};
}

bool undo_on_ack(struct tlsyn_conn *conn, const struct undo_ack *ack)
{
    struct undo *u = &conn->undo;
    struct context *cx = conn->tcp->cx;
    bool busy = conn->in_recovery || conn->after_timeout;

    if (!u->armed)
        return false;
    if (ack->twice)
        take_dsack(u, ack->twice);
    if (u->resent && u->unreported == 0) {
        count(cx, TLSYN_COUNT_tcp_dsack_undo);
    } else if (busy && eifel(conn, ack)) {
        count(cx, conn->after_timeout                     ? TLSYN_COUNT_tcp_loss_undo
                  : seq_geq(conn->snd_una, conn->recover) ? TLSYN_COUNT_tcp_full_undo
                                                          : TLSYN_COUNT_tcp_partial_undo);
    } else if (conn->after_timeout && u->frto != FRTO_OFF && frto_step(conn, ack)) {
        count(cx, TLSYN_COUNT_tcp_loss_undo);
        count(cx, TLSYN_COUNT_tcp_spurious_rtos);
    } else {
        return false;
    }
    undo(conn, ack);
    return true;
}

bool undo_wants_new_text(const struct tlsyn_conn *conn)
{
    return conn->undo.frto == FRTO_SECOND_ACK && seq_lt(conn->snd_nxt, conn->undo.new_text);
}
