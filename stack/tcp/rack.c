/*
 * tcp/rack.c: loss by time. Read first: RFC 8985 5 to 7.
 *
 *        sent   t1 --------- t2 ------ t3                  now
 *                |            |                             |
 *                |            +-- arrived: rtt = now - t2 --+
 *                +-- not: lost from t1 + rtt + reo_wnd on
 *
 * reo_wnd grants reordered segments their time: nothing until reordering was seen, then a quarter
 * of the smallest round trip, and more by quarters with each round trip in which a D-SACK tells
 * that something was sent again for nothing.
 */
#include "tcp/rack.h"

#define MIN_RTT_AGE      300 /* seconds */
#define REO_WND_MULT_MAX 255
#define REO_WND_PERSIST  16               /* RFC 8985 6.2 step 4: recoveries */
#define PTO_INITIAL      TLSYN_SECONDS(1) /* 7.2 */

void rack_init(struct rack *r, tcp_seq iss)
{
    *r = (struct rack){
        .end_seq = iss, .fack = iss, .reo_wnd_mult = 1, .reo_wnd_persist = REO_WND_PERSIST};
}

static int32_t fit(tlsyn_time time)
{
    return time < INT32_MAX ? (int32_t)time : INT32_MAX;
}

/* R8985-3 */
void rack_min_rtt(struct rack *r, tlsyn_time sample, tlsyn_time now)
{
    uint32_t seconds = (uint32_t)(now / TLSYN_SECONDS(1));

    if (r->min_rtt && sample > r->min_rtt && seconds - r->min_rtt_at < MIN_RTT_AGE)
        return;
    r->min_rtt = fit(sample);
    r->min_rtt_at = seconds;
}

/* RFC 8985 6.2 step 2: RACK_sent_after() */
static bool sent_after(tlsyn_time at1, tcp_seq end1, tlsyn_time at2, tcp_seq end2)
{
    return at1 > at2 || (at1 == at2 && seq_gt(end1, end2));
}

/* Step 3: a segment that was sent once and arrives behind its successors. (R8985-5) */
static void detect_reordering(struct rack *r, const struct piece *p)
{
    if (seq_gt(p->to, r->fack))
        r->fack = p->to;
    else if (seq_lt(p->to, r->fack) && !(p->flags & PIECE_RESENT))
        r->reordering_seen = true;
}

/* Step 2: is it an earlier transmission that has arrived, and not the last one? (R8985-4) */
static bool was_earlier(const struct rack *r, const struct piece *p, tlsyn_time rtt,
                        const uint32_t *echo)
{
    if (!(p->flags & PIECE_RESENT))
        return false;
    return rtt < r->min_rtt || (echo && seq_lt(*echo, (uint32_t)(p->at / 1000)));
}

tlsyn_time rack_update(struct rack *r, const struct piece *p, tlsyn_time now, const uint32_t *echo)
{
    tlsyn_time rtt = now - p->at > 1 ? now - p->at : 1;

    detect_reordering(r, p);
    if (was_earlier(r, p, rtt, echo))
        return 0;
    r->rtt = fit(rtt);
    if (r->xmit_at == 0 || sent_after(p->at, p->to, r->xmit_at, r->end_seq)) {
        r->xmit_at = p->at;
        r->end_seq = p->to;
    }
    return p->flags & PIECE_RESENT || p->at <= r->timed_from ? 0 : rtt;
}

/* R8985-7 */
void rack_adapt(struct rack *r, tcp_seq una, tcp_seq nxt, bool dsack, bool recovered)
{
    if (r->in_dsack_round && seq_geq(una, r->dsack_round))
        r->in_dsack_round = false;
    if (dsack && !r->in_dsack_round) {
        r->in_dsack_round = true;
        r->dsack_round = nxt;
        if (r->reo_wnd_mult < REO_WND_MULT_MAX)
            r->reo_wnd_mult++;
        r->reo_wnd_persist = REO_WND_PERSIST;
        /* What came twice was not lost but late, which step 3 does not see in a segment that was
         * sent again. */
        r->reordering_seen = true;
    } else if (recovered && r->reo_wnd_persist > 0 && --r->reo_wnd_persist == 0) {
        r->reo_wnd_mult = 1;
        r->reo_wnd_persist = REO_WND_PERSIST;
    }
}

/* R8985-6 */
tlsyn_time rack_reo_wnd(const struct rack *r, tlsyn_time srtt, bool impatient)
{
    /* A D-SACK shows that a quarter of min_rtt is too little. Where frames overtake others by a
     * good part of the delay, min_rtt is that of the fast ones, so srtt is the measure then. It is
     * the upper bound in any case. */
    tlsyn_time window = r->reo_wnd_mult * ((r->reo_wnd_mult > 1 ? srtt : r->min_rtt) / 4);

    if (!r->reordering_seen && impatient)
        return 0;
    return window < srtt ? window : srtt;
}

/* R8985-8 */
bool rack_detect_loss(struct rack *r, struct board *b, tlsyn_time reo_wnd, tlsyn_time now,
                      tlsyn_time *wait)
{
    bool lost = false;

    *wait = 0;
    if (r->rtt == 0)
        return false;
    for (uint32_t i = 0; i < b->count; i++) {
        struct piece *p = board_at(b, i);

        if (p->flags & (PIECE_SACKED | PIECE_LOST))
            continue;
        if (!sent_after(r->xmit_at, r->end_seq, p->at, p->to)) {
            if (seq_geq(p->from, b->resent_end))
                break; /* all that follow were sent later */
            continue;
        }
        tlsyn_time due = p->at + r->rtt + reo_wnd;
        if (due <= now) {
            board_lose(b, p);
            lost = true;
        } else if (due > *wait) {
            *wait = due;
        }
    }
    return lost;
}

/* R8985-9 */
void rack_timeout(struct rack *r, struct board *b, tlsyn_time reo_wnd, tlsyn_time now)
{
    for (uint32_t i = 0; i < b->count; i++) {
        struct piece *p = board_at(b, i);

        if (!(p->flags & (PIECE_SACKED | PIECE_LOST)) &&
            (i == 0 || p->at + r->rtt + reo_wnd <= now))
            board_lose(b, p);
    }
    r->tlp_outstanding = false;
}

/* R8985-11 */
tlsyn_time rack_pto(tlsyn_time srtt, bool one_segment, tlsyn_time max_ack_delay)
{
    if (srtt == 0)
        return PTO_INITIAL;
    return 2 * srtt + (one_segment ? max_ack_delay : 0);
}

bool rack_tlp_on_ack(struct rack *r, tcp_seq ack, bool advanced, const struct sack_view *view,
                     bool empty)
{
    if (!r->tlp_outstanding || seq_lt(ack, r->tlp_end_seq))
        return false;
    if (!r->tlp_is_retrans || (view->dsack && view->twice.right == r->tlp_end_seq)) {
        r->tlp_outstanding = false; /* new text; or the original and the probe arrived both */
        return false;
    }
    if (seq_gt(ack, r->tlp_end_seq)) {
        r->tlp_outstanding = false;
        return true;
    }
    if (!advanced && empty)
        r->tlp_outstanding = false; /* a duplicate of the last ACK: both arrived, too */
    return false;
}
