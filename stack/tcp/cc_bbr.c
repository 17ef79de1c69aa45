/*
 * tcp/cc_bbr.c: BBR, version 3: the state machine that acts on the model of the path
 * (cc_bbr_model.c). Read first: draft-ietf-ccwg-bbr 5.3 and 5.6. The states of ProbeBW are in
 * cc_bbr_cycle.c.
 *
 *     Startup --> Drain --> DOWN --> CRUISE --> REFILL --> UP --+  every 5 s without a shorter
 *                            ^                                  |  round trip: ProbeRTT, with half
 *                            +----------------------------------+  of what the pipe holds, 200 ms
 *
 *     state     pacing gain   cwnd gain    what for
 *     Startup       2.77          2        the rate doubles per round trip until it brings nothing
 *                                          more, or too much loss
 *     Drain         0.5           2        empties the queue that this has made
 *     DOWN          0.9           2        empties the queue of the last probe, leaves headroom
 *     CRUISE        1             2        most of the time
 *     REFILL        1             2        a round trip's worth at full bandwidth, so that what UP
 *                                          loses is UP's
 *     UP            1.25          2.25     is there more?
 *     ProbeRTT      1             0.5
 *
 * BBR sets cwnd itself, in recovery too.
 */
#include <errno.h>

#include "tcp/cc_bbr.h"

#define PACING_MARGIN      1 /* per cent below what is meant */
#define STARTUP_LOSS_COUNT 6
#define PROBE_RTT_DURATION TLSYN_MS(200)
#define DRAIN_ROUNDS       3

static const struct {
    uint16_t pacing, cwnd; /* per cent */
} gains[] = {
    [BBR_STARTUP] = {277, 200},         [BBR_DRAIN] = {50, 200},
    [BBR_PROBE_BW_DOWN] = {90, 200},    [BBR_PROBE_BW_CRUISE] = {100, 200},
    [BBR_PROBE_BW_REFILL] = {100, 200}, [BBR_PROBE_BW_UP] = {125, 225},
    [BBR_PROBE_RTT] = {100, 50},
};

/* --- control (5.6) ---------------------------------------------------------------------------- */

static void pace_with(struct bbr *b, uint32_t gain)
{
    uint64_t rate = b->bw * gain / 100 * (100 - PACING_MARGIN) / 100;

    if (b->full_bw_reached || rate > b->pacing_rate)
        b->pacing_rate = rate;
}

/* Before anything is known: an initial window per round trip, as in Startup. */
static void init_pacing(struct cc *cc, const struct cc_ack *ack)
{
    struct bbr *b = cc->of.bbr;
    uint64_t srtt = ack->srtt > 0 ? (uint64_t)ack->srtt : TLSYN_MS(1);

    if (b->pacing_rate == 0)
        b->pacing_rate = (uint64_t)cc_initial_window(cc->smss) * TLSYN_SECONDS(1) / srtt *
                         gains[BBR_STARTUP].pacing / 100;
}

static uint32_t probe_rtt_cwnd(const struct cc *cc)
{
    uint32_t bdp = bbr_bdp(cc, cc->of.bbr->bw, gains[BBR_PROBE_RTT].cwnd);

    return bdp > bbr_min_pipe_cwnd(cc) ? bdp : bbr_min_pipe_cwnd(cc);
}

static void bound_cwnd(struct cc *cc)
{
    const struct bbr *b = cc->of.bbr;
    uint32_t cap = BBR_INFINITE;

    if (b->state == BBR_PROBE_RTT && cc->cwnd > probe_rtt_cwnd(cc))
        cc->cwnd = probe_rtt_cwnd(cc);
    if (b->state == BBR_PROBE_RTT || b->state == BBR_PROBE_BW_CRUISE)
        cap = bbr_inflight_with_headroom(cc);
    else if (bbr_in_probe_bw(b))
        cap = b->inflight_longterm;
    cap = cap < b->inflight_shortterm ? cap : b->inflight_shortterm;
    cap = cap > bbr_min_pipe_cwnd(cc) ? cap : bbr_min_pipe_cwnd(cc);
    cc->cwnd = cc->cwnd < cap ? cc->cwnd : cap;
}

