/*
 * web/loader_connections.c: names, and connections from their opening to their end.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "web/loader_parts.h"

static int index_of(const struct connection *c)
{
    return (int)(c - c->loader->connection);
}

void connection_lose(struct connection *c)
{
    if (c->stream)
        carrier_close(c->stream);
    if (c->client)
        c->client->ops->free(c->client);
    c->stream = NULL;
    c->client = NULL;
    load_end(c->loader, c->event);
    c->event = -1;
    policy_gone(&c->loader->policy, index_of(c));
}

/* What the client has to say leaves, as far as there is room. */
static void push(struct connection *c)
{
    const char *bytes;
    size_t n;

    while (c->client && (n = c->client->ops->pending(c->client, &bytes)) > 0) {
        ssize_t taken = carrier_write(c->stream, bytes, n);

        if (taken <= 0)
            return;
        c->client->ops->sent(c->client, (size_t)taken);
    }
}

void connection_push_all(struct loader *loader)
{
    for (int i = 0; i < loader->policy.connections; i++)
        push(&loader->connection[i]);
}

static struct connection *of_user(struct carrier_user *user)
{
    return (struct connection *)user; /* first member */
}

static void on_begun(struct carrier_user *user)
{
    struct connection *c = of_user(user);
    int url = c->event >= 0 ? c->loader->result.event[c->event].url : -1;

    load_answered(c->loader, c->event);
    c->event = load_begin(c->loader, LOAD_FULL, index_of(c), url);
}

/* How many requests go on it at a time, as far as is known. */
static void tell_room(struct connection *c)
{
    struct policy *policy = &c->loader->policy;
    int more = c->client ? c->client->ops->room(c->client) : -1;

    if (more >= 0)
        policy_room(policy, index_of(c), policy->connection[index_of(c)].requests + more);
}

static void take_up(struct connection *c)
{
    struct loader *loader = c->loader;
    struct carrier_facts facts;
    int error;

    carrier_facts(c->stream, &facts);
    if (c->event >= 0)
        loader->result.event[c->event].step = facts.resumed ? LOAD_RESUMED : LOAD_FULL;
    load_end(loader, c->event);
    c->event = -1;
    error = loader->options.client(&facts, &c->http, &c->client);
    if (error == 0) {
        tell_room(c);
        policy_up(&loader->policy, index_of(c));
        return;
    }
    load_note(loader, error, loader->server[loader->policy.connection[index_of(c)].host].name,
              "the server speaks another version of HTTP");
    connection_lose(c);
}

/* Whether one was up as soon as it was opened. */
bool connection_take_up(struct loader *loader)
{
    bool any = false;

    for (int i = 0; i < loader->policy.connections; i++) {
        struct connection *c = &loader->connection[i];

        if (!c->up_at_once)
            continue;
        c->up_at_once = false;
        take_up(c);
        any = true;
    }
    return any;
}

static void on_up(struct carrier_user *user)
{
    take_up(of_user(user));
    loader_drive(of_user(user)->loader);
}

static void on_room(struct carrier_user *user)
{
    push(of_user(user));
}

/* It takes no more requests, and none is under way. */
static bool is_spent(struct connection *c)
{
    struct policy *policy = &c->loader->policy;

    if (!c->client || c->client->ops->room(c->client) >= 0)
        return false;
    policy_leaving(policy, index_of(c));
    return policy->connection[index_of(c)].requests == 0;
}

static void on_bytes(struct carrier_user *user, const char *bytes, size_t n)
{
    struct connection *c = of_user(user);
    int error = c->client ? c->client->ops->take(c->client, bytes, n) : 0;

    push(c);
    if (error < 0 || is_spent(c))
        connection_lose(c);
    else
        tell_room(c);
    loader_drive(c->loader);
}

static void on_end(struct carrier_user *user, int error, const char *sentence)
{
    struct connection *c = of_user(user);
    struct loader *loader = c->loader;

    if (c->client)
        c->client->ops->ended(c->client, error, sentence);
    else
        load_note(loader, error < 0 ? error : -ECONNRESET,
                  loader->server[loader->policy.connection[index_of(c)].host].name,
                  error < 0 ? sentence : "the server closed during the handshake");
    connection_lose(c);
    loader_drive(loader);
}

