/*
 * tcp/hystart.c: HyStart++. Read first: RFC 9406 4.2.
 *
 *             a round's smallest RTT is larger than the last one's by a good part
 *     slow start ---------------------------------------------------------> conservative slow start
 *         ^                                                                   (CSS) |
 *         +-- RTTs are back below what made it begin: it was jitter ------------+   | five rounds
 *                                                                                   v
 *                                                                           congestion avoidance
 *
 * A round is a window's worth of delivered bytes: what was on its way when the round began has
 * arrived when it ends. Since our sender paces (tcp/pace.h), L of the RFC is infinite.
 */
#include "tcp/hystart.h"

#include "tcp/cc.h"

#define MIN_RTT_THRESH     4000u
#define MAX_RTT_THRESH     16000u
#define MIN_RTT_DIVISOR    8
#define N_RTT_SAMPLE       8
#define CSS_GROWTH_DIVISOR 4
#define CSS_ROUNDS         5

#define INFINITE UINT32_MAX

void hystart_init(struct hystart *h)
{
    *h = (struct hystart){.last_min = INFINITE, .min = INFINITE, .baseline = INFINITE};
}

static bool conservative(const struct hystart *h)
{
    return h->baseline != INFINITE;
}

/* True: the last round of conservative slow start is over. */
static bool count_round(struct hystart *h, const struct cc_ack *ack)
{
    if (ack->delivered < h->round_left) {
        h->round_left -= ack->delivered;
        return false;
    }
    h->round_left = ack->in_flight;
    h->last_min = h->min;
    h->min = INFINITE;
    h->samples = 0;
    return conservative(h) && ++h->css_rounds >= CSS_ROUNDS;
}

static void take_sample(struct hystart *h, tlsyn_time rtt)
{
    if (rtt <= 0 || rtt >= INFINITE)
        return;
    if (rtt < h->min)
        h->min = (uint32_t)rtt;
    if (h->samples < UINT8_MAX)
        h->samples++;
}

static uint32_t threshold(uint32_t last_min)
{
    uint32_t part = last_min / MIN_RTT_DIVISOR;

    return part < MIN_RTT_THRESH ? MIN_RTT_THRESH : part < MAX_RTT_THRESH ? part : MAX_RTT_THRESH;
}

static void judge(struct hystart *h)
{
    if (h->samples < N_RTT_SAMPLE)
        return;
    if (conservative(h)) {
        if (h->min < h->baseline)
            h->baseline = INFINITE;
    } else if (h->last_min != INFINITE && h->min >= h->last_min + threshold(h->last_min)) {
        h->baseline = h->min;
        h->css_rounds = 0;
    }
}

uint32_t hystart_growth(struct hystart *h, const struct cc_ack *ack, bool *over)
{
    bool was_conservative = conservative(h);

    take_sample(h, ack->rtt);
    judge(h);
    *over = count_round(h, ack);
    return was_conservative ? ack->acked / CSS_GROWTH_DIVISOR : ack->acked;
}
