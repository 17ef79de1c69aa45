/*
 * peer/quic_missing.c: takes the place of the other quic*.c where ngtcp2 is not installed.
 */
#include "peer/quic.h"

#include <errno.h>

bool peer_quic_is_there(void)
{
    return false;
}

const char *peer_quic_version(void)
{
    return "not there: tlsyn was built without ngtcp2";
}

int peer_quic_serve(const struct peer_quic_server *server)
{
    (void)server;
    return -EOPNOTSUPP;
}

int peer_quic_client_new(enum peer_session session, const char *ca,
                         struct peer_quic_client **client)
{
    (void)session;
    (void)ca;
    (void)client;
    return -EOPNOTSUPP;
}

void peer_quic_client_free(struct peer_quic_client *client)
{
    (void)client;
}

int peer_quic_exchange(struct peer_quic_client *client, const struct peer_target *target,
                       struct peer_observation *seen)
{
    (void)client;
    (void)target;
    (void)seen;
    return -EOPNOTSUPP;
}
