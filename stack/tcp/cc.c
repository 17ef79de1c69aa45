/*
 * tcp/cc.c: what all congestion controllers share. Read first: RFC 5681 3.1, RFC 6928 2.
 */
#include "tcp/cc.h"

#include <string.h>

#include <tlsyn/conn.h>

/* MAY-18 */
static const struct cc_ops *const controllers[] = {
    &cc_cubic, /* the default */
    &cc_newreno,
    &cc_bbr,
};

const struct cc_ops *cc_find(const char *name)
{
    if (!name || !*name)
        return controllers[0];
    for (size_t i = 0; i < sizeof(controllers) / sizeof(*controllers); i++)
        if (strcmp(controllers[i]->name, name) == 0)
            return controllers[i];
    return NULL;
}

const char *tlsyn_controller_name(const char *name)
{
    const struct cc_ops *ops = cc_find(name);

    return ops ? ops->name : NULL;
}

/* RFC 6928 2 (1) (R5681-1) */
uint32_t cc_initial_window(uint32_t smss)
{
    uint32_t bytes = 10 * smss, bound = 2 * smss > 14600 ? 2 * smss : 14600;

    return bytes < bound ? bytes : bound;
}

int cc_init(struct cc *cc, const struct cc_ops *ops, struct tlsyn_alloc *alloc, uint32_t seed)
{
    *cc = (struct cc){.ops = ops, .cwnd = cc_initial_window(1), .ssthresh = UINT32_MAX, .smss = 1};
    return ops->init ? ops->init(cc, alloc, seed) : 0;
}

void cc_release(struct cc *cc, struct tlsyn_alloc *alloc)
{
    if (cc->ops && cc->ops->release)
        cc->ops->release(cc, alloc);
}

int cc_become(struct cc *cc, const struct cc_ops *ops, struct tlsyn_alloc *alloc, uint32_t seed)
{
    struct cc fresh;

    if (ops == cc->ops)
        return 0;
    int error = cc_init(&fresh, ops, alloc, seed);
    if (error < 0)
        return error;
    fresh.smss = cc->smss;
    fresh.cwnd = cc->cwnd;
    fresh.ssthresh = ops->own_window ? UINT32_MAX : cc->ssthresh;
    cc_release(cc, alloc);
    *cc = fresh;
    return 0;
}

void cc_set_smss(struct cc *cc, uint32_t smss)
{
    if (smss == cc->smss)
        return;
    if (cc->cwnd == cc_initial_window(cc->smss))
        cc->cwnd = cc_initial_window(smss);
    else
        cc->cwnd = (uint32_t)((uint64_t)cc->cwnd * smss / cc->smss);
    cc->smss = smss;
}

void cc_grow_to(struct cc *cc, uint32_t cwnd)
{
    if (cwnd > CC_WINDOW_MAX)
        cwnd = CC_WINDOW_MAX;
    if (cwnd > cc->cwnd)
        cc->cwnd = cwnd;
}

/* R5681-3 */
void cc_slow_start(struct cc *cc, uint32_t acked)
{
    uint32_t room = cc->ssthresh - cc->cwnd;

    cc_grow_to(cc, cc->cwnd + (acked < room ? acked : room));
}

/* Called before cwnd shrinks for another reason than congestion: ssthresh remembers it, and slow
 * start leads back to it (RFC 7661 4.4.1). */
static void remember(struct cc *cc)
{
    uint32_t most = cc->cwnd - cc->cwnd / 4;

    if (cc->ssthresh < most)
        cc->ssthresh = most;
}

/* Congestion window validation: see cc_on_ack() in cc.h. */
static void validate(struct cc *cc, const struct cc_ack *ack)
{
    uint32_t used = ack->in_flight + ack->delivered, least = cc_initial_window(cc->smss);
    uint32_t now = (uint32_t)(ack->now / 1000);

    if (cc->used < used)
        cc->used = used;
    if (!ack->limited && ack->app_limited && cc->full_at) {
        if (now - cc->full_at < ack->rto / 1000)
            return;
        if (least < cc->used)
            least = cc->used;
        if (least < cc->cwnd) {
            remember(cc);
            cc->cwnd = cc->cwnd / 2 + least / 2;
        }
    }
    cc->used = 0;
    cc->full_at = now;
}

void cc_on_ack(struct cc *cc, const struct cc_ack *ack)
{
    if (!cc->ops->own_window) {
        if (ack->in_recovery)
            return;
        validate(cc, ack);
    }
    cc->ops->on_ack(cc, ack);
}

/* R5681-10 */
void cc_restart(struct cc *cc, tlsyn_time idle, tlsyn_time rto, const struct cc_event *event)
{
    uint32_t least = cc_initial_window(cc->smss);

    if (cc->ops->on_restart)
        cc->ops->on_restart(cc, event);
    if (cc->ops->own_window || idle <= rto || cc->cwnd <= least)
        return;
    remember(cc);
    for (; idle > rto && cc->cwnd > least; idle -= rto)
        cc->cwnd /= 2;
    if (cc->cwnd < least)
        cc->cwnd = least;
}

void cc_congestion(struct cc *cc, enum cc_cause cause, const struct cc_event *event)
{
    if (cause != CC_TIMEOUT_AGAIN) {
        cc->prior_cwnd = cc->cwnd;
        cc->prior_ssthresh = cc->ssthresh;
    }
    cc->ops->on_congestion(cc, cause, event);
}

void cc_undo(struct cc *cc, const struct cc_event *event)
{
    if (cc->prior_cwnd == 0)
        return;
    if (cc->ssthresh < cc->prior_ssthresh)
        cc->ssthresh = cc->prior_ssthresh;
    if (cc->cwnd < cc->prior_cwnd) {
        cc->cwnd = cc->prior_cwnd;
        if (cc->ops->on_undo)
            cc->ops->on_undo(cc, event);
    }
    cc->prior_cwnd = 0;
}
