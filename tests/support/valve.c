/*
 * support/valve.c: see valve.h.
 */
#include "support/valve.h"

#include <stdatomic.h>
#include <stdlib.h>

#include "support/must.h"

struct valve {
    struct tlsyn_link link;
    struct tlsyn_link *inner;
    atomic_bool shut;
};

static struct valve *valve_of(struct tlsyn_link *link)
{
    return (struct valve *)(void *)link; /* first member */
}

static int receive(struct tlsyn_link *link, struct tlsyn_frame *frames, int max, tlsyn_time now)
{
    int n = tlsyn_link_receive(valve_of(link)->inner, frames, max, now);

    return n > 0 && valve_of(link)->shut ? 0 : n;
}

static int transmit(struct tlsyn_link *link, const struct tlsyn_frame *f, int n, tlsyn_time now)
{
    return tlsyn_link_transmit(valve_of(link)->inner, f, n, now);
}

static int descriptor(struct tlsyn_link *link)
{
    return tlsyn_link_fd(valve_of(link)->inner);
}

static tlsyn_time next_timeout(struct tlsyn_link *link)
{
    return tlsyn_link_next_timeout(valve_of(link)->inner);
}

static void close_both(struct tlsyn_link *link)
{
    tlsyn_link_close(valve_of(link)->inner);
    free(link);
}

struct tlsyn_link *valve_wrap(struct tlsyn_link *inner)
{
    static const struct tlsyn_link_ops ops = {.receive = receive,
                                              .transmit = transmit,
                                              .fd = descriptor,
                                              .next_timeout = next_timeout,
                                              .close = close_both};
    struct valve *v = calloc(1, sizeof(*v));

    must(v != NULL);
    v->link.ops = &ops;
    v->link.caps = inner->caps;
    v->inner = inner;
    return &v->link;
}

void valve_shut(struct tlsyn_link *valve)
{
    valve_of(valve)->shut = true;
}
