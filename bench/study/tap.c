/*
 * study/tap.c: a link that can be captured for a while.
 */
#include "study/tap.h"

#include <errno.h>
#include <stdlib.h>

struct tap {
    struct tlsyn_link link;
    struct tlsyn_link lent; /* the inner link as the capture sees it: closing it closes nothing */
    struct tlsyn_link *inner;
    struct tlsyn_link *capture; /* or NULL */
};

static struct tap *of(struct tlsyn_link *link)
{
    return (struct tap *)link; /* first member */
}

static struct tap *of_lent(struct tlsyn_link *link)
{
    return (struct tap *)((char *)link - offsetof(struct tap, lent));
}

static struct tlsyn_link *now_below(struct tlsyn_link *link)
{
    struct tap *tap = of(link);

    return tap->capture ? tap->capture : tap->inner;
}

static int tap_receive(struct tlsyn_link *link, struct tlsyn_frame *frames, int max, tlsyn_time now)
{
    return tlsyn_link_receive(now_below(link), frames, max, now);
}

static int tap_transmit(struct tlsyn_link *link, const struct tlsyn_frame *frames, int n,
                        tlsyn_time now)
{
    return tlsyn_link_transmit(now_below(link), frames, n, now);
}

static int tap_fd(struct tlsyn_link *link)
{
    return tlsyn_link_fd(of(link)->inner);
}

static tlsyn_time tap_next_timeout(struct tlsyn_link *link)
{
    return tlsyn_link_next_timeout(now_below(link));
}

static void tap_close(struct tlsyn_link *link)
{
    struct tap *tap = of(link);

    tlsyn_link_close(tap->capture);
    tlsyn_link_close(tap->inner);
    free(tap);
}

static int lent_receive(struct tlsyn_link *link, struct tlsyn_frame *frames, int max,
                        tlsyn_time now)
{
    return tlsyn_link_receive(of_lent(link)->inner, frames, max, now);
}

static int lent_transmit(struct tlsyn_link *link, const struct tlsyn_frame *frames, int n,
                         tlsyn_time now)
{
    return tlsyn_link_transmit(of_lent(link)->inner, frames, n, now);
}

static int lent_fd(struct tlsyn_link *link)
{
    return tlsyn_link_fd(of_lent(link)->inner);
}

static tlsyn_time lent_next_timeout(struct tlsyn_link *link)
{
    return tlsyn_link_next_timeout(of_lent(link)->inner);
}

static void lent_stamp(struct tlsyn_link *link)
{
    tlsyn_link_stamp(of_lent(link)->inner);
}

static void lent_close(struct tlsyn_link *link)
{
    (void)link;
}

static const struct tlsyn_link_ops tap_ops = {
    .receive = tap_receive,
    .transmit = tap_transmit,
    .fd = tap_fd,
    .next_timeout = tap_next_timeout,
    .close = tap_close,
};

static const struct tlsyn_link_ops lent_ops = {
    .receive = lent_receive,
    .transmit = lent_transmit,
    .fd = lent_fd,
    .next_timeout = lent_next_timeout,
    .stamp = lent_stamp,
    .close = lent_close,
};

int tap_wrap(struct tlsyn_link *inner, struct tlsyn_link **link)
{
    struct tap *tap = calloc(1, sizeof(*tap));

    if (!tap)
        return -ENOMEM;
    *tap = (struct tap){.link = {.ops = &tap_ops, .caps = inner->caps},
                        .lent = {.ops = &lent_ops, .caps = inner->caps},
                        .inner = inner};
    *link = &tap->link;
    return 0;
}

int tap_start(struct tlsyn_link *link, const char *path)
{
    struct tap *tap = of(link);

    if (tap->capture)
        return -EBUSY;
    return tlsyn_capture_wrap(&tap->lent, path, &tap->capture);
}

void tap_secret(struct tlsyn_link *link, const char *line)
{
    struct tap *tap = of(link);

    if (tap->capture)
        (void)tlsyn_capture_secret(tap->capture, line); /* sticky: tap_stop() tells */
}

int tap_stop(struct tlsyn_link *link)
{
    struct tap *tap = of(link);
    int error = tap->capture ? tlsyn_capture_flush(tap->capture) : 0;

    tlsyn_link_close(tap->capture);
    tap->capture = NULL;
    return error;
}
