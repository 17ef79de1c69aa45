/*
 * tcp/cc_cubic.c: CUBIC. Read first: RFC 9438 4 and 5.8; RFC 9406 for its slow start.
 *
 * Between two reductions cwnd follows a cubic function of the time t since the first: up to the
 * window of the last loss, along its plateau, and beyond:
 *
 *     W_cubic(t) = C * (t - K)^3 + W_max                      .
 *                                                            /
 *      W_max  - - - - - - - - - - -.---------------.- - - - '
 *                              .-'                 K
 *      beta * W_max  - - - - .'
 *                            0                                t -->
 *
 * The RFC counts segments and seconds. Here windows are bytes and times milliseconds, all
 * of it integers:
 *
 *     C * (t - K)^3 segments  =  0.4 * smss * d^3 / 10^9 bytes,  d in ms
 *     K = cbrt((W_max - cwnd) / (0.4 * smss)) s  =  cbrt((W_max - cwnd) * 10^10 / (4 * smss)) ms
 *
 * Growth per ACK is a quotient whose remainder is kept (`credit`), so that small ACKs add up to
 * what they should.
 *
 * ssthresh is computed from cwnd and not from FlightSize, as 4.6 allows where cwnd does not grow
 * while it is not used: see may_grow() in tcp/congest.c, and validate() in tcp/cc.c.
 */
#include "tcp/cc.h"

#define BETA_NUMERATOR   7 /* beta_cubic = 0.7 */
#define BETA_DENOMINATOR 10

/* alpha_cubic = 3 * (1 - beta) / (1 + beta) = 9/17 */
#define ALPHA_NUMERATOR   9
#define ALPHA_DENOMINATOR 17

/* Further from K than this, W_cubic is beyond every window: 0.4 segments of 88 bytes * (400 s)^3 >
 * CC_WINDOW_MAX. */
#define DISTANCE_MAX 400000

/* The largest integer whose cube is at most x, found bit by bit from above: the cube root of 2^64
 * is a little more than 2^21, namely 2642245. */
static uint32_t cube_root(uint64_t x)
{
    uint64_t root = 0;

    for (uint64_t bit = 1u << 21; bit; bit >>= 1) {
        uint64_t try = root | bit;

        if (try <= 2642245 && try * try * try <= x)
            root = try;
    }
    return (uint32_t)root;
}

/* W_cubic at `ms` milliseconds into the epoch. */
static uint32_t w_cubic(const struct cubic_epoch *e, uint32_t smss, uint32_t ms)
{
    int64_t d = (int64_t)ms - (int64_t)e->k;
    uint64_t distance = (uint64_t)(d < 0 ? -d : d);
    uint64_t delta = CC_WINDOW_MAX;

    if (distance < DISTANCE_MAX)
        delta = distance * distance * distance / 1000000 * (4 * (uint64_t)smss) / 10000;
    if (d < 0)
        return delta < e->w_max ? (uint32_t)(e->w_max - delta) : 0;
    return delta < CC_WINDOW_MAX - e->w_max ? (uint32_t)(e->w_max + delta) : CC_WINDOW_MAX;
}

static uint32_t clock_ms(tlsyn_time now)
{
    uint32_t ms = (uint32_t)(now / 1000);

    return ms ? ms : 1;
}

static void begin_epoch(struct cc *cc, uint32_t now)
{
    struct cubic_epoch *e = &cc->of.cubic.epoch;

    e->start = now;
    e->w_est = cc->cwnd;
    cc->of.cubic.credit = cc->of.cubic.est_credit = 0;
    if (e->cwnd_prior == 0) /* 4.10: slow start ended without loss */
        e->cwnd_prior = cc->cwnd;
    /* after slow start without loss, after a timeout, or because the path is wider now */
    if (e->w_max <= cc->cwnd) {
        e->w_max = cc->cwnd;
        e->k = 0;
        return;
    }
    e->k = cube_root((uint64_t)(e->w_max - cc->cwnd) * 10000000000u / (4 * (uint64_t)cc->smss));
}

/* 4.3: the window that Reno would have. */
static void grow_estimate(struct cc *cc, uint32_t acked)
{
    struct cubic *cubic = &cc->of.cubic;
    bool as_reno = cubic->epoch.w_est >= cubic->epoch.cwnd_prior;
    uint64_t growth = (uint64_t)acked * cc->smss;

    if (!as_reno)
        growth = growth * ALPHA_NUMERATOR / ALPHA_DENOMINATOR;
    growth += cubic->est_credit;
    cubic->est_credit = (uint32_t)(growth % cc->cwnd);
    growth /= cc->cwnd;
    if (growth < CC_WINDOW_MAX - cubic->epoch.w_est)
        cubic->epoch.w_est += (uint32_t)growth;
}

