/*
 * tcp/rtt.c: RFC 6298 in microseconds. Read first: RFC 6298 2, 3, 5.
 */
#include "tcp/rtt.h"

/* RFC 6298 2: G. The wheel's tick and a wake-up. */
#define CLOCK_GRANULARITY 1000
/* R6298-1 */
#define INITIAL_RTO  TLSYN_SECONDS(1)
#define SYN_LOST_RTO TLSYN_SECONDS(3)
#define BACKOFFS_MAX 12

static int32_t fit(tlsyn_time time)
{
    return time < INT32_MAX ? (int32_t)time : INT32_MAX;
}

static void compute(struct rtt *rtt)
{
    tlsyn_time spread = 4 * (tlsyn_time)rtt->rttvar, rto = rtt->initial;

    if (spread < CLOCK_GRANULARITY)
        spread = CLOCK_GRANULARITY;
    /* (2.4), as Linux does it: the lower bound is not one of the RTO, but of what is added to srtt.
     * With a bound on the RTO alone, each delayed ACK would bring a timeout on a path whose round
     * trip is long and steady. */
    if (rtt->srtt)
        rto = rtt->srtt + (spread > rtt->min ? spread : rtt->min);
    for (int i = 0; i < rtt->backoffs && rto < rtt->max; i++)
        rto *= 2;
    rtt->rto = rto < rtt->max ? fit(rto) : rtt->max;
}

void rtt_init(struct rtt *rtt, tlsyn_time min, tlsyn_time max)
{
    *rtt = (struct rtt){.min = fit(min), .max = fit(max), .initial = INITIAL_RTO};
    compute(rtt);
}

/* MUST-18, R6298-2, R6298-3 */
void rtt_sample(struct rtt *rtt, tlsyn_time sample)
{
    if (sample < 1)
        sample = 1; /* srtt 0 means "none yet" */
    if (!rtt->srtt) {
        /* (2.2) the first measurement */
        rtt->srtt = fit(sample);
        rtt->rttvar = rtt->srtt / 2;
    } else {
        /* (2.3) beta = 1/4, alpha = 1/8; rttvar first, with the old srtt */
        int32_t error = fit(sample) > rtt->srtt ? fit(sample) - rtt->srtt : rtt->srtt - fit(sample);

        rtt->rttvar += (error - rtt->rttvar) / 4;
        rtt->srtt += (fit(sample) - rtt->srtt) / 8;
        if (rtt->srtt < 1)
            rtt->srtt = 1;
    }
    rtt->backoffs = 0;
    compute(rtt);
}

void rtt_expect(struct rtt *rtt, tlsyn_time time)
{
    rtt->initial = fit(time);
    compute(rtt);
}

void rtt_remember(struct rtt *rtt, tlsyn_time srtt)
{
    tlsyn_time rto = srtt + (2 * srtt > rtt->min ? 2 * srtt : rtt->min);

    if (rtt->srtt == 0 || srtt <= rtt->srtt || rto <= rtt->rto)
        return;
    rtt->rto = rto < rtt->max ? fit(rto) : rtt->max;
}

/* MUST-19 */
void rtt_back_off(struct rtt *rtt)
{
    if (rtt->backoffs < BACKOFFS_MAX)
        rtt->backoffs++;
    compute(rtt);
}

void rtt_recover(struct rtt *rtt)
{
    rtt->backoffs = 0;
    compute(rtt);
}

void rtt_spurious(struct rtt *rtt, tlsyn_time sample)
{
    if (sample > rtt->srtt)
        rtt->srtt = fit(sample);
    if (sample / 2 > rtt->rttvar)
        rtt->rttvar = fit(sample / 2);
    rtt_recover(rtt);
}

/* R6298-11 */
void rtt_syn_was_lost(struct rtt *rtt)
{
    rtt->initial = SYN_LOST_RTO;
    rtt_recover(rtt);
}
