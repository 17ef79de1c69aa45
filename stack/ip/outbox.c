/*
 * ip/outbox.c: frames that are about to leave. See outbox.h.
 */
#include "ip/outbox.h"

#include <assert.h>
#include <errno.h>

#include "ip/ip.h"

void outbox_init(struct outbox *out)
{
    held_queue_init(&out->reply);
    held_queue_init(&out->spent);
}

void outbox_release(struct outbox *out, struct context *cx)
{
    held_release(cx, &out->reply);
    held_release(cx, &out->spent);
}

/* --- the batch -------------------------------------------------------------------------------- */

static void count_sent(struct context *cx, const struct tlsyn_frame *frame)
{
    count(cx, TLSYN_COUNT_link_out);
    TRACE(cx, link_tx, 0, (int64_t)tlsyn_frame_len(frame), frame->gso_size, frame->flags);
}

/* Hands the batch to its link. What the link has no room for is lost, as on any network; of a
 * frame that it can never take (the interface has become narrower) those behind it know nothing. */
static void batch_flush(struct ip *ip)
{
    struct outbox *out = &ip->out;
    int done = 0;

    while (done < out->count) {
        int taken = tlsyn_link_transmit(out->iface->link, out->frame + done, out->count - done,
                                        ip->cx->now);

        for (int i = 0; i < taken; i++)
            count_sent(ip->cx, &out->frame[done++]);
        out->taken += taken > 0 ? taken : 0;
        if (taken > 0)
            continue;
        drop(ip->cx, TLSYN_DROP_link_full);
        done++;
        if (taken != -EMSGSIZE && taken != -EINVAL)
            break;
    }
    for (; done < out->count; done++)
        drop(ip->cx, TLSYN_DROP_link_full);
    out->count = 0;
    held_release(ip->cx, &out->spent);
}

int outbox_slot(struct ip *ip, struct tlsyn_iface *iface)
{
    struct outbox *out = &ip->out;

    if (out->count == OUTBOX_BATCH || out->iface != iface)
        batch_flush(ip);
    out->iface = iface;
    return out->count;
}

void outbox_add(struct ip *ip, const struct tlsyn_frame *frame)
{
    struct outbox *out = &ip->out;

    out->frame[out->count++] = *frame;
}

static void batch_one(struct ip *ip, struct held *h)
{
    outbox_slot(ip, h->iface);
    outbox_add(ip, &h->frame);
    held_push(&ip->out.spent, h);
}

void outbox_fragments(struct ip *ip, struct held *whole)
{
    struct context *cx = ip->cx;
    struct held_queue fragments;
    struct held *h;
    int n;

    held_queue_init(&fragments);
    n = split_frame(&ip->split, cx, whole, &fragments);
    held_free(cx, whole);
    if (n < 0) {
        count(cx, TLSYN_COUNT_ip_frag_fails);
        drop(cx, TLSYN_DROP_no_memory);
        return;
    }
    count(cx, TLSYN_COUNT_ip_frag_oks);
    cx->counter[TLSYN_COUNT_ip_frag_creates] += (uint64_t)n;
    while ((h = held_pop(&fragments)))
        batch_one(ip, h);
}

static void batch_held(struct ip *ip, struct held *h)
{
    if (h->mtu > 0)
        outbox_fragments(ip, h);
    else
        batch_one(ip, h);
}

static void drain(struct ip *ip)
{
    struct held *h;

    while ((h = neigh_take_answered(&ip->neigh)))
        batch_held(ip, h);
    while ((h = held_pop(&ip->out.reply)))
        batch_held(ip, h);
}

void ip_output_open(struct ip *ip)
{
    assert(!ip->out.is_open);
    ip->out.is_open = true;
    ip->out.taken = 0;
    drain(ip);
}

int ip_output_close(struct ip *ip)
{
    assert(ip->out.is_open);
    drain(ip);
    batch_flush(ip);
    ip->out.is_open = false;
    return ip->out.taken;
}

bool ip_output_is_due(const struct ip *ip)
{
    return ip->out.reply.count > 0 || !list_empty(&ip->neigh.answered);
}

/* --- the reply queue -------------------------------------------------------------------------- */

bool outbox_has_room(struct ip *ip, size_t len)
{
    if (ip->out.reply.bytes + held_size(len) <= ip->cx->limits.reply_queue_bytes)
        return true;
    drop(ip->cx, TLSYN_DROP_reply_queue_full);
    return false;
}

int outbox_reply(struct ip *ip, struct tlsyn_iface *iface, const uint8_t *bytes, size_t len)
{
    struct held *h;

    if (!outbox_has_room(ip, len))
        return -ENOBUFS;
    h = held_new(ip->cx, iface, len);
    if (!h) {
        drop(ip->cx, TLSYN_DROP_no_memory);
        return -ENOMEM;
    }
    memcpy(h->bytes, bytes, len);
    held_push(&ip->out.reply, h);
    return 0;
}
