/*
 * ip/held.h: copied frames that wait: for output to open (the reply queue), or for a
 * neighbour to answer.
 *
 * Theory. A frame on its way out refers to text where it lies, in a ring or in a received frame,
 * and that is good only while the call lasts. Whatever has to wait is copied into one
 * allocation, in one piece, and waits in a queue that knows how much memory it holds, so that
 * its owner can bound it.
 */
#ifndef TLSYN_IP_HELD_H
#define TLSYN_IP_HELD_H

#include "core/context.h"
#include "core/list.h"

/** One frame, complete but perhaps for the receiver's Ethernet address. Owned by the
 * queue it is in. */
struct held {
    struct list node;
    struct tlsyn_iface *iface; /* to leave through */
    uint16_t mtu;              /* the datagram leaves in fragments of so many octets; 0: as it is */
    struct tlsyn_frame frame;  /* its one piece is `bytes` */
    uint8_t bytes[];
};

/** Frames in the order they came. */
struct held_queue {
    struct list frames;
    uint32_t count;
    size_t bytes; /* of memory */
};

void held_queue_init(struct held_queue *q);

/** A frame of `len` octets (all zero) for `iface`, in no queue; NULL when memory is short. */
struct held *held_new(struct context *cx, struct tlsyn_iface *iface, size_t len);

/** Frees a frame that is in no queue; NULL is allowed. */
void held_free(struct context *cx, struct held *h);

/** Bytes of memory that a frame of `len` octets takes. */
static inline size_t held_size(size_t len)
{
    return sizeof(struct held) + len;
}

void held_push(struct held_queue *q, struct held *h);

/** The oldest frame, taken out; NULL when there is none. */
struct held *held_pop(struct held_queue *q);

/** Frees what the queue holds, counting each frame as dropped for `reason`. */
void held_drop_all(struct context *cx, struct held_queue *q, enum tlsyn_drop reason);

/** Frees what the queue holds, without a count: at the end of the stack's life. */
void held_release(struct context *cx, struct held_queue *q);

#endif
