/*
 * tcp/cc.h: the table of congestion controllers, and what each connection keeps for its own.
 *
 * A controller knows bytes and times, not sequence numbers: who lost what is the detector's affair (tcp/recovery.h,
 * tcp/retransmit.h), which reports here: what each ACK brought, congestion with its cause, and that a cause was none after all.
 * A controller has no pointer back to the connection.
 */
#ifndef TLSYN_TCP_CC_H
#define TLSYN_TCP_CC_H

#include <tlsyn/stack.h>

struct cc;

/* Far above any bandwidth-delay product of the rings' bounds; keeps sums of two from overflowing. */
#define CC_WINDOW_MAX (1u << 30)

/** Why a controller has to take back. */
enum cc_cause {
    CC_LOSS, /* segments were lost; recovery begins */
    CC_ECN,  /* the network said so (RFC 3168 6.1.2) */
    CC_TIMEOUT,
    CC_TIMEOUT_AGAIN, /* the retransmission timer again, for the same window of data: RFC 5681 3.1 */
};

/** What one ACK brought. */
struct cc_ack {
    tlsyn_time now;
    uint32_t acked;     /* bytes of text cumulatively acknowledged */
    uint32_t delivered; /* bytes newly known to have arrived, sacked ones among them */
    uint32_t in_flight; /* bytes in the network, now that it is processed */
    tlsyn_time rtt;     /* a round trip that it measured; 0: none */
    tlsyn_time srtt;    /* 0: none yet */
    tlsyn_time min_rtt; /* 0: none yet */
    bool limited;       /* cwnd, not the application, held us back (RFC 9293 3.8.2) */
    bool in_recovery;   /* what is sent now makes up for a reduction */
};

struct cc_ops {
    const char *name;
    /** It sets cwnd in recovery too: no PRR, no inflation by duplicate ACKs. */
    bool own_window;
    /** Every ACK with news if own_window, else those outside recovery. */
    void (*on_ack)(struct cc *, const struct cc_ack *);
    /** `flight_size`: bytes outstanding when it was noticed: sets ssthresh (RFC 5681 (4)) and cwnd. */
    void (*on_congestion)(struct cc *, enum cc_cause, uint32_t flight_size, tlsyn_time now);
    /** Its own part of cc_undo(); may be NULL. */
    void (*on_undo)(struct cc *);
};

struct cc {
    const struct cc_ops *ops;
    uint32_t cwnd, ssthresh;             /* bytes */
    uint32_t smss;                       /* bytes */
    uint32_t acked;                      /* bytes counted towards the next increase (RFC 3465) */
    uint32_t prior_cwnd, prior_ssthresh; /* before the last reduction; 0: nothing to undo */
};

/** RFC 5681, with RFC 6582 on the detector's side. */
extern const struct cc_ops cc_newreno;

/** By its name; NULL or "": the default. NULL: there is none of that name. */
const struct cc_ops *cc_find(const char *name);

/** Nothing is known of the path: cwnd is the initial window, ssthresh infinite. */
void cc_init(struct cc *cc, const struct cc_ops *ops, uint32_t smss);

/** RFC 6928: ten segments, at most 14600 bytes or two segments. */
uint32_t cc_initial_window(uint32_t smss);

/** The MSS is learnt or changes: what was counted in segments stays so many segments. */
void cc_set_smss(struct cc *cc, uint32_t smss);

void cc_on_ack(struct cc *cc, const struct cc_ack *ack);

/** Congestion. What it takes back can be undone until the next one; a repeated timeout belongs to the one before. */
void cc_congestion(struct cc *cc, enum cc_cause cause, uint32_t flight_size, tlsyn_time now);

/** The last reduction was for nothing: what was lost had only been late. Nothing is ever taken away by this. */
void cc_undo(struct cc *cc);

#endif
