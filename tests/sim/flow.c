/*
 * sim/flow.c: flows are opened as the plan says, and judged at their end.
 */
#include "sim/flow.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "sim/draw.h"
#include "support/must.h"

#define PORT      443
#define FLOODED   TLSYN_SECONDS(180) /* a SYN that nobody sent is answered for so long */
#define UNHEARD   TLSYN_SECONDS(600)
#define AGAIN_MAX 40 /* the time without embedding doubles with each failure */

/* --- listeners -------------------------------------------------------------------------------- */

/* One that waits to be accepted: an older one of the same port may still be reading. */
static struct flow *flow_of(const struct flows *f, int to, const struct tlsyn_conn_info *info)
{
    for (int i = 0; i < f->live_count; i++) {
        struct flow *flow = &f->flow[f->live[i]];

        if (!flow->accepted && flow->to == to && flow->port == info->remote.port &&
            flow->from == network_host_of(f->plan, &info->remote.addr))
            return flow;
    }
    return NULL;
}

static struct tlsyn_handler *accept(struct tlsyn_acceptor *acceptor, struct tlsyn_conn *conn)
{
    struct listener *l = container_of(acceptor, struct listener, acceptor);
    struct tlsyn_conn_info info;
    struct flow *flow;

    tlsyn_conn_info(conn, &info);
    flow = flow_of(l->flows, l->host, &info);
    if (!flow ||
        flow->refusal == REFUSAL_ACCEPT) /* an old SYN that comes again; or nobody is let in */
        return NULL;
    if (l->flows->plan->tls) {
        if (tlsyn_tls_attach(l->flows->identity[l->host].server, conn, NULL, &flow->server.handler,
                             &flow->server.tls) < 0)
            return NULL;
    }
    flow->accepted = true;
    flow->accepted_at = *l->flows->now;
    flow->server.conn = conn;
    return flow->server.tls ? tlsyn_tls_handler(flow->server.tls) : &flow->server.handler;
}

static void listen_at(struct flows *f, int host)
{
    struct listener *l = &f->listener[host];
    struct random_seeded r;
    struct tlsyn_listen_options o = {
        .local = {.port = PORT},
        .open = f->plan->admit & 1,
        .cookies = f->plan->admit & 2,
        .paper = f->plan->admit & 4,
    };

    plan_draw(f->plan, DRAW_HOST, (uint64_t)host + 100, &r);
    draw_options(f->plan, &r, &o.conn);
    if (f->plan->flood)
        o.conn.syn_timeout = FLOODED;
    if (tlsyn_listener_open(f->host[host].stack, &o, &l->acceptor, &l->listener) < 0)
        l->listener = NULL; /* no memory: tried again with the next step */
}

static bool listens(const struct flows *f)
{
    return *f->now < f->deaf_at || *f->now >= f->hears_at;
}

static void tend_listeners(struct flows *f)
{
    for (int i = 0; i < f->plan->hosts; i++) {
        struct listener *l = &f->listener[i];

        if (listens(f) && !l->listener)
            listen_at(f, i);
        if (!listens(f) && l->listener) {
            tlsyn_listener_close(l->listener);
            l->listener = NULL;
        }
    }
}

void flows_deafen(struct flows *f)
{
    f->deaf_at = *f->now;
    f->hears_at = TLSYN_NEVER;
    tend_listeners(f);
}

/* --- one flow's life -------------------------------------------------------------------------- */

static void open_flow(struct flows *f, struct flow *flow)
{
    struct tlsyn_connect_options o = {.remote = {network_address(f->plan, flow->to), PORT},
                                      .level = flow->level,
                                      .conn = flow->client_options};
    struct tlsyn_handler *handler = &flow->client.handler;
    struct tlsyn_conn_info info;
    struct tlsyn_conn *conn;

    flow->opened = flow->live = true;
    flow->began = *f->now;
    if (f->plan->tls) {
        flow->refused = tlsyn_tls_attach(f->identity[flow->from].client, NULL, IDENTITY_NAME,
                                         handler, &flow->client.tls);
        if (flow->refused < 0)
            return;
        handler = tlsyn_tls_handler(flow->client.tls);
    }
    flow->refused = tlsyn_conn_open(f->host[flow->from].stack, &o, handler, &conn);
    if (flow->refused < 0) {
        tlsyn_tls_free(flow->client.tls);
        flow->client.tls = NULL;
        flow->client.conn = NULL;
        return;
    }
    flow->client.conn = conn;
    tlsyn_conn_info(conn, &info);
    flow->port = info.local.port;
}

