/*
 * peer/digest.h: SHA-256 of a stream, by OpenSSL.
 */
#ifndef PEER_DIGEST_H
#define PEER_DIGEST_H

#include <stddef.h>
#include <stdint.h>

#define PEER_DIGEST_LEN 32

struct peer_digest;

/** NULL when memory is short. */
struct peer_digest *peer_digest_new(void);
void peer_digest_add(struct peer_digest *digest, const void *bytes, size_t n);
/** The value; nothing may be added afterwards. */
void peer_digest_finish(struct peer_digest *digest, uint8_t value[PEER_DIGEST_LEN]);
/** NULL is allowed. */
void peer_digest_free(struct peer_digest *digest);

#endif
