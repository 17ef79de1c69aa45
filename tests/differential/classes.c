/*
 * differential/classes.c: the differences that are known, each as narrow as what it is about. Read
 * first: docs/TESTING.md.
 *
 * "The kernel" is Linux; the sections are those of the RFC by which ours is right, or by which both
 * are.
 */
#include "differential/judge.h"

static bool is_segment(const struct trial *t)
{
    return t->with->act == ACT_SEGMENT;
}

static bool only_kernel_acks(const struct trial *t, enum field field)
{
    return field == DIFFERS_ack && t->kernel->answer.ack;
}

static bool only_ours_acks(const struct trial *t, enum field field)
{
    return field == DIFFERS_ack && t->ours->answer.ack;
}

/* Timestamps were agreed on, and this segment has none. */
static bool lacks_stamp(const struct trial *t)
{
    return t->ours_before.stamps_on && !t->ours->sent.options.has_ts;
}

static bool is_stale(const struct trial *t)
{
    const struct tcp_options *o = &t->ours->sent.options;

    return t->ours_before.stamps_on && o->has_ts && seq_lt(o->tsval, t->ours_before.ts_recent);
}

static bool bad_ack(const struct trial *t)
{
    return t->with->flags & TCP_ACK && (t->ack_una < 0 || t->ack_nxt > 0);
}

static bool in_time_wait_text(const struct trial *t, enum field field)
{
    return t->ours_before.time_wait && only_kernel_acks(t, field) &&
           (t->with->len || t->with->flags & (TCP_SYN | TCP_FIN) || t->seq != 0);
}

static bool in_time_wait_other(const struct trial *t, enum field field)
{
    return t->ours_before.time_wait && only_ours_acks(t, field) &&
           (bad_ack(t) || is_stale(t) || t->with->flags & TCP_RST || !(t->with->flags & TCP_ACK));
}

static bool at_right_edge(const struct trial *t, enum field field)
{
    (void)field;
    return is_segment(t) && t->kernel_edge == 0 && t->ours_edge == 0;
}

static bool at_left_edge(const struct trial *t, enum field field)
{
    (void)field;
    return is_segment(t) && t->end == 0 && t->seq < 0;
}

static bool by_window_rule(const struct trial *t, enum field field)
{
    tcp_seq wl1 = t->ours_before.wl1;
    bool same = t->ours->sent.seq == wl1, older = seq_lt(t->ours->sent.seq, wl1);

    if (field != DIFFERS_snd_wnd || !is_segment(t))
        return false;
    return t->ours->standing.took_wnd ? same && t->ack_una <= 0 : older;
}

static bool by_old_stamp(const struct trial *t, enum field field)
{
    return is_segment(t) && is_stale(t) && t->with->len == 0 &&
           (field == DIFFERS_ack || field == DIFFERS_snd_wnd);
}

static bool by_no_ack_bit(const struct trial *t, enum field field)
{
    return is_segment(t) && !(t->with->flags & (TCP_ACK | TCP_RST | TCP_SYN)) &&
           only_ours_acks(t, field);
}

static bool by_no_stamp(const struct trial *t, enum field field)
{
    (void)field;
    return is_segment(t) && lacks_stamp(t);
}

static bool by_opening_ack(const struct trial *t, enum field field)
{
    return t->ours_before.syn_received && bad_ack(t) && field == DIFFERS_rst &&
           t->kernel->answer.rst == RST_BY_ACK;
}

static bool by_opening_syn(const struct trial *t, enum field field)
{
    return t->ours_before.syn_received && t->with->flags & TCP_SYN && field == DIFFERS_rst &&
           t->ours->answer.rst == RST_NONE;
}

static bool peer_has_ended(const struct trial *t)
{
    enum tlsyn_state state = t->ours_before.state;

    return state == TLSYN_CLOSE_WAIT || state == TLSYN_LAST_ACK || state == TLSYN_CLOSING;
}

static bool by_text_beyond_fin(const struct trial *t, enum field field)
{
    (void)field;
    return is_segment(t) && peer_has_ended(t) && t->seq < 0 && t->end > 0;
}

static bool by_rst_behind_fin(const struct trial *t, enum field field)
{
    return is_segment(t) && peer_has_ended(t) && t->with->flags & TCP_RST && t->seq == -1 &&
           field == DIFFERS_state && t->kernel->standing.state == TLSYN_CLOSED;
}

static bool by_tolerance(const struct trial *t, enum field field)
{
    (void)field;
    return is_segment(t) && is_stale(t) &&
           t->ours->sent.options.tsval == t->ours_before.ts_recent - 1;
}

