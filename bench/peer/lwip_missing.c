/*
 * peer/lwip_missing.c: takes lwip.c's place where liblwip is not installed.
 */
#include "peer/lwip.h"

#include <errno.h>

bool peer_lwip_is_there(void)
{
    return false;
}

const char *peer_lwip_description(void)
{
    return "not there: tlsyn was built without liblwip-dev";
}

int peer_lwip_open(const char *kernel, const char *own, const struct peer_lwip_events *events,
                   void *user, struct peer_lwip **lwip)
{
    (void)kernel;
    (void)own;
    (void)events;
    (void)user;
    (void)lwip;
    return -EOPNOTSUPP;
}

void peer_lwip_free(struct peer_lwip *lwip)
{
    (void)lwip;
}

int peer_lwip_listen(struct peer_lwip *lwip, uint16_t port)
{
    (void)lwip;
    (void)port;
    return -EOPNOTSUPP;
}

int peer_lwip_connect(struct peer_lwip *lwip, const char *address, uint16_t port)
{
    (void)lwip;
    (void)address;
    (void)port;
    return -EOPNOTSUPP;
}

bool peer_lwip_poll(struct peer_lwip *lwip)
{
    (void)lwip;
    return false;
}

int peer_lwip_fd(const struct peer_lwip *lwip)
{
    (void)lwip;
    return -1;
}

size_t peer_lwip_room(const struct peer_lwip *lwip)
{
    (void)lwip;
    return 0;
}

int peer_lwip_write(struct peer_lwip *lwip, const uint8_t *bytes, size_t n)
{
    (void)lwip;
    (void)bytes;
    (void)n;
    return -EOPNOTSUPP;
}

int peer_lwip_close(struct peer_lwip *lwip)
{
    (void)lwip;
    return -EOPNOTSUPP;
}
