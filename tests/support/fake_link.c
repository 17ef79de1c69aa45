/*
 * support/fake_link.c: a link that keeps what is transmitted.
 */
#include "support/fake_link.h"

#include <errno.h>
#include <stdlib.h>

static int fake_receive(struct tlsyn_link *link, struct tlsyn_frame *frame, int max, tlsyn_time now)
{
    (void)link;
    (void)frame;
    (void)max;
    (void)now;
    return 0;
}

static void keep(struct fake_link *link, const struct tlsyn_frame *frame)
{
    struct fake_frame *kept = &link->frame[link->count++];
    size_t at = 0;

    kept->as_sent = *frame;
    kept->len = tlsyn_frame_len(frame);
    kept->bytes = calloc(1, kept->len + 1);
    if (!kept->bytes)
        abort();
    for (int i = 0; i < frame->iovcnt; i++) {
        memcpy(kept->bytes + at, frame->iov[i].iov_base, frame->iov[i].iov_len);
        at += frame->iov[i].iov_len;
    }
}

static int fake_transmit(struct tlsyn_link *base, const struct tlsyn_frame *frame, int n,
                         tlsyn_time now)
{
    struct fake_link *link = (struct fake_link *)base;
    int taken = 0;

    (void)now;
    link->batches++;
    for (; taken < n && link->room != 0 && link->count < FAKE_LINK_FRAMES; taken++) {
        if (link->most && tlsyn_frame_len(&frame[taken]) > link->most)
            return taken > 0 ? taken : -EMSGSIZE;
        keep(link, &frame[taken]);
        if (link->room > 0)
            link->room--;
    }
    return taken > 0 ? taken : -ENOBUFS;
}

static int fake_fd(struct tlsyn_link *link)
{
    (void)link;
    return -1;
}

static void fake_close(struct tlsyn_link *link)
{
    fake_link_clear((struct fake_link *)link);
}

void fake_link_init(struct fake_link *link)
{
    static const struct tlsyn_link_ops ops = {
        .receive = fake_receive,
        .transmit = fake_transmit,
        .fd = fake_fd,
        .close = fake_close,
    };

    *link = (struct fake_link){.room = -1};
    link->base.ops = &ops;
    link->base.caps = (struct tlsyn_link_caps){.mtu = 1500, .hwaddr = {2, 0, 0, 0, 0, 1}};
}

void fake_link_clear(struct fake_link *link)
{
    while (link->count > 0)
        free(link->frame[--link->count].bytes);
    link->batches = 0;
}
