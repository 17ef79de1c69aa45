/*
 * socket/peer.c: see peer.h. Read first: connect(2), send(2), ip(7), ipv6(7).
 */
#include "socket/peer.h"

#include <errno.h>

#include "socket/address.h"

void peer_at_home(const struct sock *sock, struct tlsyn_endpoint *to)
{
    static const uint8_t octets[4] = {127, 0, 0, 1};
    const struct tlsyn_addr *local = &sock->local.addr, home6 = {{[15] = 1}};
    bool ip4 = tlsyn_addr_is_ip4(local);

    if (!tlsyn_addr_unspecified(&to->addr))
        return;
    if (tlsyn_addr_is_ip4(&to->addr))
        to->addr = ip4 && !tlsyn_addr_unspecified(local) ? *local : tlsyn_addr_ip4(octets);
    else
        to->addr = ip4 ? tlsyn_addr_ip4(octets) : home6;
}

bool peer_is_plain_ip4(const struct sock *sock, const struct sockaddr *address, socklen_t length)
{
    return sock->type == SOCK_DGRAM && sock->domain == AF_INET6 && address &&
           length >= sizeof(address->sa_family) && length <= sizeof(struct sockaddr_storage) &&
           address->sa_family == AF_INET;
}

int peer_to_connect(const struct sock *sock, const struct sockaddr *address, socklen_t length,
                    struct tlsyn_endpoint *to)
{
    bool plain = peer_is_plain_ip4(sock, address, length);
    int error = plain && sock->options.v6only
                    ? -EAFNOSUPPORT
                    : address_take(plain ? AF_INET : sock->domain, address, length, to);

    if (error < 0)
        return error;
    peer_at_home(sock, to);
    return sock->options.v6only && tlsyn_addr_is_ip4(&to->addr) ? -ENETUNREACH : 0;
}
