/*
 * tcp/cc.h: the table of congestion controllers, and what each connection keeps for its own.
 *
 * A controller knows bytes, not sequence numbers: who lost what is the detector's affair (tcp/retransmit.c). It has no
 * pointer back to the connection.
 */
#ifndef TLSYN_TCP_CC_H
#define TLSYN_TCP_CC_H

#include <tlsyn/types.h>

struct cc;

struct cc_ops {
    const char *name;
    /** A cumulative ACK of `acked` new bytes outside recovery. `limited`: cwnd, not the application, held us back (RFC 2861's idea,
     * RFC 9293 3.8.2): only then does cwnd grow. */
    void (*on_ack)(struct cc *, uint32_t acked, bool limited);
    /** Loss was detected with `flight_size` bytes outstanding: sets ssthresh (RFC 5681 (4)) and cwnd. */
    void (*on_loss)(struct cc *, uint32_t flight_size);
    /** The retransmission timer expired: RFC 5681 3.1. `first`: not yet backed off for this loss. */
    void (*on_timeout)(struct cc *, uint32_t flight_size, bool first);
};

struct cc {
    const struct cc_ops *ops;
    uint32_t cwnd, ssthresh; /* bytes */
    uint32_t smss;           /* bytes */
    uint32_t acked;          /* bytes counted towards the next increase (RFC 3465) */
};

/** RFC 5681, with RFC 6582 on the detector's side. */
extern const struct cc_ops cc_newreno;

/** cwnd is the initial window of RFC 6928: ten segments, at most 14600 bytes or two segments. */
void cc_init(struct cc *cc, const struct cc_ops *ops, uint32_t smss);

/** The MSS is learnt or changes: what was counted in segments stays so many segments. */
void cc_set_smss(struct cc *cc, uint32_t smss);

#endif
