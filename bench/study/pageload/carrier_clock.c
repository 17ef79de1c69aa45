/*
 * study/pageload/carrier_clock.c: time and names for connections of our stack.
 */
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include "study/pageload/carrier_parts.h"

double carrier_clock_now(struct carrier *carrier)
{
    (void)carrier;
    return (double)tlsyn_clock();
}

/* --- time ------------------------------------------------------------------------------------- */

static void on_timer(struct tlsyn_loop_watch *watch, int fd, short revents)
{
    struct carrier_stack *c =
        (struct carrier_stack *)((char *)watch - offsetof(struct carrier_stack, watch));
    struct carrier_reminder *reminder = c->reminder;
    uint64_t times;

    (void)revents;
    if (read(fd, &times, sizeof(times)) != (ssize_t)sizeof(times))
        return;
    c->reminder = NULL;
    if (reminder)
        reminder->on_time(reminder);
}

int carrier_clock_remind(struct carrier *carrier, double us, struct carrier_reminder *reminder)
{
    struct carrier_stack *c = carrier_stack_of(carrier);
    int64_t ns = us > 1 ? (int64_t)(us * 1000) : 1000;
    const struct itimerspec when = {
        .it_value = {.tv_sec = reminder ? (time_t)(ns / 1000000000) : 0,
                     .tv_nsec = reminder ? (long)(ns % 1000000000) : 0}};

    c->reminder = reminder;
    return timerfd_settime(c->timer, 0, &when, NULL) < 0 ? -errno : 0;
}

/* --- names ------------------------------------------------------------------------------------ */

struct carrier_name {
    struct tlsyn_resolved_handler handler; /* first member */
    struct carrier_lookup *lookup;
    struct carrier_name *next, **link;
};

static void forget(struct carrier_name *name)
{
    *name->link = name->next;
    if (name->next)
        name->next->link = name->link;
    free(name);
}

static void on_resolved(struct tlsyn_resolved_handler *handler, const struct tlsyn_addr *addrs,
                        size_t n, int error)
{
    struct carrier_name *name = (struct carrier_name *)handler;
    struct carrier_lookup *lookup = name->lookup;

    forget(name);
    if (error == 0 && n == 0)
        error = -ENODATA;
    lookup->on_resolved(lookup, error == 0 ? &addrs[0] : NULL, error,
                        error < 0 ? tlsyn_resolve_text(error) : "");
}

int carrier_clock_resolve(struct carrier *carrier, const char *name, struct carrier_lookup *lookup)
{
    struct carrier_stack *c = carrier_stack_of(carrier);
    struct carrier_name *asked = malloc(sizeof(*asked));
    int error;

    if (!asked)
        return -ENOMEM;
    *asked = (struct carrier_name){.handler = {.on_resolved = on_resolved},
                                   .lookup = lookup,
                                   .next = c->names,
                                   .link = &c->names};
    if (c->names)
        c->names->link = &asked->next;
    c->names = asked;
    error = tlsyn_resolve(c->resolver, name, c->options.family, &asked->handler, NULL);
    if (error < 0)
        forget(asked);
    return error;
}

/* --- life ------------------------------------------------------------------------------------- */

int carrier_clock_open(struct carrier_stack *c)
{
    struct node *node = c->options.node;
    int error;

    c->watch.on_ready = on_timer;
    c->timer = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
    error = c->timer < 0 ? -errno : tlsyn_loop_watch(node->loop, c->timer, POLLIN, &c->watch);
    return error < 0 ? error
                     : tlsyn_resolver_new(node->loop, node->stack, &c->options.names, &c->resolver);
}

void carrier_clock_close(struct carrier_stack *c)
{
    tlsyn_resolver_free(c->resolver); /* without a word */
    while (c->names)
        forget(c->names);
    if (c->timer < 0)
        return;
    tlsyn_loop_unwatch(c->options.node->loop, c->timer);
    (void)close(c->timer);
}
