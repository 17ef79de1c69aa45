/*
 * tcp/rtt.c: RFC 6298 in microseconds. Read first: RFC 6298 2, 3, 5.
 */
#include "tcp/rtt.h"

/* RFC 6298 2: G. The wheel's tick and a wake-up. */
#define CLOCK_GRANULARITY 1000
#define INITIAL_RTO       TLSYN_SECONDS(1)
#define SYN_LOST_RTO      TLSYN_SECONDS(3)
#define BACKOFFS_MAX      12

static void compute(struct rtt *rtt)
{
    tlsyn_time spread = 4 * rtt->rttvar;

    rtt->rto = rtt->srtt ? rtt->srtt + (spread > CLOCK_GRANULARITY ? spread : CLOCK_GRANULARITY)
                         : rtt->initial;
    if (rtt->rto < rtt->min)
        rtt->rto = rtt->min;
    for (int i = 0; i < rtt->backoffs && rtt->rto < rtt->max; i++)
        rtt->rto *= 2;
    if (rtt->rto > rtt->max)
        rtt->rto = rtt->max;
}

/* An RTO of an hour is none. */
static uint32_t bounded(tlsyn_time bound)
{
    return bound < UINT32_MAX ? (uint32_t)bound : UINT32_MAX;
}

void rtt_init(struct rtt *rtt, tlsyn_time min, tlsyn_time max)
{
    *rtt = (struct rtt){.min = bounded(min), .max = bounded(max), .initial = INITIAL_RTO};
    compute(rtt);
}

void rtt_sample(struct rtt *rtt, tlsyn_time sample)
{
    if (sample < 1)
        sample = 1; /* srtt 0 means "none yet" */
    if (!rtt->srtt) {
        /* (2.2) the first measurement */
        rtt->srtt = sample;
        rtt->rttvar = sample / 2;
    } else {
        /* (2.3) beta = 1/4, alpha = 1/8; rttvar first, with the old srtt */
        tlsyn_time error = sample > rtt->srtt ? sample - rtt->srtt : rtt->srtt - sample;

        rtt->rttvar += (error - rtt->rttvar) / 4;
        rtt->srtt += (sample - rtt->srtt) / 8;
        if (rtt->srtt < 1)
            rtt->srtt = 1;
    }
    rtt->backoffs = 0;
    compute(rtt);
}

void rtt_expect(struct rtt *rtt, tlsyn_time time)
{
    rtt->initial = bounded(time);
    compute(rtt);
}

void rtt_remember(struct rtt *rtt, tlsyn_time srtt)
{
    tlsyn_time rto = srtt + (2 * srtt > rtt->min ? 2 * srtt : rtt->min);

    if (rtt->srtt == 0 || srtt <= rtt->srtt || rto <= rtt->rto)
        return;
    rtt->rto = rto < rtt->max ? rto : rtt->max;
}

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
        rtt->srtt = sample;
    if (sample / 2 > rtt->rttvar)
        rtt->rttvar = sample / 2;
    rtt_recover(rtt);
}

void rtt_syn_was_lost(struct rtt *rtt)
{
    rtt->initial = SYN_LOST_RTO;
    rtt_recover(rtt);
}
