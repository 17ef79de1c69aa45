/*
 * peer/quic.h: QUIC v1 by ngtcp2 and GnuTLS, which tlsyn may have been built without.
 */
#ifndef PEER_QUIC_H
#define PEER_QUIC_H

#include <stdbool.h>

/** Whether it is there. */
bool peer_quic_is_there(void);

/** "ngtcp2 0.12.1, GnuTLS 3.7.9", of the libraries that run; or that it isn't there. */
const char *peer_quic_version(void);

#endif