/* Somebody ends this flow before it begins, if it comes so far. */
static bool refuses(const struct flow *flow)
{
    return flow->refusal != REFUSAL_NONE && flow->refusal != REFUSAL_LATER;
}

/* Who has refused hears so, whatever goes wrong besides; and nobody hears of anything after the
 * end. */
static const char *judge_refusal(const struct flow *flow)
{
    const struct talker *c = &flow->client, *s = &flow->server;
    bool in_open = c->refused && flow->refusal == REFUSAL_OPEN;

    if (c->haunted || s->haunted)
        return "an event after the end";
    if (in_open && (flow->refused != TALKER_REFUSES || c->ends != 0 || flow->accepted))
        return "refused, and opened";
    if (c->refused && !in_open && (c->error != TALKER_REFUSES || c->ends != 1 || c->established))
        return "refused, and not told so";
    if (s->refused && (s->error != TALKER_REFUSES || s->ends != 1 || s->established))
        return "refused, and not told so";
    if (flow->refusal == REFUSAL_ACCEPT && c->received)
        return "nobody was let in, and somebody spoke";
    return NULL;
}

/* Errors are no finding here. */
static bool may_fail(const struct flows *f, const struct flow *flow)
{
    const struct plan *p = f->plan;
    bool short_of_memory = p->ring_bytes && p->tls; /* which waits for none */

    return flow->aborts || refuses(flow) || short_of_memory || p->oom || p->oom_nth || p->deaf_at;
}

/* Something in the plan can hold a handshake up for a minute. */
static bool is_hindered(const struct plan *p)
{
    return p->loss || p->corrupt || p->outage || p->burst || p->dirt || p->jump || p->flood;
}

/* The server has no octets left to say it to an address that was not validated (docs/HANDSHAKE.md),
 * and the ACK that would have done so was lost. */
static bool is_unheard(const struct flows *f, const struct flow *flow)
{
    struct tlsyn_conn_info info;

    if (!flow->accepted || flow->server.over || !flow->server.conn || !is_hindered(f->plan) ||
        *f->now - flow->accepted_at < UNHEARD)
        return false;
    tlsyn_conn_info(flow->server.conn, &info);
    return info.state == TLSYN_SYN_RECEIVED;
}

/* A server waits for a handshake as long as TLSYN_TLS_HANDSHAKE_TIME says, and no shorter. */
static bool was_too_slow(const struct flows *f, const struct flow *flow)
{
    return f->plan->tls && flow->server.error == -ETIMEDOUT && !flow->server.established &&
           flow->server.over_at - flow->accepted_at >= TLSYN_TLS_HANDSHAKE_TIME &&
           is_hindered(f->plan);
}

/* Who has left may not have been heard of yet at the other end. */
static bool flow_is_over(const struct flows *f, const struct flow *flow)
{
    bool unheard = !flow->accepted && (flow->client.error || may_fail(f, flow));

    return flow->refused < 0 || (flow->client.over && (flow->server.over || unheard));
}

/* What seems to be swallowed behind an embedded open is for the user to open anew. Some can't tell,
 * and time out: who speaks plain bytes, of which nobody else has a copy, and who sent a bare SYN
 * behind one with text, so that the box knows the connection. */
static bool is_swallowed(const struct flows *f, const struct flow *flow)
{
    bool timed_out = flow->client.error == -ETIMEDOUT && flow->level != TLSYN_LEVEL_NONE;

    return (f->plan->remember && flow->client.error == -EAGAIN) ||
           (plan_swallows(f->plan) && timed_out);
}

static const char *judge_strictly(const struct flow *flow)
{
    const struct talker *c = &flow->client, *s = &flow->server;

    if (flow->refused < 0 || !flow->accepted)
        return "refused";
    if (c->error || s->error)
        return "an error";
    if (c->misled || s->misled)
        return "reading failed";
    if (c->received != flow->script.down || s->received != flow->script.up)
        return "bytes are missing";
    if (c->sent != flow->script.up || s->sent != flow->script.down)
        return "not all was taken";
    return NULL;
}

