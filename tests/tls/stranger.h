/*
 * stranger.h: OpenSSL at one end of the wire, where no engine of ours is.
 */
#ifndef TLSYN_TESTS_STRANGER_H
#define TLSYN_TESTS_STRANGER_H

#include <openssl/ssl.h>

#include "pair.h"

struct stranger {
    SSL_CTX *context;
    SSL *ssl;
    BIO *in, *out; /* owned by ssl */
    uint8_t heard[65536];
    size_t heard_len;
    bool done;
};

/** With the test's certificates. `min`, `max`: TLS1_2_VERSION ...; groups NULL: OpenSSL's own. */
void stranger_init(struct stranger *o, bool is_server, int min, int max, const char *groups);
void stranger_fini(struct stranger *o);

/** Moves bytes between our end and OpenSSL until nothing moves. */
void stranger_talk(struct wire *w, int ours, struct stranger *o);

/** A handshake, as far as it goes: with our client, with our server. */
void stranger_accepts(struct pair *p, struct stranger *o);
void stranger_connects(struct pair *p, struct stranger *o);

#endif
