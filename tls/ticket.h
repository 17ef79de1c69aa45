/*
 * ticket.h: a server's session tickets: its sessions, sealed under a key that only it has, for the
 * client to bring back. Read first: RFC 5077, RFC 8446 4.6.1, 4.2.11.
 *
 * A key seals for one lifetime and opens for two; then it is wiped, and what was sealed under it is
 * lost to everybody. What a ticket is good for is authenticated with it: the version of the
 * protocol and the name that the client asked for. mbedTLS's own tickets (mbedtls/ssl_ticket.h)
 * know neither, and would take one of TLS 1.3 for a session of TLS 1.2 whose master secret is zero.
 */
#ifndef TLSYN_TLS_TICKET_H
#define TLSYN_TLS_TICKET_H

#include <mbedtls/gcm.h>
#include <mbedtls/ssl.h>
#include <tlsyn/stack.h>

/** RFC 8446 4.6.1: seven days. */
#define TICKET_LIFETIME_MAX 604800

#define TICKET_NAME 8

struct ticket_key {
    uint8_t name[TICKET_NAME]; /* by which we know it again; random */
    mbedtls_gcm_context gcm;   /* AES-256 */
    int64_t made;              /* wall clock, seconds; 0: there is no such key */
    uint32_t sealed;
};

struct tickets {
    struct ticket_key key[2];
    int active;
    uint32_t lifetime; /* seconds */
    struct tlsyn_random *random;
};

/** What a session belongs to: it is resumed for no other. */
struct ticket_owner {
    uint16_t version;  /* 0x0304 */
    uint8_t asked[32]; /* digest of the name that the client asked for; zero: none */
};

/** No key is made before it is needed. */
void tickets_init(struct tickets *t, uint32_t lifetime, struct tlsyn_random *random);

/** Wipes the keys. */
void tickets_fini(struct tickets *t);

/** Writes a ticket at `start`, before `end`. 0, or a negative code of mbedTLS's. */
int tickets_seal(struct tickets *t, int64_t now, const struct ticket_owner *owner,
                 const mbedtls_ssl_session *session, unsigned char *start, const unsigned char *end,
                 size_t *len);

/** Opens a ticket in place; the session is initialised and empty. 0;
 * MBEDTLS_ERR_SSL_INVALID_MAC: not ours, altered, or of another owner;
 * MBEDTLS_ERR_SSL_SESSION_TICKET_EXPIRED; or another negative code. */
int tickets_open(struct tickets *t, int64_t now, const struct ticket_owner *owner,
                 unsigned char *ticket, size_t len, mbedtls_ssl_session *session);

#endif
