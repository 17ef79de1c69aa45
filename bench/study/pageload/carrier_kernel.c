/*
 * study/pageload/carrier_kernel.c: the kernel's TLS connections, as a page loader uses them.
 *
 * A stream lives while an event of it is delivered, though its user may close it meanwhile.
 */
#include "study/pageload/carrier_kernel.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <tlsyn/loop.h>
#include <unistd.h>

#include "peer/stream.h"
#include "study/pageload/lookup_kernel.h"
#include "study/pageload/patience.h"

#define CHUNK 16384

struct carrier_kernel {
    struct carrier base; /* first member */
    struct carrier_kernel_options options;
    struct lookup_kernel *lookup;
    struct carrier_reminder *reminder;
    struct alarm {
        struct poller_watch watch;
        int timer;  /* -1: not open */
    } due, patient; /* for the reminder, for who waits for a session */
    struct patience patience;
};

struct stream {
    struct carrier_stream base; /* first member */
    struct poller_watch watch;
    struct patient patient; /* before TLS begins */
    double opened;
    struct peer_stream *peer;
    struct carrier_user *user;
    bool busy;    /* an event is being delivered */
    bool blocked; /* a write has not found room */
    bool up;      /* the user was told */
    bool closed;  /* by the user, while busy */
};

static struct carrier_kernel *of_carrier(struct carrier *carrier)
{
    return (struct carrier_kernel *)carrier;
}

static struct poller *poller_of(const struct stream *s)
{
    return of_carrier(s->base.carrier)->options.poller;
}

/* --- a stream --------------------------------------------------------------------------------- */

static void stream_free(struct stream *s)
{
    patience_leave(&s->patient);
    if (s->peer)
        poller_unwatch(poller_of(s), peer_stream_fd(s->peer));
    peer_stream_free(s->peer);
    free(s);
}

static int watch(struct stream *s)
{
    uint32_t in = peer_stream_phase(s->peer) == PEER_CONNECTING ? 0 : EPOLLIN;
    uint32_t out = peer_stream_wants_room(s->peer) ? EPOLLOUT : 0;

    return poller_watch(poller_of(s), peer_stream_fd(s->peer), in | out, &s->watch);
}

/* --- events ----------------------------------------------------------------------------------- */

static void end(struct stream *s, int error, const char *sentence)
{
    poller_unwatch(poller_of(s), peer_stream_fd(s->peer));
    if (!s->closed)
        s->user->events->on_end(s->user, error, sentence);
}

/* Once with early data, which it then has room for, and again when that is over. */
static void tell_up(struct stream *s)
{
    if (!s->up) {
        s->up = true;
        patience_up(&s->patient);
        s->user->events->on_up(s->user);
    } else if (peer_stream_phase(s->peer) == PEER_UP) {
        s->user->events->on_room(s->user);
    }
}

/* False: it has ended. */
static bool advance(struct stream *s)
{
    enum peer_phase before = peer_stream_phase(s->peer);
    int error = peer_stream_go_on(s->peer);

    if (error < 0) {
        end(s, error, peer_stream_error(s->peer));
        return false;
    }
    if (before == PEER_CONNECTING)
        s->user->events->on_begun(s->user);
    if (peer_stream_phase(s->peer) >= PEER_UP_EARLY && !s->closed)
        tell_up(s);
    return true;
}

/* False: it has ended. */
static bool deliver(struct stream *s)
{
    char bytes[CHUNK];
    ssize_t n = -EAGAIN;

    while (!s->closed && (n = peer_stream_read(s->peer, bytes, sizeof(bytes))) > 0) {
        patience_heard(&s->patient);
        s->user->events->on_bytes(s->user, bytes, (size_t)n);
    }
    if (s->closed || n == -EAGAIN)
        return true;
    end(s, (int)n, n < 0 ? peer_stream_error(s->peer) : "");
    return false;
}

