/*
 * socket/datagram_send.c: SOCK_DGRAM: what is sent, and to whom. Read first: udp(7), ip(7),
 * ipv6(7).
 *
 * Faults are found in Linux's order. There an IPv6 socket has two halves: what goes to an address
 * of IPv4, mapped or plain, takes the way of an IPv4 socket (udp_sendmsg()), all else its own
 * (udpv6_sendmsg()).
 */
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>

#include "socket/address.h"
#include "socket/datagram.h"
#include "socket/errqueue.h"
#include "socket/peer.h"

/* --- to whom ---------------------------------------------------------------------------------- */

static int check4(size_t n, int flags)
{
    if (n > UINT16_MAX)
        return -EMSGSIZE;
    return flags & MSG_OOB ? -EOPNOTSUPP : 0;
}

static int addressee4(const struct sock *sock, const struct msghdr *message,
                      struct tlsyn_endpoint *to, bool *named)
{
    struct sockaddr_storage copy = {0};
    int error;

    *named = message->msg_name != NULL;
    if (!*named)
        return sock->dgram.connected ? 0 : -EDESTADDRREQ;
    memcpy(&copy, message->msg_name, message->msg_namelen);
    if (copy.ss_family == AF_UNSPEC)
        copy.ss_family = AF_INET;
    error = address_take(AF_INET, (struct sockaddr *)&copy, message->msg_namelen, to);
    if (error == 0 && to->port == 0)
        error = -EINVAL;
    if (error == 0)
        peer_at_home(sock, to);
    return error;
}

static int addressee6(const struct sock *sock, const struct msghdr *message,
                      struct tlsyn_endpoint *to, bool *named)
{
    const struct sockaddr *address = message->msg_name;
    int error = 0;

    *named = address && message->msg_namelen >= sizeof(address->sa_family) &&
             address->sa_family != AF_UNSPEC;
    if (address && message->msg_namelen < sizeof(address->sa_family))
        return -EINVAL;
    if (*named && address->sa_family != AF_INET6)
        return -EINVAL;
    if (!*named && !sock->dgram.connected)
        return -EDESTADDRREQ;
    *to = sock->remote;
    if (*named)
        error = address_take(AF_INET6, address, message->msg_namelen, to);
    if (error == 0 && *named)
        peer_at_home(sock, to);
    return error;
}

int datagram_addressee(struct sock *sock, const struct msghdr *message, size_t n, int flags,
                       struct tlsyn_endpoint *to, bool *named)
{
    int error = datagram_autobind(sock);

    if (error < 0)
        return error;
    if (sock->domain == AF_INET ||
        peer_is_plain_ip4(sock, message->msg_name, message->msg_namelen)) {
        if (sock->options.v6only)
            return -ENETUNREACH;
        error = check4(n, flags);
        return error < 0 ? error : addressee4(sock, message, to, named);
    }
    error = addressee6(sock, message, to, named);
    if (error < 0)
        return error;
    if (tlsyn_addr_is_ip4(&to->addr))
        error = sock->options.v6only ? -ENETUNREACH : check4(n, flags);
    else if (!*named)
        return 0;
    return error == 0 && to->port == 0 ? -EINVAL : error;
}

/* --- out -------------------------------------------------------------------------------------- */

/* What the endpoint makes of it, or, `dry`, would find fault with. What is said of this one
 * datagram alone is the endpoint's meanwhile. */
