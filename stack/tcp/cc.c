/*
 * tcp/cc.c: what all congestion controllers share. Read first: RFC 5681, RFC 6928.
 */
#include "tcp/cc.h"

static uint32_t initial_window(uint32_t smss)
{
    uint32_t bound = 2 * smss > 14600 ? 2 * smss : 14600;

    return 10 * smss < bound ? 10 * smss : bound; /* RFC 6928 2 (1) */
}

void cc_init(struct cc *cc, const struct cc_ops *ops, uint32_t smss)
{
    *cc =
        (struct cc){.ops = ops, .cwnd = initial_window(smss), .ssthresh = UINT32_MAX, .smss = smss};
}

void cc_set_smss(struct cc *cc, uint32_t smss)
{
    if (smss == cc->smss)
        return;
    if (cc->cwnd == initial_window(cc->smss))
        cc->cwnd = initial_window(smss);
    else
        cc->cwnd = (uint32_t)((uint64_t)cc->cwnd * smss / cc->smss);
    cc->smss = smss;
}
