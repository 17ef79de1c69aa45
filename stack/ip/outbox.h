/*
 * ip/outbox.h: frames that are about to leave: a batch for the link, and what waits for the next.
 *
 * Theory. Between open and close a datagram takes one slot of the batch: its headers are written
 * there, and the frame refers to the text where the caller has it. The batch goes to the link when
 * it is full, when a frame is for another interface, and at close; so text must stay in place until
 * close, and no frame costs an allocation or a copy. At any other time (while frames come in, while
 * timers fire) a datagram is copied into the reply queue, and leaves when output is opened next:
 * nothing but open and close ever calls a link.
 */
#ifndef TLSYN_IP_OUTBOX_H
#define TLSYN_IP_OUTBOX_H

#include "ip/held.h"
#include "wire/ether.h"

struct ip;

#define OUTBOX_BATCH 32
/* Ethernet 14, IPv4 with options 60, transport 60, and what keeps slots aligned */
#define OUTBOX_HEADER_ROOM 144

struct outbox {
    bool is_open;
    int taken;                 /* frames that links took since open */
    int count;                 /* frames in the batch */
    struct tlsyn_iface *iface; /* of the batch */
    struct tlsyn_frame frame[OUTBOX_BATCH];
    uint8_t header[OUTBOX_BATCH][OUTBOX_HEADER_ROOM];
    struct held_queue reply; /* due at the next open */
    struct held_queue spent; /* in the batch; freed once it has gone */
};

void outbox_init(struct outbox *out);
void outbox_release(struct outbox *out, struct context *cx);

/** The next free slot of the batch, which then is this interface's. outbox_add() fills it. */
int outbox_slot(struct ip *ip, struct tlsyn_iface *iface);
void outbox_add(struct ip *ip, const struct tlsyn_frame *frame);

/** Cuts a datagram that is longer than its `mtu`, which it takes over, into the batch. */
void outbox_fragments(struct ip *ip, struct held *whole);

/** Whether a frame of so many octets may join the reply queue; counted as dropped if not. */
bool outbox_has_room(struct ip *ip, size_t len);

/** Puts a copy of a frame (an ARP packet) into the reply queue. 0; -ENOBUFS, -ENOMEM (counted). */
int outbox_reply(struct ip *ip, struct tlsyn_iface *iface, const uint8_t *bytes, size_t len);

#endif
