/*
 * tcp/prr.c: cwnd during recovery. Read first: RFC 9937 6 (before it RFC 6937 3).
 */
#include "tcp/prr.h"

void prr_begin(struct prr *prr, uint32_t recover_fs)
{
    *prr = (struct prr){.recover_fs = recover_fs ? recover_fs : 1};
}

/* Above ssthresh: as much in proportion leaves as arrives, so that pipe is ssthresh when recovery ends. */
static uint64_t in_proportion(const struct prr *prr, uint32_t ssthresh)
{
    uint64_t due = ((uint64_t)prr->delivered * ssthresh + prr->recover_fs - 1) / prr->recover_fs;

    return due > prr->out ? due - prr->out : 0;
}

/* Below it: slow start back up to it if ACKs are good news, else packet conservation. */
static uint64_t back_up(const struct prr *prr, const struct prr_ack *ack)
{
    uint64_t count = prr->delivered > prr->out ? prr->delivered - prr->out : 0;
    uint64_t gap = ack->ssthresh - ack->in_flight;

    if (count < ack->delivered)
        count = ack->delivered;
    if (ack->safe)
        count += ack->smss;
    return count < gap ? count : gap;
}

uint32_t prr_on_ack(struct prr *prr, const struct prr_ack *ack)
{
    uint64_t count;

    prr->delivered += ack->delivered;
    if (ack->in_flight > ack->ssthresh)
        count = in_proportion(prr, ack->ssthresh);
    else
        count = back_up(prr, ack);
    if (prr->out == 0 && count < ack->smss)
        count = ack->smss; /* the first lost segment leaves in any case */
    return ack->in_flight + (uint32_t)count;
}