static const struct carrier_events carrier_events = {.on_begun = on_begun,
                                                     .on_up = on_up,
                                                     .on_room = on_room,
                                                     .on_bytes = on_bytes,
                                                     .on_end = on_end};

/* Its server's name is known. */
static void connect_to(struct loader *loader, int connection, int url)
{
    struct connection *c = &loader->connection[connection];
    const struct server *server = &loader->server[loader->policy.connection[connection].host];
    const struct carrier_target target = {.remote = {.addr = server->address, .port = server->port},
                                          .name = server->name};
    int error;

    c->event = load_begin(loader, LOAD_TCP, connection, url);
    error = carrier_open(loader->carrier, &target, &c->user, &c->stream);
    c->up_at_once = error == 1;
    if (error >= 0)
        return;
    load_note(loader, error, server->name, strerror(-error));
    c->stream = NULL;
    connection_lose(c);
}

/* Those that waited for the name go on, or are lost with it. */
static void on_resolved(struct carrier_lookup *lookup, const struct tlsyn_addr *address, int error,
                        const char *sentence)
{
    struct server *server = (struct server *)lookup; /* first member */
    struct loader *loader = server->loader;
    int host = (int)(server - loader->server);

    server->state = error < 0 ? NAME_FAILED : NAME_KNOWN;
    if (error < 0)
        load_note(loader, error, server->name, sentence);
    else
        server->address = *address;
    for (int i = 0; i < loader->policy.connections && !loader->done; i++) {
        struct connection *c = &loader->connection[i];
        int url = c->event >= 0 ? loader->result.event[c->event].url : -1;

        if (loader->policy.connection[i].host != host || c->stream ||
            loader->policy.connection[i].state != POLICY_OPENING)
            continue;
        load_end(loader, c->event);
        if (error < 0)
            connection_lose(c);
        else
            connect_to(loader, i, url);
    }
    loader_drive(loader);
}

static void ask_name(struct server *server)
{
    int error;

    server->lookup.on_resolved = on_resolved;
    server->state = NAME_ASKED;
    error = carrier_resolve(server->loader->carrier, server->name, &server->lookup);
    if (error == 0)
        return;
    server->state = NAME_FAILED;
    load_note(server->loader, error, server->name, strerror(-error));
}

void connection_open(struct loader *loader, const struct policy_action *action)
{
    struct server *server = &loader->server[action->host];
    struct connection *c = &loader->connection[action->connection];

    *c = (struct connection){
        .user = {&carrier_events}, .http = {&page_events}, .loader = loader, .event = -1};
    loader->result.connections++;
    if (server->state == NAME_KNOWN) {
        connect_to(loader, action->connection, action->url);
        return;
    }
    c->event = load_begin(loader, LOAD_DNS, action->connection, action->url);
    if (server->state == NAME_UNKNOWN)
        ask_name(server);
    if (server->state == NAME_FAILED)
        connection_lose(c);
}

void connection_fetch(struct loader *loader, const struct policy_action *action)
{
    struct connection *c = &loader->connection[action->connection];
    struct url *url = &loader->url[action->url].url;
    char authority[URL_AUTHORITY_MAX];
    const struct http_request request = {
        .authority = url_authority(url, authority, sizeof(authority)), .target = url->target};
    int error = c->client->ops->ask(c->client, action->url, &request);

    loader->part[action->url].event = load_begin(loader, LOAD_GET, action->connection, action->url);
    if (error == 0)
        return;
    load_end(loader, loader->part[action->url].event);
    loader->part[action->url].event = -1;
    if (error == -EAGAIN) { /* of HTTP/2 a server may change its mind about how many at a time */
        policy_refused(&loader->policy, action->url);
        policy_room(&loader->policy, action->connection,
                    loader->policy.connection[action->connection].requests);
        if (c->client->ops->room(c->client) < 0)
            policy_leaving(&loader->policy, action->connection);
        return;
    }
    load_note(loader, error, authority, "it can't be asked for");
    policy_arrived(&loader->policy, action->url, true);
}
