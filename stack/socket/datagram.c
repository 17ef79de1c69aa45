/*
 * socket/datagram.c: SOCK_DGRAM over tlsyn/udp.h: what comes, the endpoint, the peer. What is sent:
 * socket/datagram_send.c. Read first: udp(7), ip(7).
 *
 * What arrives is queued here until the program takes it, as far as SO_RCVBUF goes. An ICMP error
 * is told once, to a socket that is connected (RFC 1122 4.1.3.3), and to one that asked for all of
 * them (socket/errqueue.c).
 */
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <time.h>
#include <tlsyn/udp.h>

#include "socket/address.h"
#include "socket/datagram.h"
#include "socket/errqueue.h"
#include "socket/port.h"

struct datagram {
    struct list node;
    struct sock_received about;
    size_t len;
    uint8_t bytes[];
};

static struct sock *owner(struct tlsyn_udp_handler *handler)
{
    return container_of(handler, struct sock, dgram.handler);
}

/* --- in --------------------------------------------------------------------------------------- */

/* As in Linux, what is there decides whether there is room, not what comes: a datagram that is
 * longer than the buffer is taken when it finds little before it. */
static struct datagram *make_room(struct sock *sock, size_t len)
{
    bool full = sock->dgram.queued > (size_t)sock->options.rcv_buf;

    return full ? NULL : malloc(sizeof(struct datagram) + len);
}

static void on_datagram(struct tlsyn_udp_handler *handler, struct tlsyn_udp *udp,
                        const struct tlsyn_udp_datagram *arrived)
{
    struct sock *sock = owner(handler);
    struct datagram *datagram = make_room(sock, arrived->len);

    if (!datagram) {
        tlsyn_udp_refuse(udp);
        return;
    }
    datagram->about = (struct sock_received){
        .from = arrived->from,
        .has_from = true,
        .to = arrived->to.addr,
        .to_all = arrived->broadcast,
        .tos = arrived->tos,
        .ttl = arrived->ttl,
    };
    clock_gettime(CLOCK_REALTIME, &datagram->about.when);
    datagram->len = arrived->len;
    memcpy(datagram->bytes, arrived->bytes, arrived->len);
    list_append(&sock->dgram.queue, &datagram->node);
    sock->dgram.queued += arrived->len + DGRAM_OVERHEAD;
    sock->dgram.arrived = true;
    sock_changed(sock);
}

/* Who has the path's MTU not discovered, does not hear of it either; Linux goes by other values for
 * either family. */
static bool may_hear_of_mtu(const struct sock *sock, bool ip4, bool *hard)
{
    if (ip4)
        return sock->options.mtu_discover != IP_PMTUDISC_DONT;
    *hard = sock->options.mtu_discover6 != IPV6_PMTUDISC_DONT;
    return sock->options.mtu_discover6 < IPV6_PMTUDISC_INTERFACE;
}

static void on_error(struct tlsyn_udp_handler *handler, struct tlsyn_udp *udp,
                     const struct tlsyn_udp_error *told)
{
    struct sock *sock = owner(handler);
    bool hard, ip4 = tlsyn_addr_is_ip4(&told->to.addr);
    int error = errqueue_errno(told, &hard);

    (void)udp;
    if (error == -EMSGSIZE && !may_hear_of_mtu(sock, ip4, &hard))
        return;
    if (errqueue_wanted(sock, &told->to.addr))
        errqueue_add(sock, told, error);
    else if (!hard || !sock->dgram.connected)
        return;
    sock_fail(sock, error);
}

static void on_writable(struct tlsyn_udp_handler *handler, struct tlsyn_udp *udp)
{
    (void)udp;
    owner(handler)->dgram.full = false;
    sock_changed(owner(handler));
}

static void on_closed(struct tlsyn_udp_handler *handler, struct tlsyn_udp *udp)
{
    (void)udp;
    owner(handler)->dgram.udp = NULL;
    sock_fail(owner(handler), -ENETDOWN);
}

