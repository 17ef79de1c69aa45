/*
 * udp/output.c: whom an endpoint sends to, from which address, and what then waits for output. Read
 * first: RFC 768, RFC 1122 4.1; RFC 8085 for what UDP's users owe the network.
 */
#include <errno.h>

#include "ip/group.h"
#include "udp/udp.h"
#include "wire/ip4.h"
#include "wire/ip6.h"
#include "wire/udp.h"

#define UDP_CHECKSUM_OFFSET 6

/* The address that a datagram from `ep` to `to` leaves from; `from` if it is not NULL. */
static int source_for(const struct tlsyn_udp *ep, const struct tlsyn_endpoint *to,
                      const struct tlsyn_addr *from, struct tlsyn_addr *src)
{
    const struct tlsyn_addr *local = &ep->info.local.addr;
    bool ip4 = tlsyn_addr_is_ip4(&to->addr);
    struct ip_path path;
    int error;

    if (tlsyn_addr_unspecified(&to->addr))
        return -EINVAL;
    if (!ep->options.broadcast && group_is_broadcast(ep->udp->ip, &to->addr))
        return -EACCES;
    if (ip4 && !tlsyn_addr_is_ip4(local)) /* that of an IPv6 peer */
        local = &ep->options.local.addr;
    if (from && !ip_is_ours(ep->udp->ip, from))
        return -EADDRNOTAVAIL;
    if (!from && !tlsyn_addr_unspecified(local))
        from = local;
    if (ip4 && (ep->options.only_ip6 || (from && !tlsyn_addr_is_ip4(from))))
        return -EAFNOSUPPORT;
    if (group_is(ep->udp->ip, &to->addr))
        error = group_path_find(ep->udp->ip, from, &to->addr, &path);
    else
        error = ip_path_find(ep->udp->ip, &to->addr, &path);
    if (error < 0)
        return error;
    if (!ip4 && (tlsyn_addr_is_ip4(local) || (from && tlsyn_addr_is_ip4(from))))
        return -EAFNOSUPPORT;
    *src = from ? *from : path.src;
    return 0;
}

int tlsyn_udp_connect(struct tlsyn_udp *ep, const struct tlsyn_endpoint *peer)
{
    struct tlsyn_endpoint before = ep->info.local;
    struct tlsyn_addr src;
    int error;

    ep->info.local = ep->options.local;
    if (!peer) {
        ep->info.connected = false;
        ep->info.peer = (struct tlsyn_endpoint){0};
        return 0;
    }
    error = source_for(ep, peer, NULL, &src);
    if (error < 0) {
        ep->info.local = before;
        return error;
    }
    ep->info.connected = true;
    ep->info.peer = *peer;
    ep->info.local.addr = src;
    return 0;
}

/* What a datagram takes of the bytes that may wait for output, at most. */
static uint32_t queue_size(size_t len)
{
    return (uint32_t)held_size(OUTBOX_HEADER_ROOM + len);
}

/* One datagram finds room always: a bound below its size would block for ever. */
static bool queue_has_room(const struct udp *udp, size_t len)
{
    return udp->queued == 0 || udp->queued + queue_size(len) <= udp->cx->limits.udp_queue_bytes;
}

/* RFC 768: the header. Its checksum is filled in on the way out: it is always sent
 * (RFC 1122 4.1.3.4). */
static int send_datagram(struct tlsyn_udp *ep, const struct tlsyn_endpoint *to, struct ip_tx *tx)
{
    struct udp *udp = ep->udp;
    size_t len = tlsyn_view_len(&tx->text);
    struct wire_udp header = {
        .src_port = ep->info.local.port,
        .dst_port = to->port,
        .len = (uint16_t)(UDP_HEADER_LEN + len),
    };
    int error;

    wire_udp_emit(&header, tx->header, sizeof(tx->header));
    error = group_is(udp->ip, &tx->dst) ? group_output(udp->ip, tx) : output_copied(udp->ip, tx);
    if (error < 0)
        return error;
    udp->queued += queue_size(len);
    ep->info.datagrams_out++;
    ep->info.bytes_out += len;
    count(udp->cx, TLSYN_COUNT_udp_out);
    TRACE(udp->cx, udp_tx, 0, header.src_port, header.dst_port, (int64_t)len);
    return 0;
}