static int attempt(struct sock *sock, const struct tlsyn_udp_message *message,
                   const struct sock_sending *how, bool dry)
{
    const struct tlsyn_endpoint *to = message->to ? message->to : &sock->remote;
    struct tlsyn_udp *udp = sock->dgram.udp;
    struct tlsyn_udp_options options;
    int group_ttl = address_is_group4(&to->addr) ? sock->options.group_ttl : -1;
    bool stays = group_ttl == 0 && how->ttl < 0; /* within the net, where no group has members */
    int error, mtu;

    datagram_options(sock, tlsyn_addr_is_ip4(&to->addr), &options);
    options.ttl = group_ttl < 0 ? options.ttl : (uint8_t)group_ttl;
    options.tos = how->tos < 0 ? options.tos : (uint8_t)how->tos;
    options.ttl = how->ttl < 0 ? options.ttl : (uint8_t)how->ttl;
    tlsyn_udp_set_options(udp, &options);
    error = dry || stays ? tlsyn_udp_check(udp, message) : tlsyn_udp_send_message(udp, message);
    mtu = error == -EMSGSIZE ? tlsyn_udp_mtu(udp, to) : 0;
    datagram_apply(sock);
    if (mtu > 0 && errqueue_wanted(sock, &to->addr))
        errqueue_add_too_long(sock, to, (uint32_t)mtu);
    if (error == -EADDRNOTAVAIL && message->from) /* as Linux has it */
        return tlsyn_addr_is_ip4(message->from) ? -ENETUNREACH : -EINVAL;
    return error;
}

/* Room for what waits to leave there may be none just now: on_writable follows. */
static int send_bytes(struct sock *sock, const struct tlsyn_udp_message *message,
                      const struct sock_sending *how, tlsyn_time deadline)
{
    int error = attempt(sock, message, how, false);

    while (error == -EAGAIN) {
        sock->dgram.full = true;
        sock_changed(sock);
        error = sock_wait(sock, deadline);
        if (error < 0)
            break;
        error = sock->dgram.udp ? attempt(sock, message, how, false) : -ENETDOWN;
    }
    return error;
}

/* What keeps a datagram here: a wrong way is found first (Linux's sock_alloc_send_pskb() comes
 * behind the route). 0: nothing does. */
static int find_fault(struct sock *sock, const struct tlsyn_udp_message *message,
                      const struct sock_sending *how, bool faulty)
{
    int error;

    if (!sock->error && !(sock->shut & SOCK_SHUT_WR) && !faulty &&
        tlsyn_view_len(&message->text) <= UINT16_MAX)
        return 0;
    error = attempt(sock, message, how, true);
    if (error < 0)
        return error;
    if (sock->error)
        return sock_take_error(sock);
    return sock->shut & SOCK_SHUT_WR ? -EPIPE : -EFAULT;
}

/* As the message has it, or, to a group of IPv4 from a socket without address, IP_MULTICAST_IF. */
static struct tlsyn_addr source_of(const struct sock *sock, const struct sock_sending *how)
{
    const struct tlsyn_addr *to = how->to ? &how->to->addr : &sock->remote.addr;
    const struct in_addr *source = &sock->options.group_source;
    uint8_t octets[4];

    memcpy(octets, source, sizeof(octets));
    if (tlsyn_addr_unspecified(&how->from) && source->s_addr && !sock->bound_addr &&
        address_is_group4(to))
        return tlsyn_addr_ip4(octets);
    return how->from;
}

ssize_t datagram_send(struct sock *sock, struct cursor *from, const struct sock_sending *how,
                      int flags)
{
    tlsyn_time deadline = sock_deadline(sock, sock->options.snd_timeout, flags);
    size_t n = from->left;
    struct tlsyn_addr source = source_of(sock, how);
    struct tlsyn_udp_message message = {
        .to = how->to,
        .from = tlsyn_addr_unspecified(&source) ? NULL : &source,
        .text = {.part = {{.iov_len = n}}},
    };
    int error = find_fault(sock, &message, how, from->faulty);
    void *text;

    if (error < 0)
        return error;
    text = malloc(n + 1);
    if (!text)
        return -ENOMEM;
    message.text.part[0].iov_base = text;
    (void)cursor_get(from, text, n);
    error = send_bytes(sock, &message, how, deadline);
    free(text);
    return error < 0 ? error : (ssize_t)n;
}
