/*
 * tcp/cc.h: the table of congestion controllers, and what each connection keeps for its own.
 *
 * A controller knows bytes and times, not sequence numbers. What was lost is found out elsewhere
 * (tcp/recovery.h, tcp/retransmit.h) and reported here (tcp/congest.h): what each ACK brought,
 * congestion with its cause, and that it was none after all. A controller has no pointer back to
 * the connection.
 */
#ifndef TLSYN_TCP_CC_H
#define TLSYN_TCP_CC_H

#include <tlsyn/stack.h>

#include "tcp/cc_cubic.h"
#include "tcp/rate.h"

struct cc;
struct bbr;

/* Far above any bandwidth-delay product of the rings' bounds; keeps sums of two from
 * overflowing. */
#define CC_WINDOW_MAX (1u << 30)

/** Why a controller has to reduce cwnd. */
enum cc_cause {
    CC_LOSS, /* segments were lost; recovery begins */
    CC_ECN,  /* the network said so (RFC 3168 6.1.2) */
    CC_TIMEOUT,
    /* the retransmission timer again, for the same window of data: RFC 5681 3.1 */
    CC_TIMEOUT_AGAIN,
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
    tlsyn_time rto;
    bool limited;             /* cwnd held us back, so that it may grow */
    bool app_limited;         /* the application did: it had room and nothing to say */
    bool in_recovery;         /* fast recovery goes on */
    bool repairing;           /* or what follows a timeout does */
    uint32_t delivered_total; /* bytes that are known to have arrived, modulo 2^32 */
    const struct rate_sample *rate;
    const struct rate *loss; /* its loss_size: what was lost since the last ACK */
};

/** Something else than an ACK happened. */
struct cc_event {
    tlsyn_time now;
    uint32_t flight_size;     /* bytes outstanding */
    uint32_t in_flight;       /* bytes in the network */
    uint32_t delivered_total; /* as above */
};

struct cc_ops {
    const char *name;
    /** It sets cwnd in recovery too: no PRR, no inflation by duplicate ACKs. */
    bool own_window;
    /** It lives on delivery rate samples, which peers without SACK don't give. */
    bool needs_sack;
    /** The rest of cc_init(), and its end; may be NULL. 0 or -ENOMEM. */
    int (*init)(struct cc *, struct tlsyn_alloc *, uint32_t seed);
    void (*release)(struct cc *, struct tlsyn_alloc *);
    /** Every ACK with news if own_window, else those outside recovery. */
    void (*on_ack)(struct cc *, const struct cc_ack *);
    /** Sets ssthresh (RFC 5681 (4)) and cwnd. */
    void (*on_congestion)(struct cc *, enum cc_cause, const struct cc_event *);
    /** Its own part of cc_undo(), if that gave cwnd back; may be NULL. */
    void (*on_undo)(struct cc *, const struct cc_event *);
    /** Bytes per second that it wants sending held to; NULL: somewhat above cwnd per
     * srtt (tcp/pace.h). */
    uint64_t (*pacing_rate)(const struct cc *);
    /** Something is sent while nothing was on its way; may be NULL. */
    void (*on_restart)(struct cc *, const struct cc_event *);
};

struct cc {
    const struct cc_ops *ops;
    uint32_t cwnd, ssthresh;             /* bytes */
    uint32_t smss;                       /* bytes */
    uint32_t prior_cwnd, prior_ssthresh; /* before the last reduction; 0: nothing to undo */
    uint32_t used;                       /* the most that was in the network since full_at */
    uint32_t full_at; /* milliseconds: cwnd was used, or judged, for the last time */
    union {
        struct cubic cubic;
        struct bbr *bbr; /* allocated */
        uint32_t acked;  /* newreno: bytes counted towards the next increase (RFC 3465) */
    } of;                /* the controller's own */
};

extern const struct cc_ops cc_cubic;   /* RFC 9438 with RFC 9406 */
extern const struct cc_ops cc_bbr;     /* draft-ietf-ccwg-bbr */
extern const struct cc_ops cc_newreno; /* RFC 5681, with RFC 6582 on the detector's side */

/** By its name; NULL or "": the default. NULL: there is none of that name. */
const struct cc_ops *cc_find(const char *name);

/** Nothing is known of the path: cwnd is the initial window, ssthresh infinite. `seed`: of what it
 * may draw by lot. 0 or -ENOMEM. */
int cc_init(struct cc *cc, const struct cc_ops *ops, struct tlsyn_alloc *alloc, uint32_t seed);
void cc_release(struct cc *cc, struct tlsyn_alloc *alloc);

/** Another controller takes over cwnd and ssthresh. 0 or -ENOMEM: the old one goes on. */
int cc_become(struct cc *cc, const struct cc_ops *ops, struct tlsyn_alloc *alloc, uint32_t seed);

/** RFC 6928: ten segments, at most 14600 bytes or two segments. */
uint32_t cc_initial_window(uint32_t smss);

/** The MSS is learnt or changes: what was counted in segments stays so many segments. */
void cc_set_smss(struct cc *cc, uint32_t smss);

/** An ACK with news. If the application has not used all of cwnd for an RTO, cwnd falls half-way to
 * what was used (RFC 7661's aim, with a simpler rule). */
void cc_on_ack(struct cc *cc, const struct cc_ack *ack);

/** Congestion: cwnd and ssthresh are reduced, which cc_undo() can undo until the next time; a
 * repeated timeout belongs to the one before. */
void cc_congestion(struct cc *cc, enum cc_cause cause, const struct cc_event *event);

/** The last reduction was for nothing: what seemed lost had only been late. cwnd and ssthresh are
 * what they were before, or what they are now, if that is more. */
void cc_undo(struct cc *cc, const struct cc_event *event);

/** Something is sent while nothing was on its way; the last time was `idle` ago. cwnd is
 * halved per RTO that passed, down to the initial window (RFC 5681 4.1, gentler), and
 * ssthresh remembers it. */
void cc_restart(struct cc *cc, tlsyn_time idle, tlsyn_time rto, const struct cc_event *event);

/* --- for controllers -------------------------------------------------------------------------- */

/** cwnd becomes `cwnd`, within its bound, if that is more. */
void cc_grow_to(struct cc *cc, uint32_t cwnd);

/** RFC 5681 (2), up to ssthresh. RFC 3465's bound L is not needed where sending is paced: what an
 * ACK of many segments allows does not leave at once. */
void cc_slow_start(struct cc *cc, uint32_t acked);

#endif
