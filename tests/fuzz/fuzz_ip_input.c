/*
 * fuzz_ip_input: the IP layer under any sequence of frames, datagrams, timers and failing memory.
 *
 * The input is a list of operations, each one octet and what it needs (missing octets
 * read as zero):
 *
 *     0 frame    flags, length, octets     1 IPv4 frame  the same; Ethernet header and IP
 *                                          checksum are made right
 *     2 output   last octet, length        3 time        16 bits, in units of 2 ms
 *     4 flush                              5 send on     last octet of the address
 *     6 memory   request that fails        7 probe       last octet; announce if 0
 *     8 ping     last octet, size          9 room        frames that the link still takes
 *     10 IPv6 frame: destination, hop limit, length, octets from the next header on; header,
 *        lengths and the checksum of what says that it is ICMPv6 are made right
 *     11 output and ping over IPv6: destination, length
 *
 * Our IPv6 addresses begin as tentative ones, and routers are listened to.
 * Invariants: a datagram handed up lies inside its frame, or was put together from fragments; the
 * cache keeps its bound; all memory comes back (ip_bed_close() aborts if not); what routers say
 * keeps its bounds; and whatever leaves is a whole ARP packet, or a datagram whose header is right.
 */
#include <stdlib.h>

#include "support/ip_bed.h"
#include "wire/bytes.h"
#include "wire/checksum.h"

#define FRAME_MAX 1600

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool held)
{
    if (!held)
        abort();
}

static struct tlsyn_addr neighbour_of(uint8_t last)
{
    return tlsyn_addr_ip4((const uint8_t[4]){10, 0, 0, last});
}

static void on_reply(struct tlsyn_ping_handler *handler, const struct tlsyn_addr *from,
                     uint16_t sequence, size_t size, uint8_t ttl, int error)
{
    (void)handler;
    (void)sequence;
    (void)ttl;
    must(!tlsyn_addr_unspecified(from) && size < FRAME_MAX && error <= 0);
}

/* Lets the fuzzer get past what only a checksum stops. */
static void make_right(uint8_t *frame, size_t len)
{
    static const uint8_t ether[14] = {2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 8, 0};
    struct checksum sum = {0};
    struct writer w;
    size_t header;

    if (len < 14 + 20)
        return;
    memcpy(frame, ether, sizeof(ether));
    header = (size_t)(frame[14] & 15) * 4;
    if (header < 20 || 14 + header > len)
        return;
    memset(frame + 24, 0, 2);
    checksum_add(&sum, frame + 14, header);
    w = writer_of(frame + 24, 2);
    put_u16(&w, checksum_finish(&sum));
}

static const char *const places[] = {"fd77::1", "fe80::2",         "ff02::1", "ff02::1:ff00:1",
                                     "fd77::2", "2001:db8::1:2:3", "::",      "ff02::16"};

static struct tlsyn_addr place(uint8_t which)
{
    return addr_of(places[which % 8]);
}

/* A datagram from one of the places to another one, whose extension headers and protocol
 * are the fuzzer's. */
static size_t build_ip6(struct reader *r, uint8_t frame[FRAME_MAX])
{
    uint8_t where = get_u8(r), hop_limit = get_u8(r), kind = get_u8(r);
    size_t len = get_u16(r) % (FRAME_MAX - 54);
    struct wire_ether ether = {.src = {2, 0, 0, 0, 0, 2}, .type = ETHER_TYPE_IP6};
    struct wire_ip6 ip6 = {.src = place(where >> 4),
                           .dst = place(where),
                           .hop_limit = hop_limit,
                           .next = kind & 1 ? IP6_ICMP : kind};
    uint8_t *payload = frame + 54;

    len = len < r->left ? len : r->left;
    get_bytes(r, payload, len);
    ip6.payload_len = (uint16_t)len;
    memcpy(ether.dst, (const uint8_t[6]){2, 0, 0, 0, 0, 1}, 6);
    if (ip6_is_multicast(&ip6.dst))
        ip6_group_hwaddr(&ip6.dst, ether.dst);
    wire_ether_emit(&ether, frame, 14);
    wire_ip6_emit(&ip6, frame + 14, 40);
    if (ip6.next == IP6_ICMP && len >= 4)
        wire_icmp6_checksum(&ip6.src, &ip6.dst, payload, len);
    return 54 + len;
}

