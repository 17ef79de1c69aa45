/*
 * link/loopback.c: a link to itself.
 *
 * Read first: tlsyn/link.h; RFC 1122 3.2.1.3 (g), RFC 4291 2.5.3.
 *
 * As in a pipe, a frame is copied when it is transmitted and keeps its offload metadata: nobody
 * finishes a checksum or cuts a super-frame. What is sent in a turn of the loop is received in the
 * next one, so that no function of the stack is entered from within itself.
 */
#include <errno.h>

#include "link/frame.h"

#define MTU       65535
#define BYTES_MAX (8u << 20) /* on their way; more are dropped */

struct loopback {
    struct tlsyn_link link;
    struct list queue; /* held_frame */
    size_t queued;     /* bytes of them */
    struct list lent;  /* handed out by the last receive */
};

static struct loopback *loopback_of(struct tlsyn_link *link)
{
    return container_of(link, struct loopback, link);
}

static int loopback_receive(struct tlsyn_link *link, struct tlsyn_frame *frames, int max,
                            tlsyn_time now)
{
    struct loopback *lo = loopback_of(link);
    int n = 0;

    (void)now;
    frames_free(&lo->lent);
    while (n < max && !list_empty(&lo->queue)) {
        struct held_frame *held = container_of(list_first(&lo->queue), struct held_frame, node);

        list_remove(&held->node);
        list_append(&lo->lent, &held->node);
        lo->queued -= tlsyn_frame_len(&held->frame);
        frames[n++] = held->frame;
    }
    return n;
}

/* An unfinished checksum counts as verified: the frame never was on a wire. */
static int loopback_send(struct loopback *lo, const struct tlsyn_frame *frame, tlsyn_time now)
{
    int error = frame_check(frame, &lo->link.caps);
    struct held_frame *held;

    if (error)
        return error;
    held = lo->queued + tlsyn_frame_len(frame) <= BYTES_MAX ? frame_hold(frame) : NULL;
    if (!held)
        return -ENOBUFS;
    memcpy(held->bytes, lo->link.caps.hwaddr, sizeof(lo->link.caps.hwaddr));
    held->frame.flags &= TLSYN_FRAME_CSUM_PARTIAL;
    if (held->frame.flags)
        held->frame.flags |= TLSYN_FRAME_CSUM_VERIFIED;
    held->frame.when = now;
    list_append(&lo->queue, &held->node);
    lo->queued += tlsyn_frame_len(&held->frame);
    return 0;
}

static int loopback_transmit(struct tlsyn_link *link, const struct tlsyn_frame *frames, int n,
                             tlsyn_time now)
{
    for (int i = 0; i < n; i++) {
        int error = loopback_send(loopback_of(link), &frames[i], now);

        if (error)
            return i > 0 ? i : error;
    }
    return n;
}

static int loopback_fd(struct tlsyn_link *link)
{
    (void)link;
    return -1;
}

static tlsyn_time loopback_next_timeout(struct tlsyn_link *link)
{
    return list_empty(&loopback_of(link)->queue) ? TLSYN_NEVER : 0;
}

static void loopback_close(struct tlsyn_link *link)
{
    struct loopback *lo = loopback_of(link);

    frames_free(&lo->queue);
    frames_free(&lo->lent);
    link_free(lo);
}

static const struct tlsyn_link_ops loopback_ops = {
    .receive = loopback_receive,
    .transmit = loopback_transmit,
    .fd = loopback_fd,
    .next_timeout = loopback_next_timeout,
    .close = loopback_close,
};

int tlsyn_loopback_open(struct tlsyn_link **link)
{
    struct loopback *lo = link_alloc(sizeof(*lo));

    if (!lo)
        return -ENOMEM;
    lo->link.ops = &loopback_ops;
    lo->link.caps = (struct tlsyn_link_caps){.mtu = MTU,
                                             .gso_max = FRAME_GSO_MAX,
                                             .csum = true,
                                             .point_to_point = true,
                                             .loopback = true,
                                             .hwaddr = {0x02}};
    list_init(&lo->queue);
    list_init(&lo->lent);
    *link = &lo->link;
    return 0;
}
