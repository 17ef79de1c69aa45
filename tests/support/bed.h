/*
 * support/bed.h: one whole stack under a virtual clock, over a link that keeps what is sent, with
 * somebody at the other end who answers questions for Ethernet addresses (support/datagram.h has
 * the IP addresses).
 */
#ifndef TEST_SUPPORT_BED_H
#define TEST_SUPPORT_BED_H

#include "core/random.h"
#include "support/datagram.h"
#include "support/fake_link.h"
#include "support/memory.h"

struct bed {
    struct test_memory memory;
    struct random_seeded random;
    struct fake_link link;
    struct tlsyn_stack *stack;
    struct tlsyn_iface *iface;
    tlsyn_time now;
    bool verified; /* frames carry "checksum verified" */
    void (*on_frame)(struct bed *,
                     const struct fake_frame *); /* each that is sent, but the questions */
};

struct bed_options {
    bool ip4, ip6;
    const struct tlsyn_limits *limits; /* NULL: the defaults */
    const struct tlsyn_link_caps
        *caps; /* NULL: the fake link's own; the Ethernet address is ours in any case */
    struct tlsyn_trace *trace;
    uint64_t seed;             /* of its randomness; 0: 1 */
    bool shared;               /* somebody else speaks for its addresses */
    struct tlsyn_ports *ports; /* or NULL */
};

/** Stack, link, addresses; both ends know each other's Ethernet address. Set `on_frame` and
 * `verified` behind it. */
void bed_open(struct bed *bed, const struct bed_options *options);

/** Frees the stack; aborts if memory is still out. */
void bed_close(struct bed *bed);

/** A frame comes in, from memory of just its size, so that a sanitizer sees each octet too far. */
void bed_frame(struct bed *bed, const uint8_t *bytes, size_t len);

/** The same for a datagram, to which the Ethernet header is added. */
void bed_datagram(struct bed *bed, const uint8_t *bytes, size_t len);

/** Timers that are due and output, once. True if a question was answered, which may have set
 * something free. */
bool bed_output(struct bed *bed);

/** Until there is no more to do now. */
void bed_flush(struct bed *bed);

#endif
