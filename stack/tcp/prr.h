/*
 * tcp/prr.h: proportional rate reduction (RFC 9937): how much may be sent during recovery,
 * by what arrives.
 */
#ifndef TLSYN_TCP_PRR_H
#define TLSYN_TCP_PRR_H

#include <tlsyn/types.h>

struct prr {
    uint32_t recover_fs; /* RecoverFS: bytes on their way when recovery began */
    uint32_t delivered;  /* bytes that arrived since: less than the sequence space has */
    uint32_t out;        /* bytes sent since */
    uint32_t due;        /* bytes that may be sent, and were not yet */
};

/** Recovery begins. `recover_fs`: bytes outstanding, without those that were sacked before this
 * ACK. `due`: bytes that were allowed just before this ACK and did not leave yet; they count as
 * outstanding too. */
void prr_begin(struct prr *prr, uint32_t recover_fs, uint32_t due);

static inline void prr_on_sent(struct prr *prr, uint32_t bytes)
{
    prr->out += bytes;
    prr->due -= bytes < prr->due ? bytes : prr->due;
}

struct prr_ack {
    uint32_t delivered; /* bytes that this ACK says arrived */
    uint32_t in_flight; /* RFC 6675's pipe, behind it */
    uint32_t ssthresh, smss;
    bool safe; /* snd_una advanced, and nothing more was found lost */
};

/** cwnd until the next ACK. */
uint32_t prr_on_ack(struct prr *prr, const struct prr_ack *ack);

#endif
