/*
 * tcp/cc_bbr_model.c: BBR's model of the path: how much it delivers, how long it takes, how much it
 * holds. Read first: draft-ietf-ccwg-bbr 5.5.
 *
 *     max_bw        the most that was delivered per second in the last two cycles of probing
 *     min_rtt       the shortest round trip of the last 10 s
 *     *_longterm    what the path took when more was too much; raised by probing
 *     *_shortterm   what it delivered lately, while there is loss and no probing; the next probe
 *                   forgets it
 */
#include "tcp/cc_bbr.h"

#define BETA               70 /* per cent */
#define HEADROOM           15 /* per cent */
#define MIN_RTT_FILTER_LEN TLSYN_SECONDS(10)
#define PROBE_RTT_INTERVAL TLSYN_SECONDS(5)
#define EXTRA_ACKED_ROUNDS 5 /* a slot of two: 10 rounds at most */
#define FULL_BW_ROUNDS     3
#define FULL_BW_GROWTH     125 /* per cent */
#define SEND_QUANTUM_MAX   65536u

static uint32_t max_u32(uint32_t a, uint32_t b)
{
    return a > b ? a : b;
}

static uint64_t max_u64(uint64_t a, uint64_t b)
{
    return a > b ? a : b;
}

/* Counts of bytes, which wrap. */
static bool reached(uint32_t count, uint32_t mark)
{
    return (int32_t)(count - mark) >= 0;
}

void bbr_model_init(struct bbr *b)
{
    b->inflight_longterm = BBR_INFINITE;
    b->probe_up_acked_per_inc = BBR_INFINITE;
    bbr_reset_shortterm_model(b);
}

/* --- bandwidth -------------------------------------------------------------------------------- */

uint64_t bbr_max_bw(const struct bbr *b)
{
    return max_u64(b->max_bw_filter[0], b->max_bw_filter[1]);
}

void bbr_advance_max_bw_filter(struct bbr *b)
{
    if (b->max_bw_filter[1] == 0)
        return; /* a cycle without a sample says nothing */
    b->max_bw_filter[0] = b->max_bw_filter[1];
    b->max_bw_filter[1] = 0;
}

void bbr_start_round(struct bbr *b, const struct cc_ack *ack)
{
    b->next_round_delivered = ack->delivered_total;
}

static void update_round(struct bbr *b, const struct cc_ack *ack)
{
    b->round_start =
        ack->rate->has_data && reached(ack->rate->prior_delivered, b->next_round_delivered);
    if (!b->round_start)
        return;
    bbr_start_round(b, ack);
    b->round_count++;
    b->rounds_since_probe_up++;
}

/* Whether a sample shows less than the path can do, because of the application, or because of
 * ProbeRTT (MarkConnectionAppLimited() in HandleProbeRTT()). */
static bool app_limited(struct bbr *b, const struct rate_sample *rate)
{
    if (b->slow && reached(rate->prior_delivered, b->slow_until))
        b->slow = false;
    return rate->app_limited || b->slow;
}

static void update_max_bw(struct bbr *b, const struct cc_ack *ack)
{
    const struct rate_sample *rate = ack->rate;

    if (rate->rate > 0 && (rate->rate >= bbr_max_bw(b) || !app_limited(b, rate)))
        b->max_bw_filter[1] = max_u64(b->max_bw_filter[1], rate->rate);
}

void bbr_reset_full_bw(struct bbr *b)
{
    b->full_bw = 0;
    b->full_bw_count = 0;
    b->full_bw_now = false;
}

/* 5.3.1.2: three rounds without much more, though more was asked for. */
static void check_full_bw(struct bbr *b, const struct cc_ack *ack)
{
    uint64_t rate = ack->rate->rate;

    if (b->full_bw_now || !b->round_start || rate == 0 || app_limited(b, ack->rate))
        return;
    if (rate >= b->full_bw * FULL_BW_GROWTH / 100) {
        bbr_reset_full_bw(b);
        b->full_bw = rate;
        return;
    }
    b->full_bw_now = ++b->full_bw_count >= FULL_BW_ROUNDS;
    if (b->full_bw_now)
        b->full_bw_reached = true;
}

