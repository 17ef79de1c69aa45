/*
 * support/ip_bed.h: an IP layer on its own, over a link that keeps what is sent, with a clock that
 * the test moves.
 *
 *     us    10.0.0.1/24, 02:00:00:00:00:01          peers   10.0.0.n, 02:00:00:00:00:n
 *     us    fd77::1/64 with ip_bed_open6()                  fd77::n
 */
#ifndef TEST_SUPPORT_IP_BED_H
#define TEST_SUPPORT_IP_BED_H

#include "core/random.h"
#include "ip/ip.h"
#include "support/fake_link.h"
#include "support/memory.h"
#include "wire/arp.h"
#include "wire/ip4.h"
#include "wire/ip6.h"
#include "wire/ndp.h"

struct ip_bed {
    struct test_memory memory;
    struct random_seeded random;
    struct context cx;
    struct fake_link link;
    struct ip ip;
    struct tlsyn_iface *iface;
    struct ip_arrival arrival; /* of the last frame that came in */
};

/** With our address, and small limits; `seed` for the layer's randomness. */
void ip_bed_open(struct ip_bed *bed, uint64_t seed);

/** Without an address yet, over a link of these capabilities (NULL: the fake link's own). */
void ip_bed_open_bare(struct ip_bed *bed, uint64_t seed, const struct tlsyn_link_caps *caps);

/** With fd77::1/64 and a link-local address instead, both usable at once. */
void ip_bed_open6(struct ip_bed *bed, uint64_t seed);

/** Aborts if memory is still out. */
void ip_bed_close(struct ip_bed *bed);

/** "10.0.0.1", or an IPv6 address. */
struct tlsyn_addr addr_of(const char *text);

/** A frame comes in, from memory of just its size, so that a sanitizer sees each octet too far. */
enum ip_verdict ip_bed_receives(struct ip_bed *bed, const void *bytes, size_t len);

/** The same with the metadata of `like`, whose pieces are not looked at. */
enum ip_verdict ip_bed_receives_like(struct ip_bed *bed, const struct tlsyn_frame *like,
                                     const void *bytes, size_t len);

/** What goes into a frame that carries IPv4, or IPv6 where `src` is of that family; zero is a
 * sensible default. */
struct packet {
    const char *src, *dst;    /* NULL: 10.0.0.2, 10.0.0.1 */
    const uint8_t *ether_dst; /* NULL: ours, or that of the group `dst` */
    uint8_t protocol;         /* 0: TCP */
    uint8_t ttl, tos;
    const void *payload;
    size_t len;
};

#define PACKET_MAX 2048

/** Builds the frame; its length. */
size_t packet_build(const struct packet *packet, uint8_t frame[PACKET_MAX]);

/** Builds it and has it come in. */
enum ip_verdict ip_bed_packet(struct ip_bed *bed, const struct packet *packet);

/** An ICMPv6 message with its checksum made right comes in. */
enum ip_verdict ip_bed_icmp6(struct ip_bed *bed, const char *src, const char *dst,
                             uint8_t hop_limit, const uint8_t *message, size_t len);

/** A message of neighbour discovery comes in, with the hop limit that it must have. */
void ip_bed_ndp(struct ip_bed *bed, const char *src, const char *dst, const struct wire_ndp *ndp);

/** The next IPv6 datagram that was sent, from frame `*next` on, its headers checked; *next is
 * behind it then. False: none. */
bool ip_bed_sent6(struct ip_bed *bed, int *next, struct wire_ip6 *ip6,
                  struct wire_ip6_chain *chain);

/** The same for the next message of neighbour discovery of this type. */
bool ip_bed_sent_ndp(struct ip_bed *bed, int *next, uint8_t type, struct wire_ip6 *ip6,
                     struct wire_ndp *ndp);

/** A peer fd77::`n` has answered, as ip_bed_knows(). */
void ip_bed_knows6(struct ip_bed *bed, uint8_t n);

/** An ARP packet from 02:00:00:00:00:`n` comes in. */
void ip_bed_arp(struct ip_bed *bed, enum arp_op op, uint8_t n, const char *sender,
                const char *target);

/** A peer 10.0.0.`n` has answered: the cache holds it as REACHABLE, and nothing waits in the
 * link. */
void ip_bed_knows(struct ip_bed *bed, uint8_t n);

/** Output is opened and closed; the number of frames that have left. */
int ip_bed_flush(struct ip_bed *bed);

/** Time passes, timers fire. */
void ip_bed_advance(struct ip_bed *bed, tlsyn_time by);

/** The state of the neighbour at this address, or -1. */
int ip_bed_neigh(const struct ip_bed *bed, const char *addr);

uint64_t ip_bed_dropped(const struct ip_bed *bed, enum tlsyn_drop reason);

/** All drops together. */
uint64_t ip_bed_drops(const struct ip_bed *bed);

#endif