/* NULL, or what went wrong. */
static const char *judge(const struct flows *f, const struct flow *flow)
{
    /* A full backlog drops its oldest, and gives cookies by which it knows nobody: the SYN's copy
     * may find room again, and then the cookie's number is not that of the connection. */
    bool reset = flow->client.error == -ECONNRESET && (!flow->accepted || flow->server.error);
    bool never_known = plan_gives_cookies(f->plan) && (reset || flow->server.error == -ETIMEDOUT);
    /* Whose peer keeps its window shut gives way where room is missing. */
    bool gave_way =
        f->plan->ring_bytes && (flow->client.error == -ENOMEM || flow->server.error == -ENOMEM);
    /* Who leaves is not told that what it said was swallowed. */
    bool left = plan_swallows(f->plan) && flow->level != TLSYN_LEVEL_NONE &&
                flow->client.ends == 0 && flow->server.error == -ETIMEDOUT;

    if (flow->client.wrong || flow->server.wrong)
        return "bytes are wrong";
    if (flow->client.ends > 1 || flow->server.ends > 1)
        return "the end was told twice";
    if (judge_refusal(flow))
        return judge_refusal(flow);
    if (is_swallowed(f, flow))
        return flow->again < AGAIN_MAX ? NULL : "opened anew without end";
    if (never_known || gave_way || left || was_too_slow(f, flow) || may_fail(f, flow))
        return NULL;
    return judge_strictly(flow);
}

static void tell(const struct flows *f, const struct flow *flow, const char *what)
{
    if (!f->verbose)
        return;
    printf("%12.6f flow %d, %d:%u > %d, level %d, manner %d, up %llu/%llu, down %llu/%llu, client "
           "%d, server %d%s: %s\n",
           (double)(*f->now - f->flow[0].began) / 1e6, (int)(flow - f->flow) + 1, flow->from,
           flow->port, flow->to, (int)flow->level, (int)flow->script.manner,
           (unsigned long long)flow->server.received, (unsigned long long)flow->script.up,
           (unsigned long long)flow->client.received, (unsigned long long)flow->script.down,
           flow->refused < 0 ? flow->refused : flow->client.error, flow->server.error,
           flow->accepted ? "" : " (not accepted)", what);
}

static void change_options(struct flow *flow)
{
    struct tlsyn_conn_options o;

    for (int i = 0; i < 2; i++) {
        struct talker *t = i ? &flow->server : &flow->client;

        if (t->over || !t->conn)
            continue;
        tlsyn_conn_get_options(t->conn, &o);
        o.nagle = flow->later.nagle;
        o.cork = flow->later.cork;
        o.no_delack = flow->later.no_delack;
        o.snd_ring = flow->later.snd_ring;
        o.rcv_ring = flow->later.rcv_ring;
        o.keepalive = flow->later.keepalive;
        o.pacing_rate_max = flow->later.pacing_rate_max;
        o.controller = flow->later.controller;
        tlsyn_conn_set_options(t->conn, &o);
    }
}

/* One end has given up, and its RST may be lost, which nobody repeats: the other one, if it only
 * listens, hears of the end when it asks (RFC 9293 3.5.1, 3.8.4). So it is where the client takes
 * its connection for swallowed, and where the server can't, until the time for the handshake is
 * over. */
static bool who_is_left_asks(const struct flows *f, struct flow *flow)
{
    struct talker *left = is_swallowed(f, flow)                          ? &flow->server
                          : was_too_slow(f, flow) || is_unheard(f, flow) ? &flow->client
                                                                         : NULL;
    struct tlsyn_conn_options o;

    if (flow->asks || !left || left->over || !left->conn)
        return false;
    flow->asks = true;
    tlsyn_conn_get_options(left->conn, &o);
    o.keepalive = true;
    tlsyn_conn_set_options(left->conn, &o);
    return true;
}

static bool act(struct flows *f, struct flow *flow)
{
    tlsyn_time age = *f->now - flow->began;
    bool any = who_is_left_asks(f, flow);

    if (age >= flow->change_at) {
        flow->change_at = TLSYN_NEVER;
        change_options(flow);
        any = true;
    }
    if (age >= flow->abort_at) {
        flow->abort_at = TLSYN_NEVER;
        talker_abort(flow->client_aborts ? &flow->client : &flow->server);
        any = true;
    }
    for (int i = 0; i < 2; i++) {
        struct talker *t = i ? &flow->server : &flow->client;

        if (t->tick > *f->now)
            continue;
        talker_tick(t);
        any = true;
    }
    return any;
}

/* The same flow, from its beginning, in a connection of its own. */
static void open_anew(struct flows *f, int number)
{
    struct flow *flow = &f->flow[number];
    int again = flow->again + 1;

    tell(f, flow, "is opened anew");
    *flow = (struct flow){.again = again};
    draw_flow(f->plan, number, f->now, flow);
    open_flow(f, flow);
}

static void finish(struct flows *f, int i)
{
    struct flow *flow = &f->flow[f->live[i]];
    const char *wrong = judge(f, flow);

    /* Who breaks off would do so each time, ten minutes later. */
    if (!wrong && is_swallowed(f, flow) && !flow->aborts && !refuses(flow)) {
        open_anew(f, f->live[i]);
        return;
    }
    tell(f, flow, wrong ? wrong : "over");
    flow->live = false;
    f->finished++;
    if (wrong && !f->wrong) {
        f->wrong = wrong;
        f->wrong_flow = f->live[i] + 1;
    }
    f->live[i] = f->live[--f->live_count];
}

