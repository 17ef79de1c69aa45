/*
 * study/pageload/lookup_kernel.c: the descriptors and the time of peer/names.h in a poller.
 *
 * An answer is put aside until the timer says that its time has come, which is at once: so no event
 * comes from within a call.
 */
#include "study/pageload/lookup_kernel.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "peer/names.h"

struct question {
    struct peer_question base; /* first member */
    struct lookup_kernel *lookup;
    struct carrier_lookup *asks;
    struct tlsyn_addr address;
    bool found, answered;
    char sentence[CARRIER_SENTENCE_MAX];
    struct question *next;
};

struct lookup_kernel {
    struct peer_lookup_user user; /* first member */
    struct poller *poller;
    struct peer_lookup *peer;
    struct poller_watch socket, due;
    int timer;                  /* -1: not open */
    struct question *questions; /* answered, but not handed over, and open ones */
    bool any;                   /* of the former */
};

static void arm(struct lookup_kernel *l)
{
    (void)poller_due(l->timer, l->any ? 0 : peer_lookup_due(l->peer));
}

static void hand_over(struct lookup_kernel *l)
{
    struct question **at = &l->questions;

    l->any = false;
    while (*at) {
        struct question *q = *at;

        if (!q->answered) {
            at = &q->next;
            continue;
        }
        *at = q->next;
        q->asks->on_resolved(q->asks, q->found ? &q->address : NULL, q->found ? 0 : -EHOSTUNREACH,
                             q->sentence);
        free(q);
        at = &l->questions; /* the user may have asked more */
    }
}

static void on_due(struct poller_watch *watch, uint32_t events)
{
    struct lookup_kernel *l =
        (struct lookup_kernel *)((char *)watch - offsetof(struct lookup_kernel, due));

    (void)events;
    if (!poller_expired(l->timer))
        return;
    peer_lookup_turn(l->peer);
    hand_over(l);
    arm(l);
}

static void on_socket(struct poller_watch *watch, uint32_t events)
{
    struct lookup_kernel *l =
        (struct lookup_kernel *)((char *)watch - offsetof(struct lookup_kernel, socket));

    (void)events;
    peer_lookup_turn(l->peer);
    arm(l);
}

static void watch_socket(struct peer_lookup_user *user, int fd, bool readable, bool writable)
{
    struct lookup_kernel *l = (struct lookup_kernel *)user;
    uint32_t events = (readable ? EPOLLIN : 0u) | (writable ? EPOLLOUT : 0u);

    if (events == 0)
        poller_unwatch(l->poller, fd);
    else
        (void)poller_watch(l->poller, fd, events, &l->socket); /* else the question times out */
}

static void on_answer(struct peer_question *question, const struct in_addr *address,
                      const char *sentence)
{
    struct question *q = (struct question *)question;

    q->answered = q->lookup->any = true;
    q->found = address != NULL;
    if (address)
        q->address = tlsyn_addr_ip4((const uint8_t *)address);
    (void)snprintf(q->sentence, sizeof(q->sentence), "%s", sentence);
}

int lookup_kernel_ask(struct lookup_kernel *l, const char *name, struct carrier_lookup *asks)
{
    struct question *q = malloc(sizeof(*q));

    if (!q)
        return -ENOMEM;
    *q = (struct question){.base = {on_answer}, .lookup = l, .asks = asks, .next = l->questions};
    l->questions = q;
    peer_lookup_ask(l->peer, name, &q->base);
    arm(l);
    return 0;
}

int lookup_kernel_new(struct poller *poller, const char *server, struct lookup_kernel **lookup)
{
    struct lookup_kernel *l = calloc(1, sizeof(*l));
    int error;

    if (!l)
        return -ENOMEM;
    l->user.watch = watch_socket;
    l->poller = poller;
    l->socket.on_ready = on_socket;
    l->due.on_ready = on_due;
    l->timer = poller_timer();
    error = l->timer < 0 ? l->timer : poller_watch(poller, l->timer, EPOLLIN, &l->due);
    if (error == 0)
        error = peer_lookup_new(server, &l->user, &l->peer);
    if (error < 0) {
        lookup_kernel_free(l);
        return error;
    }
    *lookup = l;
    return 0;
}

void lookup_kernel_free(struct lookup_kernel *l)
{
    if (!l)
        return;
    peer_lookup_free(l->peer);
    while (l->questions) {
        struct question *q = l->questions;

        l->questions = q->next;
        free(q);
    }
    if (l->timer >= 0) {
        poller_unwatch(l->poller, l->timer);
        (void)close(l->timer);
    }
    free(l);
}
