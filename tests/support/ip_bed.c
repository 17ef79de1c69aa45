/*
 * support/ip_bed.c: an IP layer on its own.
 */
#include "support/ip_bed.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>

static const uint8_t our_hwaddr[6] = {2, 0, 0, 0, 0, 1};

static void must(bool held, const char *what)
{
    if (held)
        return;
    fprintf(stderr, "ip_bed: %s\n", what);
    abort();
}

void ip_bed_open_bare(struct ip_bed *bed, uint64_t seed, const struct tlsyn_link_caps *caps)
{
    memset(bed, 0, sizeof(*bed));
    test_memory_init(&bed->memory);
    random_seed(&bed->random, seed);
    fake_link_init(&bed->link);
    if (caps)
        bed->link.base.caps = *caps;
    bed->cx = (struct context){
        .now = TLSYN_SECONDS(1000),
        .alloc = &bed->memory.base,
        .random = &bed->random.base,
        .limits = {.neighbours = 64,
                   .neighbour_queue_bytes = 4096,
                   .routes = 16,
                   .addresses = 8,
                   .routers = 2,
                   .prefixes = 4,
                   .redirects = 4,
                   .reassembly_datagrams = 16,
                   .reassembly_fragments = 64,
                   .reassembly_bytes = 512 * 1024,
                   .reassembly_timeout = TLSYN_SECONDS(30),
                   .path_mtus = 8,
                   .reply_queue_bytes = 64 * 1024,
                   .icmp_per_second = 100},
    };
    wheel_init(&bed->cx.wheel, bed->cx.now);
    must(ip_init(&bed->ip, &bed->cx) == 0, "no layer");
    must(ip_iface_add(&bed->ip, &bed->link.base, &bed->iface) == 0, "no interface");
}

void ip_bed_open(struct ip_bed *bed, uint64_t seed)
{
    struct tlsyn_addr us = addr_of("10.0.0.1");

    ip_bed_open_bare(bed, seed, NULL);
    must(tlsyn_iface_address(bed->iface, &us, 24) == 0, "no address");
}

void ip_bed_open6(struct ip_bed *bed, uint64_t seed)
{
    struct tlsyn_addr us = addr_of("fd77::1");

    ip_bed_open_bare(bed, seed, NULL);
    tlsyn_iface_dad(bed->iface, 0);
    must(tlsyn_iface_address(bed->iface, &us, 64) == 0, "no address");
    ip_bed_advance(bed, TLSYN_SECONDS(1)); /* the groups are told of twice */
    ip_bed_flush(bed);
    fake_link_clear(&bed->link);
}

void ip_bed_close(struct ip_bed *bed)
{
    ip_release(&bed->ip);
    fake_link_clear(&bed->link);
    must(bed->memory.blocks == 0, "memory is still out");
    must(bed->cx.wheel.count == 0, "timers are still set");
}

struct tlsyn_addr addr_of(const char *text)
{
    struct tlsyn_addr addr = {0};
    uint8_t octets[4];

    if (inet_pton(AF_INET, text, octets) == 1)
        return tlsyn_addr_ip4(octets);
    must(inet_pton(AF_INET6, text, addr.byte) == 1, "no address of either family");
    return addr;
}

enum ip_verdict ip_bed_receives_like(struct ip_bed *bed, const struct tlsyn_frame *like,
                                     const void *bytes, size_t len)
{
    struct tlsyn_frame frame = *like;
    uint8_t *exact = malloc(len > 0 ? len : 1);
    enum ip_verdict verdict;

    must(exact != NULL, "no memory");
    memcpy(exact, bytes, len);
    frame.iov[0] = (struct iovec){.iov_base = exact, .iov_len = len};
    frame.iovcnt = 1;
    ip_input_done(&bed->ip);
    verdict = ip_input(&bed->ip, bed->iface, &frame, &bed->arrival);
    free(exact);
    return verdict;
}

enum ip_verdict ip_bed_receives(struct ip_bed *bed, const void *bytes, size_t len)
{
    return ip_bed_receives_like(bed, &(struct tlsyn_frame){0}, bytes, len);
}

