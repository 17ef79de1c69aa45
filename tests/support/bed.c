/*
 * support/bed.c: one stack, one link, and somebody at the other end of it.
 */
#include "support/bed.h"

#include <stdlib.h>

#include "support/must.h"
#include "wire/arp.h"
#include "wire/ether.h"
#include "wire/icmp6.h"
#include "wire/ip6.h"
#include "wire/ndp.h"

static const uint8_t our_hw[6] = {2, 0, 0, 0, 0, 1}, peer_hw[6] = {2, 0, 0, 0, 0, 2};

void bed_frame(struct bed *bed, const uint8_t *bytes, size_t len)
{
    uint8_t *exact = malloc(len ? len : 1);
    struct tlsyn_frame frame = {.iov[0] = {exact, len},
                                .iovcnt = 1,
                                .flags = bed->verified ? TLSYN_FRAME_CSUM_VERIFIED : 0};

    must(exact != NULL);
    memcpy(exact, bytes, len);
    must(tlsyn_stack_input(bed->stack, bed->iface, &frame, bed->now) == 0);
    free(exact);
}

static void put_ether(uint16_t type, uint8_t *frame)
{
    struct wire_ether ether = {.type = type};

    memcpy(ether.dst, our_hw, 6);
    memcpy(ether.src, peer_hw, 6);
    wire_ether_emit(&ether, frame, ETHER_HEADER_LEN);
}

void bed_datagram(struct bed *bed, const uint8_t *bytes, size_t len)
{
    uint8_t *frame = malloc(ETHER_HEADER_LEN + len);

    must(frame != NULL);
    put_ether(len && bytes[0] >> 4 == 6 ? ETHER_TYPE_IP6 : ETHER_TYPE_IP4, frame);
    memcpy(frame + ETHER_HEADER_LEN, bytes, len);
    bed_frame(bed, frame, ETHER_HEADER_LEN + len);
    free(frame);
}

/* --- Ethernet addresses ---------------------------------------------------------------------- */

static void peer_arps(struct bed *bed, enum arp_op op)
{
    uint8_t frame[ETHER_HEADER_LEN + ARP_LEN];
    struct wire_arp arp = {
        .op = (uint16_t)op, .sender = peer_addr(false), .target = our_addr(false)};

    put_ether(ETHER_TYPE_ARP, frame);
    memcpy(arp.sender_hw, peer_hw, 6);
    memcpy(arp.target_hw, our_hw, 6);
    wire_arp_emit(&arp, frame + ETHER_HEADER_LEN, ARP_LEN);
    bed_frame(bed, frame, sizeof(frame));
}

/* The same in neighbour discovery's words. */
static void peer_discovers(struct bed *bed, bool answers)
{
    struct ip_datagram d = {.src = peer_addr(true), .dst = our_addr(true), .protocol = IP6_ICMP};
    struct wire_ndp ndp = {.type = answers ? ICMP6_NEIGHBOUR_ADVERTISEMENT
                                           : ICMP6_NEIGHBOUR_SOLICITATION,
                           .target = answers ? d.src : d.dst,
                           .solicited = answers,
                           .has_source_hw = !answers,
                           .has_target_hw = answers};
    uint8_t message[NDP_MESSAGE_MAX], datagram[IP6_HEADER_LEN + NDP_MESSAGE_MAX];

    memcpy(ndp.source_hw, peer_hw, 6);
    memcpy(ndp.target_hw, peer_hw, 6);
    d.len = (size_t)wire_ndp_emit(&ndp, message, sizeof(message));
    d.payload = message;
    wire_icmp6_checksum(&d.src, &d.dst, message, d.len);
    bed_datagram(bed, datagram, datagram_emit(&d, datagram));
}

static bool asks_by_arp(const struct fake_frame *f)
{
    struct wire_ether ether;
    struct wire_arp arp;

    return wire_ether_parse(f->bytes, f->len, &ether) == 0 && ether.type == ETHER_TYPE_ARP &&
           wire_arp_parse(f->bytes + ETHER_HEADER_LEN, f->len - ETHER_HEADER_LEN, &arp) == 0 &&
           arp.op == ARP_REQUEST;
}

static bool asks_by_ndp(const struct fake_frame *f)
{
    struct ip_datagram d;

    return datagram_read(f->bytes + ETHER_HEADER_LEN, f->len - ETHER_HEADER_LEN, &d) &&
           d.protocol == IP6_ICMP && d.len > 0 && d.payload[0] == ICMP6_NEIGHBOUR_SOLICITATION;
}

/* --- frames out ------------------------------------------------------------------------------ */

bool bed_output(struct bed *bed)
{
    bool arp = false, ndp = false;

    tlsyn_stack_timers(bed->stack, bed->now);
    tlsyn_stack_output(bed->stack, bed->now);
    for (int i = 0; i < bed->link.count; i++) {
        const struct fake_frame *f = &bed->link.frame[i];
        bool by_arp = asks_by_arp(f), by_ndp = !by_arp && asks_by_ndp(f);

        arp = arp || by_arp;
        ndp = ndp || by_ndp;
        if (!by_arp && !by_ndp && bed->on_frame)
            bed->on_frame(bed, f);
    }
    fake_link_clear(&bed->link);
    if (arp)
        peer_arps(bed, ARP_REPLY);
    if (ndp)
        peer_discovers(bed, true);
    return arp || ndp;
}

void bed_flush(struct bed *bed)
{
    while (bed_output(bed) || tlsyn_stack_next_timeout(bed->stack) <= bed->now)
        continue;
}

/* --- its life -------------------------------------------------------------------------------- */

static void give_addresses(struct bed *bed, const struct bed_options *options)
{
    struct tlsyn_addr ip4 = our_addr(false), ip6 = our_addr(true);

    tlsyn_iface_dad(bed->iface, 0);
    if (options->ip4) {
        must(tlsyn_iface_address(bed->iface, &ip4, 24) == 0);
        peer_arps(bed, ARP_REQUEST);
    }
    if (options->ip6) {
        must(tlsyn_iface_address(bed->iface, &ip6, 64) == 0);
        peer_discovers(bed, false);
    }
}

void bed_open(struct bed *bed, const struct bed_options *options)
{
    *bed = (struct bed){.now = TLSYN_SECONDS(1000)};
    test_memory_init(&bed->memory);
    random_seed(&bed->random, options->seed ? options->seed : 1);
    fake_link_init(&bed->link);
    if (options->caps) {
        bed->link.base.caps = *options->caps;
        memcpy(bed->link.base.caps.hwaddr, our_hw, 6);
    }
    bed->stack = tlsyn_stack_new(&(struct tlsyn_stack_options){
        .limits = options->limits,
        .alloc = &bed->memory.base,
        .random = &bed->random.base,
        .trace = options->trace,
        .now = bed->now,
        .shared = options->shared,
        .ports = options->ports,
    });
    must(bed->stack && tlsyn_iface_add(bed->stack, &bed->link.base, &bed->iface) == 0);
    give_addresses(bed, options);
    bed_flush(bed);
}

void bed_close(struct bed *bed)
{
    tlsyn_stack_free(bed->stack);
    fake_link_clear(&bed->link);
    must(bed->memory.blocks == 0);
}
