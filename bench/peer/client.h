/*
 * peer/client.h: one timed handshake and exchange over the kernel's TCP.
 */
#ifndef PEER_CLIENT_H
#define PEER_CLIENT_H

#include "peer/context.h"

#include <stdbool.h>
#include <stdint.h>

struct peer_target {
    struct peer_context *context;
    const char *address; /* IPv4 as text */
    uint16_t port;
    const char *name;    /* verified in the certificate, and sent as SNI */
    const char *request; /* written as soon as the handshake is complete */
    int timeout_ms;      /* of each wait for the peer */
    bool fast_open;      /* the ClientHello rides in the SYN, if the kernel has a cookie */
};

/** Times are microseconds since just before socket(2). */
struct peer_observation {
    /* The request can be written: the server's Finished is verified (SSL_connect(3) has returned),
     * or early data was written. */
    double handshake_us;
    double first_byte_us; /* the first byte of the response was read */
    char version[16], cipher[48], group[24];
    char reason[PEER_MESSAGE_MAX]; /* on failure */
};

/** Opens, exchanges, and resets the connection, so that nothing of it is on the way when the next
 * is measured. 0, or -errno with a reason (-EPROTO: TLS failed; -ENOTSUP: it was not resumed,
 * early or embedded as asked: the first of its kind never is, and leaves what the next needs). */
int peer_exchange(const struct peer_target *target, struct peer_observation *seen);

/** TCP's connect alone, to the target's address and port: microseconds since just before socket(2);
 * the connection is reset. 0 or -errno. */
int peer_connect(const struct peer_target *target, double *us);

#endif
