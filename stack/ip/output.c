/*
 * ip/output.c: route, neighbour, header: from a datagram to a frame in the outbox. See outbox.h.
 *
 * Checksums. A link that takes CSUM_PARTIAL frames finishes the transport checksum; the field
 * then holds the sum over the pseudo-header. For any other link, and for ICMP, the checksum is
 * computed here.
 *
 * The identification field is 0: with DF set a datagram is atomic and the field means nothing
 * (RFC 6864 4.1). What has to leave in fragments, or may be cut by others, has a number, and no DF
 * (split.h).
 */
#include "ip/output.h"

#include <assert.h>
#include <errno.h>

#include "ip/ip4.h"
#include "wire/bytes.h"
#include "wire/checksum.h"
#include "wire/icmp4.h"
#include "wire/icmp6.h"
#include "wire/ip4.h"
#include "wire/source_route.h"

#define TTL_DEFAULT 64    /* RFC 1122 3.2.1.7, RFC 1700 */
#define IP_LEN_MAX  65535 /* of an IPv4 datagram, and of what follows IPv6's 40 octets */

static_assert(ETHER_HEADER_LEN + IP6_HEADER_LEN + IP_TRANSPORT_HEADER_MAX <= OUTBOX_HEADER_ROOM &&
                  ETHER_HEADER_LEN + IP4_HEADER_MAX + IP_TRANSPORT_HEADER_MAX <= OUTBOX_HEADER_ROOM,
              "slot too short");

/* --- one datagram ----------------------------------------------------------------------------- */

/* Where a datagram goes. */
struct way {
    struct tlsyn_iface *iface;
    struct neighbour *neighbour; /* NULL: there is none to wait for */
    const uint8_t *hwaddr; /* its address, or everybody's; NULL: on this link nobody has one */
    bool to_all;           /* no link finishes the checksum */
    size_t len;            /* octets of the datagram */
    size_t ip_len;         /* of its IP header */
    bool segments;         /* the link cuts it */
    uint16_t mtu;          /* we cut it; 0: nobody has to */
};

static bool is_resolved(const struct way *way)
{
    return !way->neighbour || neigh_is_resolved(way->neighbour);
}

static void put_checksum(uint8_t *header, const struct ip_tx *tx, uint16_t value)
{
    struct writer w = writer_of(header + tx->csum_offset, 2);

    put_u16(&w, value);
}

/* The transport checksum of what stands in `header`, in full or as far as the link wants it.
 * MUST-2 */
static void output_checksum(const struct ip_tx *tx, const struct way *way, uint8_t *header,
                            struct tlsyn_frame *frame)
{
    struct checksum sum = {0};
    uint16_t value;

    if (tx->protocol != IP_PROTOCOL_ICMP) /* RFC 792: its checksum has no pseudo-header */
        checksum_pseudo(&sum, &tx->src, &tx->dst, tx->protocol, (uint32_t)(way->len - way->ip_len));
    if (way->iface->link->caps.csum && !way->to_all && way->mtu == 0 &&
        tx->protocol != IP_PROTOCOL_ICMP && tx->protocol != IP_PROTOCOL_ICMP6) {
        put_checksum(header, tx, checksum_fold(&sum));
        frame->flags = TLSYN_FRAME_CSUM_PARTIAL;
        frame->csum_start = (uint16_t)(ETHER_HEADER_LEN + way->ip_len);
        frame->csum_offset = tx->csum_offset;
        return;
    }
    checksum_add(&sum, header, tx->header_len);
    for (int i = 0; i < 2; i++)
        checksum_add(&sum, tx->text.part[i].iov_base, tx->text.part[i].iov_len);
    value = checksum_finish(&sum);
    if (value == 0 && tx->protocol == IP_PROTOCOL_UDP)
        value = 0xffff; /* RFC 768: zero would say that there is none */
    put_checksum(header, tx, value);
}

static void output_ip4(struct ip *ip, const struct ip_tx *tx, const struct way *way, uint8_t *bytes)
{
    struct wire_ip4 ip4 = {
        .src = tx->src,
        .dst = tx->dst,
        .tos = tx->tos,
        .ttl = tx->ttl > 0 ? tx->ttl : TTL_DEFAULT,
        .protocol = tx->protocol,
        .total_len = (uint16_t)way->len,
        .df = !tx->no_df,
        .via = tx->via,
    };

    if (tx->no_df)
        ip4.id = (uint16_t)split_number(&ip->split, &tx->src, &tx->dst, tx->protocol);
    wire_ip4_emit(&ip4, bytes, way->ip_len);
}

