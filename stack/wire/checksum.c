/*
 * wire/checksum.c: the Internet checksum. Read first: RFC 1071 2.
 *
 * One's complement addition does not care how wide the words are, as long as carries come round,
 * nor in which byte order they are read, as long as the result is written in the same: so 64 bits
 * at a time in the machine's order, in four sums that do not wait for each other's carries.
 */
#include "wire/checksum.h"

#include <endian.h>

static inline uint64_t add_carry(uint64_t a, uint64_t b)
{
    a += b;
    return a + (a < b);
}

static inline uint64_t load64(const uint8_t *at)
{
    uint64_t word;

    memcpy(&word, at, sizeof(word));
    return word;
}

static inline uint32_t load32(const uint8_t *at)
{
    uint32_t word;

    memcpy(&word, at, sizeof(word));
    return word;
}

static inline uint16_t load16(const uint8_t *at)
{
    uint16_t word;

    memcpy(&word, at, sizeof(word));
    return word;
}

static uint16_t fold(uint64_t sum)
{
    sum = (sum >> 32) + (sum & 0xffffffff);
    sum = (sum >> 16) + (sum & 0xffff);
    sum = (sum >> 16) + (sum & 0xffff);
    sum = (sum >> 16) + (sum & 0xffff);
    return (uint16_t)sum;
}

/** The sum of n octets that begin with a high-order one. */
static uint64_t sum_of(const uint8_t *at, size_t n)
{
    uint64_t a = 0, b = 0, c = 0, d = 0;

    for (; n >= 32; n -= 32, at += 32) {
        a = add_carry(a, load64(at));
        b = add_carry(b, load64(at + 8));
        c = add_carry(c, load64(at + 16));
        d = add_carry(d, load64(at + 24));
    }
    for (; n >= 8; n -= 8, at += 8)
        a = add_carry(a, load64(at));
    if (n & 4) {
        b = add_carry(b, load32(at));
        at += 4;
    }
    if (n & 2) {
        c = add_carry(c, load16(at));
        at += 2;
    }
    if (n & 1) /* What is missing to a word counts as zero (RFC 1071 1). */
        d = add_carry(d, load16((const uint8_t[2]){*at, 0}));
    return add_carry(add_carry(a, b), add_carry(c, d));
}

void checksum_add(struct checksum *c, const void *bytes, size_t n)
{
    uint64_t sum = sum_of(bytes, n);

    /* Shifted by one octet, the sum is the same with its octets swapped (RFC 1071 2 (B)). */
    if (c->odd)
        sum = __builtin_bswap16(fold(sum));
    c->sum = add_carry(c->sum, sum);
    c->odd ^= n & 1;
}

void checksum_pseudo(struct checksum *c, const struct tlsyn_addr *src, const struct tlsyn_addr *dst,
                     uint8_t protocol, uint32_t len)
{
    /* IPv6 writes length and protocol in 32 bits, IPv4 in 16: as sums they are the same. */
    uint32_t tail[2] = {htobe32(len), htobe32(protocol)};
    size_t skip = tlsyn_addr_is_ip4(src) ? 12 : 0;

    checksum_add(c, src->byte + skip, 16 - skip);
    checksum_add(c, dst->byte + skip, 16 - skip);
    checksum_add(c, tail, sizeof(tail));
}

uint16_t checksum_fold(const struct checksum *c)
{
    return be16toh(fold(c->sum));
}

uint16_t checksum_update(uint16_t field, uint16_t before, uint16_t after)
{
    uint32_t sum = (uint16_t)~field + (uint32_t)(uint16_t)~before + after;

    sum = (sum >> 16) + (sum & 0xffff);
    sum = (sum >> 16) + (sum & 0xffff);
    return (uint16_t)~sum;
}
