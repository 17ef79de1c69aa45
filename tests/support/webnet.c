/*
 * support/webnet.c: a list of what is to happen, in the order of its time.
 */
#include "support/webnet.h"

#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "web/h1_server.h"
#include "web/h2_server.h"

enum { HOSTS = 64, FILES = 32, BURST = 65536 };

enum event {
    RESOLVED, /* at the client: */
    BEGUN,
    UP,
    BYTES,
    END,
    HEARD, /* at the server: bytes, */
    SPEAKS /* and it has more to say */
};

struct happening {
    struct happening *next;
    double at;
    enum event event;
    struct carrier_lookup *lookup;
    struct stream *stream;
    int host;
    int error;
    size_t len;
    char bytes[];
};

struct webnet {
    struct carrier base; /* first member */
    const struct webnet_host *host;
    double now;
    struct happening *first;
    struct carrier_reminder *reminder;
    double remind_at;
    int opened, open; /* connections: ever, now */
    int refused[HOSTS], hung_up[HOSTS], asked[HOSTS][FILES];
};

struct stream {
    struct carrier_stream base; /* first member */
    struct web_service service;
    struct webnet *net;
    struct carrier_user *user;
    int host;
    struct web_server *server; /* NULL: it does not listen any more */
    bool early;                /* nothing was written yet that would make it leave */
    bool closed;               /* by the user, in an event of its own */
    bool in_event;
};

static struct webnet *of(struct carrier *carrier)
{
    return (struct webnet *)carrier;
}

static struct stream *of_stream(struct carrier_stream *stream)
{
    return (struct stream *)stream;
}

/* --- time ------------------------------------------------------------------------------------- */

static struct happening *expect(struct webnet *net, double after, enum event event, size_t len)
{
    struct happening *h = calloc(1, sizeof(*h) + len), **at = &net->first;

    ck_assert_ptr_nonnull(h);
    h->at = net->now + after;
    h->event = event;
    h->len = len;
    while (*at && (*at)->at <= h->at)
        at = &(*at)->next;
    h->next = *at;
    *at = h;
    return h;
}

static struct happening *expect_of(struct stream *s, double after, enum event event, size_t len)
{
    struct happening *h = expect(s->net, after, event, len);

    h->stream = s;
    return h;
}

/* Nothing happens to it any more. */
static void forget(struct stream *s)
{
    for (struct happening **at = &s->net->first; *at;) {
        struct happening *h = *at;

        if (h->stream != s) {
            at = &h->next;
            continue;
        }
        *at = h->next;
        free(h);
    }
}

/* --- what a server answers -------------------------------------------------------------------- */

struct exchange {
    struct web_exchange web; /* first member */
    const struct webnet_file *file;
    bool spoilt;
    uint64_t at;
};

static struct stream *stream_of(const struct web_exchange *web)
{
    return (struct stream *)((char *)web->service - offsetof(struct stream, service));
}

static struct web_exchange *open_exchange(struct web_service *service)
{
    struct exchange *e = calloc(1, sizeof(*e));

    (void)service;
    ck_assert_ptr_nonnull(e);
    return &e->web;
}

static const struct webnet_file *find_file(const struct stream *s, const struct request *request)
{
    const struct webnet_host *host = &s->net->host[s->host];
    size_t name = strlen(host->name);

    if (strncasecmp(request->host, host->name, name) != 0 ||
        (request->host[name] != '\0' && request->host[name] != ':'))
        return NULL;
    for (const struct webnet_file *f = host->files; f && f->target; f++) {
        if (strcmp(f->target, request->target) == 0)
            return f;
    }
    return NULL;
}

static void answer(struct web_exchange *web)
{
    struct stream *s = stream_of(web);
    struct exchange *e = (struct exchange *)web;
    const struct webnet_file *f = find_file(s, &web->request);
    int status = 200, *asked = NULL;

    if (!f) {
        web_say(web, 404);
        return;
    }
    asked = &s->net->asked[s->host][f - s->net->host[s->host].files];
    e->file = f;
    e->spoilt = f->spoilt == 0 || *asked < f->spoilt;
    (*asked)++;
    if (f->location)
        status = 302;
    if (e->spoilt && f->status)
        status = f->status;
    web_respond(web, status);
    if (f->location)
        web_field(web, "Location", "%s", f->location);
    web_body(web, f->type ? f->type : "text/html",
             f->length ? f->length : strlen(f->body ? f->body : ""));
}

