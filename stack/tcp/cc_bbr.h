/*
 * tcp/cc_bbr.h: the state of BBR, and what its parts offer each other: the model of the path
 * (cc_bbr_model.c), the state machine that acts on it (cc_bbr.c), and the part of that which probes
 * for bandwidth (cc_bbr_cycle.c). The names are the draft's.
 */
#ifndef TLSYN_TCP_CC_BBR_H
#define TLSYN_TCP_CC_BBR_H

#include "tcp/cc.h"

enum bbr_state {
    BBR_STARTUP,
    BBR_DRAIN,
    BBR_PROBE_BW_DOWN,
    BBR_PROBE_BW_CRUISE,
    BBR_PROBE_BW_REFILL,
    BBR_PROBE_BW_UP,
    BBR_PROBE_RTT,
};

/** What ACKs tell about bandwidth probing. */
enum bbr_ack_phase {
    BBR_ACKS_INIT,
    BBR_ACKS_REFILLING,
    BBR_ACKS_PROBE_STARTING,
    BBR_ACKS_PROBE_FEEDBACK,
    BBR_ACKS_PROBE_STOPPING,
};

#define BBR_INFINITE UINT32_MAX /* bytes */

/** 2 per cent of what was in flight, lost: too much (LossThresh). */
#define BBR_LOSS_SHARE 50

/** Bandwidth is bytes per second, volume bytes, time microseconds. Counts of delivered bytes
 * wrap. */
struct bbr {
    enum bbr_state state;
    enum bbr_ack_phase ack_phase;
    uint64_t seed;
    uint64_t pacing_rate;

    /* Rounds (5.5.1) */
    uint32_t next_round_delivered, round_count, rounds_since_probe_up;
    bool round_start;

    /* The path */
    uint64_t max_bw_filter[2]; /* the last cycle of probing, and this one */
    uint64_t bw, bw_shortterm; /* UINT64_MAX: no bound */
    uint32_t inflight_shortterm, inflight_longterm;
    tlsyn_time min_rtt, min_rtt_stamp; /* 0: none yet */
    tlsyn_time probe_rtt_min_delay, probe_rtt_min_stamp;
    bool probe_rtt_expired;

    /* Aggregation (5.5.9) */
    tlsyn_time extra_acked_start;
    uint32_t extra_acked_delivered, extra_acked_filter[2];
    uint32_t extra_acked_rounds; /* in the filter's second slot */

    /* Congestion */
    uint64_t bw_latest;
    uint32_t inflight_latest, loss_round_delivered;
    bool loss_in_round, loss_round_start;
    uint32_t lost_in_round, delivered_in_round, loss_events;

    /* Is the pipe full? (5.3.1.2) */
    uint64_t full_bw;
    uint8_t full_bw_count;
    bool full_bw_now, full_bw_reached;

    /* ProbeBW */
    tlsyn_time cycle_stamp, bw_probe_wait;
    uint32_t bw_probe_up_acked, probe_up_acked_per_inc, bw_probe_up_rounds;
    bool is_bw_probe_sample, prev_probe_too_high, prev_probe_precautionary;

    /* Drain, ProbeRTT, idleness, recovery */
    uint32_t drain_start_round;
    tlsyn_time probe_rtt_done_stamp;
    /* while `slow`: samples from before this many delivered bytes measure ProbeRTT */
    uint32_t slow_until;
    bool slow, probe_rtt_round_done, idle_restart, repairing;
    uint32_t recovery_round;
    uint32_t prior_cwnd;

    /* Undo (5.5.12) */
    enum bbr_state undo_state;
    bool undo_possible; /* undo_state holds what loss has ended */
    uint64_t undo_bw_shortterm;
    uint32_t undo_inflight_shortterm, undo_inflight_longterm;
};

/* --- cc_bbr_model.c --------------------------------------------------------------------------- */

void bbr_model_init(struct bbr *b);
uint64_t bbr_max_bw(const struct bbr *b);
void bbr_advance_max_bw_filter(struct bbr *b);
void bbr_start_round(struct bbr *b, const struct cc_ack *ack);
void bbr_reset_full_bw(struct bbr *b);
void bbr_reset_congestion_signals(struct bbr *b);
void bbr_reset_shortterm_model(struct bbr *b);

/** UpdateLatestDeliverySignals() to CheckFullBWReached(). */
void bbr_update_model(struct cc *cc, const struct cc_ack *ack);

/** AdvanceLatestDeliverySignals() and BoundBWForModel(). */
void bbr_finish_model(struct bbr *b, const struct cc_ack *ack);

void bbr_update_min_rtt(struct bbr *b, const struct cc_ack *ack);

/** The first congestion of a round is what can be undone. */
void bbr_note_loss(struct cc *cc, uint32_t delivered);

uint32_t bbr_extra_acked(const struct bbr *b);

/** BDPMultiple(), `gain` in per cent; the initial window while nothing is known. */
uint32_t bbr_bdp(const struct cc *cc, uint64_t bw, uint32_t gain);

/** Inflight(): what it takes to use `gain` per cent of the pipe, with the batches of both ends. */
uint32_t bbr_inflight(const struct cc *cc, uint64_t bw, uint32_t gain);

uint32_t bbr_target_inflight(const struct cc *cc);
uint32_t bbr_inflight_with_headroom(const struct cc *cc);
uint32_t bbr_quantization_budget(const struct cc *cc, uint32_t inflight);
uint32_t bbr_min_pipe_cwnd(const struct cc *cc);

/* --- cc_bbr_cycle.c --------------------------------------------------------------------------- */

/** The states of ProbeBW follow each other. */
void bbr_update_cycle(struct cc *cc, const struct cc_ack *ack);

void bbr_start_down(struct bbr *b, const struct cc_ack *ack);
void bbr_start_refill(struct bbr *b, const struct cc_ack *ack);

static inline bool bbr_in_probe_bw(const struct bbr *b)
{
    return b->state >= BBR_PROBE_BW_DOWN && b->state <= BBR_PROBE_BW_UP;
}

#endif
