/*
 * core/random.c: the kernel's random bytes, a seeded generator (xoshiro256**, Blackman and Vigna
 * 2018), and numbers from either.
 */
#include "core/random.h"

#include <endian.h>
#include <stdlib.h>
#include <sys/random.h>

#include "core/list.h"

static void kernel_fill(struct tlsyn_random *random, void *bytes, size_t size)
{
    uint8_t *at = bytes;

    (void)random;
    while (size > 0) {
        /* Up to 256 bytes are never cut short by a signal, and fail only where the system call is
         * missing or forbidden: then there is nothing safe to go on with. */
        size_t n = size < 256 ? size : 256;

        if (getrandom(at, n, 0) != (ssize_t)n)
            abort();
        at += n;
        size -= n;
    }
}

struct tlsyn_random *tlsyn_random_kernel(void)
{
    /* Holds no state: one for everybody. */
    static struct tlsyn_random kernel = {.fill = kernel_fill};

    return &kernel;
}

static uint64_t rotate_left(uint64_t x, int n)
{
    return x << n | x >> (64 - n);
}

static uint64_t seeded_next(struct random_seeded *r)
{
    uint64_t *s = r->s;
    uint64_t result = rotate_left(s[1] * 5, 7) * 9;
    uint64_t t = s[1] << 17;

    s[2] ^= s[0];
    s[3] ^= s[1];
    s[1] ^= s[2];
    s[0] ^= s[3];
    s[2] ^= t;
    s[3] = rotate_left(s[3], 45);
    return result;
}

static void seeded_fill(struct tlsyn_random *random, void *bytes, size_t size)
{
    struct random_seeded *r = container_of(random, struct random_seeded, base);
    uint8_t *at = bytes;

    while (size > 0) {
        /* Little-endian, so that a seed means the same bytes on every machine. */
        uint64_t word = htole64(seeded_next(r));
        size_t n = size < sizeof(word) ? size : sizeof(word);

        memcpy(at, &word, n);
        at += n;
        size -= n;
    }
}

void random_seed(struct random_seeded *r, uint64_t seed)
{
    r->base.fill = seeded_fill;
    for (int i = 0; i < 4; i++) {
        /* splitmix64: no seed leads to the all-zero state, and near seeds to unrelated ones. */
        uint64_t z = seed += 0x9e3779b97f4a7c15;

        z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
        z = (z ^ z >> 27) * 0x94d049bb133111eb;
        r->s[i] = z ^ z >> 31;
    }
}

uint64_t random_u64(struct tlsyn_random *r)
{
    uint64_t word;

    r->fill(r, &word, sizeof(word));
    return le64toh(word);
}

uint32_t random_u32(struct tlsyn_random *r)
{
    uint32_t word;

    r->fill(r, &word, sizeof(word));
    return le32toh(word);
}

uint32_t random_below(struct tlsyn_random *r, uint32_t n)
{
    /* The upper half of a 32 x 32 product is uniform once the 2^32 mod n lowest products
     * are turned away. */
    uint32_t reject = -n % n;
    uint64_t product;

    do {
        product = (uint64_t)random_u32(r) * n;
    } while ((uint32_t)product < reject);
    return (uint32_t)(product >> 32);
}

double random_unit(struct tlsyn_random *r)
{
    return (double)(random_u64(r) >> 11) * 0x1p-53;
}
