/*
 * SEGMENT ARRIVES in every state from SYN-RECEIVED on (RFC 9293 3.10.7.4, with the changes of RFC
 * 5961): each kind of segment in each state, one test per cell. A test's index is its column:
 *
 *     0 SYN-RECEIVED of a passive open   3 FIN-WAIT-1    6 CLOSING
 *     1 SYN-RECEIVED of an active open   4 FIN-WAIT-2    7 LAST-ACK
 *     2 ESTABLISHED                      5 CLOSE-WAIT    8 TIME-WAIT
 *
 * Numbers are relative to what the state expects: `seq` to RCV.NXT, `ack` to SND.UNA as the peer
 * has it: our FIN, where it was sent, is not acknowledged, but in FIN-WAIT-2 and TIME-WAIT.
 */

#include "support/peer.h"

enum answer { NOTHING, ACKS, RESETS, SYN_ACKS, OPENS_ANEW };

#define SAME TLSYN_STATES

struct cell {
    enum answer answer;
    enum tlsyn_state after; /* CLOSED: it is over; SAME */
    uint32_t read;          /* bytes that the user gets */
};

#define COLUMNS 9
static const enum tlsyn_state column[COLUMNS] = {
    TLSYN_SYN_RECEIVED, TLSYN_SYN_RECEIVED, TLSYN_ESTABLISHED, TLSYN_FIN_WAIT_1, TLSYN_FIN_WAIT_2,
    TLSYN_CLOSE_WAIT,   TLSYN_CLOSING,      TLSYN_LAST_ACK,    TLSYN_TIME_WAIT};

static enum tlsyn_state state_of(const struct tcp_test *t)
{
    const struct list *all = &t->tcp->all;

    return list_empty(all) ? TLSYN_CLOSED : container_of(all->next, struct tlsyn_conn, all)->state;
}

static void expect_answer(struct tcp_test *t, enum answer answer, int64_t nxt, int64_t ack)
{
    if (answer == ACKS)
        expect(t, ACK(.ack = nxt));
    else if (answer == RESETS)
        expect(t, RST(.seq = ack));
    else if (answer == SYN_ACKS)
        expect(t, SYNACK(.seq = 0, .ack = nxt));
    else if (answer == OPENS_ANEW)
        expect(t, SYNACK(.seq = 0));
    expect_nothing(t);
}

/* The segment arrives in the column's state. */
static void arrives(int at, struct seg seg, const struct cell *cells)
{
    const struct cell *cell = &cells[at];
    struct tcp_test *t = in_state(column[at], at == 1);
    int64_t nxt = t->peer_nxt, ack;

    ck_assert_str_eq(tlsyn_state_name(state_of(t)), tlsyn_state_name(column[at]));
    seg.seq = seg.seq == SEG_ANY ? nxt : nxt + seg.seq;
    ack = seg.ack = seg.ack == SEG_ANY ? t->peer_rcv : t->peer_rcv + seg.ack;
    peer_sends(t, seg);
    bool moves = cell->after == TLSYN_CLOSE_WAIT || cell->after == TLSYN_CLOSING ||
                 (cell->after == TLSYN_TIME_WAIT && seg.flags & TCP_FIN);
    bool in_order = cell->read && seg.seq <= nxt;
    expect_answer(t, cell->answer, nxt + (in_order ? cell->read : 0) + moves, ack);
    enum tlsyn_state after = cell->after == SAME ? column[at] : cell->after;
    ck_assert_msg(state_of(t) == after, "in %s: now %s, not %s", tlsyn_state_name(column[at]),
                  tlsyn_state_name(state_of(t)), tlsyn_state_name(after));
    ck_assert_uint_eq(t->user.read, cell->read);
    tcp_test_close(t);
}

#define CELL(does, then)                                                                           \
    {                                                                                              \
        .answer = (does), .after = (then)                                                          \
    }
#define TAKES(does, then)                                                                          \
    {                                                                                              \
        .answer = (does), .after = (then), .read = 5                                               \
    }

/* The same in SYN-RECEIVED, in the states in which text is received, and in those in which the
 * peer has closed. */
#define BY_PHASE(opening, receiving, closed)                                                       \
    {                                                                                              \
        opening, opening, receiving, receiving, receiving, closed, closed, closed, closed          \
    }

#define ALL(answer) BY_PHASE(CELL(answer, SAME), CELL(answer, SAME), CELL(answer, SAME))