/* --- congestion (5.5.10) ---------------------------------------------------------------------- */

void bbr_reset_congestion_signals(struct bbr *b)
{
    b->loss_in_round = false;
    b->bw_latest = 0;
    b->inflight_latest = 0;
}

void bbr_reset_shortterm_model(struct bbr *b)
{
    b->bw_shortterm = UINT64_MAX;
    b->inflight_shortterm = BBR_INFINITE;
}

static void save_state(struct cc *cc)
{
    struct bbr *b = cc->of.bbr;

    b->undo_possible = false;
    b->undo_bw_shortterm = b->bw_shortterm;
    b->undo_inflight_shortterm = b->inflight_shortterm;
    b->undo_inflight_longterm = b->inflight_longterm;
}

void bbr_note_loss(struct cc *cc, uint32_t delivered)
{
    struct bbr *b = cc->of.bbr;

    if (!b->loss_in_round) {
        b->loss_round_delivered = delivered;
        save_state(cc);
    }
    b->loss_in_round = true;
}

static void update_latest(struct bbr *b, const struct cc_ack *ack)
{
    const struct rate_sample *rate = ack->rate;

    b->loss_round_start = false;
    if (!rate->has_data)
        return;
    b->bw_latest = max_u64(b->bw_latest, rate->rate);
    b->inflight_latest = max_u32(b->inflight_latest, rate->delivered);
    if (reached(rate->prior_delivered, b->loss_round_delivered)) {
        b->loss_round_delivered = ack->delivered_total;
        b->loss_round_start = true;
    }
}

static bool probing(const struct bbr *b)
{
    return b->state == BBR_STARTUP || b->state == BBR_PROBE_BW_REFILL ||
           b->state == BBR_PROBE_BW_UP;
}

/* Once per round with loss, while nothing is being probed: down to what was delivered, by three
 * tenths at most. */
static void adapt_shortterm_model(struct cc *cc)
{
    struct bbr *b = cc->of.bbr;

    if (probing(b) || !b->loss_in_round)
        return;
    if (b->bw_shortterm == UINT64_MAX)
        b->bw_shortterm = bbr_max_bw(b);
    if (b->inflight_shortterm == BBR_INFINITE)
        b->inflight_shortterm = cc->cwnd;
    b->bw_shortterm = max_u64(b->bw_latest, b->bw_shortterm * BETA / 100);
    b->inflight_shortterm =
        max_u32(b->inflight_latest, (uint32_t)((uint64_t)b->inflight_shortterm * BETA / 100));
}

static void update_congestion_signals(struct cc *cc, const struct cc_ack *ack)
{
    struct bbr *b = cc->of.bbr;

    update_round(b, ack);
    update_max_bw(b, ack);
    if (!b->loss_round_start)
        return;
    adapt_shortterm_model(cc);
    b->loss_in_round = false;
}

/* --- aggregation (5.5.9) ---------------------------------------------------------------------- */

uint32_t bbr_extra_acked(const struct bbr *b)
{
    return max_u32(b->extra_acked_filter[0], b->extra_acked_filter[1]);
}

static void age_extra_acked(struct bbr *b)
{
    uint32_t rounds = b->full_bw_reached ? EXTRA_ACKED_ROUNDS : 1;

    if (!b->round_start || ++b->extra_acked_rounds < rounds)
        return;
    b->extra_acked_rounds = 0;
    b->extra_acked_filter[0] = b->full_bw_reached ? b->extra_acked_filter[1] : 0;
    b->extra_acked_filter[1] = 0;
}

static void update_aggregation(struct cc *cc, const struct cc_ack *ack)
{
    struct bbr *b = cc->of.bbr;
    uint64_t passed = (uint64_t)(ack->now - b->extra_acked_start);
    uint64_t expected = passed < TLSYN_SECONDS(10) ? b->bw * passed / TLSYN_SECONDS(1) : UINT64_MAX;

    age_extra_acked(b);
    if (b->extra_acked_delivered <= expected) {
        b->extra_acked_delivered = 0;
        b->extra_acked_start = ack->now;
        expected = 0;
    }
    b->extra_acked_delivered += ack->delivered;
    uint64_t extra = b->extra_acked_delivered - expected;
    if (extra > cc->cwnd)
        extra = cc->cwnd;
    b->extra_acked_filter[1] = max_u32(b->extra_acked_filter[1], (uint32_t)extra);
}

