/*
 * sha256.c: the blocks of SHA-256 (MBEDTLS_SHA256_PROCESS_ALT).
 *
 * mbedTLS 3.6 has no use for the instructions that x86 has for it; libcrypto's takes a third of the
 * time. The key schedule of TLS 1.3 is some hundred blocks, a tenth of what a resumed handshake
 * computes. EVP takes whole messages alone: no call but this old one takes a block and a state.
 */
#define OPENSSL_SUPPRESS_DEPRECATED

#include "sha256.h"

#include <assert.h>
#include <openssl/crypto.h>
#include <openssl/sha.h>
#include <string.h>

static_assert(sizeof(((SHA256_CTX *)0)->h) == SHA256_WORDS * sizeof(uint32_t), "words of 32 bits");

void sha256_block(uint32_t state[SHA256_WORDS], const unsigned char block[SHA256_BLOCK])
{
    SHA256_CTX at;

    memcpy(at.h, state, sizeof(at.h));
    SHA256_Transform(&at, block);
    memcpy(state, at.h, sizeof(at.h));
    OPENSSL_cleanse(at.h, sizeof(at.h)); /* a key's, in HMAC */
}