static const struct cell silence[] = ALL(NOTHING), acks[] = ALL(ACKS);

/* --- first, check the sequence number --------------------------------------------------------- */

/* Table 6: an empty segment below the window; what a keep-alive probe is. */
START_TEST(an_empty_segment_below_the_window_is_acknowledged)
{
    arrives(_i, ACK(.seq = -1), acks);
}
END_TEST

START_TEST(an_empty_segment_beyond_the_window_is_acknowledged)
{
    arrives(_i, ACK(.seq = 10000000), acks);
}
END_TEST

/* All of it came before: it is answered, and nothing of it is taken. */
START_TEST(text_below_the_window_is_acknowledged_and_not_taken)
{
    arrives(_i, ACK(.seq = -5, .len = 5), acks);
}
END_TEST

START_TEST(text_beyond_the_window_is_acknowledged_and_not_taken)
{
    arrives(_i, ACK(.seq = 10000000, .len = 5), acks);
}
END_TEST

/* The FIN that was taken, or one that never can have been. */
START_TEST(a_fin_below_the_window_is_acknowledged_again)
{
    arrives(_i, FIN(.seq = -1), acks);
}
END_TEST

START_TEST(a_fin_beyond_the_window_ends_nothing)
{
    arrives(_i, FIN(.seq = 10000000), acks);
}
END_TEST

/* An unacceptable segment is answered "unless the RST bit is set". */
START_TEST(a_reset_below_the_window_is_not_heard)
{
    arrives(_i, RST(.seq = -1), silence);
}
END_TEST

START_TEST(a_reset_beyond_the_window_is_not_heard)
{
    arrives(_i, RST(.seq = 10000000), silence);
}
END_TEST

/* --- second, check the RST bit ---------------------------------------------------------------- */

/* R5961-1 (1), R5961-5: the exact number; a passive open is back in LISTEN, which is no state of
 * a connection here. */
START_TEST(a_reset_at_rcv_nxt_ends_it)
{
    static const struct cell over[] = {
        CELL(NOTHING, TLSYN_CLOSED), CELL(NOTHING, TLSYN_CLOSED), CELL(NOTHING, TLSYN_CLOSED),
        CELL(NOTHING, TLSYN_CLOSED), CELL(NOTHING, TLSYN_CLOSED), CELL(NOTHING, TLSYN_CLOSED),
        CELL(NOTHING, TLSYN_CLOSED), CELL(NOTHING, TLSYN_CLOSED), CELL(NOTHING, TLSYN_CLOSED)};

    arrives(_i, RST(), over);
}
END_TEST

/* R5961-1 (3): elsewhere in the window, it is challenged. */
START_TEST(a_reset_elsewhere_in_the_window_is_challenged)
{
    arrives(_i, RST(.seq = 1), acks);
}
END_TEST

START_TEST(a_reset_with_an_ack_of_anything_is_judged_by_its_number_alone)
{
    arrives(_i, RSTACK(.seq = 1, .ack = 5000), acks);
}
END_TEST

/* --- fourth, check the SYN bit ---------------------------------------------------------------- */

/* R5961-2; in SYN-RECEIVED of a passive open: the peer begins anew. */
START_TEST(a_syn_in_the_window_is_challenged)
{
    static const struct cell cells[] = {CELL(NOTHING, TLSYN_CLOSED),
                                        CELL(ACKS, SAME),
                                        CELL(ACKS, SAME),
                                        CELL(ACKS, SAME),
                                        CELL(ACKS, SAME),
                                        CELL(ACKS, SAME),
                                        CELL(ACKS, SAME),
                                        CELL(ACKS, SAME),
                                        CELL(ACKS, SAME)};

    arrives(_i, SYN(.seq = 0), cells);
}
END_TEST

/* The peer's own SYN again, while our answer is on its way or lost: the answer goes again. Later
 * it is an old duplicate. */
START_TEST(the_peers_syn_again_is_answered_as_before)
{
    static const struct cell cells[] =
        BY_PHASE(CELL(SYN_ACKS, SAME), CELL(ACKS, SAME), CELL(ACKS, SAME));

    arrives(_i, SYN(.seq = -(int64_t)(column[_i] >= TLSYN_CLOSE_WAIT ? 2 : 1)), cells);
}
END_TEST

START_TEST(a_syn_below_the_window_is_challenged)
{
    arrives(_i, SYN(.seq = -1000), acks);
}
END_TEST

