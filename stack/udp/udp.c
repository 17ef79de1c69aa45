/*
 * udp/udp.c: endpoints, input, output. Read first: RFC 768, RFC 1122 4.1; RFC 8085 for what UDP's
 * users owe the network.
 */
#include "udp/udp.h"

#include <errno.h>

#include "ip/group.h"
#include "udp/demux.h"
#include "wire/checksum.h"
#include "wire/ip4.h"
#include "wire/ip6.h"
#include "wire/udp.h"

#define UDP_CHECKSUM_OFFSET 6

/* --- life ------------------------------------------------------------------------------------- */

void udp_init(struct udp *udp, struct context *cx, struct ip *ip)
{
    *udp = (struct udp){.cx = cx, .ip = ip};
    table_init(&udp->endpoints, cx->limits.udp_endpoints);
    list_init(&udp->all);
    list_init(&udp->blocked);
    cx->random->fill(cx->random, &udp->key, sizeof(udp->key));
}

void udp_release(struct udp *udp)
{
    struct list *it;

    udp->endpoints.max = 0; /* a user who opens anew in on_closed gets -ENOBUFS */
    while ((it = list_first(&udp->all))) {
        struct tlsyn_udp *ep = container_of(it, struct tlsyn_udp, all);
        struct tlsyn_udp_handler *handler = ep->handler;

        list_remove(&ep->all); /* on_closed may close other endpoints */
        if (handler->events->on_closed)
            handler->events->on_closed(handler, ep);
        tlsyn_udp_close(ep);
    }
    table_release(&udp->endpoints, udp->cx->alloc);
}

/* Where it is to be, with its port. */
static int resolve_local(const struct udp *udp, struct tlsyn_udp_options *options)
{
    struct tlsyn_endpoint *local = &options->local;

    if (!tlsyn_addr_unspecified(&local->addr) && !ip_is_ours(udp->ip, &local->addr))
        return -EADDRNOTAVAIL;
    if (local->port > 0 && udp_port_taken(udp, options, local->port))
        return -EADDRINUSE;
    if (local->port > 0 && udp_find(udp, &local->addr, local->port)) /* whose port it is to share */
        return 0;
    if (udp->cx->ports)
        return udp->cx->ports->take(udp->cx->ports, TLSYN_UDP, local);
    if (local->port == 0)
        local->port = udp_choose_port(udp, options);
    return local->port > 0 ? 0 : -EADDRINUSE;
}

/* A port that endpoints shared is given back with the last of them. */
static void give_port(struct udp *udp, const struct tlsyn_endpoint *local)
{
    if (udp->cx->ports && !udp_find(udp, &local->addr, local->port))
        udp->cx->ports->give(udp->cx->ports, TLSYN_UDP, local);
}

int udp_open(struct udp *udp, const struct tlsyn_udp_options *options,
             struct tlsyn_udp_handler *handler, struct tlsyn_udp **out)
{
    struct tlsyn_udp_options chosen = *options;
    int error = resolve_local(udp, &chosen);
    struct tlsyn_udp *ep;

    if (error < 0)
        return error;
    ep = context_alloc(udp->cx, sizeof(*ep));
    if (!ep) {
        give_port(udp, &chosen.local);
        return -ENOMEM;
    }
    ep->udp = udp;
    ep->handler = handler;
    ep->options = chosen;
    ep->info.local = chosen.local;
    ep->number = ++udp->opened;
    error = udp_add(ep);
    if (error < 0) {
        give_port(udp, &chosen.local);
        context_free(udp->cx, ep);
        return error == -ENOSPC ? -ENOBUFS : error;
    }
    list_append(&udp->all, &ep->all);
    list_init(&ep->blocked);
    *out = ep;
    return 0;
}

void tlsyn_udp_close(struct tlsyn_udp *ep)
{
    if (ep->udp->next == ep)
        ep->udp->next = udp_next_of_all(ep->udp, &ep->udp->group, ep);
    table_remove(&ep->udp->endpoints, &ep->node);
    list_remove(&ep->all);
    list_remove(&ep->blocked);
    give_port(ep->udp, &ep->options.local);
    context_free(ep->udp->cx, ep);
}

void tlsyn_udp_set_options(struct tlsyn_udp *ep, const struct tlsyn_udp_options *options)
{
    struct tlsyn_udp_options opened = ep->options;

    ep->options = *options;
    ep->options.local = opened.local;
    ep->options.only_ip6 = opened.only_ip6;
}

void tlsyn_udp_info(const struct tlsyn_udp *ep, struct tlsyn_udp_info *info)
{
    *info = ep->info;
    if (ep->handler->events->on_info)
        ep->handler->events->on_info(ep->handler, info);
}

void udp_walk(struct udp *udp, struct tlsyn_udp_visitor *visitor)
{
    list_each(it, &udp->all)
    {
        if (!visitor->on_udp(visitor, container_of(it, struct tlsyn_udp, all)))
            return;
    }
}

/* --- out -------------------------------------------------------------------------------------- */

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

/* --- in --------------------------------------------------------------------------------------- */

/* RFC 768: an IPv4 sender may leave the checksum out, and says so with zero; an IPv6 sender may not
 * (RFC 8200 8.1). */