static void on_info(struct tlsyn_udp_handler *handler, struct tlsyn_udp_info *info)
{
    info->rcv_queued = (uint32_t)owner(handler)->dgram.queued;
}

static struct datagram *front(struct sock *sock)
{
    struct list *first = list_first(&sock->dgram.queue);

    return first ? container_of(first, struct datagram, node) : NULL;
}

static void discard(struct sock *sock, struct datagram *datagram)
{
    list_remove(&datagram->node);
    sock->dgram.queued -= datagram->len + DGRAM_OVERHEAD;
    free(datagram);
    sock_changed(sock);
}

static ssize_t give(struct sock *sock, struct datagram *datagram, struct cursor *into,
                    struct sock_received *about, int flags)
{
    size_t n = cursor_put(into, datagram->bytes, datagram->len);
    size_t result = flags & MSG_TRUNC ? datagram->len : n;

    *about = datagram->about;
    if (n < datagram->len)
        about->flags |= MSG_TRUNC;
    if (!(flags & MSG_PEEK))
        discard(sock, datagram);
    return (ssize_t)result;
}

static ssize_t datagram_recv(struct sock *sock, struct cursor *into, struct sock_received *about,
                             int flags)
{
    tlsyn_time deadline = sock_deadline(sock, sock->options.rcv_timeout, flags);

    if (flags & MSG_ERRQUEUE)
        return errqueue_take(sock, into, about);
    for (;;) {
        struct datagram *datagram = front(sock);
        int result;

        if (sock->error)
            return sock_take_error(sock);
        if (datagram)
            return give(sock, datagram, into, about, flags);
        if (sock->shut & SOCK_SHUT_RD && deadline > 0) /* who does not wait, is not told */
            return 0;
        result = sock_wait(sock, deadline);
        if (result < 0)
            return result;
    }
}

/* --- the endpoint ----------------------------------------------------------------------------- */

/* What is too long for its path: ip(7) IP_MTU_DISCOVER, and the same of IPv6. */
static void mtu_options(const struct sock *sock, bool ip4, struct tlsyn_udp_options *options)
{
    const struct sock_options *o = &sock->options;
    int discover = ip4 ? o->mtu_discover : o->mtu_discover6;

    options->whole = discover == IP_PMTUDISC_DO || discover == IP_PMTUDISC_PROBE ||
                     discover == IP_PMTUDISC_INTERFACE || (!ip4 && o->dont_fragment6);
    options->by_link = discover >= IP_PMTUDISC_PROBE;
    options->no_df = discover == IP_PMTUDISC_DONT || discover >= IP_PMTUDISC_INTERFACE;
    options->mtu = ip4 || o->mtu6 > UINT16_MAX ? 0 : (uint16_t)o->mtu6;
}

void datagram_options(const struct sock *sock, bool ip4, struct tlsyn_udp_options *options)
{
    *options = (struct tlsyn_udp_options){
        .local = sock->local,
        .only_ip6 = sock->options.v6only,
        .shared = sock->options.reuse_port,
        .reuse = sock->options.reuse_addr,
        .broadcast = sock->options.broadcast,
        .tos = (uint8_t)(ip4 ? sock->options.tos : sock->options.tclass),
        .ttl = (uint8_t)(ip4 ? sock->options.ttl : sock->options.hops),
    };
    mtu_options(sock, ip4, options);
}

void datagram_apply(struct sock *sock)
{
    struct tlsyn_udp_options options;

    if (!sock->dgram.udp)
        return;
    datagram_options(sock, sock->domain == AF_INET, &options);
    tlsyn_udp_set_options(sock->dgram.udp, &options);
}

int datagram_bind(struct sock *sock, const struct tlsyn_endpoint *local)
{
    static const struct tlsyn_udp_events events = {
        .on_datagram = on_datagram,
        .on_error = on_error,
        .on_writable = on_writable,
        .on_closed = on_closed,
        .on_info = on_info,
    };
    struct tlsyn_udp_options options;
    int error = port_take(sock, local);

    if (error < 0)
        return error;
    sock->dgram.handler.events = &events;
    datagram_options(sock, sock->domain == AF_INET, &options);
    error = tlsyn_udp_open(sock->net->stack, &options, &sock->dgram.handler, &sock->dgram.udp);
    if (error < 0)
        port_release(sock);
    return error;
}

