/*
 * ip/held.c: copied frames that wait. See held.h.
 */
#include "ip/held.h"

void held_queue_init(struct held_queue *q)
{
    list_init(&q->frames);
    q->count = 0;
    q->bytes = 0;
}

struct held *held_new(struct context *cx, struct tlsyn_iface *iface, size_t len)
{
    struct held *h = context_alloc(cx, held_size(len));

    if (!h)
        return NULL;
    list_init(&h->node);
    h->iface = iface;
    h->frame.iov[0] = (struct iovec){.iov_base = h->bytes, .iov_len = len};
    h->frame.iovcnt = 1;
    return h;
}

void held_free(struct context *cx, struct held *h)
{
    context_free(cx, h);
}

void held_push(struct held_queue *q, struct held *h)
{
    list_append(&q->frames, &h->node);
    q->count++;
    q->bytes += held_size(h->frame.iov[0].iov_len);
}

struct held *held_pop(struct held_queue *q)
{
    struct list *first = list_first(&q->frames);
    struct held *h;

    if (!first)
        return NULL;
    h = container_of(first, struct held, node);
    list_remove(first);
    q->count--;
    q->bytes -= held_size(h->frame.iov[0].iov_len);
    return h;
}

void held_drop_all(struct context *cx, struct held_queue *q, enum tlsyn_drop reason)
{
    struct held *h;

    while ((h = held_pop(q))) {
        drop(cx, reason);
        held_free(cx, h);
    }
}

void held_release(struct context *cx, struct held_queue *q)
{
    struct held *h;

    while ((h = held_pop(q)))
        held_free(cx, h);
}