static bool by_crossing_ack(const struct trial *t, enum field field)
{
    (void)field;
    return is_segment(t) && t->plan->active && t->ours_before.syn_received &&
           t->with->flags & TCP_ACK && t->ack_una == 0 && t->ours->answer.rst == RST_BY_ACK;
}

static bool by_ack_of_iss(const struct trial *t, enum field field)
{
    (void)field;
    return is_segment(t) && !t->plan->active && t->with->flags & TCP_ACK &&
           t->ours->sent.ack == t->ours->iss;
}

/* What is stale to the kernel in TIME-WAIT may not be so to us: see time-wait-stamp. */
static bool by_stale_rst(const struct trial *t, enum field field)
{
    (void)field;
    return is_segment(t) && t->with->flags & TCP_RST &&
           (t->ours_before.time_wait ? t->ours_before.stamps_on
                                     : t->ours_before.syn_received && is_stale(t));
}

/* Once they have taken different windows they send differently; and into a small one. */
static bool by_sending(const struct trial *t, enum field field)
{
    const struct answer *a = &t->kernel->answer, *b = &t->ours->answer;
    bool apart = t->kernel_before.snd_wnd != t->ours_before.snd_wnd ||
                 t->kernel->standing.snd_wnd != t->ours->standing.snd_wnd;

    return (apart || t->ours_before.snd_wnd < 1460) &&
           (field == DIFFERS_snd_nxt ||
            (field == DIFFERS_ack && (a->text || a->fin || b->text || b->fin)));
}

/* It, or one before, ends beyond our edge: the kernel's may be further, and moves with what comes.
 */
static bool by_size(const struct trial *t, enum field field)
{
    return is_segment(t) && (t->beyond || t->apart) && field != DIFFERS_syn &&
           field != DIFFERS_known && field != DIFFERS_rst;
}

static bool by_delay(const struct trial *t, enum field field)
{
    return is_segment(t) && only_ours_acks(t, field) && t->with->len > 0 &&
           t->ours->standing.rcv_nxt == t->kernel->standing.rcv_nxt &&
           t->ours->standing.rcv_nxt > t->ours_before.rcv_nxt;
}

static bool by_rst_at_block(const struct trial *t, enum field field)
{
    return is_segment(t) && t->with->flags & TCP_RST && t->seq > 0 && field == DIFFERS_state &&
           t->kernel->standing.state == TLSYN_CLOSED;
}

static bool by_two_fins(const struct trial *t, enum field field)
{
    return is_segment(t) && t->ours_before.fin_seen && !peer_has_ended(t) && field == DIFFERS_state;
}

/* The TSecr is not one that the stack has sent. */
static bool by_echo(const struct trial *t, enum field field)
{
    bool opening = t->ours_before.syn_received ||
                   (t->ours_before.known && t->ours_before.state == TLSYN_SYN_SENT);

    (void)field;
    return is_segment(t) && opening && t->ours->sent.options.has_ts && t->with->echo != 0 &&
           t->with->flags & TCP_ACK;
}

static bool by_repeated_synack(const struct trial *t, enum field field)
{
    (void)field;
    return is_segment(t) && t->ours_before.syn_received && t->ours->sent.seq == t->ours->irs &&
           (t->with->flags & (TCP_SYN | TCP_ACK)) == (TCP_SYN | TCP_ACK);
}

static bool by_repeated_syn(const struct trial *t, enum field field)
{
    return is_segment(t) && t->ours_before.syn_received && t->ours->sent.seq == t->ours->irs &&
           (t->with->flags & (TCP_SYN | TCP_ACK)) == TCP_SYN && field == DIFFERS_syn &&
           t->kernel->answer.ack;
}

static bool by_stamp_in_time_wait(const struct trial *t, enum field field)
{
    return t->ours_before.time_wait && t->ours_before.stamps_on &&
           (field == DIFFERS_syn || only_kernel_acks(t, field));
}

static bool by_synack_text(const struct trial *t, enum field field)
{
    return is_segment(t) && t->ours_before.state == TLSYN_SYN_SENT && t->with->flags & TCP_SYN &&
           (t->with->len || t->with->flags & TCP_FIN) && field != DIFFERS_rst;
}

/* What came before the SYN did: it has text in it, or the ACK that completes a crossing open. */
static bool by_early_text(const struct trial *t, enum field field)
{
    (void)field;
    return is_segment(t) && t->ours_before.known && t->ours_before.state == TLSYN_SYN_SENT &&
           t->with->flags & TCP_SYN &&
           (t->ours->standing.rcv_nxt > 1 || !(t->with->flags & TCP_ACK));
}

