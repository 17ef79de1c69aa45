/*
 * tcp/undo.h: undoing what a spurious loss has done. Segments or ACKs were only late: the
 * congestion window and the timer are as they were before the retransmission.
 *
 *     recovery begins, or the timer expires                    proved spurious
 *     idle -----------------------------------> armed --------------------------------> idle
 *                                                 |
 *                                                 +-- the next episode begins --> armed
 *
 * Proofs: an ACK that echoes a timestamp older than the first retransmission (Eifel, RFC 3522);
 * D-SACKs for all that was sent again (RFC 3708); after a timeout, an ACK of text that was sent
 * before it and not since (F-RTO, RFC 5682 2.1 and 3.1).
 */
#ifndef TLSYN_TCP_UNDO_H
#define TLSYN_TCP_UNDO_H

#include "wire/tcp.h"

struct tlsyn_conn;

/** RFC 5682: what F-RTO waits for. */
enum frto {
    FRTO_OFF,
    FRTO_FIRST_ACK,  /* step 2: the first segment went again */
    FRTO_SECOND_ACK, /* step 3: new text went, or goes, and nothing again */
};

struct undo {
    bool armed : 1;
    bool resent : 1; /* something was sent again in this episode */
    enum frto frto : 8;
    tcp_seq from;        /* snd_una as it began: a D-SACK below is of an earlier episode */
    uint32_t first_ts;   /* our timestamp in the first retransmission */
    uint32_t unreported; /* bytes sent again that no D-SACK has named yet */
    tcp_seq new_text;    /* FRTO_SECOND_ACK: new text goes first, up to here */
};

/** What an ACK says about the episode. */
struct undo_ack {
    const struct wire_tcp *segment;
    uint32_t acked; /* how far snd_una has moved */
    bool original;  /* text that was sent before the timeout, and only once, has arrived */
    bool arrived;   /* something has arrived, by its SACK blocks or the ACK field */
    const struct tcp_sack_block *twice; /* D-SACK; or NULL */
};

/** Fast recovery begins, or the timer has expired outside of it; before the controller hears of
 * it. */
void undo_begin(struct tlsyn_conn *conn);

/** The timer has expired: `again`: the second time for the same loss. */
void undo_on_timeout(struct tlsyn_conn *conn, bool again);

/** `bytes` leave once more. */
void undo_on_resent(struct tlsyn_conn *conn, uint32_t bytes);

/** Takes an ACK. True if the episode was spurious: window and timer are as before, recovery is
 * over, and what was held lost is on its way after all. */
bool undo_on_ack(struct tlsyn_conn *conn, const struct undo_ack *ack);

/** RFC 5682 step 2 b: new text leaves before what is held lost. */
bool undo_wants_new_text(const struct tlsyn_conn *conn);

#endif
