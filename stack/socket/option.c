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
    static const int none = 0;
    bool at_least_int = level == SOL_SOCKET || (level == IPPROTO_TCP && sock->type == SOCK_STREAM);

    if (length > INT_MAX)
        return -EINVAL;
    if (!value && level == IPPROTO_IPV6) { /* there, no value is a zero */
        value = &none;
        length = length < sizeof(none) ? length : sizeof(none);
    }
    if (at_least_int && length < sizeof(int) && !(bytes && bytes->any_length))
        return -EINVAL;
    if ((number || at_least_int) && !value && length > 0)
        return -EFAULT;
    if (number)
        return option_int_set(sock, number, value, length);
    return bytes && bytes->set ? bytes->set(sock, value, length) : -ENOPROTOOPT;
}

static bool has_level(const struct sock *sock, int level)
{
    int own = sock->type == SOCK_STREAM ? IPPROTO_TCP : IPPROTO_UDP;

    return level == SOL_SOCKET || level == SOL_TLSYN || level == IPPROTO_IP || level == own ||
           (level == IPPROTO_IPV6 && sock->domain == AF_INET6);
}

int option_get(struct sock *sock, int level, int name, void *value, socklen_t *length)
{
    const struct option_int *number = option_int_find(sock, level, name);
    const struct option_bytes *bytes = option_bytes_find(sock, level, name);
    char bin[64]; /* where there is no room, Linux finds out when it copies */
    socklen_t n;
    int error;

    if (!has_level(sock, level))
        return sock->domain == AF_INET ? -EOPNOTSUPP : -ENOPROTOOPT;
    if (!length)
        return -EFAULT;
    if (*length > INT_MAX && level != IPPROTO_IPV6)
        return -EINVAL;
    if (!number && !bytes)
        return -ENOPROTOOPT;
    n = value || *length < sizeof(bin) ? *length : sizeof(bin);
    error = number ? option_int_get(sock, number, value ? value : bin, &n)
                   : bytes->get(sock, value ? value : bin, &n);
    if (error < 0)
        return error;
    *length = n;
    return value || n == 0 ? 0 : -EFAULT;
}