static size_t build_ip4(const struct packet *packet, uint8_t *bytes)
{
    struct wire_ip4 ip4 = {
        .src = addr_of(packet->src ? packet->src : "10.0.0.2"),
        .dst = addr_of(packet->dst ? packet->dst : "10.0.0.1"),
        .tos = packet->tos,
        .ttl = packet->ttl ? packet->ttl : 64,
        .protocol = packet->protocol ? packet->protocol : IP_PROTOCOL_TCP,
        .total_len = (uint16_t)(IP4_HEADER_LEN + packet->len),
    };

    return (size_t)wire_ip4_emit(&ip4, bytes, IP4_HEADER_LEN);
}

static size_t build_ip6(const struct packet *packet, uint8_t *bytes)
{
    struct wire_ip6 ip6 = {
        .src = addr_of(packet->src),
        .dst = addr_of(packet->dst ? packet->dst : "fd77::1"),
        .tos = packet->tos,
        .hop_limit = packet->ttl ? packet->ttl : 64,
        .next = packet->protocol ? packet->protocol : IP_PROTOCOL_TCP,
        .payload_len = (uint16_t)packet->len,
    };

    return (size_t)wire_ip6_emit(&ip6, bytes, IP6_HEADER_LEN);
}

static void ether_dst_of(const struct packet *packet, bool ip6, uint8_t hwaddr[ETHER_ADDR_LEN])
{
    struct tlsyn_addr dst = addr_of(ip6 && packet->dst ? packet->dst : "::");

    if (packet->ether_dst)
        memcpy(hwaddr, packet->ether_dst, ETHER_ADDR_LEN);
    else if (ip6_is_multicast(&dst))
        ip6_group_hwaddr(&dst, hwaddr);
    else
        memcpy(hwaddr, our_hwaddr, ETHER_ADDR_LEN);
}

size_t packet_build(const struct packet *packet, uint8_t frame[PACKET_MAX])
{
    bool ip6 = packet->src && strchr(packet->src, ':');
    struct wire_ether ether = {.src = {2, 0, 0, 0, 0, 2},
                               .type = ip6 ? ETHER_TYPE_IP6 : ETHER_TYPE_IP4};
    size_t at = ETHER_HEADER_LEN;

    must(ETHER_HEADER_LEN + IP6_HEADER_LEN + packet->len <= PACKET_MAX, "packet too long");
    ether_dst_of(packet, ip6, ether.dst);
    wire_ether_emit(&ether, frame, ETHER_HEADER_LEN);
    at += ip6 ? build_ip6(packet, frame + at) : build_ip4(packet, frame + at);
    if (packet->len > 0)
        memcpy(frame + at, packet->payload, packet->len);
    return at + packet->len;
}

enum ip_verdict ip_bed_packet(struct ip_bed *bed, const struct packet *packet)
{
    uint8_t frame[PACKET_MAX];

    return ip_bed_receives(bed, frame, packet_build(packet, frame));
}

void ip_bed_arp(struct ip_bed *bed, enum arp_op op, uint8_t n, const char *sender,
                const char *target)
{
    struct wire_ether ether = {.src = {2, 0, 0, 0, 0, n}, .type = ETHER_TYPE_ARP};
    struct wire_arp arp = {.op = (uint16_t)op,
                           .sender_hw = {2, 0, 0, 0, 0, n},
                           .sender = addr_of(sender),
                           .target = addr_of(target)};
    uint8_t frame[60] = {0};

    memcpy(ether.dst, our_hwaddr, ETHER_ADDR_LEN);
    if (op == ARP_REQUEST)
        memset(ether.dst, 0xff, ETHER_ADDR_LEN);
    else
        memcpy(arp.target_hw, our_hwaddr, ETHER_ADDR_LEN);
    wire_ether_emit(&ether, frame, ETHER_HEADER_LEN);
    wire_arp_emit(&arp, frame + ETHER_HEADER_LEN, ARP_LEN);
    must(ip_bed_receives(bed, frame, sizeof(frame)) == IP_CONSUMED, "ARP went up");
}

void ip_bed_knows(struct ip_bed *bed, uint8_t n)
{
    char text[16];
    struct tlsyn_addr addr;

    snprintf(text, sizeof(text), "10.0.0.%u", n);
    addr = addr_of(text);
    must(neigh_resolve(&bed->ip.neigh, bed->iface, &addr) != NULL, "no entry");
    ip_bed_arp(bed, ARP_REPLY, n, text, "10.0.0.1");
    must(ip_bed_neigh(bed, text) == NEIGH_REACHABLE, "not reachable");
    ip_bed_flush(bed);
    fake_link_clear(&bed->link);
}