/* 4.2: W_cubic a round trip from now, within what keeps growth steady and below slow start's. */
static uint32_t target(const struct cc *cc, uint32_t now, tlsyn_time srtt)
{
    const struct cubic_epoch *e = &cc->of.cubic.epoch;
    uint32_t w = w_cubic(e, cc->smss, now - e->start + (uint32_t)(srtt / 1000));

    if (w < cc->cwnd)
        return cc->cwnd;
    return w < cc->cwnd + cc->cwnd / 2 ? w : cc->cwnd + cc->cwnd / 2;
}

static void avoid_congestion(struct cc *cc, const struct cc_ack *ack)
{
    struct cubic *cubic = &cc->of.cubic;
    struct cubic_epoch *e = &cubic->epoch;
    uint32_t now = clock_ms(ack->now);

    if (e->start == 0)
        begin_epoch(cc, now);
    else if (!ack->limited) /* 4.2, 5.8: t does not run while the application is the limit */
        e->start += now - cubic->seen;
    cubic->seen = now;
    if (!ack->limited)
        return;
    grow_estimate(cc, ack->acked);
    if (w_cubic(e, cc->smss, now - e->start) < e->w_est) {
        cc_grow_to(cc, e->w_est);
        return;
    }
    uint64_t growth = (uint64_t)(target(cc, now, ack->srtt) - cc->cwnd) * ack->acked;
    growth += cubic->credit;
    cubic->credit = (uint32_t)(growth % cc->cwnd);
    cc_grow_to(cc, cc->cwnd + (uint32_t)(growth / cc->cwnd));
}

static void cubic_on_ack(struct cc *cc, const struct cc_ack *ack)
{
    struct cubic *cubic = &cc->of.cubic;

    if (cc->cwnd >= cc->ssthresh) {
        avoid_congestion(cc, ack);
        return;
    }
    /* RFC 9406 4.3: HyStart++ is for the first slow start, whose end nobody knows. */
    bool over = false;
    uint32_t growth = cubic->started ? ack->acked : hystart_growth(&cubic->hystart, ack, &over);
    if (ack->limited)
        cc_slow_start(cc, growth);
    if (over) {
        cubic->started = true;
        cc->ssthresh = cc->cwnd;
    }
}

static void cubic_on_congestion(struct cc *cc, enum cc_cause cause, const struct cc_event *event)
{
    struct cubic *cubic = &cc->of.cubic;
    struct cubic_epoch *e = &cubic->epoch;
    uint32_t reduced = (uint32_t)((uint64_t)cc->cwnd * BETA_NUMERATOR / BETA_DENOMINATOR);

    (void)event;
    cubic->started = true;
    if (cause == CC_TIMEOUT_AGAIN) {
        cc->cwnd = cc->smss;
        return;
    }
    cubic->undo = *e;
    /* 4.7, fast convergence: the bandwidth for this flow seems to shrink. It gives up more than it
     * lost, which lets a new flow get its share sooner. */
    if (cc->cwnd < e->w_max)
        e->w_max = (uint32_t)((uint64_t)cc->cwnd * (BETA_DENOMINATOR + BETA_NUMERATOR) /
                              (2 * BETA_DENOMINATOR));
    else
        e->w_max = cc->cwnd;
    e->cwnd_prior = cc->cwnd;
    e->start = 0;
    cc->ssthresh = reduced > 2 * cc->smss ? reduced : 2 * cc->smss;
    if (cause == CC_TIMEOUT) {
        e->w_max = 0; /* 4.8: the next stage begins on the plateau, where slow start ends */
        cc->cwnd = cc->smss;
    } else if (cause == CC_ECN) { /* 4.6: down to one segment */
        cc->cwnd = reduced > cc->smss ? reduced : cc->smss;
    } else {
        cc->cwnd = cc->ssthresh;
    }
}

static void cubic_on_undo(struct cc *cc, const struct cc_event *event)
{
    (void)event;
    cc->of.cubic.epoch = cc->of.cubic.undo;
}

/* 5.8: the time in which nothing was on its way is no part of t. */
static void cubic_on_restart(struct cc *cc, const struct cc_event *event)
{
    struct cubic *cubic = &cc->of.cubic;

    if (cubic->epoch.start)
        cubic->epoch.start += clock_ms(event->now) - cubic->seen;
    cubic->seen = clock_ms(event->now);
}

static int cubic_init(struct cc *cc, struct tlsyn_alloc *alloc, uint32_t seed)
{
    (void)alloc;
    (void)seed;
    hystart_init(&cc->of.cubic.hystart);
    return 0;
}

const struct cc_ops cc_cubic = {
    .name = "cubic",
    .init = cubic_init,
    .on_ack = cubic_on_ack,
    .on_congestion = cubic_on_congestion,
    .on_undo = cubic_on_undo,
    .on_restart = cubic_on_restart,
};
