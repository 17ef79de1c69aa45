/*
 * peer/context.h: OpenSSL set up like the engine that it is measured beside: the same
 * versions, cipher suites, groups and certificates, each flight in one write; sessions are new, or
 * resumed in the one way that is asked for.
 *
 * The peer room is the stock alternative, what a user would run instead: the kernel's TCP with
 * OpenSSL's libssl, client and server, with blocking sockets, or with many at once (peer/stream.h).
 * Nothing in it knows of our stack.
 */
#ifndef PEER_CONTEXT_H
#define PEER_CONTEXT_H

#include <stddef.h>

enum peer_suite {
    PEER_12_RSA,
    PEER_12_ECDHE,
    PEER_13,
    PEER_SUITES,
    PEER_ANY = PEER_SUITES /* the last two, as the client likes: of servers */
};

/** How sessions come to be: new ones only, or resumed by session ID or ticket (TLS 1.2), by PSK
 * (TLS 1.3), by PSK with early data. */
enum peer_session { PEER_NEW, PEER_ID, PEER_TICKET, PEER_PSK, PEER_EARLY, PEER_SESSIONS };

enum { PEER_MESSAGE_MAX = 192 };

/** One end's settings, shared by its connections. A client's keeps the last session for the next
 * connection. */
struct peer_context;

/** A client's context, which trusts `ca` (PEM) alone and verifies. NULL: see `message`. */
struct peer_context *peer_client_context(enum peer_suite suite, enum peer_session session,
                                         const char *ca, char message[PEER_MESSAGE_MAX]);

/** A server's certificate and its key (PEM). */
struct peer_identity {
    const char *chain, *key;
};

/** A server's context. */
struct peer_context *peer_server_context(enum peer_suite suite, enum peer_session session,
                                         const struct peer_identity *identity,
                                         char message[PEER_MESSAGE_MAX]);

/** How many tickets a server's full handshake of TLS 1.3 gives, in place of one. */
void peer_context_tickets(struct peer_context *context, int tickets);

/** What it offers, or, of a server, takes the first of that the client offers: names of application
 * protocols (RFC 7301), up to an end with NULL. 0 or -errno. */
int peer_context_alpn(struct peer_context *context, const char *const *names);

/** How many sessions with the server of this name a client's connections (peer/stream.h) keep. */
int peer_context_known(const struct peer_context *context, const char *name);

/** A client's sessions are gone. */
void peer_context_forget(struct peer_context *context);

/** NULL is allowed. */
void peer_context_free(struct peer_context *context);

/** "OpenSSL 3.0.17 1 Jul 2025", of the library that runs. */
const char *peer_ssl_version(void);

#endif
