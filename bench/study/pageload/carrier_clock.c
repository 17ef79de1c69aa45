/*
 * study/pageload/carrier_clock.c: time and names for connections of our stack.
 */
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <unistd.h>

#include "study/pageload/carrier_parts.h"
#include "study/pageload/poller.h"

double carrier_clock_now(struct carrier *carrier)
{
    (void)carrier;
    return (double)tlsyn_clock();
}

/* --- time ------------------------------------------------------------------------------------- */

static int64_t nanoseconds(double us)
{
    return us > 0 ? (int64_t)(us * 1000) : 0;
}

static void on_due(struct tlsyn_loop_watch *watch, int fd, short revents)
{
    struct carrier_stack *c =
        (struct carrier_stack *)((char *)watch - offsetof(struct carrier_stack, due.watch));
    struct carrier_reminder *reminder = c->reminder;

    (void)revents;
    if (!poller_expired(fd))
        return;
    c->reminder = NULL;
    if (reminder)
        reminder->on_time(reminder);
}

int carrier_clock_remind(struct carrier *carrier, double us, struct carrier_reminder *reminder)
{
    struct carrier_stack *c = carrier_stack_of(carrier);

    c->reminder = reminder;
    return poller_due(c->due.timer, reminder ? nanoseconds(us) : -1);
}

/* --- sessions that are due -------------------------------------------------------------------- */

static struct carrier_stack *of_patience(const struct patience *patience)
{
    return (struct carrier_stack *)((uintptr_t)patience - offsetof(struct carrier_stack, patience));
}

static void on_patient(struct tlsyn_loop_watch *watch, int fd, short revents)
{
    struct carrier_stack *c =
        (struct carrier_stack *)((char *)watch - offsetof(struct carrier_stack, patient.watch));

    (void)revents;
    if (poller_expired(fd))
        patience_expired(&c->patience, carrier_clock_now(&c->base));
}

static int known(const struct patience *patience, const char *name)
{
    return larder_count(of_patience(patience)->options.larder, name);
}

static int set_alarm(struct patience *patience, double us)
{
    return poller_due(of_patience(patience)->patient.timer, nanoseconds(us));
}

static const struct patience_ops patience_ops = {
    .known = known, .alarm = set_alarm, .go_on = stack_stream_go_on};

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

static int alarm_open(struct carrier_alarm *alarm, struct tlsyn_loop *loop,
                      void (*then)(struct tlsyn_loop_watch *, int, short))
{
    alarm->watch.on_ready = then;
    alarm->timer = poller_timer();
    return alarm->timer < 0 ? alarm->timer
                            : tlsyn_loop_watch(loop, alarm->timer, POLLIN, &alarm->watch);
}

static void alarm_close(struct carrier_alarm *alarm, struct tlsyn_loop *loop)
{
    if (alarm->timer < 0)
        return;
    tlsyn_loop_unwatch(loop, alarm->timer);
    (void)close(alarm->timer);
}

int carrier_clock_open(struct carrier_stack *c)
{
    struct node *node = c->options.node;
    int error;

    c->patience = (struct patience){.ops = &patience_ops, .us = c->options.patience_us};
    c->due.timer = c->patient.timer = -1;
    error = alarm_open(&c->due, node->loop, on_due);
    if (error == 0)
        error = alarm_open(&c->patient, node->loop, on_patient);
    return error < 0 ? error
                     : tlsyn_resolver_new(node->loop, node->stack, &c->options.names, &c->resolver);
}

void carrier_clock_close(struct carrier_stack *c)
{
    tlsyn_resolver_free(c->resolver); /* without a word */
    while (c->names)
        forget(c->names);
    alarm_close(&c->due, c->options.node->loop);
    alarm_close(&c->patient, c->options.node->loop);
}
