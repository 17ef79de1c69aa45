/*
 * peer/quic.c: what QUIC there is.
 */
#include "peer/quic.h"

#include <gnutls/gnutls.h>
#include <ngtcp2/ngtcp2.h>
#include <stdio.h>

bool peer_quic_is_there(void)
{
    return true;
}

const char *peer_quic_version(void)
{
    static char text[64];

    (void)snprintf(text, sizeof(text), "ngtcp2 %s, GnuTLS %s", ngtcp2_version(0)->version_str,
                   gnutls_check_version(NULL));
    return text;
}