/* What can be said of a message before it is sent, and the address that it leaves from. */
static int examine(const struct tlsyn_udp *ep, const struct tlsyn_udp_message *message,
                   struct tlsyn_addr *src)
{
    const struct tlsyn_endpoint *to = message->to ? message->to : &ep->info.peer;
    size_t most = tlsyn_addr_is_ip4(&to->addr) ? TLSYN_UDP_MAX : TLSYN_UDP_MAX_IP6;
    int error;

    if (!message->to && !ep->info.connected)
        return -EDESTADDRREQ;
    if (message->to && to->port == 0)
        return -EINVAL;
    error = source_for(ep, to, message->from, src);
    if (error < 0)
        return error;
    return tlsyn_view_len(&message->text) > most ? -EMSGSIZE : 0;
}

int tlsyn_udp_send_message(struct tlsyn_udp *ep, const struct tlsyn_udp_message *message)
{
    const struct tlsyn_endpoint *to = message->to;
    struct udp *udp = ep->udp;
    struct ip_tx tx = {
        .protocol = IP_PROTOCOL_UDP,
        .tos = ep->options.tos,
        .ttl = ep->options.ttl,
        .header_len = UDP_HEADER_LEN,
        .csum_offset = UDP_CHECKSUM_OFFSET,
        .may_fragment = !ep->options.whole,
        .by_path = !ep->options.by_link,
        .no_df = ep->options.no_df,
        .mtu_max = ep->options.mtu,
        .text = message->text,
    };
    int error = examine(ep, message, &tx.src);

    if (error < 0)
        return error;
    to = to ? to : &ep->info.peer;
    if (!queue_has_room(udp, tlsyn_view_len(&tx.text))) {
        count(udp->cx, TLSYN_COUNT_udp_sndbuf_errors);
        list_remove(&ep->blocked);
        list_append(&udp->blocked, &ep->blocked);
        return -EAGAIN;
    }
    tx.dst = to->addr;
    return send_datagram(ep, to, &tx);
}

int tlsyn_udp_mtu(const struct tlsyn_udp *ep, const struct tlsyn_endpoint *to)
{
    const struct tlsyn_udp_options *options = &ep->options;
    struct ip_path path;
    uint16_t mtu;
    int error;

    if (!to && !ep->info.connected)
        return -EDESTADDRREQ;
    if (!to)
        to = &ep->info.peer;
    if (group_is(ep->udp->ip, &to->addr))
        error = group_path_find(ep->udp->ip, NULL, &to->addr, &path);
    else
        error = ip_path_find(ep->udp->ip, &to->addr, &path);
    if (error < 0)
        return error;
    mtu = options->by_link && path.link_mtu ? path.link_mtu : path.mtu;
    return options->mtu > 0 && options->mtu < mtu ? options->mtu : mtu;
}

int tlsyn_udp_check(const struct tlsyn_udp *ep, const struct tlsyn_udp_message *message)
{
    const struct tlsyn_endpoint *to = message->to ? message->to : &ep->info.peer;
    size_t header_len =
        UDP_HEADER_LEN + (tlsyn_addr_is_ip4(&to->addr) ? IP4_HEADER_LEN : IP6_HEADER_LEN);
    struct tlsyn_addr src;
    int error = examine(ep, message, &src), mtu;

    if (error < 0 || !ep->options.whole)
        return error;
    mtu = tlsyn_udp_mtu(ep, to);
    if (mtu < 0)
        return mtu;
    return header_len + tlsyn_view_len(&message->text) > (size_t)mtu ? -EMSGSIZE : 0;
}

int tlsyn_udp_send(struct tlsyn_udp *ep, const struct tlsyn_endpoint *to, const void *bytes,
                   size_t len)
{
    struct tlsyn_udp_message message = {.to = to};

    /* It is copied before the call returns, and never written to. */
    message.text.part[0] = (struct iovec){.iov_base = (void *)(uintptr_t)bytes, .iov_len = len};
    return tlsyn_udp_send_message(ep, &message);
}

void udp_output_done(struct udp *udp)
{
    struct list now;

    /* Who is refused again meanwhile waits for the next time. */
    list_init(&now);
    udp->queued = 0;
    while (!list_empty(&udp->blocked)) {
        struct list *it = list_first(&udp->blocked);

        list_remove(it);
        list_append(&now, it);
    }
    while (!list_empty(&now)) {
        struct tlsyn_udp *ep = container_of(list_first(&now), struct tlsyn_udp, blocked);

        list_remove(&ep->blocked);
        if (ep->handler->events->on_writable)
            ep->handler->events->on_writable(ep->handler, ep);
    }
}
