/*
 * wire/seq.h: TCP sequence numbers and their order modulo 2^32 (RFC 9293 3.4). The only place that
 * compares them.
 */
#ifndef TLSYN_WIRE_SEQ_H
#define TLSYN_WIRE_SEQ_H

#include <stdbool.h>
#include <stdint.h>

typedef uint32_t tcp_seq;

/** b - a, as a signed distance: meaningful when they are less than 2^31 apart. */
static inline int32_t seq_diff(tcp_seq b, tcp_seq a)
{
    return (int32_t)(b - a);
}

static inline bool seq_lt(tcp_seq a, tcp_seq b)
{
    return seq_diff(a, b) < 0;
}

static inline bool seq_leq(tcp_seq a, tcp_seq b)
{
    return seq_diff(a, b) <= 0;
}

static inline bool seq_gt(tcp_seq a, tcp_seq b)
{
    return seq_diff(a, b) > 0;
}

static inline bool seq_geq(tcp_seq a, tcp_seq b)
{
    return seq_diff(a, b) >= 0;
}

/** from <= a <= to; the two may be further apart than half the space. */
static inline bool seq_within(tcp_seq a, tcp_seq from, tcp_seq to)
{
    return a - from <= to - from;
}

static inline tcp_seq seq_max(tcp_seq a, tcp_seq b)
{
    return seq_gt(a, b) ? a : b;
}

static inline tcp_seq seq_min(tcp_seq a, tcp_seq b)
{
    return seq_lt(a, b) ? a : b;
}

#endif