static void set_cwnd(struct cc *cc, const struct cc_ack *ack)
{
    const struct bbr *b = cc->of.bbr;
    uint64_t max = (uint64_t)bbr_bdp(cc, b->bw, gains[b->state].cwnd) + bbr_extra_acked(b);
    uint32_t more = cc->cwnd + ack->delivered;

    max = bbr_quantization_budget(cc, max < CC_WINDOW_MAX ? (uint32_t)max : CC_WINDOW_MAX);
    if (b->full_bw_reached)
        cc->cwnd = more < max ? more : (uint32_t)max;
    else if (cc->cwnd < max || ack->delivered_total < cc_initial_window(cc->smss))
        cc_grow_to(cc, more);
    if (cc->cwnd < bbr_min_pipe_cwnd(cc))
        cc->cwnd = bbr_min_pipe_cwnd(cc);
    bound_cwnd(cc);
}

static void save_cwnd(struct cc *cc)
{
    struct bbr *b = cc->of.bbr;

    if (b->repairing || b->state == BBR_PROBE_RTT)
        b->prior_cwnd = b->prior_cwnd > cc->cwnd ? b->prior_cwnd : cc->cwnd;
    else
        b->prior_cwnd = cc->cwnd;
}

static void restore_cwnd(struct cc *cc)
{
    cc_grow_to(cc, cc->of.bbr->prior_cwnd);
}

/* --- loss (5.5.10) ---------------------------------------------------------------------------- */

/* How much was in flight when the losses became too many: somewhere within the last transmission
 * that was lost, of `size` bytes. */
static uint32_t inflight_at_loss(const struct rate_mark *mark, uint32_t lost, uint32_t size)
{
    int64_t before = (int64_t)mark->in_flight - size, lost_before = (int64_t)lost - size;
    int64_t prefix =
        (before / BBR_LOSS_SHARE - lost_before) * BBR_LOSS_SHARE / (BBR_LOSS_SHARE - 1);

    return before + prefix > 0 ? (uint32_t)(before + prefix) : 0;
}

static void handle_loss(struct cc *cc, const struct cc_ack *ack)
{
    struct bbr *b = cc->of.bbr;
    const struct rate_mark *mark = &ack->loss->loss;
    uint32_t lost = ack->loss->lost - mark->lost;

    bbr_note_loss(cc, ack->delivered_total);
    b->loss_events++;
    b->lost_in_round += ack->loss->loss_size;
    if (!b->is_bw_probe_sample || lost <= mark->in_flight / BBR_LOSS_SHARE)
        return;
    b->prev_probe_too_high = true;
    b->is_bw_probe_sample = false; /* once per probe */
    if (!mark->app_limited) {
        uint32_t at = inflight_at_loss(mark, lost, ack->loss->loss_size);
        uint32_t least = (uint32_t)((uint64_t)bbr_target_inflight(cc) * 7 / 10);

        b->inflight_longterm = at > least ? at : least;
    }
    if (b->state == BBR_PROBE_BW_UP) {
        b->undo_possible = true;
        b->undo_state = BBR_PROBE_BW_UP;
        bbr_start_down(b, ack);
    }
}

/* --- Startup and Drain (5.3.1, 5.3.2) --------------------------------------------------------- */

/* 5.3.1.3: in recovery for a round trip, and in that round more than 2 per cent lost, at six
 * places. */
