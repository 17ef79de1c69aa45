/*
 * socket/option.c: getsockopt and setsockopt: which option is meant, and in which order Linux finds
 * fault. Nearly all options are one int (option_int.c); the others are in option_bytes.c.
 */
#include "socket/option.h"

#include <errno.h>
#include <limits.h>
#include <netinet/in.h>

void option_give(const void *from, size_t size, void *value, socklen_t *length)
{
    if (*length > size)
        *length = (socklen_t)size;
    if (*length > 0)
        memcpy(value, from, *length);
}

int option_set(struct sock *sock, int level, int name, const void *value, socklen_t length)
{
    const struct option_int *number = option_int_find(sock, level, name);
    const struct option_bytes *bytes = option_bytes_find(sock, level, name);
    bool at_least_int = level == SOL_SOCKET || (level == IPPROTO_TCP && sock->type == SOCK_STREAM);

    if (length > INT_MAX)
        return -EINVAL;
    if ((number || at_least_int) && !value && length > 0)
        return -EFAULT;
    if (number)
        return option_int_set(sock, number, value, length);
    if (at_least_int && length < sizeof(int) && !(bytes && bytes->any_length))
        return -EINVAL;
    return bytes && bytes->set ? bytes->set(sock, value, length) : -ENOPROTOOPT;
}

/* What Linux says of an option that the level does not have, or of a level that the socket does
 * not have. */
static int not_there(const struct sock *sock, int level)
{
    int own = sock->type == SOCK_STREAM ? IPPROTO_TCP : IPPROTO_UDP;

    if (level == SOL_SOCKET || level == SOL_TLSYN || level == IPPROTO_IP || level == own)
        return -ENOPROTOOPT;
    return sock->domain == AF_INET ? -EOPNOTSUPP : -ENOPROTOOPT;
}

int option_get(struct sock *sock, int level, int name, void *value, socklen_t *length)
{
    const struct option_int *number = option_int_find(sock, level, name);
    const struct option_bytes *bytes = option_bytes_find(sock, level, name);

    if (!length || (!value && *length > 0))
        return -EFAULT;
    if (*length > INT_MAX)
        return -EINVAL;
    if (number)
        return option_int_get(sock, number, value, length);
    return bytes ? bytes->get(sock, value, length) : not_there(sock, level);
}
