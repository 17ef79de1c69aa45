/*
 * tcp/hystart.h: HyStart++ (RFC 9406): slow start ends when round trips become longer, before the
 * queue overflows.
 */
#ifndef TLSYN_TCP_HYSTART_H
#define TLSYN_TCP_HYSTART_H

#include <tlsyn/types.h>

struct cc_ack;

/* Times are microseconds in 32 bits: a round trip of an hour is none. */
struct hystart {
    uint32_t last_min, min; /* lastRoundMinRTT, currentRoundMinRTT */
    uint32_t baseline;      /* cssBaselineMinRtt; UINT32_MAX: not in conservative slow start */
    uint32_t round_left;    /* bytes to be delivered until this round is over */
    uint8_t samples;        /* rttSampleCount */
    /* rounds that ended in conservative slow start, the one that it began in among them */
    uint8_t css_rounds;
};

void hystart_init(struct hystart *h);

/** By how much cwnd may grow on an ACK in slow start. *over: slow start has been conservative for
 * long enough, congestion avoidance has to begin. */
uint32_t hystart_growth(struct hystart *h, const struct cc_ack *ack, bool *over);

#endif