static void check_startup_loss(struct cc *cc, const struct cc_ack *ack)
{
    struct bbr *b = cc->of.bbr;

    b->delivered_in_round += ack->delivered;
    if (!b->round_start)
        return;
    bool high = b->repairing && b->round_count > b->recovery_round + 1 &&
                b->loss_events >= STARTUP_LOSS_COUNT &&
                b->lost_in_round > (b->delivered_in_round + b->lost_in_round) / BBR_LOSS_SHARE;
    b->delivered_in_round = b->lost_in_round = b->loss_events = 0;
    if (b->state != BBR_STARTUP || !high)
        return;
    uint32_t bdp = bbr_bdp(cc, b->bw, 100);
    b->undo_possible = true;
    b->undo_state = BBR_STARTUP;
    b->full_bw_reached = true;
    b->inflight_longterm = bdp > b->inflight_latest ? bdp : b->inflight_latest;
}

static void check_startup_and_drain(struct cc *cc, const struct cc_ack *ack)
{
    struct bbr *b = cc->of.bbr;

    check_startup_loss(cc, ack);
    if (b->state == BBR_STARTUP && b->full_bw_reached) {
        b->state = BBR_DRAIN;
        b->drain_start_round = b->round_count;
    }
    if (b->state == BBR_DRAIN && (ack->in_flight <= bbr_inflight(cc, b->bw, 100) ||
                                  b->round_count > b->drain_start_round + DRAIN_ROUNDS))
        bbr_start_down(b, ack);
}

/* --- ProbeRTT (5.3.4) ------------------------------------------------------------------------- */

static void leave_probe_rtt(struct cc *cc, const struct cc_ack *ack)
{
    struct bbr *b = cc->of.bbr;

    b->probe_rtt_min_stamp = ack->now;
    restore_cwnd(cc);
    bbr_reset_shortterm_model(b);
    if (!b->full_bw_reached) {
        b->state = BBR_STARTUP;
        return;
    }
    bbr_start_down(b, ack);
    b->state = BBR_PROBE_BW_CRUISE;
}

static void handle_probe_rtt(struct cc *cc, const struct cc_ack *ack)
{
    struct bbr *b = cc->of.bbr;

    b->slow = true;
    b->slow_until = ack->delivered_total + ack->in_flight;
    if (b->probe_rtt_done_stamp == 0) {
        if (ack->in_flight > probe_rtt_cwnd(cc))
            return;
        b->probe_rtt_done_stamp = ack->now + PROBE_RTT_DURATION;
        b->probe_rtt_round_done = false;
        bbr_start_round(b, ack);
        return;
    }
    b->probe_rtt_round_done = b->probe_rtt_round_done || b->round_start;
    if (b->probe_rtt_round_done && ack->now > b->probe_rtt_done_stamp)
        leave_probe_rtt(cc, ack);
}

static void check_probe_rtt(struct cc *cc, const struct cc_ack *ack)
{
    struct bbr *b = cc->of.bbr;

    if (b->state != BBR_PROBE_RTT && b->probe_rtt_expired && !b->idle_restart) {
        save_cwnd(cc);
        b->state = BBR_PROBE_RTT;
        b->probe_rtt_done_stamp = 0;
        b->ack_phase = BBR_ACKS_PROBE_STOPPING;
        bbr_start_round(b, ack);
    }
    if (b->state == BBR_PROBE_RTT)
        handle_probe_rtt(cc, ack);
    if (ack->delivered > 0)
        b->idle_restart = false;
}

/* --- events ----------------------------------------------------------------------------------- */

/* 5.6.4.4: what loss took of cwnd comes back when it is repaired, within the model. */
static void follow_recovery(struct cc *cc, const struct cc_ack *ack)
{
    struct bbr *b = cc->of.bbr;

    if (b->repairing && !ack->repairing)
        restore_cwnd(cc);
    b->repairing = ack->repairing;
}