static void go_on(struct stream *s, uint32_t events)
{
    bool goes_on = true;
    int error = 0;

    s->busy = true;
    if (peer_stream_phase(s->peer) != PEER_UP)
        goes_on = advance(s);
    if (goes_on && !s->closed && s->blocked && (events & EPOLLOUT)) {
        s->blocked = false;
        s->user->events->on_room(s->user);
    }
    if (goes_on && !s->closed && peer_stream_phase(s->peer) == PEER_UP)
        goes_on = deliver(s);
    if (goes_on && !s->closed)
        error = watch(s);
    if (error < 0)
        end(s, error, strerror(-error));
    s->busy = false;
    if (s->closed)
        stream_free(s);
}

/* It is connected, and is let alone if it waits. */
static bool awaits_session(struct stream *s)
{
    struct patience *patience = &of_carrier(s->base.carrier)->patience;
    double now = (double)tlsyn_clock();

    patience_answered(patience, now - s->opened);
    if (!patience_waits(&s->patient, now))
        return false;
    poller_unwatch(poller_of(s), peer_stream_fd(s->peer));
    return true;
}

static void on_ready(struct poller_watch *ready, uint32_t events)
{
    struct stream *s = (struct stream *)((char *)ready - offsetof(struct stream, watch));
    struct carrier_kernel *c = of_carrier(s->base.carrier);
    bool has_connected =
        peer_stream_phase(s->peer) == PEER_CONNECTING && !(events & (EPOLLERR | EPOLLHUP));

    if (has_connected && awaits_session(s))
        return;
    go_on(s, events);
    patience_look(&c->patience);
}

/* --- alarms ----------------------------------------------------------------------------------- */

static void on_due(struct poller_watch *ready, uint32_t events)
{
    struct carrier_kernel *c =
        (struct carrier_kernel *)((char *)ready - offsetof(struct carrier_kernel, due.watch));
    struct carrier_reminder *reminder = c->reminder;

    (void)events;
    if (!poller_expired(c->due.timer))
        return;
    c->reminder = NULL;
    if (reminder)
        reminder->on_time(reminder);
}

static void on_patient(struct poller_watch *ready, uint32_t events)
{
    struct carrier_kernel *c =
        (struct carrier_kernel *)((char *)ready - offsetof(struct carrier_kernel, patient.watch));

    (void)events;
    if (poller_expired(c->patient.timer))
        patience_expired(&c->patience, (double)tlsyn_clock());
}

static int known(const struct patience *patience, const char *name)
{
    const struct carrier_kernel *c =
        (const struct carrier_kernel *)((const char *)patience -
                                        offsetof(struct carrier_kernel, patience));

    return peer_context_known(c->options.context, name);
}

static int set_alarm(struct patience *patience, double us)
{
    struct carrier_kernel *c =
        (struct carrier_kernel *)((char *)patience - offsetof(struct carrier_kernel, patience));

    return poller_due(c->patient.timer, us > 0 ? (int64_t)(us * 1000) : 0);
}

static void begin(struct patient *patient)
{
    go_on((struct stream *)((char *)patient - offsetof(struct stream, patient)), EPOLLOUT);
}

static const struct patience_ops patience_ops = {
    .known = known, .alarm = set_alarm, .go_on = begin};

static int alarm_open(struct alarm *alarm, struct poller *poller,
                      void (*then)(struct poller_watch *, uint32_t))
{
    alarm->watch.on_ready = then;
    alarm->timer = poller_timer();
    return alarm->timer < 0 ? alarm->timer
                            : poller_watch(poller, alarm->timer, EPOLLIN, &alarm->watch);
}

static void alarm_close(struct alarm *alarm, struct poller *poller)
{
    if (alarm->timer < 0)
        return;
    poller_unwatch(poller, alarm->timer);
    (void)close(alarm->timer);
}

/* --- the carrier's calls ---------------------------------------------------------------------- */

static double now(struct carrier *carrier)
{
    (void)carrier;
    return (double)tlsyn_clock();
}

