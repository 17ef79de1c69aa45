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
                   .neighbour_queue = 4,
                   .routes = 16,
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
    verdict = ip_input(&bed->ip, bed->iface, &frame, &bed->arrival);
    free(exact);
    return verdict;
}

enum ip_verdict ip_bed_receives(struct ip_bed *bed, const void *bytes, size_t len)
{
    return ip_bed_receives_like(bed, &(struct tlsyn_frame){0}, bytes, len);
}

size_t packet_build(const struct packet *packet, uint8_t frame[PACKET_MAX])
{
    struct wire_ether ether = {.src = {2, 0, 0, 0, 0, 2}, .type = ETHER_TYPE_IP4};
    struct wire_ip4 ip4 = {
        .src = addr_of(packet->src ? packet->src : "10.0.0.2"),
        .dst = addr_of(packet->dst ? packet->dst : "10.0.0.1"),
        .tos = packet->tos,
        .ttl = packet->ttl ? packet->ttl : 64,
        .protocol = packet->protocol ? packet->protocol : IP_PROTOCOL_TCP,
        .total_len = (uint16_t)(IP4_HEADER_LEN + packet->len),
    };

    must(ETHER_HEADER_LEN + IP4_HEADER_LEN + packet->len <= PACKET_MAX, "packet too long");
    memcpy(ether.dst, packet->ether_dst ? packet->ether_dst : our_hwaddr, ETHER_ADDR_LEN);
    wire_ether_emit(&ether, frame, ETHER_HEADER_LEN);
    wire_ip4_emit(&ip4, frame + ETHER_HEADER_LEN, IP4_HEADER_LEN);
    if (packet->len > 0)
        memcpy(frame + ETHER_HEADER_LEN + IP4_HEADER_LEN, packet->payload, packet->len);
    return ETHER_HEADER_LEN + IP4_HEADER_LEN + packet->len;
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
