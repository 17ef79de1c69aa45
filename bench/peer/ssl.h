/*
 * peer/ssl.h: what the peer room's files share of OpenSSL. Private to the room.
 */
#ifndef PEER_SSL_H
#define PEER_SSL_H

#include "peer/context.h"
#include "peer/memory.h"

#include <openssl/ssl.h>
#include <stdbool.h>

struct peer_context {
    SSL_CTX *ssl;
    enum peer_session session;
    SSL_SESSION *kept;          /* of a client: for the next connection; or NULL */
    struct peer_memory *memory; /* in its place, where connections are peer/stream.h's; or NULL */
    bool fresh;                 /* it came with the present connection */
    unsigned char alpn[64];     /* RFC 7301 3.1: each name behind its length */
    unsigned alpn_len;
};

/** Before SSL_free(3): without an alert, and without forgetting the session for it. */
void peer_ssl_quit(SSL *ssl);

/** What OpenSSL returned, of a socket with a timeout, it did because a signal came, or SIGSTOP with
 * SIGCONT (signal(7)): the same call again goes on. */
bool peer_ssl_interrupted(SSL *ssl, int returned);

/** The text of OpenSSL's first queued error, `otherwise` if there is none, into `message`;
 * empties the queue. */
void peer_ssl_error(const char *otherwise, char *message, size_t size);

#endif