enum ip_verdict ip_bed_icmp6(struct ip_bed *bed, const char *src, const char *dst,
                             uint8_t hop_limit, const uint8_t *message, size_t len)
{
    struct packet packet = {
        .src = src, .dst = dst, .ttl = hop_limit, .protocol = IP6_ICMP, .len = len};
    struct tlsyn_addr from = addr_of(src), to = addr_of(dst);
    uint8_t copy[PACKET_MAX];

    must(len <= sizeof(copy), "message too long");
    memcpy(copy, message, len);
    wire_icmp6_checksum(&from, &to, copy, len);
    packet.payload = copy;
    return ip_bed_packet(bed, &packet);
}

void ip_bed_ndp(struct ip_bed *bed, const char *src, const char *dst, const struct wire_ndp *ndp)
{
    uint8_t message[NDP_MESSAGE_MAX];
    int len = wire_ndp_emit(ndp, message, sizeof(message));

    must(ip_bed_icmp6(bed, src, dst, 255, message, (size_t)len) == IP_CONSUMED, "NDP went up");
}

bool ip_bed_sent6(struct ip_bed *bed, int *next, struct wire_ip6 *ip6, struct wire_ip6_chain *chain)
{
    while (*next < bed->link.count) {
        const struct fake_frame *f = &bed->link.frame[(*next)++];

        if (f->bytes[12] != 0x86)
            continue;
        must(wire_ip6_parse(f->bytes + ETHER_HEADER_LEN, f->len - ETHER_HEADER_LEN, ip6) == 0,
             "sent a broken header");
        must(wire_ip6_walk(ip6, chain) == 0, "sent broken extension headers");
        must(chain->protocol != IP6_ICMP || f->as_sent.flags & TLSYN_FRAME_CSUM_PARTIAL ||
                 wire_icmp6_checksum_good(&ip6->src, &ip6->dst, chain->payload, chain->payload_len),
             "sent a wrong checksum");
        return true;
    }
    return false;
}

bool ip_bed_sent_ndp(struct ip_bed *bed, int *next, uint8_t type, struct wire_ip6 *ip6,
                     struct wire_ndp *ndp)
{
    struct wire_ip6_chain chain;

    while (ip_bed_sent6(bed, next, ip6, &chain)) {
        if (chain.protocol != IP6_ICMP || chain.payload[0] != type)
            continue;
        must(wire_ndp_parse(chain.payload, chain.payload_len, ndp) == 0, "sent a broken message");
        must(ip6->hop_limit == 255, "sent with another hop limit");
        return true;
    }
    return false;
}

void ip_bed_knows6(struct ip_bed *bed, uint8_t n)
{
    struct wire_ndp answer = {.type = ICMP6_NEIGHBOUR_ADVERTISEMENT,
                              .solicited = true,
                              .override = true,
                              .has_target_hw = true,
                              .target_hw = {2, 0, 0, 0, 0, n}};
    char text[16];

    snprintf(text, sizeof(text), "fd77::%x", n);
    answer.target = addr_of(text);
    must(neigh_resolve(&bed->ip.neigh, bed->iface, &answer.target) != NULL, "no entry");
    ip_bed_ndp(bed, text, "fd77::1", &answer);
    must(ip_bed_neigh(bed, text) == NEIGH_REACHABLE, "not reachable");
    ip_bed_flush(bed);
    fake_link_clear(&bed->link);
}

int ip_bed_flush(struct ip_bed *bed)
{
    ip_output_open(&bed->ip);
    return ip_output_close(&bed->ip);
}

void ip_bed_advance(struct ip_bed *bed, tlsyn_time by)
{
    bed->cx.now += by;
    wheel_run(&bed->cx.wheel, bed->cx.now);
}

int ip_bed_neigh(const struct ip_bed *bed, const char *addr)
{
    struct tlsyn_addr a = addr_of(addr);
    const struct neighbour *n = neigh_find(&bed->ip.neigh, bed->iface, &a);

    return n ? n->state : -1;
}

uint64_t ip_bed_dropped(const struct ip_bed *bed, enum tlsyn_drop reason)
{
    return bed->cx.dropped[reason];
}

uint64_t ip_bed_drops(const struct ip_bed *bed)
{
    uint64_t sum = 0;

    for (int i = 0; i < TLSYN_DROPS; i++)
        sum += bed->cx.dropped[i];
    return sum;
}
