/*
 * peer/server.h: the stock server: one connection at a time, which is all that a measurement opens.
 */
#ifndef PEER_SERVER_H
#define PEER_SERVER_H

#include "peer/context.h"

#include <stdbool.h>
#include <stdint.h>

enum { PEER_SERVICES_MAX = PEER_SUITES * PEER_SESSIONS };

struct peer_service {
    uint16_t port;
    struct peer_context *context; /* the server's own from here on, but for freeing */
};

struct peer_server {
    const char *address; /* IPv4 as text */
    const struct peer_service *services;
    int count;            /* 1 to PEER_SERVICES_MAX */
    bool fast_open;       /* SYNs may bring data, where net.ipv4.tcp_fastopen allows it */
    const char *response; /* to whatever the client writes first */
    int64_t pad_us; /* each handshake stands still so long once the ClientHello is read; 0: not */
    int timeout_ms; /* of each wait for a connected client */
    int control;    /* the server ends when this descriptor's other end is closed */
    void (*ready)(void *); /* called when every port listens */
    void *ready_argument;
};

/** Serves until the control descriptor ends: 0; or -errno if it can't. */
int peer_serve(const struct peer_server *server);

#endif