/* RFC 6437 3: the same label for all datagrams of a flow, and nobody guesses it. */
static uint32_t flow_label(const struct ip *ip, const struct ip_tx *tx)
{
    struct {
        struct tlsyn_addr src, dst;
        uint8_t protocol, zero[3], ports[4];
    } flow = {.src = tx->src, .dst = tx->dst, .protocol = tx->protocol};

    if (tx->protocol == IP_PROTOCOL_TCP || tx->protocol == IP_PROTOCOL_UDP)
        memcpy(flow.ports, tx->header, sizeof(flow.ports));
    return (uint32_t)siphash(&ip->neigh.key, &flow, sizeof(flow));
}

static void output_ip6(const struct ip *ip, const struct ip_tx *tx, const struct way *way,
                       uint8_t *bytes)
{
    uint8_t advertised = way->iface->ip6.hop_limit;
    struct wire_ip6 ip6 = {
        .src = tx->src,
        .dst = tx->dst,
        .tos = tx->tos,
        .flow = flow_label(ip, tx),
        .next = tx->protocol,
        .hop_limit = tx->ttl > 0      ? tx->ttl
                     : advertised > 0 ? advertised
                                      : TTL_DEFAULT,
        .payload_len = (uint16_t)(way->len - IP6_HEADER_LEN),
    };

    wire_ip6_emit(&ip6, bytes, IP6_HEADER_LEN);
}

/* Writes all headers to `bytes` and the frame's offload metadata; the octets written. */
static size_t output_headers(struct ip *ip, const struct ip_tx *tx, const struct way *way,
                             uint8_t *bytes, struct tlsyn_frame *frame)
{
    bool ip4 = tlsyn_addr_is_ip4(&tx->dst);
    struct wire_ether ether = {.type = ip4 ? ETHER_TYPE_IP4 : ETHER_TYPE_IP6};
    size_t before = ETHER_HEADER_LEN + way->ip_len;

    if (way->hwaddr) /* zero while unresolved */
        memcpy(ether.dst, way->hwaddr, ETHER_ADDR_LEN);
    memcpy(ether.src, way->iface->link->caps.hwaddr, ETHER_ADDR_LEN);
    wire_ether_emit(&ether, bytes, ETHER_HEADER_LEN);
    if (ip4)
        output_ip4(ip, tx, way, bytes + ETHER_HEADER_LEN);
    else
        output_ip6(ip, tx, way, bytes + ETHER_HEADER_LEN);
    memcpy(bytes + before, tx->header, tx->header_len);
    output_checksum(tx, way, bytes + before, frame);
    if (way->segments) {
        frame->gso_type = ip4 ? TLSYN_GSO_TCP4 : TLSYN_GSO_TCP6;
        frame->gso_size = tx->gso_size;
        frame->hdr_len = (uint16_t)(before + tx->header_len);
    }
    return before + tx->header_len;
}

/* Into the batch, the text where it lies. */
static void output_in_place(struct ip *ip, const struct ip_tx *tx, const struct way *way)
{
    struct tlsyn_frame frame = {.iovcnt = 1};
    uint8_t *bytes = ip->out.header[outbox_slot(ip, way->iface)];

    frame.iov[0].iov_base = bytes;
    frame.iov[0].iov_len = output_headers(ip, tx, way, bytes, &frame);
    for (int i = 0; i < 2; i++) {
        if (tx->text.part[i].iov_len > 0)
            frame.iov[frame.iovcnt++] = tx->text.part[i];
    }
    outbox_add(ip, &frame);
}

/* A copy of the whole frame, to wait somewhere; NULL when memory is short (counted). */
static struct held *output_held(struct ip *ip, const struct ip_tx *tx, const struct way *way)
{
    struct held *h = held_new(ip->cx, way->iface, ETHER_HEADER_LEN + way->len);
    size_t at;

