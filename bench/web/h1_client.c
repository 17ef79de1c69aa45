/*
 * web/h1_client.c: one request after the other on a connection that is kept. RFC 9112 9.3.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "web/h1_response.h"
#include "web/http_client.h"

#define REQUEST_MAX 4096

struct h1_client {
    struct http_client base;
    struct h1_response response;
    struct http_client_user *user;
    bool busy, useless; /* a request is under way; none can be any more */
    int request;        /* of busy */
    char bytes[REQUEST_MAX];
    size_t len, sent;
};

static struct h1_client *of(struct http_client *client)
{
    return (struct h1_client *)client; /* first member */
}

static struct h1_client *of_response(struct h1_response *response)
{
    return (struct h1_client *)((char *)response - offsetof(struct h1_client, response));
}

static void done(struct h1_client *c, int error, const char *sentence)
{
    if (error < 0)
        c->useless = true;
    if (!c->busy)
        return;
    c->busy = false;
    c->user->events->on_done(c->user, c->request, error, sentence);
}

static int on_head(struct h1_response *response)
{
    struct h1_client *c = of_response(response);

    c->user->events->on_head(c->user, c->request, &response->head);
    return 0;
}

static int on_body(struct h1_response *response, const char *bytes, size_t n)
{
    struct h1_client *c = of_response(response);

    c->user->events->on_body(c->user, c->request, bytes, n);
    return 0;
}

static const struct h1_response_events events = {.on_head = on_head, .on_body = on_body};

static int ask(struct http_client *client, int request, const struct http_request *what)
{
    struct h1_client *c = of(client);
    int n = 0;

    if (c->busy || c->useless)
        return -EAGAIN;
    n = snprintf(c->bytes, sizeof(c->bytes),
                 "GET %s HTTP/1.1\r\nHost: %s\r\nUser-Agent: tlsyn\r\nAccept: */*\r\n%s\r\n",
                 what->target, what->authority, what->last ? "Connection: close\r\n" : "");
    if (n < 0 || (size_t)n >= sizeof(c->bytes))
        return -EMSGSIZE;
    c->len = (size_t)n;
    c->sent = 0;
    c->busy = true;
    c->request = request;
    h1_response_init(&c->response, &events);
    return 0;
}

static int room(const struct http_client *client)
{
    const struct h1_client *c = (const struct h1_client *)client;

    if (c->useless)
        return -1;
    return c->busy ? 0 : 1;
}

static size_t pending(struct http_client *client, const char **bytes)
{
    struct h1_client *c = of(client);

    *bytes = c->bytes + c->sent;
    return c->len - c->sent;
}

static void sent(struct http_client *client, size_t n)
{
    of(client)->sent += n;
}

/* What comes while nothing was asked for is nobody's answer (RFC 9112 11.2 is why). */
static int take(struct http_client *client, const char *bytes, size_t n)
{
    struct h1_client *c = of(client);

    while (n > 0 && c->busy) {
        ssize_t taken = h1_response_take(&c->response, bytes, n);

        if (taken < 0) {
            done(c, (int)taken, c->response.sentence);
            return (int)taken;
        }
        bytes += taken;
        n -= (size_t)taken;
        if (!c->response.complete)
            continue;
        c->useless = !c->response.keeps;
        done(c, 0, "");
    }
    if (n == 0)
        return 0;
    c->useless = true;
    return -EBADMSG;
}

static void ended(struct http_client *client, int error, const char *sentence)
{
    struct h1_client *c = of(client);

    c->useless = true;
    if (c->busy && error == 0 && h1_response_end(&c->response) < 0) {
        error = c->response.error;
        sentence = c->response.sentence;
    }
    done(c, error, sentence);
}

static void client_free(struct http_client *client)
{
    free(of(client));
}

static const struct http_client_ops ops = {.ask = ask,
                                           .room = room,
                                           .pending = pending,
                                           .sent = sent,
                                           .take = take,
                                           .ended = ended,
                                           .free = client_free};

int h1_client_new(struct http_client_user *user, struct http_client **client)
{
    struct h1_client *c = malloc(sizeof(*c));

    if (!c)
        return -ENOMEM;
    /* One by one: to clear the buffers as well takes longer than all the rest. */
    c->base.ops = &ops;
    c->user = user;
    c->busy = c->useless = false;
    c->len = c->sent = 0;
    *client = &c->base;
    return 0;
}
