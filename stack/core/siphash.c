/*
 * core/siphash.c: SipHash-2-4. Read first: Aumasson and Bernstein, "SipHash: a fast short-input
 * PRF" (2012), section 2.
 */
#include "core/siphash.h"

#include <endian.h>
#include <string.h>

struct state {
    uint64_t v0, v1, v2, v3;
};

static inline uint64_t rotate_left(uint64_t x, int n)
{
    return x << n | x >> (64 - n);
}

static inline void sip_round(struct state *s)
{
    s->v0 += s->v1;
    s->v2 += s->v3;
    s->v1 = rotate_left(s->v1, 13) ^ s->v0;
    s->v3 = rotate_left(s->v3, 16) ^ s->v2;
    s->v0 = rotate_left(s->v0, 32);
    s->v2 += s->v1;
    s->v0 += s->v3;
    s->v1 = rotate_left(s->v1, 17) ^ s->v2;
    s->v3 = rotate_left(s->v3, 21) ^ s->v0;
    s->v2 = rotate_left(s->v2, 32);
}

static inline void compress(struct state *s, uint64_t word)
{
    s->v3 ^= word;
    sip_round(s);
    sip_round(s);
    s->v0 ^= word;
}

uint64_t siphash(const struct siphash_key *key, const void *bytes, size_t n)
{
    struct state s = {
        .v0 = key->k[0] ^ 0x736f6d6570736575,
        .v1 = key->k[1] ^ 0x646f72616e646f6d,
        .v2 = key->k[0] ^ 0x6c7967656e657261,
        .v3 = key->k[1] ^ 0x7465646279746573,
    };
    const uint8_t *at = bytes;
    uint64_t word;
    uint8_t last[8] = {[7] = (uint8_t)n};

    for (size_t left = n / 8; left > 0; left--, at += 8) {
        memcpy(&word, at, 8);
        compress(&s, le64toh(word));
    }
    if (n % 8)
        memcpy(last, at, n % 8);
    memcpy(&word, last, 8);
    compress(&s, le64toh(word));
    s.v2 ^= 0xff;
    for (int i = 0; i < 4; i++)
        sip_round(&s);
    return s.v0 ^ s.v1 ^ s.v2 ^ s.v3;
}