    if (!h) {
        drop(ip->cx, TLSYN_DROP_no_memory);
        return NULL;
    }
    h->mtu = way->mtu;
    at = output_headers(ip, tx, way, h->bytes, &h->frame);
    for (int i = 0; i < 2; i++) {
        if (tx->text.part[i].iov_len > 0)
            memcpy(h->bytes + at, tx->text.part[i].iov_base, tx->text.part[i].iov_len);
        at += tx->text.part[i].iov_len;
    }
    return h;
}

/* Into the reply queue, or that of its neighbour. */
static int output_copy(struct ip *ip, const struct ip_tx *tx, const struct way *way)
{
    bool resolved = is_resolved(way);
    struct held *h;

    if (resolved && !outbox_has_room(ip, ETHER_HEADER_LEN + way->len))
        return -ENOBUFS;
    h = output_held(ip, tx, way);
    if (!h)
        return -ENOMEM;
    if (resolved)
        held_push(&ip->out.reply, h);
    else
        neigh_hold(way->neighbour, h);
    return 0;
}

/* Into the batch: the text where it lies, or fragments. */
static int output_now(struct ip *ip, const struct ip_tx *tx, const struct way *way)
{
    struct held *h;

    if (way->mtu == 0) {
        output_in_place(ip, tx, way);
        return 0;
    }
    h = output_held(ip, tx, way);
    if (!h)
        return -ENOMEM;
    outbox_fragments(ip, h);
    return 0;
}

/* Octets that the path takes; where its sender sees to the rest, the first link. */
static uint16_t output_mtu(const struct ip *ip, const struct ip_tx *tx, const struct way *way)
{
    uint16_t mtu = iface_mtu(way->iface, tlsyn_addr_is_ip4(&tx->dst));
    uint16_t known = tx->by_path ? pmtu_find(&ip->pmtus, &tx->dst) : 0;

    mtu = known > 0 && known < mtu ? known : mtu;
    return tx->mtu_max > 0 && tx->mtu_max < mtu ? tx->mtu_max : mtu;
}

/* What the fragments of a datagram have that is longer than `mtu`. RFC 8200 5: no router cuts IPv6,
 * so they are as short as any path takes while nothing is known of this one. */
static uint16_t output_cut(const struct ip *ip, const struct ip_tx *tx, uint16_t mtu)
{
    bool guess = !tlsyn_addr_is_ip4(&tx->dst) && pmtu_find(&ip->pmtus, &tx->dst) == 0;

    return guess && mtu > IP6_MTU_MIN ? IP6_MTU_MIN : mtu;
}

/* True if the datagram fits, in one piece or in segments that the link cuts, or
 * fragments that we cut. */
static bool output_fits(const struct ip *ip, const struct ip_tx *tx, struct way *way)
{
    const struct tlsyn_link_caps *caps = &way->iface->link->caps;
    size_t text = tlsyn_view_len(&tx->text);
    uint16_t mtu = output_mtu(ip, tx, way);
    size_t headers;

    way->ip_len = ip_header_len(&tx->dst) + wire_route_len(tx->via);
    headers = way->ip_len + tx->header_len;
    way->len = headers + text;
    way->segments = tx->gso_size > 0 && text > tx->gso_size;
    way->mtu = tx->may_fragment && way->len > mtu ? output_cut(ip, tx, mtu) : 0;
    if (way->mtu > 0)
        return way->len <= IP_LEN_MAX + (tlsyn_addr_is_ip4(&tx->dst) ? 0 : IP6_HEADER_LEN);
    if (!way->segments)
        return way->len <= mtu;
    return caps->csum && text <= caps->gso_max && way->len <= IP_LEN_MAX &&
           headers + tx->gso_size <= mtu;
}

static int find_neighbour(struct ip *ip, const struct ip_hop *hop, bool confirms, struct way *way)
{
    if (hop->iface->link->caps.point_to_point)
        return 0;
    way->neighbour = neigh_resolve(&ip->neigh, hop->iface, &hop->next);
    if (!way->neighbour)
        return -ENOBUFS;
    if (way->neighbour->state == NEIGH_FAILED) {
        drop(ip->cx, TLSYN_DROP_neigh_failed);
        return -EHOSTUNREACH;
    }
    if (confirms)
        neigh_confirm(way->neighbour);
    way->hwaddr = way->neighbour->hwaddr;
    return 0;
}

