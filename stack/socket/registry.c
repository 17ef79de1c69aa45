/*
 * socket/registry.c: see registry.h.
 */
#include "socket/registry.h"

#include <errno.h>
#include <stdlib.h>

#include "socket/sock.h"

#define SMALLEST 64

static struct {
    pthread_mutex_t lock;
    struct sock **at; /* by descriptor */
    size_t size;
} registry = {.lock = PTHREAD_MUTEX_INITIALIZER};

static int make_room(size_t fd)
{
    size_t size = registry.size ? registry.size : SMALLEST;
    struct sock **at;

    while (size <= fd)
        size *= 2;
    if (size == registry.size)
        return 0;
    at = realloc(registry.at, size * sizeof(*at));
    if (!at)
        return -ENOMEM;
    memset(at + registry.size, 0, (size - registry.size) * sizeof(*at));
    registry.at = at;
    registry.size = size;
    return 0;
}

int registry_add(int fd, struct sock *sock, struct sock **stale)
{
    int error;

    pthread_mutex_lock(&registry.lock);
    error = make_room((size_t)fd);
    if (error == 0) {
        *stale = registry.at[fd];
        registry.at[fd] = sock;
        sock_hold(sock);
    }
    pthread_mutex_unlock(&registry.lock);
    return error;
}

struct sock *registry_get(int fd)
{
    struct sock *sock = NULL;

    pthread_mutex_lock(&registry.lock);
    if (fd >= 0 && (size_t)fd < registry.size)
        sock = registry.at[fd];
    if (sock)
        sock_hold(sock);
    pthread_mutex_unlock(&registry.lock);
    return sock;
}

bool registry_remove(int fd, const struct sock *sock)
{
    bool found;

    pthread_mutex_lock(&registry.lock);
    found = fd >= 0 && (size_t)fd < registry.size && registry.at[fd] == sock;
    if (found)
        registry.at[fd] = NULL;
    pthread_mutex_unlock(&registry.lock);
    return found;
}