static void take_ip6(struct ip_bed *bed, struct reader *r)
{
    uint8_t frame[FRAME_MAX];
    size_t len = build_ip6(r, frame);

    if (ip_bed_receives(bed, frame, len) == IP_DATAGRAM)
        must(bed->arrival.datagram.len <= len - 54);
}

static void send_ip6(struct ip_bed *bed, struct reader *r, struct tlsyn_ping_handler *ping)
{
    static uint8_t text[1500];
    uint8_t where = get_u8(r);
    struct ip_tx tx = {.dst = place(where),
                       .protocol = IP_PROTOCOL_TCP,
                       .header_len = 20,
                       .csum_offset = 16,
                       .confirms = where & 16};
    size_t len = get_u16(r) % sizeof(text);
    struct ip_path path;

    if (ip_path_find(&bed->ip, &tx.dst, &path) < 0)
        return;
    tx.src = path.src;
    tx.text.part[0] = (struct iovec){.iov_base = text, .iov_len = len};
    ip_output(&bed->ip, &tx);
    if (where & 8)
        ip_ping(&bed->ip, &tx.dst, 7, 1, len, ping);
}

static void take_frame(struct ip_bed *bed, struct reader *r, bool right)
{
    struct tlsyn_frame like = {.flags = get_u8(r) & TLSYN_FRAME_CSUM_VERIFIED};
    size_t len = get_u16(r) % FRAME_MAX;
    uint8_t *frame = calloc(1, len > 0 ? len : 1);

    must(frame != NULL);
    if (len > r->left)
        len = r->left;
    get_bytes(r, frame, len);
    if (right)
        make_right(frame, len);
    like.iov[0] = (struct iovec){.iov_base = frame, .iov_len = len};
    like.iovcnt = 1;
    if (ip_input(&bed->ip, bed->iface, &like, &bed->arrival) == IP_DATAGRAM) {
        const struct ip_datagram *d = &bed->arrival.datagram;

        must(d->payload >= d->header + 20);
        if (!bed->ip.frags.whole)
            must(d->header == frame + 14 && d->payload + d->len <= frame + len);
        ip_protocol_unreachable(&bed->ip, d);
    }
    ip_input_done(&bed->ip);
    free(frame);
}

static void send_datagram(struct ip_bed *bed, struct reader *r)
{
    static uint8_t text[1500];
    struct ip_tx tx = {.src = neighbour_of(1),
                       .dst = neighbour_of(get_u8(r)),
                       .protocol = IP_PROTOCOL_TCP,
                       .header_len = 20,
                       .csum_offset = 16};
    size_t len = get_u16(r) % sizeof(text);

    tx.text.part[0] = (struct iovec){.iov_base = text, .iov_len = len / 3};
    tx.text.part[1] = (struct iovec){.iov_base = text + len / 3, .iov_len = len - len / 3};
    ip_output(&bed->ip, &tx);
}