static bool checksum_accepted(const struct ip_datagram *datagram, const struct wire_udp *header)
{
    struct checksum sum = {0};

    if (header->checksum == 0)
        return tlsyn_addr_is_ip4(&datagram->src);
    if (datagram->csum_verified)
        return true;
    checksum_pseudo(&sum, &datagram->src, &datagram->dst, IP_PROTOCOL_UDP, header->len);
    checksum_add(&sum, datagram->payload, header->len);
    return checksum_good(&sum);
}

static void refuse(struct udp *udp, enum tlsyn_drop reason)
{
    count(udp->cx, TLSYN_COUNT_udp_in_errors);
    drop(udp->cx, reason);
}

/* RFC 1122 4.1.3.1: nobody has the port. */
static void no_port(struct udp *udp, const struct ip_datagram *datagram)
{
    count(udp->cx, TLSYN_COUNT_udp_no_ports);
    drop(udp->cx, TLSYN_DROP_udp_no_port);
    ip_port_unreachable(udp->ip, datagram);
}

/* The event may close the endpoint, and others. What it has no room for counts as an error alone
 * (RFC 4113: udpInDatagrams are those delivered to users). */
static void deliver(struct tlsyn_udp *ep, const struct tlsyn_udp_datagram *arrived)
{
    struct udp *udp = ep->udp;

    ep->info.datagrams_in++;
    ep->info.bytes_in += arrived->len;
    udp->refused = false;
    if (ep->handler->events->on_datagram)
        ep->handler->events->on_datagram(ep->handler, ep, arrived);
    if (!udp->refused)
        count(udp->cx, TLSYN_COUNT_udp_in);
}

void tlsyn_udp_refuse(struct tlsyn_udp *ep)
{
    struct udp *udp = ep->udp;

    udp->refused = true;
    ep->info.drops++;
    count(udp->cx, TLSYN_COUNT_udp_rcvbuf_errors);
    count(udp->cx, TLSYN_COUNT_udp_in_errors);
}

/* False: nobody is there. */
static bool deliver_to_all(struct udp *udp, const struct tlsyn_udp_datagram *arrived)
{
    struct tlsyn_udp *ep = udp_next_of_all(udp, &arrived->to, NULL);
    bool any = ep;

    udp->group = arrived->to;
    for (; ep; ep = udp->next) {
        udp->next = udp_next_of_all(udp, &udp->group, ep);
        deliver(ep, arrived);
    }
    return any;
}

/* False: nobody is there. */
static bool deliver_to_one(struct udp *udp, const struct tlsyn_udp_datagram *arrived)
{
    struct tlsyn_udp *ep = udp_find_for(udp, &arrived->to, &arrived->from);

    if (ep)
        deliver(ep, arrived);
    return ep;
}

void udp_input(struct udp *udp, const struct ip_datagram *datagram)
{
    struct tlsyn_udp_datagram arrived;
    struct wire_udp header;

    /* Coalesced datagrams are nothing that a link may give us: tlsyn/link.h. */
    if (wire_udp_parse(datagram->payload, datagram->len, &header) < 0 || datagram->gso_size > 0) {
        refuse(udp, TLSYN_DROP_udp_header);
        return;
    }
    if (!checksum_accepted(datagram, &header)) {
        count(udp->cx, TLSYN_COUNT_udp_csum_errors);
        refuse(udp, TLSYN_DROP_udp_checksum);
        return;
    }
    TRACE(udp->cx, udp_rx, 0, header.src_port, header.dst_port, (int64_t)header.payload_len);
    arrived = (struct tlsyn_udp_datagram){
        .from = {.addr = datagram->src, .port = header.src_port},
        .to = {.addr = datagram->dst, .port = header.dst_port},
        .bytes = header.payload,
        .len = header.payload_len,
        .tos = datagram->tos,
        .ttl = datagram->ttl,
        .broadcast = datagram->broadcast,
    };
    if (!(arrived.broadcast ? deliver_to_all : deliver_to_one)(udp, &arrived))
        no_port(udp, datagram);
}

static uint16_t be16(const uint8_t *p)
{
    return (uint16_t)(p[0] << 8 | p[1]);
}

void udp_icmp_error(struct udp *udp, const struct ip_error *error)
{
    const struct tlsyn_endpoint local = {error->src, be16(error->quoted)};
    const struct tlsyn_endpoint remote = {error->dst, be16(error->quoted + 2)};
    struct tlsyn_udp *ep = udp_find_for(udp, &local, &remote);
    const struct tlsyn_udp_error told = {
        .to = remote,
        .error = error->error,
        .mtu = error->mtu,
        .type = error->type,
        .code = error->code,
        .from = error->from,
        .bytes = error->rest,
        .len = error->rest_len,
    };

    if (!ep) {
        drop(udp->cx, TLSYN_DROP_icmp_unrelated);
        return;
    }
    if (error->error == -EMSGSIZE && !(ep->options.by_link && ep->options.no_df))
        ip_learn_mtu(udp->ip, &error->dst, error->mtu);
    if (ep->handler->events->on_error)
        ep->handler->events->on_error(ep->handler, ep, &told);
}