static ssize_t read_body(struct web_exchange *web, char *bytes, size_t n)
{
    struct exchange *e = (struct exchange *)web;
    size_t once = strlen(e->file->body);

    if (e->spoilt && e->file->breaks_at) {
        if (e->at >= e->file->breaks_at)
            return -ECONNRESET;
        if (n > e->file->breaks_at - e->at)
            n = e->file->breaks_at - (size_t)e->at;
    }
    for (size_t i = 0; i < n; i++)
        bytes[i] = e->file->body[(e->at + i) % once];
    e->at += n;
    return (ssize_t)n;
}

static void end(struct web_exchange *web, int error)
{
    struct exchange *e = (struct exchange *)web;
    struct stream *s = stream_of(web);

    if (error == 0 && e->file && e->file->last && e->spoilt && s->server)
        web_server_stop(s->server, false);
    free(e);
}

static const struct web_service_ops service_ops = {
    .open = open_exchange, .answer = answer, .read = read_body, .end = end};

/* --- a server's connection -------------------------------------------------------------------- */

static void stop_server(struct stream *s)
{
    struct web_server *server = s->server;

    s->server = NULL;
    if (server)
        web_server_free(server, -ECONNRESET);
}

static void end_stream(struct stream *s, int error)
{
    stop_server(s);
    expect_of(s, WEBNET_RTT / 2, END, 0)->error = error;
}

/* What it has to say leaves, a burst at a time. */
static void speak(struct stream *s)
{
    static char bytes[4096];
    size_t said = 0;
    ssize_t n = 0;

    while (said < BURST && (n = web_server_output(s->server, bytes, sizeof(bytes))) > 0) {
        memcpy(expect_of(s, WEBNET_RTT / 2, BYTES, (size_t)n)->bytes, bytes, (size_t)n);
        said += (size_t)n;
    }
    if (n < 0)
        end_stream(s, (int)n);
    else if (n > 0)
        expect_of(s, WEBNET_RTT, SPEAKS, 0);
    else if (web_server_phase(s->server) == WEB_ENDED)
        end_stream(s, 0);
}

static void hear(struct stream *s, const char *bytes, size_t n)
{
    while (n > 0 && s->server) {
        size_t taken = web_server_input(s->server, bytes, n);

        bytes += taken;
        n -= taken;
        speak(s);
        ck_assert(taken > 0 || !s->server); /* clients here ask for one thing after the other */
    }
}

/* --- the carrier's calls ---------------------------------------------------------------------- */

static double now(struct carrier *carrier)
{
    return of(carrier)->now;
}

static int find_host(const struct webnet *net, const char *name)
{
    int i = 0;

    while (net->host[i].name && strcasecmp(net->host[i].name, name) != 0)
        i++;
    return i;
}

static int resolve(struct carrier *carrier, const char *name, struct carrier_lookup *lookup)
{
    struct webnet *net = of(carrier);
    int host = find_host(net, name);
    const struct webnet_host *h = &net->host[host];
    struct happening *resolved = NULL;

    if (h->name && h->nameless)
        return 0;
    resolved = expect(net, WEBNET_RTT, RESOLVED, 0);
    resolved->lookup = lookup;
    resolved->host = host;
    resolved->error = !h->name || h->unknown ? -ENOENT : 0;
    return 0;
}

static int remind(struct carrier *carrier, double us, struct carrier_reminder *reminder)
{
    of(carrier)->reminder = reminder;
    of(carrier)->remind_at = of(carrier)->now + us;
    return 0;
}

/* The addresses are 10.0.0.1 and those after it, in the order of the hosts. */
static struct tlsyn_addr address_of(int host)
{
    const uint8_t octets[4] = {10, 0, 0, (uint8_t)(host + 1)};

    return tlsyn_addr_ip4(octets);
}

static void shake_hands(struct stream *s)
{
    struct webnet *net = s->net;
    const struct webnet_host *h = &net->host[s->host];

    if (h->silent)
        return;
    if (net->refused[s->host] < h->refuses) {
        net->refused[s->host]++;
        expect_of(s, WEBNET_RTT, END, 0)->error = -ECONNREFUSED;
        return;
    }
    expect_of(s, WEBNET_RTT, BEGUN, 0);
    if (net->hung_up[s->host] < h->hangs_up) {
        net->hung_up[s->host]++;
        expect_of(s, 2 * WEBNET_RTT, END, 0)->error = 0;
    } else {
        expect_of(s, 2 * WEBNET_RTT, UP, 0);
    }
}

static int stream_open(struct carrier *carrier, const struct carrier_target *target,
                       struct carrier_user *user, struct carrier_stream **stream)
{
    struct webnet *net = of(carrier);
    struct stream *s = calloc(1, sizeof(*s));
    int host = tlsyn_addr_octets(&target->remote.addr)[3] - 1;
    const struct webnet_host *h = &net->host[host];

