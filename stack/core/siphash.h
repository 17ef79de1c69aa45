/*
 * core/siphash.h: SipHash-2-4 (Aumasson, Bernstein 2012), a keyed hash: for tables, ISNs and
 * cookies.
 */
#ifndef TLSYN_CORE_SIPHASH_H
#define TLSYN_CORE_SIPHASH_H

#include <stddef.h>
#include <stdint.h>

struct siphash_key {
    uint64_t k[2];
};

uint64_t siphash(const struct siphash_key *key, const void *bytes, size_t n);

/** Which of n equal shares a hash falls into. */
static inline uint32_t siphash_share(uint64_t hash, uint32_t n)
{
    return (uint32_t)((hash >> 32) * n >> 32);
}

#endif