static int stream_open(struct carrier *carrier, const struct carrier_target *target,
                       struct carrier_user *user, struct carrier_stream **stream)
{
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(target->remote.port)};
    struct carrier_kernel *c = of_carrier(carrier);
    struct stream *s = calloc(1, sizeof(*s));
    int error;

    if (!s)
        return -ENOMEM;
    s->base.carrier = carrier;
    s->opened = now(carrier);
    s->watch.on_ready = on_ready;
    s->user = user;
    memcpy(&to.sin_addr, tlsyn_addr_octets(&target->remote.addr), sizeof(to.sin_addr));
    error = peer_stream_connect(c->options.context, &to, target->name, &s->peer);
    if (error == 0) {
        patience_join(&c->patience, &s->patient, peer_stream_name(s->peer));
        error = watch(s);
    }
    if (error < 0) {
        stream_free(s);
        return error;
    }
    *stream = &s->base;
    return 0;
}

static ssize_t stream_write(struct carrier_stream *stream, const char *bytes, size_t n)
{
    struct stream *s = (struct stream *)stream;
    ssize_t taken;

    if (peer_stream_phase(s->peer) < PEER_UP_EARLY)
        return 0;
    taken = peer_stream_write(s->peer, bytes, n);
    if (taken != -EAGAIN)
        return taken;
    s->blocked = true;
    if (!s->busy)
        (void)watch(s); /* else it is when its event is over */
    return 0;
}

static void stream_facts(const struct carrier_stream *stream, struct carrier_facts *facts)
{
    const struct stream *s = (const struct stream *)stream;
    bool is_early = peer_stream_phase(s->peer) == PEER_UP_EARLY;

    *facts = (struct carrier_facts){.resumed = is_early || peer_stream_resumed(s->peer),
                                    .early = is_early,
                                    .h2 = peer_stream_speaks(s->peer, "h2")};
}

static void stream_close(struct carrier_stream *stream)
{
    struct stream *s = (struct stream *)stream;

    s->closed = true;
    if (!s->busy)
        stream_free(s);
}

static int remind(struct carrier *carrier, double us, struct carrier_reminder *reminder)
{
    struct carrier_kernel *c = of_carrier(carrier);

    c->reminder = reminder;
    return poller_due(c->due.timer, !reminder ? -1 : us > 0 ? (int64_t)(us * 1000) : 0);
}

static int resolve(struct carrier *carrier, const char *name, struct carrier_lookup *lookup)
{
    return lookup_kernel_ask(of_carrier(carrier)->lookup, name, lookup);
}

static const struct carrier_ops ops = {.now = now,
                                       .resolve = resolve,
                                       .remind = remind,
                                       .open = stream_open,
                                       .write = stream_write,
                                       .facts = stream_facts,
                                       .close = stream_close};

int carrier_kernel_new(const struct carrier_kernel_options *options, struct carrier **carrier)
{
    struct carrier_kernel *c = calloc(1, sizeof(*c));
    int error;

    if (!c)
        return -ENOMEM;
    c->base.ops = &ops;
    c->options = *options;
    c->patience = (struct patience){.ops = &patience_ops, .us = options->patience_us};
    c->due.timer = c->patient.timer = -1;
    error = alarm_open(&c->due, options->poller, on_due);
    if (error == 0)
        error = alarm_open(&c->patient, options->poller, on_patient);
    if (error == 0)
        error = lookup_kernel_new(options->poller, options->dns, &c->lookup);
    if (error < 0) {
        carrier_kernel_free(&c->base);
        return error;
    }
    *carrier = &c->base;
    return 0;
}

void carrier_kernel_free(struct carrier *carrier)
{
    struct carrier_kernel *c = carrier ? of_carrier(carrier) : NULL;

    if (!c)
        return;
    lookup_kernel_free(c->lookup);
    alarm_close(&c->due, c->options.poller);
    alarm_close(&c->patient, c->options.poller);
    free(c);
}
