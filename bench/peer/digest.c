/*
 * peer/digest.c: SHA-256 of a stream. Read first: EVP_DigestInit(3).
 */
#include "peer/digest.h"

#include <openssl/evp.h>
#include <stdlib.h>

struct peer_digest {
    EVP_MD_CTX *context;
};

struct peer_digest *peer_digest_new(void)
{
    struct peer_digest *digest = calloc(1, sizeof(*digest));

    if (digest)
        digest->context = EVP_MD_CTX_new();
    if (digest && (!digest->context || !EVP_DigestInit_ex(digest->context, EVP_sha256(), NULL))) {
        peer_digest_free(digest);
        return NULL;
    }
    return digest;
}

void peer_digest_add(struct peer_digest *digest, const void *bytes, size_t n)
{
    (void)EVP_DigestUpdate(digest->context, bytes, n);
}

void peer_digest_finish(struct peer_digest *digest, uint8_t value[PEER_DIGEST_LEN])
{
    (void)EVP_DigestFinal_ex(digest->context, value, NULL);
}

void peer_digest_free(struct peer_digest *digest)
{
    if (!digest)
        return;
    EVP_MD_CTX_free(digest->context);
    free(digest);
}
