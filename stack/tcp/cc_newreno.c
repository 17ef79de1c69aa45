/*
 * tcp/cc_newreno.c: slow start and congestion avoidance of RFC 5681, counted in bytes (RFC 3465).
 * What makes it NewReno, recovery by partial ACKs (RFC 6582), is in tcp/retransmit.c.
 */
#include "tcp/cc.h"

/* MUST-19, R5681-4 */
static void newreno_on_ack(struct cc *cc, const struct cc_ack *ack)
{
    if (!ack->limited)
        return;
    if (cc->cwnd < cc->ssthresh) {
        cc_slow_start(cc, ack->acked);
        return;
    }
    /* RFC 5681 3.1: one SMSS per window's worth of acknowledged bytes. */
    cc->of.acked += ack->acked;
    if (cc->of.acked >= cc->cwnd) {
        cc->of.acked -= cc->cwnd;
        cc_grow_to(cc, cc->cwnd + cc->smss);
    }
}

/* RFC 5681 (4) */
static uint32_t halved(const struct cc *cc, uint32_t flight_size)
{
    return flight_size / 2 > 2 * cc->smss ? flight_size / 2 : 2 * cc->smss;
}

/* R5681-5, R5681-6 */
static void newreno_on_congestion(struct cc *cc, enum cc_cause cause, const struct cc_event *event)
{
    /* RFC 5681 3.1: ssthresh is held constant when the same segment times out again. */
    if (cause != CC_TIMEOUT_AGAIN)
        cc->ssthresh = halved(cc, event->flight_size);
    cc->cwnd = cause == CC_TIMEOUT || cause == CC_TIMEOUT_AGAIN ? cc->smss : cc->ssthresh;
    cc->of.acked = 0;
}

const struct cc_ops cc_newreno = {
    .name = "newreno",
    .on_ack = newreno_on_ack,
    .on_congestion = newreno_on_congestion,
};
