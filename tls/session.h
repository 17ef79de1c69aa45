/*
 * session.h: returning: what a client keeps of a session and brings back, and what a server makes
 * of it. Read first: RFC 8446 2.2, 4.6.1, C.4; RFC 5077 3; RFC 5246 7.3, F.1.4.
 *
 *     client  session_offer (before the ClientHello) -> session_settle (the server has answered)
 *                 -> session_keep (a ticket came)
 *     server  session_setup gives mbedTLS the calls by which it keeps and finds sessions
 *
 * What the store gets is opaque to it:
 *
 *     format (1) | kind (1) | good until (8) | proven until (8) | mbedTLS's session | checksum (8)
 *
 * The checksum is over the store's key too: an entry that was damaged, cut off, or stands under
 * another name is passed over. It keeps accidents out, not attackers: who can write into the store
 * can read the secrets in it.
 */
#ifndef TLSYN_TLS_SESSION_H
#define TLSYN_TLS_SESSION_H

#include <tlsyn/tls.h>

#include "session_ids.h"
#include "ticket.h"

/** A name of 255 bytes, a port, a suite, what is trusted. */
#define SESSION_KEY 320

/** A larger one is not kept. */
#define SESSION_BYTES 4096

/** Tickets kept of one connection; a server may send as many as it likes. As many as a browser
 * opens connections, each of which uses one up (RFC 8446 C.4). */
#define SESSION_TICKETS 16

/** What a session that is kept is, and how long. Wall clock, seconds. */
struct session_terms {
    enum tlsyn_tls_session kind;
    int64_t until;  /* it may be offered */
    int64_t proven; /* the certificate by which the server showed who it is counts */
};

/** What a client offers. */
struct session_offer {
    struct session_terms terms; /* of the kind NEW: nothing was offered */
    uint8_t *bytes;             /* as the store has them, until the server has answered, or NULL */
    size_t len;
};

/** A server's part of a config. */
struct session_server {
    bool tickets_on;
    struct tickets tickets;
    struct session_ids ids;
};

/** Client: puts the session that the store has for this server into the hello that will be
 * written, if there is one. What cannot be used is passed over. 0, or
 * MBEDTLS_ERR_SSL_ALLOC_FAILED. */
int session_offer(struct tlsyn_tls *tls);

/** Client: the handshake is complete, or failed: what was refused or replaced leaves the store,
 * what is new goes there. */
void session_settle(struct tlsyn_tls *tls);

/** Client: a ticket came; gives the store what this connection can be resumed by. */
void session_keep(struct tlsyn_tls *tls);

/** Wipes and frees. */
void session_offer_fini(struct tlsyn_tls *tls);

/** The kind by which this session came to be; it is complete. */
enum tlsyn_tls_session session_kind(const struct tlsyn_tls *tls);

/** Prepares a config for what its options say. 0 or -ENOMEM. */
int session_setup(struct tlsyn_tls_config *config, const struct tlsyn_tls_options *options);

void session_teardown(struct tlsyn_tls_config *config);

/** Server: the client asks for this name (RFC 6066 3): a session of another is not resumed.
 * 0, or negative: one was resumed already, and it is of another. */
int session_name_asked(struct tlsyn_tls *tls, const unsigned char *name, size_t len);

/** Server: its tickets shall leave with its Finished, and not behind the client's. */
bool session_speaks_ahead(const struct tlsyn_tls *tls);

/** The bytes of an entry of this key, as a session. 0: `session` (initialised) holds it, to be
 * freed; negative: not usable. */
int session_decode(const char *key, int64_t now, const uint8_t *bytes, size_t len,
                   mbedtls_ssl_session *session, struct session_terms *terms);

#endif