    ck_assert_ptr_nonnull(s);
    ck_assert_int_eq(find_host(net, target->name), host);
    s->base.carrier = carrier;
    s->service.ops = &service_ops;
    s->net = net;
    s->user = user;
    s->host = host;
    s->server = h->h2 ? h2_server_new(&s->service) : h1_server_new(&s->service);
    ck_assert_ptr_nonnull(s->server);
    s->early = h->early;
    net->opened++;
    net->open++;
    if (!s->early)
        shake_hands(s);
    *stream = &s->base;
    return s->early;
}

static ssize_t stream_write(struct carrier_stream *stream, const char *bytes, size_t n)
{
    struct stream *s = of_stream(stream);
    const struct webnet_host *h = &s->net->host[s->host];

    if (s->early && s->net->refused[s->host] < h->refuses) {
        s->net->refused[s->host]++;
        expect_of(s, WEBNET_RTT, END, 0)->error = -ECONNREFUSED;
    }
    s->early = false;
    memcpy(expect_of(s, WEBNET_RTT / 2, HEARD, n)->bytes, bytes, n);
    return (ssize_t)n;
}

static void stream_facts(const struct carrier_stream *stream, struct carrier_facts *facts)
{
    const struct stream *s = (const struct stream *)stream;
    const struct webnet_host *h = &s->net->host[s->host];

    *facts = (struct carrier_facts){.resumed = h->early, .early = h->early, .h2 = h->h2};
}

static void stream_close(struct carrier_stream *stream)
{
    struct stream *s = of_stream(stream);

    ck_assert(!s->closed);
    s->closed = true;
    if (s->in_event)
        return;
    forget(s);
    stop_server(s);
    s->net->open--;
    free(s);
}

static const struct carrier_ops ops = {.now = now,
                                       .resolve = resolve,
                                       .remind = remind,
                                       .open = stream_open,
                                       .write = stream_write,
                                       .facts = stream_facts,
                                       .close = stream_close};

/* --- what happens ----------------------------------------------------------------------------- */

static void tell_user(struct stream *s, const struct happening *h)
{
    const struct carrier_events *events = s->user->events;

    s->in_event = true;
    if (h->event == BEGUN)
        events->on_begun(s->user);
    else if (h->event == UP)
        events->on_up(s->user);
    else if (h->event == BYTES)
        events->on_bytes(s->user, h->bytes, h->len);
    else
        events->on_end(s->user, h->error, h->error ? strerror(-h->error) : "");
    s->in_event = false;
    if (!s->closed)
        return;
    s->closed = false;
    stream_close(&s->base);
}

static void happen(struct webnet *net, struct happening *h)
{
    struct tlsyn_addr address = address_of(h->host);

    if (h->event == RESOLVED)
        h->lookup->on_resolved(h->lookup, h->error ? NULL : &address, h->error,
                               h->error ? "the name has no address" : "");
    else if (h->event == HEARD)
        hear(h->stream, h->bytes, h->len);
    else if (h->event != SPEAKS)
        tell_user(h->stream, h);
    else if (h->stream->server)
        speak(h->stream);
    (void)net;
}

static void remind_now(struct webnet *net)
{
    struct carrier_reminder *reminder = net->reminder;

    net->now = net->remind_at;
    net->reminder = NULL;
    reminder->on_time(reminder);
}

void webnet_run(struct webnet *net, const bool *done, double round_trips)
{
    double until = net->now + round_trips * WEBNET_RTT;

    while (!*done && (net->first || net->reminder)) {
        struct happening *h = net->first;

        if (net->reminder && (!h || net->remind_at < h->at)) {
            remind_now(net);
            continue;
        }
        if (h->at > until)
            break;
        net->first = h->next;
        net->now = h->at;
        happen(net, h);
        free(h);
    }
    if (!*done)
        net->now = until;
}

/* --- life ------------------------------------------------------------------------------------- */

struct webnet *webnet_new(const struct webnet_host *hosts)
{
    struct webnet *net = calloc(1, sizeof(*net));

    ck_assert_ptr_nonnull(net);
    net->base.ops = &ops;
    net->host = hosts;
    return net;
}

struct carrier *webnet_carrier(struct webnet *net)
{
    return &net->base;
}

double webnet_round_trips(const struct webnet *net)
{
    return net->now / WEBNET_RTT;
}

int webnet_asked(const struct webnet *net, int host, int file)
{
    return net->asked[host][file];
}

int webnet_opened(const struct webnet *net)
{
    return net->opened;
}

void webnet_free(struct webnet *net)
{
    ck_assert_int_eq(net->open, 0);
    ck_assert_ptr_null(net->reminder);
    while (net->first) { /* answers for names that nobody waits for */
        struct happening *h = net->first;

        ck_assert_int_eq(h->event, RESOLVED);
        net->first = h->next;
        free(h);
    }
    free(net);
}