/* A FIN in order, and text behind it that had come before. */
static bool by_text_over_fin(const struct trial *t, enum field field)
{
    if (is_segment(t) && t->ours_before.fin_seen && field == DIFFERS_delivered)
        return true;
    return is_segment(t) && t->with->flags & TCP_FIN && t->seq <= 0 && t->end > 0 &&
           (field == DIFFERS_state || field == DIFFERS_delivered) &&
           t->ours->standing.delivered > t->kernel->standing.delivered;
}

static bool by_syn_fin(const struct trial *t, enum field field)
{
    (void)field;
    return is_segment(t) && t->ours_before.time_wait &&
           (t->with->flags & (TCP_SYN | TCP_FIN | TCP_ACK | TCP_RST)) == (TCP_SYN | TCP_FIN);
}

/* Header prediction: what has the expected number and the window of before goes past the kernel's
 * check of the ACK field. Text is seen at once; a timestamp that was taken shows later. */
static bool by_prediction(const struct trial *t, enum field field)
{
    const struct wire_tcp *sent = &t->ours->sent;
    bool predicted = is_segment(t) && t->ours_before.state == TLSYN_ESTABLISHED &&
                     (t->with->flags | TCP_PSH) == (TCP_ACK | TCP_PSH) && t->seq == 0 &&
                     subject_window(t->ours, sent) == t->kernel_before.snd_wnd;
    bool newer = t->ours_before.stamps_on && sent->options.has_ts &&
                 seq_gt(sent->options.tsval, t->ours_before.ts_recent);

    return predicted && t->ack_una < 0 && (field == SAME ? newer : t->with->len > 0);
}

