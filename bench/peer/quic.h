/*
 * peer/quic.h: QUIC v1 by ngtcp2 and GnuTLS, which tlsyn may have been built without: a client and
 * a server that exchange a request and a response on a stream, without HTTP/3.
 *
 * The same suite, groups and certificate as the other peers' (TLS_AES_128_GCM_SHA256; X25519,
 * P-256), sessions new or resumed as asked.
 */
#ifndef PEER_QUIC_H
#define PEER_QUIC_H

#include "peer/client.h"
#include "peer/context.h"

#include <stdbool.h>
#include <stdint.h>

/** Whether it is there; if not, the calls below fail with -EOPNOTSUPP. */
bool peer_quic_is_there(void);

/** "ngtcp2 0.12.1, GnuTLS 3.7.9", of the libraries that run; or that it isn't there. */
const char *peer_quic_version(void);

/* --- server ----------------------------------------------------------------------------------- */

struct peer_quic_service {
    uint16_t port;
    enum peer_session session; /* PEER_NEW, PEER_PSK or PEER_EARLY */
};

struct peer_quic_server {
    const char *address; /* IPv4 as text */
    const struct peer_identity *identity;
    const struct peer_quic_service *services;
    int count; /* 1 to PEER_SESSIONS */
    const char *response;
    int64_t pad_us;        /* each handshake stands still so long before its first packet is read */
    int control;           /* the server ends when this descriptor's other end is closed */
    void (*ready)(void *); /* called when every port is bound */
    void *ready_argument;
};

/** Serves one connection per port at a time, until the control descriptor ends: 0; or -errno if it
 * can't. */
int peer_quic_serve(const struct peer_quic_server *server);

/* --- client ----------------------------------------------------------------------------------- */

/** A client's settings, and its last session for the next connection. */
struct peer_quic_client;

/** It trusts `ca` (PEM) alone and verifies. 0, -ENOMEM, -EPROTO, -EOPNOTSUPP. */
int peer_quic_client_new(enum peer_session session, const char *ca,
                         struct peer_quic_client **client);
/** NULL is allowed. */
void peer_quic_client_free(struct peer_quic_client *client);

/** As peer_exchange(); of the target the context is not looked at. Times are microseconds since
 * just before socket(2): until the handshake is complete or early data was sent, and until the
 * first byte of the response. */
int peer_quic_exchange(struct peer_quic_client *client, const struct peer_target *target,
                       struct peer_observation *seen);

#endif
