/*
 * hello.h: what a ClientHello says about early data (RFC 8446 4.2.10, 4.2.11).
 */
#ifndef TLSYN_TLS_HELLO_H
#define TLSYN_TLS_HELLO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "identity.h"

struct hello {
    bool early;          /* it has the extension early_data */
    struct bytes binder; /* of the first PSK; len 0: it offers none. Points into the message. */
};

/** Reads a ClientHello as a handshake message, from its type on. False: it is none. */
bool hello_parse(const void *message, size_t len, struct hello *hello);

#endif