/* In TIME-WAIT a number above all that went before opens the connection anew (3.6.1: MAY-2). */
START_TEST(a_syn_beyond_the_window_is_challenged)
{
    static const struct cell cells[] = {
        CELL(ACKS, SAME), CELL(ACKS, SAME), CELL(ACKS, SAME),
        CELL(ACKS, SAME), CELL(ACKS, SAME), CELL(ACKS, SAME),
        CELL(ACKS, SAME), CELL(ACKS, SAME), CELL(OPENS_ANEW, TLSYN_SYN_RECEIVED)};

    arrives(_i, SYN(.seq = 10000000), cells);
}
END_TEST

START_TEST(a_syn_ack_in_the_window_is_challenged)
{
    static const struct cell cells[] = {CELL(NOTHING, TLSYN_CLOSED),
                                        CELL(ACKS, SAME),
                                        CELL(ACKS, SAME),
                                        CELL(ACKS, SAME),
                                        CELL(ACKS, SAME),
                                        CELL(ACKS, SAME),
                                        CELL(ACKS, SAME),
                                        CELL(ACKS, SAME),
                                        CELL(ACKS, SAME)};

    arrives(_i, SYNACK(.seq = 0), cells);
}
END_TEST

/* Figure 7: of crossing SYNs the SYN-ACK has the SYN's number; its ACK completes the open. To a
 * passive open it is an old number. */
START_TEST(a_syn_ack_with_the_syns_number_completes_a_crossing_open_only)
{
    static const struct cell cells[] = {CELL(ACKS, SAME), CELL(NOTHING, TLSYN_ESTABLISHED),
                                        CELL(ACKS, SAME), CELL(ACKS, SAME),
                                        CELL(ACKS, SAME), CELL(ACKS, SAME),
                                        CELL(ACKS, SAME), CELL(ACKS, SAME),
                                        CELL(ACKS, SAME)};

    arrives(_i, SYNACK(.seq = -(int64_t)(column[_i] >= TLSYN_CLOSE_WAIT ? 2 : 1)), cells);
}
END_TEST

/* --- fifth, check the ACK field --------------------------------------------------------------- */

START_TEST(a_segment_without_ack_is_dropped)
{
    arrives(_i, SEG(0, .len = 5), silence);
}
END_TEST

START_TEST(a_fin_without_ack_is_dropped)
{
    arrives(_i, SEG(TCP_FIN), silence);
}
END_TEST

/* Of what is acknowledged already. */
START_TEST(the_same_ack_again_changes_nothing)
{
    static const struct cell cells[] =
        BY_PHASE(CELL(NOTHING, TLSYN_ESTABLISHED), CELL(NOTHING, SAME), CELL(NOTHING, SAME));

    arrives(_i, ACK(), cells);
}
END_TEST

/* Below SND.UNA, but no further than the largest window ever offered: an old duplicate, ignored.
 * In SYN-RECEIVED there is nothing below: "form a reset segment". */
START_TEST(an_older_ack_is_ignored)
{
    static const struct cell cells[] =
        BY_PHASE(CELL(RESETS, SAME), CELL(NOTHING, SAME), CELL(NOTHING, SAME));

    arrives(_i, ACK(.ack = -1), cells);
}
END_TEST

/* R5961-3: too old to have been sent on this connection. */
START_TEST(an_ack_from_before_the_largest_window_is_challenged)
{
    static const struct cell cells[] =
        BY_PHASE(CELL(RESETS, SAME), CELL(ACKS, SAME), CELL(ACKS, SAME));

    arrives(_i, ACK(.ack = -100000), cells);
}
END_TEST

/* Of what was not sent yet; its text is not taken either. R5681-14 */
START_TEST(an_ack_of_what_was_not_sent_is_answered_and_dropped)
{
    static const struct cell cells[] =
        BY_PHASE(CELL(RESETS, SAME), CELL(ACKS, SAME), CELL(ACKS, SAME));

    arrives(_i, ACK(.ack = 2, .len = 5), cells);
}
END_TEST

