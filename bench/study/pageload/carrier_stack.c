/*
 * study/pageload/carrier_stack.c: TLS connections of our stack, as a page loader uses them.
 *
 * Each stream is TCP's handler, and passes the events on to the engine once there is one:
 *
 *     embedded    on_open: the engine begins, and writes its hello into the SYN
 *     sequential  on_synack: the engine begins, its hello rides in the ACK
 *     early       on the first write; in the embedded mode only then is there a connection
 *
 * What was written before the engine was there, or as early data, is kept until it is known to have
 * been taken.
 */
#include "study/pageload/carrier_stack.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/timerfd.h>
#include <time.h>
#include <tlsyn/resolver.h>
#include <unistd.h>

#define EARLY_MAX 4096 /* bytes of a first flight's data: a request */

struct carrier_stack {
    struct carrier base;
    struct carrier_stack_options options;
    struct tlsyn_resolver *resolver;
    struct tlsyn_loop_watch watch; /* of the timer */
    int timer;                     /* timerfd */
    struct carrier_reminder *reminder;
};

struct stream {
    struct carrier_stream base;
    struct tlsyn_handler tcp; /* what TCP calls */
    struct tlsyn_handler app; /* what the engine calls */
    struct carrier_user *user;
    struct tlsyn_endpoint remote;
    char name[256];
    struct tlsyn_conn *conn; /* while it lives */
    struct tlsyn_tls *tls;
    bool lazy;        /* the engine waits for the first write */
    bool up;          /* the user was told, or knows */
    bool established; /* the engine's handshake is over */
    int busy;         /* events that are being delivered */
    bool closed;      /* by the user, while busy */
    char first[EARLY_MAX];
    size_t first_len;
};

static struct carrier_stack *of_carrier(struct carrier *carrier)
{
    return (struct carrier_stack *)carrier; /* first member */
}

static struct stream *of_stream(struct carrier_stream *stream)
{
    return (struct stream *)stream; /* first member */
}

static struct stream *of_tcp(struct tlsyn_handler *handler)
{
    return (struct stream *)((char *)handler - offsetof(struct stream, tcp));
}

static struct stream *of_app(struct tlsyn_handler *handler)
{
    return (struct stream *)((char *)handler - offsetof(struct stream, app));
}

static const struct carrier_stack_options *options_of(const struct stream *s)
{
    return &of_carrier(s->base.carrier)->options;
}

/* --- life of a stream ------------------------------------------------------------------------- */

static void stream_free(struct stream *s)
{
    s->busy++; /* the end of the connection is an event, too */
    if (s->tls)
        tlsyn_tls_free(s->tls); /* with its connection */
    else if (s->conn)
        tlsyn_conn_abort(s->conn, 0);
    free(s);
}

static void enter(struct stream *s)
{
    s->busy++;
}

/* What the user closed in one of its events goes when the last of them is over. */
static void leave(struct stream *s)
{
    if (--s->busy == 0 && s->closed)
        stream_free(s);
}

/* In order, where there is something to end: nobody waits for the other side. */
static void stream_close(struct carrier_stream *stream)
{
    struct stream *s = of_stream(stream);

    s->closed = true;
    if (s->busy == 0)
        stream_free(s);
}

/* --- the engine's events ---------------------------------------------------------------------- */

static int on_tls_open(struct tlsyn_handler *handler, struct tlsyn_conn *conn)
{
    struct stream *s = of_app(handler);

    (void)conn;
    if (s->first_len > 0)
        (void)tlsyn_tls_write(s->tls, s->first, s->first_len);
    return 0;
}

/* What left early, and was not taken, or could not leave, does now. */
static void on_tls_established(struct tlsyn_handler *handler, struct tlsyn_conn *conn)
{
    struct stream *s = of_app(handler);
    struct tlsyn_tls_info info;

    (void)conn;
    s->established = true;
    tlsyn_tls_info(s->tls, &info);
    if (s->first_len > 0 && info.early != TLSYN_TLS_EARLY_ACCEPTED)
        (void)tlsyn_tls_write(s->tls, s->first, s->first_len);
    s->first_len = 0;
    if (s->up || s->closed)
        return;
    s->up = true;
    s->user->events->on_up(s->user);
}

static void on_tls_data(struct tlsyn_handler *handler, struct tlsyn_conn *conn)
{
    struct stream *s = of_app(handler);
    char bytes[16384];
    ssize_t n = 0;

    (void)conn;
    while (!s->closed && (n = tlsyn_tls_read(s->tls, bytes, sizeof(bytes))) > 0)
        s->user->events->on_bytes(s->user, bytes, (size_t)n);
    if (!s->closed && n == 0)
        s->user->events->on_end(s->user, 0, "");
}

static void on_tls_acked(struct tlsyn_handler *handler, struct tlsyn_conn *conn, size_t n)
{
    struct stream *s = of_app(handler);

    (void)conn;
    if (n > 0 && s->established && !s->closed)
        s->user->events->on_room(s->user);
}

