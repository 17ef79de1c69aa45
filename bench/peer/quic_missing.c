/*
 * peer/quic_missing.c: takes quic.c's place where ngtcp2 is not installed.
 */
#include "peer/quic.h"

bool peer_quic_is_there(void)
{
    return false;
}

const char *peer_quic_version(void)
{
    return "not there: tlsyn was built without ngtcp2";
}
