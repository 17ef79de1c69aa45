/*
 * socket/peer.c: see peer.h. Read first: connect(2), send(2), ip(7), ipv6(7).
 */
#include "socket/peer.h"

#include <errno.h>
#include <netinet/in.h>
#include <string.h>

#include "socket/address.h"

/* BSD's way of saying "here": the address that the socket is bound to, or the loopback. */
static void point_home(const struct sock *sock, struct tlsyn_endpoint *to)
{
    static const uint8_t octets[4] = {127, 0, 0, 1};
    const struct tlsyn_addr *local = &sock->local.addr, home6 = {{[15] = 1}};
    bool bound4 = tlsyn_addr_is_ip4(local) && !tlsyn_addr_unspecified(local);

    if (!tlsyn_addr_unspecified(&to->addr))
        return;
    if (tlsyn_addr_is_ip4(&to->addr))
        to->addr = bound4 ? *local : tlsyn_addr_ip4(octets);
    else
        to->addr = bound4 ? tlsyn_addr_ip4(octets) : home6;
}

/* An IPv6 socket for datagrams takes IPv4's addresses as they are. */
static bool is_plain_ip4(const struct sock *sock, const struct sockaddr *address, socklen_t length)
{
    return sock->type == SOCK_DGRAM && sock->domain == AF_INET6 && address &&
           length >= sizeof(address->sa_family) && length <= sizeof(struct sockaddr_storage) &&
           address->sa_family == AF_INET;
}

int peer_to_connect(const struct sock *sock, const struct sockaddr *address, socklen_t length,
                    struct tlsyn_endpoint *to)
{
    bool plain = is_plain_ip4(sock, address, length);
    int error = plain && sock->options.v6only
                    ? -EAFNOSUPPORT
                    : address_take(plain ? AF_INET : sock->domain, address, length, to);

    if (error == 0)
        point_home(sock, to);
    return error;
}

int peer_to_send(const struct sock *sock, const struct sockaddr *address, socklen_t length,
                 struct tlsyn_endpoint *to, bool *named)
{
    bool plain = is_plain_ip4(sock, address, length), datagram = sock->type == SOCK_DGRAM;
    struct sockaddr_storage copy = {0};
    int error;

    *named = true;
    if (length > sizeof(copy))
        return -EINVAL;
    memcpy(&copy, address, length);
    if (datagram && sock->domain == AF_INET6 && length >= sizeof(copy.ss_family)) {
        *named = copy.ss_family != AF_UNSPEC;
        if (!*named)
            return 0;
        if (copy.ss_family != AF_INET && copy.ss_family != AF_INET6)
            return -EINVAL;
    }
    if (datagram && sock->domain == AF_INET && copy.ss_family == AF_UNSPEC)
        copy.ss_family = AF_INET;
    error = address_take(plain ? AF_INET : sock->domain, (struct sockaddr *)&copy, length, to);
    if (error == 0 && sock->options.v6only && tlsyn_addr_is_ip4(&to->addr))
        error = -ENETUNREACH;
    if (error == 0 && to->port == 0 && datagram)
        error = -EINVAL;
    if (error == 0)
        point_home(sock, to);
    return error;
}
