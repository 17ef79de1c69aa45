/*
 * again.h: a client's early data that was rejected, written again.
 *
 * A user who knows that his bytes were early decides by himself what follows a rejection
 * (tlsyn/tls.h). To a program at a socket they are the beginning of a stream, which arrives whole
 * and once: so a copy waits until the handshake says what became of them, and where they were
 * rejected it leaves before anything else (RFC 8446 4.2.10).
 */
#ifndef TLSYN_TLS_AGAIN_H
#define TLSYN_TLS_AGAIN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct tlsyn_tls;

/** Part of a session. All zero: the user does that himself. */
struct again {
    bool wanted;
    uint8_t *bytes; /* owned, by the config's allocator */
    size_t len, done;
};

/** Keeps what is about to be written early, if that is wanted. 0 or -ENOMEM. */
int again_keep(struct tlsyn_tls *tls, const void *bytes, size_t n);

/** The last n bytes that were kept were not written after all. */
void again_take_back(struct tlsyn_tls *tls, size_t n);

/** Writes what waits, as far as there is room. True when nothing waits any more. */
bool again_flush(struct tlsyn_tls *tls);

/** The server has them; or nobody is interested any more. */
void again_forget(struct tlsyn_tls *tls);

#endif