static void bbr_on_ack(struct cc *cc, const struct cc_ack *ack)
{
    struct bbr *b = cc->of.bbr;

    init_pacing(cc, ack);
    follow_recovery(cc, ack);
    if (ack->loss->loss_size)
        handle_loss(cc, ack);
    bbr_update_model(cc, ack);
    check_startup_and_drain(cc, ack);
    bbr_update_cycle(cc, ack);
    bbr_update_min_rtt(b, ack);
    check_probe_rtt(cc, ack);
    bbr_finish_model(b, ack);
    pace_with(b, gains[b->state].pacing);
    set_cwnd(cc, ack);
}

static void bbr_on_congestion(struct cc *cc, enum cc_cause cause, const struct cc_event *event)
{
    struct bbr *b = cc->of.bbr;

    save_cwnd(cc);
    bbr_note_loss(cc, event->delivered_total);
    if (cause == CC_ECN)
        return;
    if (!b->repairing)
        b->recovery_round = b->round_count;
    b->repairing = true;
    if (cause == CC_TIMEOUT || cause == CC_TIMEOUT_AGAIN)
        cc->cwnd = event->in_flight + cc->smss;
}

/* 5.5.11.2 */
static void bbr_on_undo(struct cc *cc, const struct cc_event *event)
{
    struct bbr *b = cc->of.bbr;
    struct cc_ack at = {.now = event->now, .delivered_total = event->delivered_total};
    bool probed = b->undo_possible && b->state != BBR_PROBE_RTT;

    restore_cwnd(cc);
    b->loss_in_round = false;
    bbr_reset_full_bw(b);
    if (b->bw_shortterm < b->undo_bw_shortterm)
        b->bw_shortterm = b->undo_bw_shortterm;
    if (b->inflight_shortterm < b->undo_inflight_shortterm)
        b->inflight_shortterm = b->undo_inflight_shortterm;
    if (b->inflight_longterm < b->undo_inflight_longterm)
        b->inflight_longterm = b->undo_inflight_longterm;
    if (b->undo_possible && b->undo_state == BBR_STARTUP)
        b->full_bw_reached = false;
    if (probed && b->undo_state == BBR_STARTUP)
        b->state = BBR_STARTUP;
    else if (probed && b->state != BBR_PROBE_BW_UP)
        bbr_start_refill(b, &at);
    b->undo_possible = false;
}

/* 5.4.1 */
static void bbr_on_restart(struct cc *cc, const struct cc_event *event)
{
    struct bbr *b = cc->of.bbr;
    struct cc_ack at = {.now = event->now, .delivered_total = event->delivered_total};

    b->idle_restart = true;
    b->extra_acked_start = event->now;
    b->extra_acked_delivered = 0;
    if (bbr_in_probe_bw(b))
        pace_with(b, 100);
    else if (b->state == BBR_PROBE_RTT && b->probe_rtt_done_stamp &&
             event->now > b->probe_rtt_done_stamp)
        leave_probe_rtt(cc, &at);
}

static uint64_t bbr_pacing_rate(const struct cc *cc)
{
    return cc->of.bbr->pacing_rate;
}

static int bbr_init(struct cc *cc, struct tlsyn_alloc *alloc, uint32_t seed)
{
    struct bbr *b = alloc->resize(alloc, NULL, sizeof(*b));

    if (!b)
        return -ENOMEM;
    *b = (struct bbr){.seed = seed};
    bbr_model_init(b);
    cc->of.bbr = b;
    return 0;
}

static void bbr_release(struct cc *cc, struct tlsyn_alloc *alloc)
{
    alloc->resize(alloc, cc->of.bbr, 0);
    cc->of.bbr = NULL;
}

const struct cc_ops cc_bbr = {
    .name = "bbr",
    .own_window = true,
    .needs_sack = true,
    .init = bbr_init,
    .release = bbr_release,
    .on_ack = bbr_on_ack,
    .on_congestion = bbr_on_congestion,
    .on_undo = bbr_on_undo,
    .on_restart = bbr_on_restart,
    .pacing_rate = bbr_pacing_rate,
};