static bool open_next(struct flows *f)
{
    bool any = false;

    while (f->opened < f->count && f->live_count < f->plan->at_once &&
           f->flow[f->opened].opens_at <= *f->now) {
        int number = f->opened++;

        if (f->plan->only && number + 1 != f->plan->only) {
            f->finished++;
            continue;
        }
        open_flow(f, &f->flow[number]);
        if (f->flow[number].refused == -ENOBUFS) { /* those in TIME-WAIT fill limits.connections */
            f->flow[number].opens_at = *f->now + TLSYN_SECONDS(1);
            f->opened--;
            return any;
        }
        f->live[f->live_count++] = number;
        any = true;
    }
    return any;
}

/* --- all of them ------------------------------------------------------------------------------ */

void flows_begin(struct flows *f, const struct plan *plan, struct host *host, const tlsyn_time *now)
{
    *f = (struct flows){.plan = plan,
                        .host = host,
                        .now = now,
                        .count = (int)plan->flows,
                        .deaf_at = plan->deaf_at ? *now + plan->deaf_at : TLSYN_NEVER};
    f->hears_at = plan->deaf_at ? f->deaf_at + plan->deaf_for : TLSYN_NEVER;
    f->flow = calloc((size_t)f->count + 1, sizeof(*f->flow));
    f->live = calloc((size_t)plan->at_once, sizeof(*f->live));
    must(f->flow && f->live);
    for (int i = 0; i < f->count; i++)
        draw_flow(plan, i, now, &f->flow[i]);
    for (int i = 0; i < plan->hosts; i++) {
        f->listener[i] = (struct listener){.acceptor = {accept}, .flows = f, .host = i};
        if (plan->tls)
            identity_begin(&f->identity[i], plan, host[i].stack);
    }
    tend_listeners(f);
}

bool flows_step(struct flows *f)
{
    bool any = open_next(f);

    tend_listeners(f);
    for (int i = 0; i < f->live_count; i++)
        any = act(f, &f->flow[f->live[i]]) || any;
    for (int i = f->live_count - 1; i >= 0; i--) {
        if (!flow_is_over(f, &f->flow[f->live[i]]))
            continue;
        finish(f, i);
        any = true;
    }
    return any;
}

static tlsyn_time sooner(tlsyn_time a, tlsyn_time b)
{
    return a < b ? a : b;
}

static tlsyn_time flow_next(const struct flow *flow)
{
    tlsyn_time next = sooner(flow->client.tick, flow->server.tick);

    if (flow->abort_at < TLSYN_NEVER)
        next = sooner(next, flow->began + flow->abort_at);
    if (flow->change_at < TLSYN_NEVER)
        next = sooner(next, flow->began + flow->change_at);
    return next;
}

tlsyn_time flows_next(const struct flows *f)
{
    tlsyn_time next = TLSYN_NEVER;

    if (f->opened < f->count && f->live_count < f->plan->at_once)
        next = f->flow[f->opened].opens_at;
    for (int i = 0; i < f->live_count; i++)
        next = sooner(next, flow_next(&f->flow[f->live[i]]));
    if (f->deaf_at > *f->now)
        next = sooner(next, f->deaf_at);
    else if (f->hears_at > *f->now)
        next = sooner(next, f->hears_at);
    return next;
}

void flows_tell(const struct flows *f)
{
    for (int i = 0; i < f->live_count; i++) {
        const struct flow *flow = &f->flow[f->live[i]];

        for (int k = 0; k < 2; k++) {
            const struct talker *t = k ? &flow->server : &flow->client;

            printf("flow %d %s: sent %llu, received %llu%s%s%s%s%s, tick at %.6f\n", f->live[i] + 1,
                   k ? "server" : "client", (unsigned long long)t->sent,
                   (unsigned long long)t->received, t->established ? ", established" : "",
                   t->ended ? ", heard the end" : "", t->closing ? ", closes" : "",
                   t->over ? ", over" : "", t->conn ? "" : ", no connection",
                   t->tick == TLSYN_NEVER ? -1 : (double)(t->tick - f->flow[0].began) / 1e6);
        }
    }
}

bool flows_are_over(const struct flows *f)
{
    return f->finished == f->count;
}

void flows_end(struct flows *f)
{
    for (int i = 0; i < f->plan->hosts; i++)
        identity_end(&f->identity[i]);
    free(f->flow);
    free(f->live);
}
