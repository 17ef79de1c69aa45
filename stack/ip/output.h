/*
 * ip/output.h: the way out: route, neighbour, header, and a batch for the link.
 *
 * Theory. Between open and close a datagram takes one slot of the batch: its headers are written
 * there, and the frame refers to the text where the caller has it. The batch goes to the link when
 * it is full, when a frame is for another interface, and at close; so text must stay in place until
 * close, and no frame costs an allocation or a copy. At any other time (while frames come in, while
 * timers fire) a datagram is copied into the reply queue, and leaves when output is opened next:
 * nothing but open and close ever calls a link.
 */
#ifndef TLSYN_IP_OUTPUT_H
#define TLSYN_IP_OUTPUT_H

#include "ip/held.h"
#include "wire/ether.h"

struct ip;
struct ip_tx;

#define OUTPUT_BATCH 32
#define OUTPUT_HEADER_ROOM                                                                         \
    128 /* Ethernet 14, IPv6 40, transport 60, and what keeps slots aligned */

struct outbox {
    bool is_open;
    int taken;                 /* frames that links took since open */
    int count;                 /* frames in the batch */
    struct tlsyn_iface *iface; /* of the batch */
    struct tlsyn_frame frame[OUTPUT_BATCH];
    uint8_t header[OUTPUT_BATCH][OUTPUT_HEADER_ROOM];
    struct held_queue reply; /* due at the next open */
    struct held_queue spent; /* in the batch; freed once it has gone */
};

void output_init(struct outbox *out);
void output_release(struct outbox *out, struct context *cx);

/** As ip_output(), but the text is copied whether output is open or not. */
int output_copied(struct ip *ip, const struct ip_tx *tx);

/** As output_copied(), in one piece to an Ethernet address that needs no question, for everybody
 * there. Its checksum is computed here: who reads broadcasts from a raw socket (a DHCP server on
 * this machine) sees what leaves, not what a link would make of it. */
int output_to_all(struct ip *ip, const struct ip_tx *tx, struct tlsyn_iface *iface,
                  const uint8_t hwaddr[ETHER_ADDR_LEN]);

/** Puts a copy of a frame (an ARP packet) into the reply queue. 0; -ENOBUFS, -ENOMEM (counted). */
int output_frame(struct ip *ip, struct tlsyn_iface *iface, const uint8_t *bytes, size_t len);

#endif