/* Where our FIN is outstanding, this acknowledges it; elsewhere it is of what was not sent. */
START_TEST(an_ack_of_one_more_is_of_our_fin_or_of_nothing)
{
    static const struct cell cells[] = {
        CELL(RESETS, SAME),              /* SYN-RECEIVED */
        CELL(RESETS, SAME),              /* SYN-RECEIVED */
        CELL(ACKS, SAME),                /* ESTABLISHED */
        CELL(NOTHING, TLSYN_FIN_WAIT_2), /* FIN-WAIT-1 */
        CELL(ACKS, SAME),                /* FIN-WAIT-2 */
        CELL(ACKS, SAME),                /* CLOSE-WAIT */
        CELL(NOTHING, TLSYN_TIME_WAIT),  /* CLOSING */
        CELL(NOTHING, TLSYN_CLOSED),     /* LAST-ACK */
        CELL(ACKS, SAME),                /* TIME-WAIT */
    };

    arrives(_i, ACK(.ack = 1), cells);
}
END_TEST

/* --- sixth, check the URG bit ----------------------------------------------------------------- */

START_TEST(an_urgent_pointer_without_text_is_not_answered)
{
    static const struct cell cells[] =
        BY_PHASE(CELL(NOTHING, TLSYN_ESTABLISHED), CELL(NOTHING, SAME), CELL(NOTHING, SAME));

    arrives(_i, SEG(TCP_ACK | TCP_URG, .urg = 7), cells);
}
END_TEST

/* --- seventh, process the segment text -------------------------------------------------------- */

/* In the states behind the peer's FIN text "should not occur" and is ignored. */
START_TEST(text_at_rcv_nxt_is_taken)
{
    static const struct cell cells[] =
        BY_PHASE(TAKES(NOTHING, TLSYN_ESTABLISHED), TAKES(NOTHING, SAME), CELL(NOTHING, SAME));

    arrives(_i, ACK(.len = 5), cells);
}
END_TEST

/* "Trim off any portions that lie outside the window": what is new is taken, and all of it
 * acknowledged at once. */
START_TEST(text_that_begins_below_the_window_is_trimmed)
{
    static const struct cell cells[] =
        BY_PHASE(TAKES(ACKS, TLSYN_ESTABLISHED), TAKES(ACKS, SAME), CELL(NOTHING, SAME));

    arrives(_i, ACK(.seq = -3, .len = 8), cells);
}
END_TEST

/* SHLD-31, MAY-13 */
START_TEST(text_behind_a_hole_is_kept_and_the_hole_told)
{
    static const struct cell cells[] =
        BY_PHASE(CELL(ACKS, TLSYN_ESTABLISHED), CELL(ACKS, SAME), CELL(NOTHING, SAME));

    arrives(_i, ACK(.seq = 10, .len = 5), cells);
}
END_TEST

/* --- eighth, check the FIN bit ---------------------------------------------------------------- */

/* It is acknowledged, and the state moves by table; where the stream has ended before, nothing.
 * TIME-WAIT begins anew. */
START_TEST(a_fin_at_rcv_nxt_moves_the_state)
{
    static const struct cell cells[] = {
        CELL(ACKS, TLSYN_CLOSE_WAIT), /* SYN-RECEIVED */
        CELL(ACKS, TLSYN_CLOSE_WAIT), /* SYN-RECEIVED */
        CELL(ACKS, TLSYN_CLOSE_WAIT), /* ESTABLISHED */
        CELL(ACKS, TLSYN_CLOSING),    /* FIN-WAIT-1 */
        CELL(ACKS, TLSYN_TIME_WAIT),  /* FIN-WAIT-2 */
        CELL(NOTHING, SAME),          /* CLOSE-WAIT */
        CELL(NOTHING, SAME),          /* CLOSING */
        CELL(NOTHING, SAME),          /* LAST-ACK */
        CELL(ACKS, SAME),             /* TIME-WAIT */
    };

    arrives(_i, FIN(), cells);
}
END_TEST

/* With text in front: both are taken. */
START_TEST(a_fin_behind_its_text_moves_the_state_too)
{
    static const struct cell cells[] = {
        TAKES(ACKS, TLSYN_CLOSE_WAIT), /* SYN-RECEIVED */
        TAKES(ACKS, TLSYN_CLOSE_WAIT), /* SYN-RECEIVED */
        TAKES(ACKS, TLSYN_CLOSE_WAIT), /* ESTABLISHED */
        TAKES(ACKS, TLSYN_CLOSING),    /* FIN-WAIT-1 */
        TAKES(ACKS, TLSYN_TIME_WAIT),  /* FIN-WAIT-2 */
        CELL(NOTHING, SAME),           /* CLOSE-WAIT */
        CELL(NOTHING, SAME),           /* CLOSING */
        CELL(NOTHING, SAME),           /* LAST-ACK */
        CELL(ACKS, SAME),              /* TIME-WAIT */
    };

    arrives(_i, FIN(.len = 5), cells);
}
END_TEST

