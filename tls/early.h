/*
 * early.h: 0-RTT data, both ends: what of it is allowed, and the server's answer to it before the
 * handshake is complete. The theory stands in early.c.
 */
#ifndef TLSYN_TLS_EARLY_H
#define TLSYN_TLS_EARLY_H

#include <mbedtls/ssl.h>
#include <tlsyn/tls.h>

#include "keys.h"

/** Part of a session. All zero: no early data. */
struct early {
    bool opening;          /* client: we are in on_open, where early data may be written */
    bool offered;          /* the ClientHello says that early data follows */
    bool accepted;         /* server: by now; client: the server said so */
    bool counted;          /* server: what became of it */
    uint64_t allowed;      /* client: by the ticket */
    uint64_t first_flight; /* client: bytes that may be in it; UINT64_MAX: it is not in the SYN */
    uint64_t bytes;        /* written early, or read early */
    struct traffic_keys keys; /* server: of 0.5-RTT data; none before its Finished */
};

/** Whether a client's user wants early data; `again`: what is rejected is written again. */
bool early_is_wanted(const struct tlsyn_tls_config *config, bool again);

/** mbedTLS's certificate callback, a server's: the last moment at which early data can be refused,
 * and the first at which the PSK is known to be genuine. Always 0. */
int early_judge(mbedtls_ssl_context *ssl);

/** A secret came to be, of which early data may need to know. */
void early_secret(struct tlsyn_tls *tls, mbedtls_ssl_key_export_type type,
                  const unsigned char *secret, size_t len);

/** mbedtls_ssl_handshake_step(), with the numbers of the server's records kept in one row. */
int early_step(struct tlsyn_tls *tls);

/** After the user's on_open: where he wrote nothing, nothing is offered. */
void early_settle(struct tlsyn_tls *tls);

/** The handshake is complete: what became of early data. */
void early_conclude(struct tlsyn_tls *tls);

/** Server: may 0.5-RTT data be written? */
bool early_is_open(const struct tlsyn_tls *tls);

/** Server: early plaintext is readable; an empty record is passed over. */
bool early_is_readable(struct tlsyn_tls *tls);

/** As tlsyn_tls_read() and tlsyn_tls_write(), before the handshake is complete. */
ssize_t early_read(struct tlsyn_tls *tls, void *bytes, size_t n);
ssize_t early_write(struct tlsyn_tls *tls, const void *bytes, size_t n);

enum tlsyn_tls_early early_outcome(const struct tlsyn_tls *tls);

void early_fini(struct early *early);

#endif