static int output_datagram(struct ip *ip, const struct ip_tx *tx, bool copied)
{
    struct tlsyn_addr stop = wire_route_first(tx->via, &tx->dst);
    struct ip_hop hop;
    struct way way = {.iface = NULL};
    int error;

    assert(tx->header_len <= IP_TRANSPORT_HEADER_MAX && tx->csum_offset + 2 <= tx->header_len);
    assert(wire_route_len(tx->via) == 0 || (tlsyn_addr_is_ip4(&tx->dst) && !tx->may_fragment));
    if (!ip_hop_find(ip, &tx->src, &stop, &hop)) {
        drop(ip->cx, TLSYN_DROP_no_route);
        return -ENETUNREACH;
    }
    way.iface = hop.iface;
    if (!output_fits(ip, tx, &way)) {
        drop(ip->cx, TLSYN_DROP_ip_too_long);
        return -EMSGSIZE;
    }
    error = find_neighbour(ip, &hop, tx->confirms, &way);
    if (error < 0)
        return error;
    count(ip->cx, tlsyn_addr_is_ip4(&tx->dst) ? TLSYN_COUNT_ip_out : TLSYN_COUNT_ip6_out);
    if (!is_resolved(&way)) {
        error = output_copy(ip, tx, &way);
        return error < 0 ? error : IP_OUTPUT_WAITS;
    }
    if (copied)
        return output_copy(ip, tx, &way);
    return output_now(ip, tx, &way);
}

bool ip_output_is_open(const struct ip *ip)
{
    return ip->out.is_open;
}

int ip_output(struct ip *ip, const struct ip_tx *tx)
{
    return output_datagram(ip, tx, !ip->out.is_open);
}

int output_copied(struct ip *ip, const struct ip_tx *tx)
{
    return output_datagram(ip, tx, true);
}

int output_to_all(struct ip *ip, const struct ip_tx *tx, struct tlsyn_iface *iface,
                  const uint8_t hwaddr[ETHER_ADDR_LEN])
{
    struct way way = {.iface = iface, .hwaddr = hwaddr, .to_all = true};
    int error;

    assert(!tx->may_fragment);
    if (!output_fits(ip, tx, &way)) {
        drop(ip->cx, TLSYN_DROP_ip_too_long);
        return -EMSGSIZE;
    }
    error = output_copy(ip, tx, &way);
    if (error == 0)
        count(ip->cx, TLSYN_COUNT_ip_out);
    return error;
}

/* --- what did not get out --------------------------------------------------------------------- */

/* A frame that we built ourselves says what it was; it has no extension headers. */
static void error_of(const struct held *h, struct ip_error *error)
{
    const uint8_t *bytes = h->bytes + ETHER_HEADER_LEN, *payload;
    size_t len = h->frame.iov[0].iov_len - ETHER_HEADER_LEN, payload_len;
    struct wire_ip4 ip4;
    struct wire_ip6 ip6;

    *error = (struct ip_error){.error = -EHOSTUNREACH, .hard = true};
    if (wire_ip4_parse(bytes, len, &ip4) == 0) {
        error->protocol = ip4.protocol;
        error->type = ICMP4_UNREACHABLE;
        error->code = ICMP4_HOST;
        error->src = ip4.src;
        error->dst = wire_ip4_destination(bytes, &ip4);
        payload = ip4.payload;
        payload_len = ip4.payload_len;
    } else {
        wire_ip6_parse(bytes, len, &ip6);
        error->protocol = ip6.next;
        error->type = ICMP6_UNREACHABLE;
        error->code = ICMP6_ADDRESS;
        error->src = ip6.src;
        error->dst = ip6.dst;
        payload = ip6.payload;
        payload_len = ip6.payload_len;
    }
    error->from = error->src;
    memcpy(error->quoted, payload,
           payload_len < sizeof(error->quoted) ? payload_len : sizeof(error->quoted));
}

bool ip_error_take(struct ip *ip, struct ip_error *error)
{
    struct held *h;

    while ((h = neigh_take_failed(&ip->neigh))) {
        error_of(h, error);
        held_free(ip->cx, h);
        drop(ip->cx, TLSYN_DROP_neigh_failed);
        if (!icmp_take_own_error(ip, error))
            return true;
    }
    return false;
}
