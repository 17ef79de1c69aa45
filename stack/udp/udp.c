/*
 * udp/udp.c: endpoints, and what comes to them. Read first: RFC 768, RFC 1122 4.1.
 */
#include "udp/udp.h"

#include <errno.h>

#include "udp/demux.h"
#include "wire/checksum.h"
#include "wire/udp.h"

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
