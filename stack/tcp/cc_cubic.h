/*
 * tcp/cc_cubic.h: what CUBIC keeps per connection (RFC 9438 4.1.2).
 */
#ifndef TLSYN_TCP_CC_CUBIC_H
#define TLSYN_TCP_CC_CUBIC_H

#include "tcp/hystart.h"

/** A stage of congestion avoidance, from one reduction to the next. Times are milliseconds of the
 * clock: differences are what counts. */
struct cubic_epoch {
    uint32_t start;      /* t_epoch; 0: its first ACK is awaited */
    uint32_t k;          /* K */
    uint32_t w_max;      /* bytes; 0: unknown */
    uint32_t w_est;      /* bytes */
    uint32_t cwnd_prior; /* bytes */
};

struct cubic {
    struct cubic_epoch epoch;
    uint32_t seen;               /* the last ACK in congestion avoidance */
    uint32_t credit, est_credit; /* what divisions left over of the growth of cwnd and w_est */
    bool started;                /* the first slow start is over, and HyStart++ with it */
    union {
        struct hystart hystart;  /* until then */
        struct cubic_epoch undo; /* since: before the last reduction (RFC 9438 4.9.2) */
    };
};

#endif
