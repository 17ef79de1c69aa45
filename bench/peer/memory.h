/*
 * peer/memory.h: a client's sessions, by the names of their servers. Private to the room.
 */
#ifndef PEER_MEMORY_H
#define PEER_MEMORY_H

#include <openssl/ssl.h>

enum { PEER_SERVER_MAX = 256 }; /* bytes of a server's name, with its zero */

struct peer_memory;

/** NULL: memory is short. */
struct peer_memory *peer_memory_new(void);

/** NULL is allowed. */
void peer_memory_free(struct peer_memory *memory);

/** Keeps a session, whose reference it takes over; when there is no more room, in the place of the
 * oldest. */
void peer_memory_keep(struct peer_memory *memory, const char *name, SSL_SESSION *session);

/** The newest session with the server, or NULL; the reference is the caller's. One of TLS 1.3 is
 * good once (RFC 8446 C.4), and is no longer kept. */
SSL_SESSION *peer_memory_take(struct peer_memory *memory, const char *name);

/** How many sessions with the server there are. */
int peer_memory_known(const struct peer_memory *memory, const char *name);

#endif