/* The end of the stream is known, and not reached. */
START_TEST(a_fin_behind_a_hole_waits)
{
    static const struct cell cells[] = {CELL(ACKS, TLSYN_ESTABLISHED),
                                        CELL(ACKS, TLSYN_ESTABLISHED),
                                        CELL(ACKS, SAME),
                                        CELL(ACKS, SAME),
                                        CELL(ACKS, SAME),
                                        CELL(NOTHING, SAME),
                                        CELL(NOTHING, SAME),
                                        CELL(NOTHING, SAME),
                                        CELL(ACKS, SAME)};

    arrives(_i, FIN(.seq = 10), cells);
}
END_TEST

/* FIN and the ACK of ours in one segment. */
START_TEST(a_fin_that_acknowledges_ours_ends_the_sending_side_first)
{
    static const struct cell cells[] = {
        CELL(RESETS, SAME),             /* SYN-RECEIVED */
        CELL(RESETS, SAME),             /* SYN-RECEIVED */
        CELL(ACKS, SAME),               /* ESTABLISHED: of what was not sent */
        CELL(ACKS, TLSYN_TIME_WAIT),    /* FIN-WAIT-1 */
        CELL(ACKS, SAME),               /* FIN-WAIT-2: of what was not sent */
        CELL(ACKS, SAME),               /* CLOSE-WAIT: of what was not sent */
        CELL(NOTHING, TLSYN_TIME_WAIT), /* CLOSING: this FIN is one too many */
        CELL(NOTHING, TLSYN_CLOSED),    /* LAST-ACK */
        CELL(ACKS, SAME),               /* TIME-WAIT: of what was not sent */
    };

    arrives(_i, FIN(.ack = 1), cells);
}
END_TEST

Suite *rfc9293_3_10_7_4_suite(void);

Suite *rfc9293_3_10_7_4_suite(void)
{
    const TTest *const tests[] = {
        an_empty_segment_below_the_window_is_acknowledged,
        an_empty_segment_beyond_the_window_is_acknowledged,
        text_below_the_window_is_acknowledged_and_not_taken,
        text_beyond_the_window_is_acknowledged_and_not_taken,
        a_fin_below_the_window_is_acknowledged_again,
        a_fin_beyond_the_window_ends_nothing,
        a_reset_below_the_window_is_not_heard,
        a_reset_beyond_the_window_is_not_heard,
        a_reset_at_rcv_nxt_ends_it,
        a_reset_elsewhere_in_the_window_is_challenged,
        a_reset_with_an_ack_of_anything_is_judged_by_its_number_alone,
        a_syn_in_the_window_is_challenged,
        the_peers_syn_again_is_answered_as_before,
        a_syn_below_the_window_is_challenged,
        a_syn_beyond_the_window_is_challenged,
        a_syn_ack_in_the_window_is_challenged,
        a_syn_ack_with_the_syns_number_completes_a_crossing_open_only,
        a_segment_without_ack_is_dropped,
        a_fin_without_ack_is_dropped,
        the_same_ack_again_changes_nothing,
        an_older_ack_is_ignored,
        an_ack_from_before_the_largest_window_is_challenged,
        an_ack_of_what_was_not_sent_is_answered_and_dropped,
        an_ack_of_one_more_is_of_our_fin_or_of_nothing,
        an_urgent_pointer_without_text_is_not_answered,
        text_at_rcv_nxt_is_taken,
        text_that_begins_below_the_window_is_trimmed,
        text_behind_a_hole_is_kept_and_the_hole_told,
        a_fin_at_rcv_nxt_moves_the_state,
        a_fin_behind_its_text_moves_the_state_too,
        a_fin_behind_a_hole_waits,
        a_fin_that_acknowledges_ours_ends_the_sending_side_first,
    };
    Suite *s = suite_create("rfc9293_3_10_7_4");
    TCase *cells = tcase_create("cells");

    for (size_t i = 0; i < sizeof(tests) / sizeof(tests[0]); i++)
        tcase_add_loop_test(cells, tests[i], 0, COLUMNS);
    suite_add_tcase(s, cells);
    return s;
}
