/*
 * peer/quic_end.h: one end of a QUIC connection: packets in and out, one stream, timers. Private to
 * the room.
 */
#ifndef PEER_QUIC_END_H
#define PEER_QUIC_END_H

#include "peer/context.h"

#include <gnutls/gnutls.h>
#include <netinet/in.h>
#include <ngtcp2/ngtcp2.h>
#include <ngtcp2/ngtcp2_crypto.h>
#include <stdbool.h>

#define QUIC_ALPN      "tlsyn"
#define QUIC_EARLY_MAX 0xffffffffU /* RFC 9001 4.6.1: the only value that allows early data */

struct quic_end {
    ngtcp2_crypto_conn_ref ref; /* from GnuTLS's session to the connection; first member */
    ngtcp2_conn *conn;
    gnutls_session_t tls;
    int fd;
    struct sockaddr_in local, remote;
    ngtcp2_path path;
    int64_t stream;   /* -1: not open yet */
    const char *text; /* what is to be sent on it, and ends it; or NULL */
    size_t sent;
    bool established;
    /** Events, inside quic_end_read(); either may be NULL. */
    void (*on_established)(struct quic_end *);
    void (*on_text)(struct quic_end *, int64_t stream);
};

/** Sets ref and path up; fd, local and remote are there. */
void quic_end_init(struct quic_end *end);
void quic_end_fini(struct quic_end *end);

/** Sets GnuTLS's session up as both ends need it. 0 or -EPROTO. */
int quic_end_tls(struct quic_end *end);

/** Callbacks and parameters that both ends share. */
ngtcp2_callbacks quic_end_callbacks(void);
ngtcp2_settings quic_end_settings(void);
ngtcp2_transport_params quic_end_params(void);

/** A random connection ID. */
ngtcp2_cid quic_end_cid(void);

/** Takes one packet. 0; -EPIPE: the other end has closed; -EPROTO. */
int quic_end_read(struct quic_end *end, const uint8_t *packet, size_t n);

/** Sends all that may be sent. 0, -errno. */
int quic_end_write(struct quic_end *end);

/** Runs timers that are due, and writes. 0; -ETIMEDOUT, -EPROTO: it is over. */
int quic_end_timers(struct quic_end *end);

/** Milliseconds until a timer is due, at most `most`. */
int quic_end_wait_ms(const struct quic_end *end, int most);

/** Tells the other end that this one has gone. */
void quic_end_close(struct quic_end *end);

#endif