static void on_tls_closed(struct tlsyn_handler *handler, struct tlsyn_conn *conn, int error)
{
    struct stream *s = of_app(handler);
    const char *sentence = tlsyn_tls_error(s->tls);

    (void)conn;
    s->conn = NULL;
    if (s->closed)
        return;
    error = error < 0 ? error : -ECONNRESET;
    s->user->events->on_end(s->user, error, sentence[0] ? sentence : strerror(-error));
}

static const struct tlsyn_conn_events app_events = {.on_open = on_tls_open,
                                                    .on_established = on_tls_established,
                                                    .on_data = on_tls_data,
                                                    .on_acked = on_tls_acked,
                                                    .on_closed = on_tls_closed};

/* --- TCP's events ----------------------------------------------------------------------------- */

static const struct tlsyn_conn_events *engine(const struct stream *s, struct tlsyn_handler **tls)
{
    *tls = tlsyn_tls_handler(s->tls);
    return (*tls)->events;
}

/* The engine begins on the connection that there is. */
static int begin_tls(struct stream *s, struct tlsyn_conn *conn)
{
    struct tlsyn_handler *tls;
    int error = tlsyn_tls_attach(options_of(s)->config, NULL, s->name, &s->app, &s->tls);

    if (error < 0)
        return error;
    return engine(s, &tls)->on_open(tls, conn);
}

static int on_open(struct tlsyn_handler *handler, struct tlsyn_conn *conn)
{
    struct stream *s = of_tcp(handler);
    int error = 0;

    s->conn = conn;
    enter(s);
    if (options_of(s)->level != TLSYN_LEVEL_NONE)
        error = begin_tls(s, conn);
    leave(s);
    return error;
}

static int on_synack(struct tlsyn_handler *handler, struct tlsyn_conn *conn)
{
    struct stream *s = of_tcp(handler);
    struct tlsyn_handler *tls;
    int error = 0;

    enter(s);
    if (options_of(s)->level == TLSYN_LEVEL_NONE) {
        s->user->events->on_begun(s->user);
        s->lazy = options_of(s)->early && larder_count(options_of(s)->larder, s->name) > 0;
        if (!s->lazy && !s->closed)
            error = begin_tls(s, conn);
    }
    if (error == 0 && s->tls)
        error = engine(s, &tls)->on_synack(tls, conn);
    leave(s);
    return error;
}

static void on_established(struct tlsyn_handler *handler, struct tlsyn_conn *conn)
{
    struct stream *s = of_tcp(handler);
    struct tlsyn_handler *tls;

    enter(s);
    if (s->tls) {
        engine(s, &tls)->on_established(tls, conn);
    } else if (s->lazy && !s->closed) {
        s->up = true;
        s->user->events->on_up(s->user);
    }
    leave(s);
}

static void on_data(struct tlsyn_handler *handler, struct tlsyn_conn *conn)
{
    struct stream *s = of_tcp(handler);
    struct tlsyn_handler *tls;

    enter(s);
    if (s->tls)
        engine(s, &tls)->on_data(tls, conn);
    leave(s);
}

static void on_acked(struct tlsyn_handler *handler, struct tlsyn_conn *conn, size_t n)
{
    struct stream *s = of_tcp(handler);
    struct tlsyn_handler *tls;

    enter(s);
    if (s->tls)
        engine(s, &tls)->on_acked(tls, conn, n);
    leave(s);
}

static void on_closed(struct tlsyn_handler *handler, struct tlsyn_conn *conn, int error)
{
    struct stream *s = of_tcp(handler);
    struct tlsyn_handler *tls;

    enter(s);
    s->conn = NULL;
    if (s->tls) {
        engine(s, &tls)->on_closed(tls, conn, error);
    } else if (!s->closed) {
        error = error < 0 ? error : -ECONNRESET;
        s->user->events->on_end(s->user, error, strerror(-error));
    }
    leave(s);
}

static const struct tlsyn_conn_events tcp_events = {.on_open = on_open,
                                                    .on_synack = on_synack,
                                                    .on_established = on_established,
                                                    .on_data = on_data,
                                                    .on_acked = on_acked,
                                                    .on_closed = on_closed};

static int open_tcp(struct stream *s)
{
    const struct carrier_stack_options *options = options_of(s);
    const struct tlsyn_connect_options connect = {.remote = s->remote, .level = options->level};
    int error = tlsyn_conn_open(options->node->stack, &connect, &s->tcp, &s->conn);

    if (error < 0)
        s->conn = NULL;
    return error;
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
    const struct carrier_stack_options *options = &of_carrier(carrier)->options;
    struct stream *s = calloc(1, sizeof(*s));
    int error = 0;

    if (!s)
        return -ENOMEM;
    s->base.carrier = carrier;
    s->tcp.events = &tcp_events;
    s->app.events = &app_events;
    s->user = user;
    s->remote = target->remote;
    (void)snprintf(s->name, sizeof(s->name), "%s", target->name);
    s->lazy = options->early && options->level != TLSYN_LEVEL_NONE &&
              larder_count(options->larder, s->name) > 0;
    s->up = s->lazy;
    if (!s->lazy)
        error = open_tcp(s);
    if (error < 0) {
        stream_free(s);
        return error;
    }
    *stream = &s->base;
    return s->lazy;
}