static void look_at_sent(struct ip_bed *bed)
{
    for (int i = 0; i < bed->link.count; i++) {
        const struct fake_frame *f = &bed->link.frame[i];
        struct wire_arp arp;
        struct wire_ip4 ip4;
        struct wire_ip6 ip6;
        struct wire_ip6_chain chain;

        must(f->len >= 14 && memcmp(f->bytes + 6, bed->link.base.caps.hwaddr, 6) == 0);
        if (f->bytes[12] == 0x86) {
            must(wire_ip6_parse(f->bytes + 14, f->len - 14, &ip6) == 0);
            must(wire_ip6_walk(&ip6, &chain) == 0 && ip6.payload_len == f->len - 54);
            must(chain.protocol != IP6_ICMP ||
                 wire_icmp6_checksum_good(&ip6.src, &ip6.dst, chain.payload, chain.payload_len));
        } else if (f->bytes[13] == 6) {
            must(wire_arp_parse(f->bytes + 14, f->len - 14, &arp) == 0);
        } else {
            must(!(f->bytes[0] & 1));
            must(wire_ip4_parse(f->bytes + 14, f->len - 14, &ip4) == 0);
            must(wire_ip4_checksum_good(f->bytes + 14, 20) && ip4.total_len == f->len - 14);
        }
    }
    fake_link_clear(&bed->link);
}

static void probe_or_announce(struct ip_bed *bed, uint8_t last)
{
    struct tlsyn_addr addr = neighbour_of(last);

    if (last == 0)
        tlsyn_iface_announce(bed->iface);
    else
        tlsyn_iface_probe(bed->iface, &addr);
}

/* What went there before arrives, says who sends. */
static void send_on(struct ip_bed *bed, struct tlsyn_addr to)
{
    const struct ip_tx tx = {.src = addr_of("10.0.0.1"),
                             .dst = to,
                             .protocol = IP_PROTOCOL_TCP,
                             .header_len = 20,
                             .csum_offset = 16,
                             .confirms = true};

    ip_output(&bed->ip, &tx);
}

static void step(struct ip_bed *bed, struct tlsyn_ping_handler *ping, struct reader *r)
{
    uint8_t op = get_u8(r) % 12;
    struct tlsyn_addr addr;

    switch (op) {
    case 0:
    case 1:
        take_frame(bed, r, op == 1);
        break;
    case 2:
        send_datagram(bed, r);
        break;
    case 3:
        ip_bed_advance(bed, TLSYN_MS(2) * get_u16(r));
        break;
    case 4:
        ip_bed_flush(bed);
        look_at_sent(bed);
        break;
    case 5:
        send_on(bed, neighbour_of(get_u8(r)));
        break;
    case 6:
        test_memory_fail(&bed->memory, get_u8(r) % 8u + 1);
        break;
    case 7:
        probe_or_announce(bed, get_u8(r));
        break;
    case 8:
        addr = neighbour_of(get_u8(r));
        ip_ping(&bed->ip, &addr, 7, 1, get_u16(r) % 1500u, ping);
        break;
    case 9:
        bed->link.room = (int8_t)get_u8(r);
        break;
    case 10:
        take_ip6(bed, r);
        break;
    default:
        send_ip6(bed, r, ping);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct ip_bed bed;
    struct tlsyn_ping_handler ping = {.on_reply = on_reply};
    struct reader r = reader_of(data, size);
    struct ip_error error;

    const struct tlsyn_addr us = addr_of("fd77::1");

    ip_bed_open(&bed, 1);
    must(tlsyn_iface_autoconf(bed.iface, NULL) == 0);
    must(tlsyn_iface_address(bed.iface, &us, 64) == 0);
    bed.ip.neigh.table.max = 8;
    while (r.left > 0) {
        step(&bed, &ping, &r);
        must(bed.ip.neigh.table.count <= 8);
        must(bed.iface->address_count <= bed.cx.limits.addresses);
        must(bed.ip.routers.count <= bed.cx.limits.routers &&
             bed.ip.routers.prefix_count <= bed.cx.limits.prefixes &&
             bed.ip.routers.redirect_count <= bed.cx.limits.redirects);
        must(bed.ip.neigh.unresolved_count <= bed.ip.neigh.table.count);
        while (ip_error_take(&bed.ip, &error))
            must(error.error < 0 && error.protocol == IP_PROTOCOL_TCP);
    }
    ip_bed_close(&bed);
    return 0;
}
