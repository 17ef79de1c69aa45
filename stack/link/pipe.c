/*
 * link/pipe.c: two links in memory, each the other's far end.
 *
 * Read first: tlsyn/link.h. A frame is copied when it is transmitted, and handed out at the other
 * end in order, with the offload metadata it left with: as between two ends of a veth pair, nobody
 * finishes a checksum or cuts a super-frame. Nothing here depends on a clock or on the order in
 * which the ends are served, so a run can be repeated exactly.
 */
#include <errno.h>

#include "link/frame.h"

struct pipe_end {
    struct tlsyn_link link;
    struct pipe *pipe;
    struct pipe_end *far;
    struct list queue; /* held_frame: on the way to this end */
    int queued;
    struct list lent; /* held_frame: handed out by the last receive */
    bool closed;
};

/* Freed with the last end. */
struct pipe {
    int depth;
    struct pipe_end end[2];
};

static struct pipe_end *pipe_end_of(struct tlsyn_link *link)
{
    return container_of(link, struct pipe_end, link);
}

static int pipe_receive(struct tlsyn_link *link, struct tlsyn_frame *frames, int max,
                        tlsyn_time now)
{
    struct pipe_end *end = pipe_end_of(link);
    int n = 0;

    (void)now;
    frames_free(&end->lent);
    if (list_empty(&end->queue))
        return end->far->closed ? -ENETDOWN : 0;
    while (n < max && !list_empty(&end->queue)) {
        struct held_frame *held = container_of(list_first(&end->queue), struct held_frame, node);

        list_remove(&held->node);
        list_append(&end->lent, &held->node);
        end->queued--;
        frames[n++] = held->frame;
    }
    return n;
}

/* A frame whose checksum was left to the other side counts as verified there: it never
 * was on a wire. */
static void pipe_carry(struct held_frame *held, tlsyn_time now)
{
    struct tlsyn_frame *frame = &held->frame;

    frame->flags &= TLSYN_FRAME_CSUM_PARTIAL;
    if (frame->flags)
        frame->flags |= TLSYN_FRAME_CSUM_VERIFIED;
    frame->when = now;
}

static int pipe_send(struct pipe_end *end, const struct tlsyn_frame *frame, tlsyn_time now)
{
    struct pipe_end *far = end->far;
    struct held_frame *held;
    int error = frame_check(frame, &end->link.caps);

    if (error)
        return error;
    if (far->closed)
        return -ENETDOWN;
    if (far->queued >= end->pipe->depth)
        return -ENOBUFS;
    held = frame_hold(frame);
    if (!held)
        return -ENOBUFS;
    pipe_carry(held, now);
    list_append(&far->queue, &held->node);
    far->queued++;
    return 0;
}

static int pipe_transmit(struct tlsyn_link *link, const struct tlsyn_frame *frames, int n,
                         tlsyn_time now)
{
    struct pipe_end *end = pipe_end_of(link);

    for (int i = 0; i < n; i++) {
        int error = pipe_send(end, &frames[i], now);

        if (error)
            return i > 0 ? i : error;
    }
    return n;
}

static int pipe_fd(struct tlsyn_link *link)
{
    (void)link;
    return -1;
}

static void pipe_close(struct tlsyn_link *link)
{
    struct pipe_end *end = pipe_end_of(link);

    frames_free(&end->queue);
    frames_free(&end->lent);
    end->queued = 0;
    end->closed = true;
    if (end->far->closed)
        link_free(end->pipe);
}

static const struct tlsyn_link_ops pipe_ops = {
    .receive = pipe_receive,
    .transmit = pipe_transmit,
    .fd = pipe_fd,
    .close = pipe_close,
};

int tlsyn_pipe_open(const struct tlsyn_link_caps *caps, int depth, struct tlsyn_link *ends[2])
{
    struct pipe *pipe;

    if (depth < 1 || caps->mtu < 68) /* RFC 791 3.2: every link carries 68 octets */
        return -EINVAL;
    pipe = link_alloc(sizeof(*pipe));
    if (!pipe)
        return -ENOMEM;
    pipe->depth = depth;
    for (int i = 0; i < 2; i++) {
        struct pipe_end *end = &pipe->end[i];

        end->link.ops = &pipe_ops;
        end->link.caps = *caps;
        memcpy(end->link.caps.hwaddr, (const uint8_t[6]){0x02, 0, 0, 0, 0, (uint8_t)(i + 1)}, 6);
        end->pipe = pipe;
        end->far = &pipe->end[1 - i];
        list_init(&end->queue);
        list_init(&end->lent);
        ends[i] = &end->link;
    }
    return 0;
}
