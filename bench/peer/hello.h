/*
 * peer/hello.h: the first flight of an OpenSSL client, by itself: what somebody who forges SYNs
 * would put into them.
 */
#ifndef PEER_HELLO_H
#define PEER_HELLO_H

#include "peer/context.h"

#include <stdint.h>

/** Writes the ClientHello's record for a server of this name. Its length, or -ENOMEM, -EMSGSIZE. */
int peer_hello(struct peer_context *client, const char *name, uint8_t *bytes, size_t size);

#endif
