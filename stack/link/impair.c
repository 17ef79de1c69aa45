/*
 * link/impair.c: wraps a link: delay, jitter, rate, queue, loss, reordering,
 * duplication, corruption, marks of congestion, each way (impair_direction.h).
 */
#include <errno.h>

#include "link/impair_direction.h"

/* Taken from the inner link at most, so that due frames need not wait for a flood. */
#define BATCHES_PER_RECEIVE 8

struct impair {
    struct tlsyn_link link;
    struct tlsyn_link *inner;
    struct direction out, in;
    struct list lent;  /* held_frame: handed out by the last receive */
    int receive_error; /* the inner link is dead; told when nothing is held any more */
    int transmit_error;
};

static struct impair *impair_of(struct tlsyn_link *link)
{
    return container_of(link, struct impair, link);
}

/* Sends these frames, due already, on the inner link. What it has no room for is dropped, as by
 * any full queue. */
static void impair_pass_on(struct impair *im, const struct tlsyn_frame *frames, int n,
                           tlsyn_time now)
{
    struct tlsyn_impair_stats *stats = &im->out.stats;
    int i = 0;

    while (i < n && im->transmit_error == 0) {
        int taken = tlsyn_link_transmit(im->inner, frames + i, n - i, now);

        if (taken > 0) {
            stats->out += (uint64_t)taken;
            i += taken;
        } else if (taken == -ENOBUFS || taken == -EMSGSIZE || taken == -EINVAL) {
            stats->queue_full++;
            i++;
        } else {
            im->transmit_error = taken;
        }
    }
    stats->lost += (uint64_t)(n - i); /* in a link that died */
}

/* Transmits what has become due in the `out` direction. */
static void impair_flush(struct impair *im, tlsyn_time now)
{
    struct tlsyn_frame frames[TLSYN_LINK_BATCH];
    struct held_frame *held = NULL;
    struct list sent;

    list_init(&sent);
    do {
        int n = 0;

        while (n < TLSYN_LINK_BATCH && (held = direction_pop(&im->out, now)) != NULL) {
            frames[n++] = held->frame;
            list_append(&sent, &held->node);
        }
        impair_pass_on(im, frames, n, now);
        frames_free(&sent);
    } while (held);
}

/* Takes what the inner link has received into the `in` direction. */
static void impair_fill(struct impair *im, tlsyn_time now)
{
    struct tlsyn_frame frames[TLSYN_LINK_BATCH];

    for (int batch = 0; batch < BATCHES_PER_RECEIVE && im->receive_error == 0; batch++) {
        int n = tlsyn_link_receive(im->inner, frames, TLSYN_LINK_BATCH, now);

        for (int i = 0; i < n; i++) {
            tlsyn_time when = frames[i].when;

            direction_push(&im->in, &frames[i], when > 0 && when < now ? when : now);
        }
        if (n < 0)
            im->receive_error = n;
        if (n < TLSYN_LINK_BATCH)
            return;
    }
}

static int impair_receive(struct tlsyn_link *link, struct tlsyn_frame *frames, int max,
                          tlsyn_time now)
{
    struct impair *im = impair_of(link);
    struct held_frame *held;
    int n = 0;

    frames_free(&im->lent);
    impair_flush(im, now);
    if (direction_is_clear(&im->in) && im->receive_error == 0) {
        n = tlsyn_link_receive(im->inner, frames, max, now);
        im->in.stats.in += n > 0 ? (uint64_t)n : 0;
        im->in.stats.out += n > 0 ? (uint64_t)n : 0;
        return n;
    }
    impair_fill(im, now);
    while (n < max && (held = direction_pop(&im->in, now)) != NULL) {
        frames[n++] = held->frame;
        list_append(&im->lent, &held->node);
    }
    im->in.stats.out += (uint64_t)n;
    return n == 0 && im->in.stats.held == 0 ? im->receive_error : n;
}

static int impair_transmit(struct tlsyn_link *link, const struct tlsyn_frame *frames, int n,
                           tlsyn_time now)
{
    struct impair *im = impair_of(link);

    impair_flush(im, now);
    if (im->transmit_error)
        return im->transmit_error;
    if (direction_is_clear(&im->out)) {
        int taken = tlsyn_link_transmit(im->inner, frames, n, now);

        im->out.stats.in += taken > 0 ? (uint64_t)taken : 0;
        im->out.stats.out += taken > 0 ? (uint64_t)taken : 0;
        return taken;
    }
    for (int i = 0; i < n; i++) {
        int error = frame_check(&frames[i], &im->inner->caps);

        if (error)
            return i > 0 ? i : error;
        direction_push(&im->out, &frames[i], now);
    }
    impair_flush(im, now); /* what has no delay leaves at once */
    return n;
}

static int impair_fd(struct tlsyn_link *link)
{
    return tlsyn_link_fd(impair_of(link)->inner);
}

static uint64_t impair_missed(struct tlsyn_link *link)
{
    return tlsyn_link_missed(impair_of(link)->inner);
}

static tlsyn_time impair_next_timeout(struct tlsyn_link *link)
{
    struct impair *im = impair_of(link);
    tlsyn_time next = tlsyn_link_next_timeout(im->inner);
    tlsyn_time out = direction_next(&im->out), in = direction_next(&im->in);

    if (out < next)
        next = out;
    return in < next ? in : next;
}

static void impair_close(struct tlsyn_link *link)
{
    struct impair *im = impair_of(link);

    direction_fini(&im->out);
    direction_fini(&im->in);
    frames_free(&im->lent);
    tlsyn_link_close(im->inner);
    link_free(im);
}

static const struct tlsyn_link_ops impair_ops = {
    .receive = impair_receive,
    .transmit = impair_transmit,
    .fd = impair_fd,
    .next_timeout = impair_next_timeout,
    .missed = impair_missed,
    .close = impair_close,
};

int tlsyn_impair_wrap(struct tlsyn_link *inner, const struct tlsyn_impairment *out,
                      const struct tlsyn_impairment *in, struct tlsyn_link **link)
{
    struct impair *im;

    if (!direction_allows(out) || !direction_allows(in))
        return -EINVAL;
    im = link_alloc(sizeof(*im));
    if (!im)
        return -ENOMEM;
    im->link.ops = &impair_ops;
    im->link.caps = inner->caps;
    if (out)
        im->link.caps.gso_max = 0;
    im->inner = inner;
    direction_init(&im->out, out);
    direction_init(&im->in, in);
    list_init(&im->lent);
    tlsyn_link_stamp(inner); /* a delay counts from the arrival */
    *link = &im->link;
    return 0;
}

int tlsyn_impair_set(struct tlsyn_link *link, const struct tlsyn_impairment *out,
                     const struct tlsyn_impairment *in)
{
    struct impair *im = impair_of(link);

    if (!direction_allows(out) || !direction_allows(in))
        return -EINVAL;
    direction_set(&im->out, out);
    direction_set(&im->in, in);
    return 0;
}

void tlsyn_impair_stats(const struct tlsyn_link *link, struct tlsyn_impair_stats *out,
                        struct tlsyn_impair_stats *in)
{
    const struct impair *im = (const struct impair *)(const void *)link;

    if (out)
        *out = im->out.stats;
    if (in)
        *in = im->in.stats;
}