const struct difference_class judge_classes[] = {
    {.name = "syn-fin",
     .rfc = "RFC 9293 3.6.1, 3.10.7.2",
     .why = "a SYN with FIN opens nothing, so it ends no TIME-WAIT; the kernel forgets the old "
            "connection, and opens no new one",
     .is = by_syn_fin,
     .always = true},
    {.name = "time-wait-seq",
     .rfc = "RFC 9293 3.10.7.4 seventh",
     .why = "in TIME-WAIT acceptable text is ignored; the kernel acknowledges all that is not the "
            "next number alone",
     .is = in_time_wait_text,
     .goes_on = true},
    {.name = "time-wait-rest",
     .rfc = "RFC 5961 3.2, 5.2; RFC 7323 5.3",
     .why = "in TIME-WAIT the kernel looks at neither ACK nor RST nor the lack of both, and "
            "answers none of them",
     .is = in_time_wait_other,
     .goes_on = true},
    {.name = "stale-rst",
     .rfc = "RFC 7323 5.2",
     .why = "RST is not subject to PAWS; in TIME-WAIT and SYN-RECEIVED the kernel applies it",
     .is = by_stale_rst,
     .always = true},
    {.name = "right-edge",
     .rfc = "RFC 9293 3.4",
     .why = "SEG.SEQ < RCV.NXT+RCV.WND; the kernel takes what begins at the edge",
     .is = at_right_edge,
     .always = true},
    {.name = "left-edge",
     .rfc = "RFC 9293 3.4",
     .why = "text that ends at RCV.NXT is not acceptable; the kernel heeds its ACK field",
     .is = at_left_edge,
     .always = true},
    {.name = "window-rule",
     .rfc = "RFC 9293 3.10.7.4 fifth",
     .why = "SND.WL1 never goes back, and a smaller window counts; the kernel's goes back, and it "
            "waits for growth",
     .is = by_window_rule,
     .goes_on = true},
    {.name = "old-stamp",
     .rfc = "RFC 7323 5.3 R1",
     .why = "an ACK with an old timestamp is answered; the kernel says nothing",
     .is = by_old_stamp,
     .goes_on = true},
    {.name = "paws-tolerance",
     .rfc = "RFC 7323 5.3 R1",
     .why = "an older timestamp is refused; the kernel takes it if it is older by one tick",
     .is = by_tolerance,
     .always = true},
    {.name = "no-ack-bit",
     .rfc = "RFC 9293 3.10.7.4 first",
     .why = "the sequence number is checked first; the kernel drops what lacks ACK, RST and SYN "
            "before",
     .is = by_no_ack_bit,
     .goes_on = true},
    {.name = "no-timestamp",
     .rfc = "RFC 7323 3.2",
     .why = "a segment without the timestamp agreed on is dropped; the kernel takes it",
     .is = by_no_stamp,
     .always = true},
    {.name = "ack-of-iss",
     .rfc = "RFC 5961 5.2",
     .why = "SND.UNA-MAX.SND.WND =< SEG.ACK; of a passive open the kernel challenges SEG.ACK = ISS",
     .is = by_ack_of_iss,
     .always = true},
    {.name = "opening-ack",
     .rfc = "RFC 9293 3.10.7.4 first, fifth",
     .why =
         "SYN-RECEIVED: the sequence number is checked first; the kernel begins with the ACK field",
     .is = by_opening_ack},
    {.name = "opening-syn",
     .rfc = "RFC 9293 3.10.7.4 fourth",
     .why = "SYN-RECEIVED: a SYN in the window leads back to LISTEN; the kernel sends RST, too",
     .is = by_opening_syn},
    {.name = "crossing-ack",
     .rfc = "RFC 9293 3.10.7.4 fifth",
     .why = "SYN-RECEIVED: SND.UNA < SEG.ACK; where SYNs crossed the kernel takes SEG.ACK = ISS",
     .is = by_crossing_ack,
     .always = true},
    {.name = "text-beyond-fin",
     .rfc = "RFC 9293 3.10.7.4 seventh",
     .why = "text behind a FIN is ignored; the kernel resets if it begins before the FIN",
     .is = by_text_beyond_fin,
     .always = true},
    {.name = "rst-behind-fin",
     .rfc = "RFC 5961 3.2",
     .why = "only the exact number resets; behind a FIN the kernel also takes the FIN's",
     .is = by_rst_behind_fin},
    {.name = "opening-echo",
     .rfc = "RFC 7323 3.2, 5.3",
     .why = "what TSecr says does not make a segment unacceptable; while a connection opens the "
            "kernel wants its own",
     .is = by_echo,
     .always = true},
    {.name = "repeated-syn-ack",
     .rfc = "RFC 9293 3.5 figure 7",
     .why = "SYN-RECEIVED: the peer's SYN comes again with an ACK, which counts; the kernel "
            "challenges the SYN",
     .is = by_repeated_synack},
    {.name = "repeated-syn",
     .rfc = "RFC 9293 3.10.7.4 first",
     .why = "SYNs crossed, and the peer's comes again: ours answers with SYN and ACK, the kernel "
            "with ACK",
     .is = by_repeated_syn},
    {.name = "time-wait-stamp",
     .rfc = "RFC 6191 2",
     .why = "a SYN reopens TIME-WAIT if it is newer; the kernel also counts timestamps that came "
            "in TIME-WAIT",
     .is = by_stamp_in_time_wait},
    {.name = "syn-text",
     .rfc = "RFC 9293 3.10.7.3 fourth",
     .why = "SYN-SENT: text of the SYN-ACK is taken; the kernel has it sent again",
     .is = by_synack_text},
    {.name = "early-text",
     .rfc = "RFC 9293 3.10.7.3 fifth",
     .why = "SYN-SENT: text that has overtaken the SYN is kept here, and counts behind it",
     .is = by_early_text},
    {.name = "text-over-fin",
     .rfc = "RFC 9293 3.10.7.4 seventh, eighth",
     .why =
         "text behind a FIN contradicts it: what has come first counts here, the FIN to the kernel",
     .is = by_text_over_fin},
    {.name = "sending",
     .rfc = "RFC 9293 3.8.6.2.1, 3.10.7.4 fifth",
     .why = "what follows from window-rule, or from waiting for a window worth a segment: one of "
            "the two sends",
     .is = by_sending},
    {.name = "window-size",
     .rfc = "RFC 9293 3.8.6, 3.10.7.4 seventh",
     .why = "text is cut to the window; the kernel's window grows with what comes, and a segment "
            "that begins in it is taken whole while the queue is empty",
     .is = by_size},
    {.name = "delayed-ack",
     .rfc = "RFC 9293 3.8.6.3",
     .why = "text in order is acknowledged at once here, as asked for; the kernel may delay it all "
            "the same",
     .is = by_delay},
    {.name = "rst-at-block",
     .rfc = "RFC 5961 3.2",
     .why =
         "only the exact number resets; with SACK the kernel also takes the end of the last block",
     .is = by_rst_at_block},
    {.name = "prediction",
     .rfc = "RFC 5961 5.2, RFC 7323 4.3",
     .why = "an ACK field that is too old has its segment dropped, and an older one brings no "
            "timestamp; the kernel's header prediction takes text and timestamp all the same",
     .is = by_prediction,
     .always = true},
    {.name = "two-fins",
     .rfc = "RFC 9293 3.10.7.4 eighth",
     .why = "a FIN beyond a gap, and another one elsewhere: the first counts here, the later one "
            "to the kernel",
     .is = by_two_fins},
};
const int judge_class_count = sizeof(judge_classes) / sizeof(judge_classes[0]);

int judge_explain(const struct trial *t, enum field field)
{
    for (int i = 0; i < judge_class_count; i++)
        if ((field != SAME || judge_classes[i].always) && judge_classes[i].is(t, field))
            return i;
    return -1;
}
