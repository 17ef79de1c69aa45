/*
 * tcp/rtt.h: the retransmission timeout from measured round-trip times (RFC 6298).
 */
#ifndef TLSYN_TCP_RTT_H
#define TLSYN_TCP_RTT_H

#include <tlsyn/types.h>

struct rtt {
    /* Microseconds, 35 minutes at most: longer times are cut to that */
    int32_t srtt, rttvar; /* srtt 0: no measurement yet */
    int32_t rto;          /* with the back-off in force */
    int32_t min, max;     /* bounds of rto */
    int32_t initial;      /* rto until the first measurement */
    uint8_t backoffs;     /* doublings in force */
};

/** RFC 6298 (2.1): 1 s until a measurement is made. */
void rtt_init(struct rtt *rtt, tlsyn_time min, tlsyn_time max);

/** A round trip of a segment that was sent once (Karn's algorithm, RFC 6298 3). Ends any
 * back-off. */
void rtt_sample(struct rtt *rtt, tlsyn_time sample);

/** Until the first measurement, `time` takes the place of the initial RTO, within the bounds. */
void rtt_expect(struct rtt *rtt, tlsyn_time time);

/** An earlier connection measured `srtt`. If that is more than this one has measured, the timeout
 * is computed from it until the next measurement. */
void rtt_remember(struct rtt *rtt, tlsyn_time srtt);

/** The timer expired: RFC 6298 (5.5). */
void rtt_back_off(struct rtt *rtt);

/** The back-off ends without a measurement: it was for probes of a window that has opened. */
void rtt_recover(struct rtt *rtt);

/** The timeout was spurious (RFC 4015 3.3): the back-off ends, and the estimate takes in `sample`,
 * the round trip of what was late; 0: not known. */
void rtt_spurious(struct rtt *rtt, tlsyn_time sample);

/** RFC 6298 (5.7): the SYN was lost, and so not timed: text begins with a timeout of 3 s. */
void rtt_syn_was_lost(struct rtt *rtt);

#endif