/* The first bytes, for which the handshake has waited. */
static ssize_t write_first(struct stream *s, const char *bytes, size_t n)
{
    struct tlsyn_handler *tls;
    int error;

    if (n > sizeof(s->first))
        return -EMSGSIZE;
    memcpy(s->first, bytes, n);
    s->first_len = n;
    s->lazy = false;
    if (!s->conn) {
        error = open_tcp(s);
    } else {
        error = begin_tls(s, s->conn);
        if (error == 0)
            engine(s, &tls)->on_established(tls, s->conn);
    }
    return error < 0 ? error : (ssize_t)n;
}

static ssize_t stream_write(struct carrier_stream *stream, const char *bytes, size_t n)
{
    struct stream *s = of_stream(stream);
    ssize_t taken;

    if (s->lazy) {
        enter(s);
        taken = write_first(s, bytes, n);
        leave(s);
        return taken;
    }
    if (!s->established)
        return 0;
    taken = tlsyn_tls_write(s->tls, bytes, n);
    return taken == -EAGAIN ? 0 : taken;
}

static void stream_facts(const struct carrier_stream *stream, struct carrier_facts *facts)
{
    const struct stream *s = (const struct stream *)stream;
    struct tlsyn_tls_info info = {.alpn = NULL};

    if (s->tls)
        tlsyn_tls_info(s->tls, &info);
    *facts = (struct carrier_facts){
        .resumed = s->lazy || info.session != TLSYN_TLS_NEW,
        .early = s->lazy || info.early == TLSYN_TLS_EARLY_ACCEPTED,
        .h2 = info.alpn && strcmp(info.alpn, "h2") == 0,
    };
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

static int remind(struct carrier *carrier, double us, struct carrier_reminder *reminder)
{
    struct carrier_stack *c = of_carrier(carrier);
    int64_t ns = us > 1 ? (int64_t)(us * 1000) : 1000;
    const struct itimerspec when = {
        .it_value = {.tv_sec = reminder ? (time_t)(ns / 1000000000) : 0,
                     .tv_nsec = reminder ? (long)(ns % 1000000000) : 0}};

    c->reminder = reminder;
    return timerfd_settime(c->timer, 0, &when, NULL) < 0 ? -errno : 0;
}

/* --- names ------------------------------------------------------------------------------------ */

struct name {
    struct tlsyn_resolved_handler handler;
    struct carrier_lookup *lookup;
};

static void on_resolved(struct tlsyn_resolved_handler *handler, const struct tlsyn_addr *addrs,
                        size_t n, int error)
{
    struct name *name = (struct name *)handler; /* first member */
    struct carrier_lookup *lookup = name->lookup;

    free(name);
    if (error == 0 && n == 0)
        error = -ENODATA;
    lookup->on_resolved(lookup, error == 0 ? &addrs[0] : NULL, error,
                        error < 0 ? tlsyn_resolve_text(error) : "");
}

static int resolve(struct carrier *carrier, const char *name, struct carrier_lookup *lookup)
{
    struct name *asked = malloc(sizeof(*asked));
    int error;

    if (!asked)
        return -ENOMEM;
    *asked = (struct name){.handler = {.on_resolved = on_resolved}, .lookup = lookup};
    error =
        tlsyn_resolve(of_carrier(carrier)->resolver, name, TLSYN_FAMILY_IP4, &asked->handler, NULL);
    if (error < 0)
        free(asked);
    return error;
}

static const struct carrier_ops ops = {.now = now,
                                       .resolve = resolve,
                                       .remind = remind,
                                       .open = stream_open,
                                       .write = stream_write,
                                       .facts = stream_facts,
                                       .close = stream_close};

int carrier_stack_new(const struct carrier_stack_options *options, struct carrier **carrier)
{
    const struct tlsyn_resolver_options resolver = {
        .servers = &options->dns, .server_count = 1, .no_hosts = true};
    struct carrier_stack *c = calloc(1, sizeof(*c));
    int error = 0;

    if (!c)
        return -ENOMEM;
    c->base.ops = &ops;
    c->options = *options;
    c->watch.on_ready = on_timer;
    c->timer = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
    if (c->timer < 0)
        error = -errno;
    if (error == 0)
        error = tlsyn_loop_watch(options->node->loop, c->timer, POLLIN, &c->watch);
    if (error == 0)
        error =
            tlsyn_resolver_new(options->node->loop, options->node->stack, &resolver, &c->resolver);
    if (error < 0) {
        carrier_stack_free(&c->base);
        return error;
    }
    *carrier = &c->base;
    return 0;
}

void carrier_stack_free(struct carrier *carrier)
{
    struct carrier_stack *c = carrier ? of_carrier(carrier) : NULL;

    if (!c)
        return;
    tlsyn_resolver_free(c->resolver);
    if (c->timer >= 0) {
        tlsyn_loop_unwatch(c->options.node->loop, c->timer);
        (void)close(c->timer);
    }
    free(c);
}
