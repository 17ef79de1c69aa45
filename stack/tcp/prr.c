/*
 * tcp/prr.c: cwnd during recovery. Read first: RFC 9937 6 (before it RFC 6937 3).
 *
 * The RFC has a sender send after each ACK what this ACK allows (sndcnt). Here ACKs come in
 * batches, and sending is paced: what is allowed but has not left yet is kept in `due`, and counts
 * as sent and as in the network when the next ACK is processed. So a batch allows as much as its
 * ACKs would have allowed one by one.
 */
#include "tcp/prr.h"

void prr_begin(struct prr *prr, uint32_t recover_fs, uint32_t due)
{
    recover_fs += due;
    *prr = (struct prr){.recover_fs = recover_fs ? recover_fs : 1, .due = due};
}

/* Above ssthresh: as much in proportion leaves as arrives, so that pipe is ssthresh when
 * recovery ends. */
static uint64_t in_proportion(const struct prr *prr, uint32_t ssthresh)
{
    uint64_t all = ((uint64_t)prr->delivered * ssthresh + prr->recover_fs - 1) / prr->recover_fs;
    uint64_t sent = (uint64_t)prr->out + prr->due;

    return all > sent ? all - sent : 0;
}

/* Below it: slow start back up to it if ACKs are good news, else packet conservation. */
static uint64_t back_up(const struct prr *prr, const struct prr_ack *ack)
{
    uint64_t sent = (uint64_t)prr->out + prr->due;
    uint64_t count = prr->delivered > sent ? prr->delivered - sent : 0;

    if (count < ack->delivered)
        count = ack->delivered;
    return ack->safe ? count + ack->smss : count;
}

uint32_t prr_on_ack(struct prr *prr, const struct prr_ack *ack)
{
    uint64_t due;

    prr->delivered += ack->delivered;
    if (ack->in_flight > ack->ssthresh) {
        due = prr->due + in_proportion(prr, ack->ssthresh);
    } else {
        uint32_t gap = ack->ssthresh - ack->in_flight;

        due = prr->due + back_up(prr, ack);
        due = due < gap ? due : gap;
    }
    if (prr->out == 0 && due < ack->smss)
        due = ack->smss; /* the first lost segment leaves in any case */
    prr->due = (uint32_t)due;
    return ack->in_flight + prr->due;
}
