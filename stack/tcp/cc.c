/*
 * tcp/cc.c: what all congestion controllers share. Read first: RFC 5681 3.1, RFC 6928 2.
 */
#include "tcp/cc.h"

#include <string.h>

static const struct cc_ops *const controllers[] = {
    &cc_newreno, /* the default */
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

/* RFC 6928 2 (1) */
uint32_t cc_initial_window(uint32_t smss)
{
    uint32_t bytes = 10 * smss, bound = 2 * smss > 14600 ? 2 * smss : 14600;

    return bytes < bound ? bytes : bound;
}

void cc_init(struct cc *cc, const struct cc_ops *ops, uint32_t smss)
{
    *cc = (struct cc){
        .ops = ops, .cwnd = cc_initial_window(smss), .ssthresh = UINT32_MAX, .smss = smss};
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

void cc_on_ack(struct cc *cc, const struct cc_ack *ack)
{
    if (cc->ops->own_window || !ack->in_recovery)
        cc->ops->on_ack(cc, ack);
}

void cc_congestion(struct cc *cc, enum cc_cause cause, uint32_t flight_size, tlsyn_time now)
{
    if (cause != CC_TIMEOUT_AGAIN) {
        cc->prior_cwnd = cc->cwnd;
        cc->prior_ssthresh = cc->ssthresh;
    }
    cc->ops->on_congestion(cc, cause, flight_size, now);
}

void cc_undo(struct cc *cc)
{
    if (cc->prior_cwnd == 0)
        return;
    if (cc->cwnd < cc->prior_cwnd)
        cc->cwnd = cc->prior_cwnd;
    if (cc->ssthresh < cc->prior_ssthresh)
        cc->ssthresh = cc->prior_ssthresh;
    cc->prior_cwnd = 0;
    if (cc->ops->on_undo)
        cc->ops->on_undo(cc);
}