int datagram_autobind(struct sock *sock)
{
    const struct tlsyn_endpoint any = {.addr = sock->local.addr};

    return sock->dgram.udp || datagram_bind(sock, &any) == 0 ? 0 : -EAGAIN;
}

/* --- peers and ends --------------------------------------------------------------------------- */

static void note_local(struct sock *sock)
{
    struct tlsyn_udp_info info;

    tlsyn_udp_info(sock->dgram.udp, &info);
    sock->local.addr = info.local.addr;
    if (sock->domain == AF_INET && !tlsyn_addr_is_ip4(&sock->local.addr))
        sock->local.addr = address_any(AF_INET);
}

int datagram_mtu(const struct sock *sock)
{
    int mtu = sock->dgram.connected ? tlsyn_udp_mtu(sock->dgram.udp, NULL) : 0;

    return mtu > 0 ? mtu : -ENOTCONN;
}

static int datagram_connect(struct sock *sock, const struct tlsyn_endpoint *to)
{
    int error = tlsyn_udp_connect(sock->dgram.udp, to);

    if (error < 0)
        return error;
    sock->dgram.connected = true;
    sock->remote = *to;
    note_local(sock);
    return 0;
}

/* Linux's udp_disconnect(). */
static int datagram_disconnect(struct sock *sock)
{
    struct dgram *dgram = &sock->dgram;

    dgram->connected = false;
    sock->remote = (struct tlsyn_endpoint){.addr = address_any(sock->domain)};
    if (dgram->udp && sock->bound_port) {
        (void)tlsyn_udp_connect(dgram->udp, NULL);
        note_local(sock);
    } else if (dgram->udp) {
        tlsyn_udp_close(dgram->udp);
        dgram->udp = NULL;
        dgram->full = false;
    }
    port_end(sock);
    port_forget_address(sock);
    sock->last_port = 0;
    sock_changed(sock);
    return 0;
}

static int datagram_shutdown(struct sock *sock, int how)
{
    sock->shut |= (unsigned)how + 1;
    sock_changed(sock);
    return sock->dgram.connected ? 0 : -ENOTCONN;
}

static void datagram_close(struct sock *sock)
{
    struct datagram *datagram;

    if (sock->dgram.udp)
        tlsyn_udp_close(sock->dgram.udp);
    sock->dgram.udp = NULL;
    while ((datagram = front(sock)))
        discard(sock, datagram);
    errqueue_clear(sock);
}

static int datagram_fionread(struct sock *sock)
{
    struct datagram *datagram = front(sock);

    return datagram ? (int)datagram->len : 0;
}

static unsigned datagram_levels(struct sock *sock, bool *again)
{
    unsigned levels = sock->dgram.full ? 0 : READY_OUT;

    *again = sock->dgram.arrived && sock->nonblock;
    sock->dgram.arrived = false;
    if (front(sock) || sock->error)
        levels |= READY_IN;
    if (sock->shut & SOCK_SHUT_RD)
        levels |= READY_IN | READY_END;
    if (sock->shut == SOCK_SHUT_BOTH)
        levels |= READY_HUP;
    return levels;
}

static void datagram_init(struct sock *sock)
{
    list_init(&sock->dgram.queue);
    list_init(&sock->dgram.errors);
}

const struct sock_ops datagram_ops = {
    .init = datagram_init,
    .connect = datagram_connect,
    .disconnect = datagram_disconnect,
    .send = datagram_send,
    .recv = datagram_recv,
    .shutdown = datagram_shutdown,
    .close = datagram_close,
    .readable = datagram_fionread,
    .levels = datagram_levels,
    .apply = datagram_apply,
};