void bbr_update_model(struct cc *cc, const struct cc_ack *ack)
{
    update_latest(cc->of.bbr, ack);
    update_congestion_signals(cc, ack);
    update_aggregation(cc, ack);
    check_full_bw(cc->of.bbr, ack);
}

void bbr_finish_model(struct bbr *b, const struct cc_ack *ack)
{
    if (b->loss_round_start) {
        b->bw_latest = ack->rate->rate;
        b->inflight_latest = ack->rate->delivered;
    }
    b->bw = bbr_max_bw(b) < b->bw_shortterm ? bbr_max_bw(b) : b->bw_shortterm;
}

/* --- time (5.3.4.3) --------------------------------------------------------------------------- */

void bbr_update_min_rtt(struct bbr *b, const struct cc_ack *ack)
{
    b->probe_rtt_expired =
        b->probe_rtt_min_stamp && ack->now > b->probe_rtt_min_stamp + PROBE_RTT_INTERVAL;
    if (ack->rtt > 0 && (b->probe_rtt_min_delay == 0 || ack->rtt < b->probe_rtt_min_delay ||
                         b->probe_rtt_expired)) {
        b->probe_rtt_min_delay = ack->rtt;
        b->probe_rtt_min_stamp = ack->now;
    }
    if (b->probe_rtt_min_delay == 0)
        return;
    if (b->min_rtt == 0 || b->probe_rtt_min_delay < b->min_rtt ||
        ack->now > b->min_rtt_stamp + MIN_RTT_FILTER_LEN) {
        b->min_rtt = b->probe_rtt_min_delay;
        b->min_rtt_stamp = b->probe_rtt_min_stamp;
    }
}

/* --- volume (5.6.4) --------------------------------------------------------------------------- */

uint32_t bbr_min_pipe_cwnd(const struct cc *cc)
{
    return 4 * cc->smss;
}

uint32_t bbr_bdp(const struct cc *cc, uint64_t bw, uint32_t gain)
{
    const struct bbr *b = cc->of.bbr;

    if (b->min_rtt == 0 || bw == 0)
        return cc_initial_window(cc->smss);
    uint64_t bdp = bw * (uint64_t)b->min_rtt / TLSYN_SECONDS(1) * gain / 100;
    return bdp < CC_WINDOW_MAX ? (uint32_t)bdp : CC_WINDOW_MAX;
}

uint32_t bbr_quantization_budget(const struct cc *cc, uint32_t inflight)
{
    const struct bbr *b = cc->of.bbr;
    uint64_t quantum = b->pacing_rate / 1000;

    quantum = quantum < SEND_QUANTUM_MAX ? quantum : SEND_QUANTUM_MAX;
    quantum = max_u64(quantum, 2 * cc->smss);
    inflight = max_u32(inflight, (uint32_t)(3 * quantum));
    inflight = max_u32(inflight, bbr_min_pipe_cwnd(cc));
    return b->state == BBR_PROBE_BW_UP ? inflight + 2 * cc->smss : inflight;
}

uint32_t bbr_inflight(const struct cc *cc, uint64_t bw, uint32_t gain)
{
    return bbr_quantization_budget(cc, bbr_bdp(cc, bw, gain));
}

uint32_t bbr_target_inflight(const struct cc *cc)
{
    uint32_t bdp = bbr_bdp(cc, cc->of.bbr->bw, 100);

    return bdp < cc->cwnd ? bdp : cc->cwnd;
}

uint32_t bbr_inflight_with_headroom(const struct cc *cc)
{
    uint32_t longterm = cc->of.bbr->inflight_longterm;

    if (longterm == BBR_INFINITE)
        return BBR_INFINITE;
    uint32_t headroom = max_u32(cc->smss, (uint32_t)((uint64_t)longterm * HEADROOM / 100));
    return max_u32(longterm > headroom ? longterm - headroom : 0, bbr_min_pipe_cwnd(cc));
}
