/*
 * differential/judge.c: the comparison.
 */
#include "differential/judge.h"

const char *const field_names[DIFFERS_FIELDS] = {"nothing", "RST",     "a connection", "state",
                                                 "RCV.NXT", "SND.UNA", "text",         "SYN",
                                                 "ACK",     "SND.WND", "SND.NXT"};

/* With text or FIN an ACK rides along. */
static bool acks(const struct answer *a)
{
    return a->ack || a->text || a->fin || a->syn;
}

static int32_t sent(const struct subject *s)
{
    return seq_diff(s->snd_nxt, s->iss);
}

enum field judge_compare(const struct trial *t)
{
    const struct answer *a = &t->kernel->answer, *b = &t->ours->answer;
    const struct standing *p = &t->kernel->standing, *q = &t->ours->standing;

    if (a->rst != b->rst)
        return DIFFERS_rst;
    if (p->known != q->known)
        return DIFFERS_known;
    if (p->state != q->state && !(p->state == TLSYN_CLOSED && q->state == TLSYN_TIME_WAIT))
        return DIFFERS_state;
    if (p->delivered != q->delivered || p->wrong != q->wrong)
        return DIFFERS_delivered;
    if (p->state != TLSYN_CLOSED && p->rcv_nxt != q->rcv_nxt)
        return DIFFERS_rcv_nxt;
    if (p->state != TLSYN_CLOSED && p->snd_una != q->snd_una)
        return DIFFERS_snd_una;
    if (a->syn != b->syn)
        return DIFFERS_syn;
    if (acks(a) != acks(b))
        return DIFFERS_ack;
    if (p->state != TLSYN_CLOSED && p->took_wnd != q->took_wnd &&
        t->kernel_before.snd_wnd == t->ours_before.snd_wnd && p->snd_wnd != q->snd_wnd)
        return DIFFERS_snd_wnd;
    if (p->state != TLSYN_CLOSED && sent(t->kernel) != sent(t->ours))
        return DIFFERS_snd_nxt;
    return SAME;
}

void trial_begin(struct trial *t, int n)
{
    const struct step *step = &t->plan->step[n];
    const struct subject *ours = t->ours;
    tcp_seq seq = subject_place(ours, &step->seq), ack = subject_place(ours, &step->ack);
    uint32_t len = step->len + !!(step->flags & TCP_SYN) + !!(step->flags & TCP_FIN);

    t->step = n;
    t->with = step;
    t->kernel_before = t->kernel->standing;
    t->ours_before = ours->standing;
    t->seq = seq_diff(seq, ours->rcv_nxt);
    t->kernel_seq = seq_diff(subject_place(t->kernel, &step->seq), t->kernel->rcv_nxt);
    t->end = seq_diff(seq + len, ours->rcv_nxt);
    t->ours_edge = seq_diff(seq, ours->edge);
    t->kernel_edge = seq_diff(subject_place(t->kernel, &step->seq), t->kernel->edge);
    t->apart = t->apart || (step->act == ACT_SEGMENT && t->kernel_seq != t->seq);
    t->beyond = t->beyond || (step->act == ACT_SEGMENT && (int64_t)t->ours_edge + len > 0);
    t->ack_una = seq_diff(ack, ours->iss + (tcp_seq)ours->standing.snd_una);
    t->ack_nxt = seq_diff(ack, ours->snd_nxt);
}
