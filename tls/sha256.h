/*
 * sha256.h: one block of SHA-256 (FIPS 180-4 6.2.2) as mbedTLS asks for it, by libcrypto.
 */
#ifndef TLS_SHA256_H
#define TLS_SHA256_H

#include <stdint.h>

#define SHA256_WORDS 8
#define SHA256_BLOCK 64

/** What the block makes of the intermediate digest. */
void sha256_block(uint32_t state[SHA256_WORDS], const unsigned char block[SHA256_BLOCK]);

#endif
