/*
 * tcp/cc_bbr_cycle.c: BBR's ProbeBW: DOWN, CRUISE, REFILL, UP, as cc_bbr.c draws it. Read first:
 * draft-ietf-ccwg-bbr 5.3.3.
 *
 * A probe that brought loss sets a bound (inflight_longterm); later ones feel their way up from
 * it, a segment per round trip at first, then twice as many in each.
 */
#include "tcp/cc_bbr.h"

#define RENO_ROUNDS   63
#define UP_ROUNDS_MAX 30

/* Spreads the probes of flows that share a bottleneck; nobody gains by guessing it (Knuth's
 * MMIX generator). */
static uint32_t draw(struct bbr *b, uint32_t below)
{
    b->seed = b->seed * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(b->seed >> 33) % below;
}

void bbr_start_down(struct bbr *b, const struct cc_ack *ack)
{
    bbr_reset_congestion_signals(b);
    b->probe_up_acked_per_inc = BBR_INFINITE;
    b->rounds_since_probe_up = draw(b, 2);
    b->bw_probe_wait = TLSYN_SECONDS(2) + draw(b, 1000000);
    b->cycle_stamp = ack->now;
    b->ack_phase = BBR_ACKS_PROBE_STOPPING;
    bbr_start_round(b, ack);
    b->state = BBR_PROBE_BW_DOWN;
}

void bbr_start_refill(struct bbr *b, const struct cc_ack *ack)
{
    bbr_reset_shortterm_model(b);
    b->bw_probe_up_rounds = 0;
    b->bw_probe_up_acked = 0;
    b->prev_probe_precautionary = false;
    b->ack_phase = BBR_ACKS_REFILLING;
    bbr_start_round(b, ack);
    b->state = BBR_PROBE_BW_REFILL;
}

/* inflight_longterm grows by 1, 2, 4 ... segments per round trip. */
static void raise_slope(struct cc *cc)
{
    struct bbr *b = cc->of.bbr;
    uint32_t per = cc->cwnd >> b->bw_probe_up_rounds;

    if (b->bw_probe_up_rounds < UP_ROUNDS_MAX)
        b->bw_probe_up_rounds++;
    b->probe_up_acked_per_inc = per > cc->smss ? per : cc->smss;
}

static void start_up(struct cc *cc, const struct cc_ack *ack)
{
    struct bbr *b = cc->of.bbr;

    b->ack_phase = BBR_ACKS_PROBE_STARTING;
    bbr_start_round(b, ack);
    bbr_reset_full_bw(b);
    b->full_bw = ack->rate->rate;
    b->state = BBR_PROBE_BW_UP;
    raise_slope(cc);
}

static void probe_longterm_upward(struct cc *cc, const struct cc_ack *ack)
{
    struct bbr *b = cc->of.bbr;

    if (!ack->limited || cc->cwnd < b->inflight_longterm)
        return;
    b->bw_probe_up_acked += ack->delivered;
    if (b->bw_probe_up_acked >= b->probe_up_acked_per_inc) {
        uint32_t steps = b->bw_probe_up_acked / b->probe_up_acked_per_inc;

        b->bw_probe_up_acked -= steps * b->probe_up_acked_per_inc;
        b->inflight_longterm += steps * cc->smss;
    }
    if (b->round_start)
        raise_slope(cc);
}

/* AdaptLongTermModel(); true if it changed the state. */
static bool adapt_longterm(struct cc *cc, const struct cc_ack *ack)
{
    struct bbr *b = cc->of.bbr;

    if (b->ack_phase == BBR_ACKS_PROBE_STARTING && b->round_start)
        b->ack_phase = BBR_ACKS_PROBE_FEEDBACK;
    if (b->ack_phase == BBR_ACKS_PROBE_STOPPING && b->round_start) {
        b->is_bw_probe_sample = false;
        b->ack_phase = BBR_ACKS_INIT;
        if (bbr_in_probe_bw(b) && !ack->rate->app_limited)
            bbr_advance_max_bw_filter(b);
        if (bbr_in_probe_bw(b) && b->prev_probe_precautionary && !b->prev_probe_too_high) {
            bbr_start_refill(b, ack);
            return true;
        }
    }
    if (!ack->rate->has_data || ack->rate->lost > ack->rate->in_flight / BBR_LOSS_SHARE ||
        b->inflight_longterm == BBR_INFINITE)
        return false;
    if (ack->rate->in_flight > b->inflight_longterm)
        b->inflight_longterm = ack->rate->in_flight;
    if (b->state == BBR_PROBE_BW_UP)
        probe_longterm_upward(cc, ack);
    return false;
}

static bool is_time_to_probe(const struct cc *cc, const struct cc_ack *ack)
{
    const struct bbr *b = cc->of.bbr;
    uint32_t reno = bbr_target_inflight(cc) / cc->smss;

    return ack->now > b->cycle_stamp + b->bw_probe_wait ||
           b->rounds_since_probe_up >= (reno < RENO_ROUNDS ? reno : RENO_ROUNDS);
}

static bool is_time_to_cruise(const struct cc *cc, const struct cc_ack *ack)
{
    return ack->in_flight <= bbr_inflight_with_headroom(cc) &&
           ack->in_flight <= bbr_inflight(cc, bbr_max_bw(cc->of.bbr), 100);
}

static bool is_time_to_go_down(struct cc *cc, const struct cc_ack *ack)
{
    struct bbr *b = cc->of.bbr;

    if (b->prev_probe_too_high && ack->in_flight >= b->inflight_longterm) {
        b->prev_probe_precautionary = true;
        return true;
    }
    if (ack->limited && cc->cwnd >= b->inflight_longterm) {
        bbr_reset_full_bw(b); /* the bound is the limit, not the path */
        b->full_bw = ack->rate->rate;
        return false;
    }
    return b->full_bw_now;
}

void bbr_update_cycle(struct cc *cc, const struct cc_ack *ack)
{
    struct bbr *b = cc->of.bbr;

    if (!b->full_bw_reached || adapt_longterm(cc, ack))
        return;
    switch (b->state) {
    case BBR_PROBE_BW_DOWN:
    case BBR_PROBE_BW_CRUISE:
        if (is_time_to_probe(cc, ack))
            bbr_start_refill(b, ack);
        else if (b->state == BBR_PROBE_BW_DOWN && is_time_to_cruise(cc, ack))
            b->state = BBR_PROBE_BW_CRUISE;
        break;
    case BBR_PROBE_BW_REFILL:
        if (b->round_start) {
            b->is_bw_probe_sample = true;
            start_up(cc, ack);
        }
        break;
    case BBR_PROBE_BW_UP:
        if (is_time_to_go_down(cc, ack)) {
            b->prev_probe_too_high = false;
            bbr_start_down(b, ack);
        }
        break;
    default:
        break;
    }
}
